"""The chest X-rays of MultiCaRe, with their captions in the place of reports."""
