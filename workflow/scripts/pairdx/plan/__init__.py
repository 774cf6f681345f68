"""From configuration to names and paths, for the rules: with what Snakemake brings."""
