"""What the header of a BMP file says, where decoders leave it unsaid or read it wrongly.

Source: Microsoft, Windows GDI, "Bitmap storage" (BITMAPCOREHEADER to BITMAPV5HEADER).
"""

from __future__ import annotations

import struct

CORE_HEADER, INFO_HEADER, V5_HEADER = 12, 40, 124  # bytes
HEADERS = (CORE_HEADER, INFO_HEADER, 52, 56, 64, 108, V5_HEADER)
OS2_HEADER = 64
START = 14  # where the header begins: behind the header of the file
BIT_FIELDS = (3, 6)  # of the field of the compression: masks say which bits are which colour
COLOURS_USED = START + 32
EMBEDDED_PROFILE = 0x4D424544  # MBED
DEEPEST_PIXEL = 32  # bits; beyond, a channel has 16


def is_bmp(content: bytes) -> bool:
    """Say whether a file is a BMP file with a header that is known."""
    return content[:2] == b"BM" and _number(content, START) in HEADERS


def bits(content: bytes) -> int:
    """Return the bits of a BMP file's deepest colour channel, and 8 where it does not say."""
    header = _number(content, START)
    of_pixel = _number(content, START + (10 if header == CORE_HEADER else 14), "H")
    if of_pixel > DEEPEST_PIXEL:
        return 16
    if header in (CORE_HEADER, OS2_HEADER) or _number(content, START + 16) not in BIT_FIELDS:
        return 8
    masks = [_number(content, START + INFO_HEADER + 4 * colour) for colour in range(3)]
    return max(8, *(mask.bit_count() for mask in masks))


def for_pillow(content: bytes) -> bytes:
    """Return a BMP file in which Pillow reads every pixel as it is stored.

    Where pixels of 4 or 8 bits use two colours, black and white, Pillow takes them for single bits.
    A file that does not say how many colours it uses has pixels as wide as they are.
    """
    header = _number(content, START)
    if header == CORE_HEADER or _number(content, START + 14, "H") not in (4, 8):
        return content
    behind_header = _number(content, 10) == START + header
    if _number(content, COLOURS_USED) not in (1, 2) or behind_header:
        return content
    return content[:COLOURS_USED] + bytes(4) + content[COLOURS_USED + 4 :]


def profile(content: bytes) -> bytes | None:
    """Return the colour profile that a BMP file of version 5 holds, or None."""
    if _number(content, START) != V5_HEADER or _number(content, START + 56) != EMBEDDED_PROFILE:
        return None
    start, length = _number(content, START + 112), _number(content, START + 116)
    return content[START + start : START + start + length] or None


def _number(content: bytes, place: int, kind: str = "I") -> int:
    """Return the whole number at a place; 0 where the file ends before it."""
    try:
        return int(struct.unpack_from(f"<{kind}", content, place)[0])
    except struct.error:
        return 0
