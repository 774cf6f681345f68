"""From configuration to names and paths, for the rules: quick to import."""
