"""Texts of radiology reports: their sections, and their sentences."""
