"""Whether the ledger knows what the file names."""
