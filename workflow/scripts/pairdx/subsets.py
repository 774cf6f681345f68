"""The names of the subsets that every split divides the pairs into."""

SUBSETS = ("train", "validation", "test")
