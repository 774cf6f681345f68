"""A corpus drawn by ourselves, in MultiCaRe's raw layout, for the demo and tests."""
