"""What the peers of this workflow are told, and the versions that they run in."""
