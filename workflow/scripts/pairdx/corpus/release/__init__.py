"""The published PairDx, or whatever has its layout."""

ARCHIVE = "release"  # the archive that every row names: one folder, zip file or download
