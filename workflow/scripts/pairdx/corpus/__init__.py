"""Raw sources, each turned into the same table of candidate pairs; and a demo corpus to draw."""
