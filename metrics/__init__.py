"""Metrics, rules and flags: arithmetic on the ledger, written once in Narwhals."""
