"""A drawn corpus is read as MultiCaRe is: it has its layout."""

from pairdx.corpus.multicare.reading import read

__all__ = ["read"]
