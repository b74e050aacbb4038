"""Whether every value lies where it can."""
