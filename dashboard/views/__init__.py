"""One page per module, and the pieces that pages are made of."""
