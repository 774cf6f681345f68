"""How well and how fast a classifier works: metrics, bootstrap intervals and timing."""
