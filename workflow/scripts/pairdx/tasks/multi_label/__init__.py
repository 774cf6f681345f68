"""Several labels per pair: of each class whether it is true, is not, or is not known."""
