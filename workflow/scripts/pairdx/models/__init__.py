"""The systems of the comparison: one file per family behind one small protocol (``base.py``)."""
