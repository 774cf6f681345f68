"""Training state: what a run that goes on later needs, where it lies and who holds it."""
