"""The Indiana University collection of Open-I: chest X-rays with reports and MeSH terms."""
