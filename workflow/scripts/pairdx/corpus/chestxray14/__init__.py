"""ChestX-ray14 of the NIH Clinical Center: frontal chest X-rays, labels mined from reports."""
