"""What every table and figure is made with: files, text, theme, layout."""
