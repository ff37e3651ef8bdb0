"""The reader: the vsmartcard (vpcd) wire, and the slots that cards are put into."""
