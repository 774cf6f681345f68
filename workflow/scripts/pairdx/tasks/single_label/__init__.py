"""One label per pair, out of several classes."""
