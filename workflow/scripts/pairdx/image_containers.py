"""What image files hold beside their pixels: found, and taken out without touching the pixels.

Cameras and programs write into a file who took a picture, of whom, when and where (EXIF, XMP, IPTC,
comments), a small copy of it from before it was cropped, and further pictures behind the first.
What stays here is a list of what a picture needs, colour profiles included; all else goes.

Sources: JPEG: ITU-T T.81, JFIF 1.02; PNG: W3C, third edition; WebP: Google's container
specification.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pairdx.image_formats import bmp, tiff

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# What takes part in how a PNG file's first picture looks.
PNG_KEPT = (
    *(b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"bKGD", b"pHYs"),
    *(b"cHRM", b"gAMA", b"iCCP", b"sBIT", b"sRGB", b"cICP", b"mDCV", b"cLLI"),
)
PNG_KINDS = {b"eXIf": "exif", b"tIME": "time"} | dict.fromkeys((b"tEXt", b"zTXt", b"iTXt"), "text")
PNG_KINDS |= dict.fromkeys((b"acTL", b"fcTL", b"fdAT"), "further pictures")
WEBP_KEPT = (b"VP8X", b"ICCP", b"ALPH", b"VP8 ", b"VP8L")
WEBP_KINDS = {b"EXIF": "exif", b"XMP ": "xmp"}
WEBP_METADATA_FLAGS = 0x0C  # of the chunk VP8X: the file has EXIF, the file has XMP

START_OF_SCAN, END_OF_IMAGE = 0xDA, 0xD9
APPLICATION, COMMENT = range(0xE0, 0xF0), 0xFE
FRAMES = {0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF}
WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD9)}
NEXT_MARKER = re.compile(rb"\xff+[^\x00\xff\xd0-\xd7]")  # stuffed bytes and restarts are data
JPEG_KINDS = {
    (0xE1, b"Exif\0"): "exif",
    (0xE1, b"http://ns.adobe.com/xap/"): "xmp",
    (0xE1, b"http://ns.adobe.com/xmp/"): "xmp",
    (0xED, b"Photoshop 3.0\0"): "iptc",
    (0xE2, b"MPF\0"): "further pictures",
    (0xE0, b"JFXX\0"): "thumbnail",
    (COMMENT, b""): "comment",
}
JFIF, ICC, ADOBE = b"JFIF\0", b"ICC_PROFILE\0", b"Adobe"
JFIF_BYTES, ADOBE_BYTES = 14, 12  # of a segment's content, without the thumbnail that may follow

Piece = tuple[bytes, str]  # what is kept of a part of a file, and the kind of what is not


class _NotUnderstoodError(Exception):
    """The file is not built as its format says."""


@dataclass(frozen=True)
class Stripped:
    """An image file without what stood beside its pixels.

    Attributes:
        content: The file; the given bytes where nothing was found.
        found: Kinds of what was taken out: exif, xmp, iptc, comment, text, time, thumbnail,
            further pictures, trailing bytes, other.
    """

    content: bytes
    found: frozenset[str]


def format_of(content: bytes) -> str:
    """Return JPEG, PNG, WEBP, TIFF or BMP by a file's first bytes, or "" for any other."""
    if content.startswith(PNG_SIGNATURE):
        return "PNG"
    if content.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "WEBP"
    if tiff.is_tiff(content):
        return "TIFF"
    return "BMP" if bmp.is_bmp(content) else ""


def bits_per_channel(content: bytes) -> int:
    """Return the bits per channel that a file states, and 8 where none are stated.

    Decoders may hand out 8 bits of each whatever the file has, so that the file itself is asked.
    """
    kind = format_of(content)
    if kind in ("TIFF", "BMP"):
        return tiff.bits(content) if kind == "TIFF" else bmp.bits(content)
    try:
        if kind == "PNG":
            header = next(part for name, part in _png_chunks(content) if name == b"IHDR")
            return header[16]
        if kind == "JPEG":
            return next(part for marker, part in _jpeg_parts(content) if marker in FRAMES)[4]
    except (_NotUnderstoodError, StopIteration, IndexError):
        pass  # damaged, which decoding it will say
    return 8


def strip(content: bytes) -> Stripped | None:
    """Take out of a JPEG, PNG or WebP file whatever its first picture does not need.

    Compressed pixels, colour profiles and transparency stay byte for byte. The orientation that
    EXIF states goes with it: who hands on the file sees to it that the picture is still upright.

    Returns:
        None where that cannot be done: a TIFF or BMP file, an animated WebP file, whose pictures
        are in one another's frames, or a file that is not built as its format says.
    """
    pieces = _STRIPPERS.get(format_of(content))
    if pieces is None:
        return None
    try:
        kept, kinds = zip(*pieces(content), strict=True)
    except (_NotUnderstoodError, IndexError):
        return None
    found = frozenset(kinds) - {""}
    if not found:
        return Stripped(content, found)
    stripped = b"".join(kept)
    if content.startswith(b"RIFF"):
        stripped = b"RIFF" + (len(stripped) - 8).to_bytes(4, "little") + stripped[8:]
    return Stripped(stripped, found)


def _jpeg_parts(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the marker and all bytes of each part up to the end of the first picture.

    A scan's compressed data belong to its part; bytes that fill up to a marker to none.
    """
    position = 2
    while True:
        if content[position] != 0xFF:
            raise _NotUnderstoodError
        while content[position + 1] == 0xFF:
            position += 1
        marker, end = content[position + 1], position + 2
        if marker not in WITHOUT_LENGTH and marker != END_OF_IMAGE:
            end += int.from_bytes(content[end : end + 2], "big")
        if marker == START_OF_SCAN:
            following = NEXT_MARKER.search(content, end)
            if following is None:
                raise _NotUnderstoodError
            end = following.start()
        if not position + 2 <= end <= len(content) or end == position + 3:
            raise _NotUnderstoodError
        yield marker, content[position:end]
        if marker == END_OF_IMAGE:
            yield -1, content[end:]
            return
        position = end


def _jpeg(content: bytes) -> Iterator[Piece]:
    yield content[:2], ""
    for marker, part in _jpeg_parts(content):
        yield _jpeg_piece(marker, part)


def _jpeg_piece(marker: int, part: bytes) -> Piece:
    inside = part[4:]
    if marker == -1:
        return b"", "trailing bytes" if part else ""
    if marker not in APPLICATION and marker != COMMENT:
        return part, ""
    if marker == 0xE0 and inside.startswith(JFIF) and len(inside) >= JFIF_BYTES:
        if len(inside) == JFIF_BYTES:
            return part, ""
        return _segment(marker, inside[: JFIF_BYTES - 2] + b"\0\0"), "thumbnail"
    if marker == 0xE2 and inside.startswith(ICC):
        return part, ""
    if marker == 0xEE and inside.startswith(ADOBE):  # it says how the colours are to be read
        return _segment(marker, inside[:ADOBE_BYTES]), "other" if inside[ADOBE_BYTES:] else ""
    kinds = (
        kind
        for (of, start), kind in JPEG_KINDS.items()
        if marker == of and inside.startswith(start)
    )
    return b"", next(kinds, "other")


def _segment(marker: int, inside: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(inside) + 2).to_bytes(2, "big") + inside


def _png_chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the name and all bytes of each chunk up to IEND; then b"" and what follows it."""
    position, name = len(PNG_SIGNATURE), b""
    while name != b"IEND":
        length = int.from_bytes(content[position : position + 4], "big")
        name, end = content[position + 4 : position + 8], position + length + 12
        if end > len(content):
            raise _NotUnderstoodError
        yield name, content[position:end]
        position = end
    yield b"", content[position:]


def _png(content: bytes) -> Iterator[Piece]:
    yield PNG_SIGNATURE, ""
    for name, chunk in _png_chunks(content):
        if name == b"":
            yield b"", "trailing bytes" if chunk else ""
        elif name in PNG_KEPT:
            yield chunk, ""
        elif name == b"iTXt" and chunk[8:].startswith(b"XML:com.adobe.xmp\0"):
            yield b"", "xmp"
        else:
            yield b"", PNG_KINDS.get(name, "other")


def _webp(content: bytes) -> Iterator[Piece]:
    yield content[:12], ""  # its length is corrected at the end
    position, end = 12, 8 + int.from_bytes(content[4:8], "little")
    while position + 8 <= min(end, len(content)):
        name = content[position : position + 4]
        length = int.from_bytes(content[position + 4 : position + 8], "little")
        following = position + 8 + length
        if following > len(content) or name in (b"ANIM", b"ANMF"):
            raise _NotUnderstoodError
        chunk = content[position:following] + b"\0" * (length % 2)
        if name == b"VP8X":
            chunk = chunk[:8] + bytes((chunk[8] & ~WEBP_METADATA_FLAGS,)) + chunk[9:]
        if name in WEBP_KEPT:
            yield chunk, ""
        else:
            yield b"", WEBP_KINDS.get(name, "other")
        position = following + length % 2
    yield b"", "trailing bytes" if content[position:] else ""


_STRIPPERS: dict[str, Callable[[bytes], Iterator[Piece]]] = {
    "JPEG": _jpeg,
    "PNG": _png,
    "WEBP": _webp,
}
