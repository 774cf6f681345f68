"""CheXpert of Stanford: chest X-rays with findings read from reports, and by radiologists."""
