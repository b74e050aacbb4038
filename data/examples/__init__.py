"""Published data turned into returns: what the tables look like with real input."""
