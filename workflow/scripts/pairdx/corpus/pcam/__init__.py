"""PatchCamelyon: patches of lymph nodes in HDF5 files, with labels beside them."""
