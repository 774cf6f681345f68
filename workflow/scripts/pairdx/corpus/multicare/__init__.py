"""MultiCaRe, as published on Zenodo."""
