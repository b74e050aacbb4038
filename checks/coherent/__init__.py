"""Whether the days of a row come in a possible order."""
