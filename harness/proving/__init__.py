"""Programs proven: played in every situation, each run judged, on this machine or on many."""
