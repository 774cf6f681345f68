"""MIMIC-CXR-JPG with the reports of MIMIC-CXR: images, reports, labels read from the reports."""
