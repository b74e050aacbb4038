"""Whether every row stands once."""
