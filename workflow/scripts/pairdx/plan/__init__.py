"""From configuration to names and paths, for the rules: standard library only."""
