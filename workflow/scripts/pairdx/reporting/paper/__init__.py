"""Our results beside those that the paper states."""
