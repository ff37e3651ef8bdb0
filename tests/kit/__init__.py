"""What tests share: cards, counters, offices, programs and processes at hand."""
