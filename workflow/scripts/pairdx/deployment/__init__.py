"""Systems put to use outside the workflow: a folder per system, and what classifies with it.

What runs there needs NumPy, Pillow and ONNX Runtime, and reads such a folder (:mod:`.folder`); what
makes the folder is in :mod:`.export`, which nothing here imports.
"""
