"""The family linear: the most frequent class, and regressions on words or mean colours."""
