"""Tables and figures of several labels per pair: what systems find in an image."""
