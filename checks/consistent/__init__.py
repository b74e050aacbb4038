"""Whether the values of a file agree with each other."""
