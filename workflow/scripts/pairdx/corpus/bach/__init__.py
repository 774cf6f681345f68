"""The microscopy images of the ICIAR 2018 challenge (BACH), one folder per class."""
