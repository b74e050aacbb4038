"""The commands of `fairtier`, one module per group."""
