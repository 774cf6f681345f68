"""The systems of the comparison: one folder per family behind one small protocol (``base.py``)."""
