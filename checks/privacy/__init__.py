"""Whether the file keeps every person out of it."""
