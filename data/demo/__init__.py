"""The worked example: an invented supply chain with ten planted truths and their answer key."""
