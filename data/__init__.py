"""The contract with the outside: tables, reading, the ledger."""
