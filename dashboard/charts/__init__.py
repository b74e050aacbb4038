"""One chart per module: pure functions from figures to Altair charts."""
