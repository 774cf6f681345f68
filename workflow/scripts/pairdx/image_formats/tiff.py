"""What the directories of a TIFF file say, checked before anything is decoded.

TIFF holds nearly any numbers in any order, several pictures and copies of them. Decoders read what
they know and leave the rest: strips that are missing stay black, surplus ones are drawn over the
first, and subsampled colours without compression become noise. Such files are refused by name.

Sources: Adobe, TIFF 6.0 (1992) and Technical Notes 1 and 2; libtiff, BigTIFF.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pairdx.image_formats.foreign import Refusal

# What a file begins with: the order of its bytes, and whether it is a BigTIFF file.
SIGNATURES = {
    b"II*\0": ("<", False),
    b"MM\0*": (">", False),
    b"II+\0": ("<", True),
    b"MM\0+": (">", True),
}
MOST_ENTRIES, MOST_PAGES = 4096, 10_000
MOST_PIECES = 1_000_000  # strips or tiles
LARGEST_TILE = 2**26  # pixels, for which a decoder takes memory whatever the picture's size
MOST_CHANNELS = 6

NEW_SUBFILE, SUBFILE, WIDTH, HEIGHT, BITS, COMPRESSION, COLOURS = 254, 255, 256, 257, 258, 259, 262
STRIPS, CHANNELS, STRIP_ROWS, PLANES = 273, 277, 278, 284
TILE_WIDTH, TILE_HEIGHT, TILES, SUB_DIRECTORIES = 322, 323, 324, 330
INKS, EXTRA_CHANNELS, SAMPLE_FORMAT, SUBSAMPLING = 332, 338, 339, 530
SMALL_COPY, PAGE_MASK = 1, 4  # bits of NEW_SUBFILE
OLD_SMALL_COPY = 2  # the value of SUBFILE
UNSIGNED, SEPARATE, PREMULTIPLIED, CMYK_INKS = 1, 2, 1, 1
PLAIN, OLD_JPEG = 1, 6
# None, CCITT (three kinds), LZW, JPEG (two), Deflate (two), PackBits, LZMA, Zstandard.
COMPRESSIONS = (PLAIN, 2, 3, 4, 5, OLD_JPEG, 7, 8, 32946, 32773, 34925, 50000)
CMYK, YCBCR = 5, 6
# Grey (white or black is 0), RGB, palette, CMYK, YCbCr, CIE L*a*b*.
COLOUR_SPACES = (0, 1, 2, 3, CMYK, YCBCR, 8)

# What takes part in how a picture looks and in how it is stored, profile and orientation included.
PICTURE_TAGS = frozenset(
    {*range(254, 260), *range(262, 267), 273, 274, *range(277, 285), *range(286, 294), 296, 297}
    | {301, *range(317, 329), 332, 334, *range(336, 348), *range(512, 522), 529, 530, 531, 532}
    | {34675}
)
KINDS = dict.fromkeys((269, 270, 271, 272, 285, 305, 315, 316, 33432), "text") | {
    **dict.fromkeys(range(40091, 40096), "text"),  # of Windows
    306: "time",
    SUB_DIRECTORIES: "further pictures",
    700: "xmp",
    33723: "iptc",
    34377: "iptc",  # Photoshop's resources, which hold IPTC and a small copy
    34665: "exif",
    34853: "exif",  # the position
    37724: "further pictures",  # Photoshop's layers
}
NUMBERS = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 13: "I", 16: "Q", 18: "Q"}
BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
BYTES |= {16: 8, 17: 8, 18: 8}


class _DamagedError(Exception):
    """The file is not built as TIFF says."""


@dataclass(frozen=True)
class _Directory:
    """One picture of a file: per tag its type, how many values there are, and where."""

    content: bytes
    order: str
    entries: Mapping[int, tuple[int, int, int]]
    following: int

    def numbers(self, tag: int, *default: int) -> tuple[int, ...]:
        """Return the whole numbers of a tag, and the default where it is missing."""
        if tag not in self.entries:
            return default
        kind, count, place = self.entries[tag]
        if kind not in NUMBERS or not 0 < count <= MOST_PIECES:
            raise _DamagedError(f"tag {tag} does not hold the numbers that it should")
        return _unpacked(f"{self.order}{count}{NUMBERS[kind]}", self.content, place)

    def number(self, tag: int, default: int = 0) -> int:
        """Return the first number of a tag."""
        return self.numbers(tag, default)[0]

    def is_beside(self) -> bool:
        """Say whether this is a small copy or a mask of another picture."""
        kind = self.number(NEW_SUBFILE)
        return bool(kind & (SMALL_COPY | PAGE_MASK)) or self.number(SUBFILE) == OLD_SMALL_COPY


def is_tiff(content: bytes) -> bool:
    """Say whether a file is a TIFF or BigTIFF file, by its first bytes."""
    return content[:4] in SIGNATURES


def bits(content: bytes) -> int:
    """Return the bits of the deepest channel of the first picture, and 8 where it is damaged."""
    try:
        return max(next(_directories(content)).numbers(BITS, 1))
    except (_DamagedError, StopIteration):
        return 8


def problem(content: bytes) -> Refusal | None:
    """Say why a TIFF file is not decoded, as far as its directories tell; None: they tell nothing.

    Small copies and masks behind the picture, as scanners and viewers store them, are no pages.
    """
    try:
        pages = list(_directories(content))
        if not pages:
            return Refusal("damaged image: a TIFF file without a picture")
        return _several(pages) or _unknown(pages[0]) or _incomplete(pages[0], len(content))
    except _DamagedError as error:
        return Refusal(f"damaged image: {error}")


def kinds(content: bytes) -> frozenset[str]:
    """Name what a TIFF file holds beside its picture, as :class:`image_containers.Stripped`."""
    try:
        pages = list(_directories(content))
    except _DamagedError:
        return frozenset()
    tags = [tag for page in pages[:1] for tag in page.entries]
    found = {KINDS.get(tag, "other") for tag in tags if tag not in PICTURE_TAGS}
    return frozenset(found | ({"further pictures"} if len(pages) > 1 else set()))


def _directories(content: bytes) -> Iterator[_Directory]:
    """Yield the directories of the pages, one behind the other."""
    order, big = SIGNATURES[content[:4]]
    (offset,) = _unpacked(f"{order}{'Q' if big else 'I'}", content, 8 if big else 4)
    seen: set[int] = set()
    while offset and offset not in seen and len(seen) < MOST_PAGES:
        seen.add(offset)
        directory = _directory(content, offset, order, big=big)
        yield directory
        offset = directory.following


def _directory(content: bytes, offset: int, order: str, *, big: bool) -> _Directory:
    size_of_count, size_of_entry, long = (8, 20, "Q") if big else (2, 12, "I")
    (count,) = _unpacked(f"{order}{'Q' if big else 'H'}", content, offset)
    if not 0 < count <= MOST_ENTRIES:
        raise _DamagedError(f"a directory of {count} entries")
    entries: dict[int, tuple[int, int, int]] = {}
    start = offset + size_of_count
    for place in range(start, start + count * size_of_entry, size_of_entry):
        tag, kind, number, value = _unpacked(f"{order}HH{long}{long}", content, place)
        if tag in entries:
            raise _DamagedError(f"tag {tag} stands twice in a directory")
        fits = number * BYTES.get(kind, 1) <= struct.calcsize(f"={long}")
        inside = place + 4 + struct.calcsize(f"={long}")
        entries[tag] = (kind, number, inside if fits else value)
    (following,) = _unpacked(f"{order}{long}", content, start + count * size_of_entry)
    return _Directory(content, order, entries, following)


def _unpacked(layout: str, content: bytes, place: int) -> tuple[int, ...]:
    if place + struct.calcsize(layout) > len(content):
        raise _DamagedError("the file ends before what its directory names")
    return struct.unpack_from(layout, content, place)


def _several(pages: list[_Directory]) -> Refusal | None:
    first = pages[0]
    if first.is_beside() and (len(pages) > 1 or SUB_DIRECTORIES in first.entries):
        what = "a TIFF file whose first picture is a small copy or a mask of another"
        return Refusal(f"{what}; save the picture as a file of its own", "several_pages")
    shown = sum(not page.is_beside() for page in pages)
    if shown > 1:
        what = f"a TIFF file of {shown} pages"
        return Refusal(f"{what}; save each that is wanted as a file of its own", "several_pages")
    return None


def _unknown(page: _Directory) -> Refusal | None:
    """Say what of a picture's numbers and colours no decoder here reads as viewers do."""
    if page.content.startswith(b"MM\0+"):
        return _not_read("of the kind BigTIFF with the high byte first")
    compression, colours = page.number(COMPRESSION, PLAIN), page.number(COLOURS, -1)
    if compression not in COMPRESSIONS:
        return _not_read(f"with the compression {compression}")
    if set(page.numbers(SAMPLE_FORMAT, UNSIGNED)) != {UNSIGNED}:
        return _not_read("of signed numbers or fractions")
    if colours not in COLOUR_SPACES and compression != OLD_JPEG:
        stated = colours if COLOURS in page.entries else "none"
        return _not_read(f"with colours of another kind (PhotometricInterpretation {stated})")
    if colours == CMYK and page.number(INKS, CMYK_INKS) != CMYK_INKS:
        return _not_read("with other inks than cyan, magenta, yellow and black")
    channels = page.number(CHANNELS, 1)
    if channels > MOST_CHANNELS:
        return _not_read(f"with {channels} channels")
    separate = page.number(PLANES, 1) == SEPARATE
    if separate and page.number(EXTRA_CHANNELS) == PREMULTIPLIED:
        return _not_read("with premultiplied transparency in a plane of its own")
    subsampled = page.numbers(SUBSAMPLING, 2, 2) != (1, 1)
    if compression == PLAIN and colours == YCBCR and (separate or subsampled):
        return _not_read("with subsampled colours and no compression")
    return None


def _not_read(how: str) -> Refusal:
    return Refusal(f"a TIFF file {how}; save it as PNG first")


def _incomplete(page: _Directory, length: int) -> Refusal | None:
    """Say whether strips or tiles are missing, surplus, or larger than any picture."""
    if page.number(COMPRESSION, PLAIN) == OLD_JPEG:
        return None  # which may have none
    width, height = page.number(WIDTH), page.number(HEIGHT)
    tiled = TILES in page.entries
    if tiled:
        across, down = page.number(TILE_WIDTH), page.number(TILE_HEIGHT)
    else:
        across, down = width, min(height, page.number(STRIP_ROWS, height))
    if min(width, height, across, down) <= 0 or (tiled and STRIPS in page.entries):
        return Refusal("damaged image: a TIFF file whose sizes are not known")
    if tiled and across * down > LARGEST_TILE:
        return Refusal(f"refused: tiles of {across} x {down} pixels could be a decompression bomb")
    pieces = math.ceil(width / across) * math.ceil(height / down)
    if page.number(PLANES, 1) == SEPARATE:
        pieces *= page.number(CHANNELS, 1)
    places = page.numbers(TILES if tiled else STRIPS)
    there = sum(0 < place < length for place in places)
    if len(places) != pieces or there != pieces:
        return Refusal(f"damaged image: {there} of {pieces} strips or tiles are in the file")
    return None
