"""The dataset's own pages: counts, origins, curation, texts, datasheet, Croissant."""
