"""NCT-CRC-HE-100K and CRC-VAL-HE-7K: patches of colorectal tissue, one folder per class."""
