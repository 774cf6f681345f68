"""The workflow as a whole, run by Snakemake."""
