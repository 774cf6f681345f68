"""Why an image is not decoded, and what a file that is no readable image seems to be."""

from __future__ import annotations

import re

READ = "JPEG, PNG, WebP, TIFF and BMP"
HEAD_BYTES = 1024  # of a text, in which it says what it is
ONLY = f"only {READ} are read"
CONVERT = "save it as PNG first"
# What files begin with (at which place, which bytes), what they then are, and what can be done.
SIGNATURES = (
    (0, b"GIF8", "a GIF file", ONLY),
    (4, b"ftypavif", "an AVIF file", CONVERT),
    (4, b"ftypavis", "an AVIF file", CONVERT),
    *((4, b"ftyp" + brand, "a HEIC file", CONVERT) for brand in (b"hei", b"hev", b"mif1", b"msf1")),
    (4, b"ftypcrx", "a camera's raw file", CONVERT),
    (4, b"ftyp", "a video file", ONLY),
    (128, b"DICM", "a DICOM file", "export it as PNG first"),
    (0, b"%PDF", "a PDF file", "export its pages as PNG first"),
    (0, b"version https://git-lfs", "a Git LFS pointer, not the image", "run `git lfs pull`"),
    (0, b"\0\0\0\x0cjP  ", "a JPEG 2000 file", CONVERT),
    (0, b"\xff\x4f\xff\x51", "a JPEG 2000 file", CONVERT),
    (0, b"\0\0\0\x0cJXL ", "a JPEG XL file", CONVERT),
    (0, b"\xff\x0a", "a JPEG XL file", CONVERT),
    (0, b"8BPS", "a Photoshop file", CONVERT),
    (0, b"\0\0\1\0", "an icon (ICO)", ONLY),
    (0, b"\x89HDF", "an HDF5 file", ONLY),
    (0, b"PK\3\4", "a zip file or an office document", ONLY),
    (0, b"\x1f\x8b", "a gzip file, such as a NIfTI image", ONLY),
    (0, b"\xd0\xcf\x11\xe0", "an office document", ONLY),
    (0, b"{\\rtf", "an office document", ONLY),
    (8, b"AVI ", "a video file", ONLY),
    (0, b"BM", "a BMP file with a header that is not read", CONVERT),
    *((0, b"P%d" % kind, "a PNM file", CONVERT) for kind in range(1, 7)),
)
# What texts hold in their first lines, in small letters.
TEXTS = (
    (b"<svg", "an SVG drawing", CONVERT),
    (b"<!doctype html", "an HTML page", "download the image itself"),
    (b"<html", "an HTML page", "download the image itself"),
    (b"<?xml", "an XML file", ONLY),
)
UNSEEN = re.compile(rb"[\0-\x08\x0e-\x1f]")


class Refusal(str):
    """One sentence that says why an image is not decoded.

    Attributes:
        reason: The name under which such images are counted in rejected.parquet.
    """

    __slots__ = ("reason",)
    reason: str

    def __new__(cls, sentence: str, reason: str = "unreadable") -> Refusal:
        """Make the sentence, and note its reason."""
        refusal = super().__new__(cls, sentence)
        refusal.reason = reason
        return refusal


TOO_DEEP = Refusal("more than 8 bits per channel; convert it to 8 bits first", "more_than_8_bits")


def foreign(content: bytes) -> Refusal:
    """Say what a file that is none of the readable images seems to be, by its first bytes."""
    if not content:
        return Refusal("an empty file")
    for place, start, what, remedy in SIGNATURES:
        if content.startswith(start, place):
            return Refusal(f"{what}; {remedy}")
    head = content[:HEAD_BYTES].lower()
    if not UNSEEN.search(head):
        for text, what, remedy in TEXTS:
            if text in head:
                return Refusal(f"{what}; {remedy}")
        return Refusal(f"a text, not an image; {ONLY}")
    return Refusal(f"not an image of a known format; {ONLY}")
