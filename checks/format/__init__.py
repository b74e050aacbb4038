"""Whether every cell can be read as what its column holds."""
