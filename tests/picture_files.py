"""Image files as cameras and programs write them: turned, with profiles, with secrets inside."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from PIL import Image, ImageCms, PngImagePlugin
from PIL.ExifTags import IFD, Base

PLANTED = "MRN-4711-Jane"  # stands wherever a file can state something
PLANTS = (PLANTED.encode(), PLANTED.encode("utf-16-le"))
# How a camera stores an upright image for each orientation: what EXIF's turn undoes.
STORED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
FORMATS = ("JPEG", "PNG", "WEBP")


def upright(width: int = 48, height: int = 80) -> Image.Image:
    """A picture with another colour in each quarter, in blocks that no compression blurs."""
    pixels = np.zeros((height, width, 3), dtype=np.uint8)
    pixels[: height // 2, : width // 2] = (255, 0, 0)
    pixels[: height // 2, width // 2 :] = (0, 200, 0)
    pixels[height // 2 :, : width // 2] = (0, 0, 255)
    pixels[height // 2 :, width // 2 :] = (240, 240, 240)
    return Image.fromarray(pixels)


def exif(orientation: int | None = None) -> bytes:
    """EXIF with an artist, a comment, a position, and an orientation if one is given."""
    stated = Image.Exif()
    stated[Base.Artist] = PLANTED
    stated[Base.ImageDescription] = PLANTED
    stated[0x9C9C] = f"{PLANTED}\0".encode("utf-16-le")  # XPComment
    stated.get_ifd(IFD.GPSInfo)[29] = PLANTED
    if orientation:
        stated[Base.Orientation] = orientation
    return bytes(stated.tobytes())


def xmp(orientation: int | None = None) -> bytes:
    """A packet of XMP."""
    turned = f'tiff:Orientation="{orientation}"' if orientation else ""
    return f'<x:xmpmeta><rdf:Description dc:creator="{PLANTED}" {turned}/></x:xmpmeta>'.encode()


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    """Encode an image, as sharply as its format can."""
    stream = io.BytesIO()
    sharp = {"JPEG": {"quality": 95, "subsampling": 0}, "WEBP": {"lossless": True}}
    image.save(stream, kind, **(sharp.get(kind, {}) | options))
    return stream.getvalue()


def turned(kind: str, orientation: int, image: Image.Image | None = None) -> bytes:
    """An upright picture as a camera stores it that was held in this way."""
    image, how = image or upright(), STORED[orientation]
    stored = image if how is None else image.transpose(how)
    return encoded(stored, kind, exif=exif(orientation))


def jpeg_with_everything() -> bytes:
    """A JPEG file with EXIF, XMP, IPTC, comments, thumbnails, an index and a second picture."""
    plain = encoded(upright(), "JPEG", exif=exif(), comment=PLANTED.encode(), progressive=True)
    assert plain[2:4] == b"\xff\xe0"
    jfif_end = 4 + int.from_bytes(plain[4:6], "big")
    thumbnail = PLANTED.encode().ljust(3 * 25, b".")
    jfif = _segment(0xE0, plain[6 : jfif_end - 2] + b"\x05\x05" + thumbnail)
    others = [
        (0xE0, b"JFXX\0\x10" + PLANTED.encode()),
        (0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp()),
        (0xED, b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\x12\x1c\x02\x50\0\x0d" + PLANTED.encode()),
        (0xE2, b"MPF\0" + PLANTED.encode()),
        (0xEB, b"JP\0\x01" + PLANTED.encode()),
    ]
    segments = b"".join(_segment(marker, inside) for marker, inside in others)
    second_scan = plain.rindex(b"\xff\xda")  # comments may stand between scans
    body = plain[jfif_end:second_scan] + _segment(0xFE, PLANTED.encode()) + plain[second_scan:]
    return plain[:2] + jfif + segments + body + encoded(upright(), "JPEG", exif=exif())


def _segment(marker: int, inside: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(inside) + 2) + inside


def png_with_everything() -> bytes:
    """A PNG file with EXIF, texts of all kinds, a time, further pictures and a tail."""
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Author", PLANTED)
    texts.add_itxt("XML:com.adobe.xmp", xmp().decode())
    texts.add_itxt("Comment", PLANTED)
    others = [upright().transpose(Image.Transpose.ROTATE_180)]
    content = encoded(
        *(upright(), "PNG"), pnginfo=texts, exif=exif(), save_all=True, append_images=others
    )
    extra = _chunk(b"tIME", b"\x07\xe8\x01\x02\x03\x04\x05") + _chunk(b"prVt", PLANTED.encode())
    return content[:33] + extra + content[33:] + PLANTED.encode()


def _chunk(name: bytes, inside: bytes) -> bytes:
    check = struct.pack(">I", zlib.crc32(name + inside))
    return struct.pack(">I", len(inside)) + name + inside + check


def webp_with_everything() -> bytes:
    """A WebP file with EXIF, XMP, a chunk of its own and a tail."""
    content = encoded(upright(), "WEBP", exif=exif(), xmp=xmp())
    own = b"NOTE" + struct.pack("<I", len(PLANTED)) + PLANTED.encode() + b"\0" * (len(PLANTED) % 2)
    whole = content[8:] + own
    return b"RIFF" + struct.pack("<I", len(whole)) + whole + PLANTED.encode()


def profile(red_and_green_swapped: bool = True) -> bytes:
    """An RGB profile: sRGB with two of its primaries exchanged, or sRGB itself."""
    content = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    if red_and_green_swapped:
        red, green = content.index(b"rXYZ"), content.index(b"gXYZ")
        content[red : red + 4], content[green : green + 4] = b"gXYZ", b"rXYZ"
    return bytes(content)


def deep_png(mode: str) -> bytes:
    """A PNG file of 16 bits per channel: grey, with alpha, or colour."""
    colour_type, channels = {"L": (0, 1), "RGB": (2, 3), "LA": (4, 2), "RGBA": (6, 4)}[mode]
    side = 40
    rows = np.random.default_rng(1).integers(0, 65536, (side, side * channels)).astype(">u2")
    lines = b"".join(b"\0" + row.tobytes() for row in rows)
    header = struct.pack(">IIBBBBB", side, side, 16, colour_type, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        _chunk(name, inside)
        for name, inside in ((b"IHDR", header), (b"IDAT", zlib.compress(lines)), (b"IEND", b""))
    )


def png_that_states_its_orientation_last() -> bytes:
    """A PNG file whose EXIF, with orientation 6, stands behind the pixels."""
    stored = upright().transpose(Image.Transpose.ROTATE_90)
    content = encoded(stored, "PNG")
    stated = exif(6).removeprefix(b"Exif\0\0")
    return content[:-12] + _chunk(b"eXIf", stated) + content[-12:]


# A TIFF picture's tags, and its strips; or its tiles, where the tags state their width.
Page = tuple[dict[int, tuple[int, ...]], list[bytes]]


def tiff_page(pixels: np.ndarray, colours: int = 1, order: str = "<") -> Page:
    """A picture without compression, in strips of ten rows: [H, W] or [H, W, C] of uint8 or 16."""
    height, width = pixels.shape[:2]
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    stored = pixels.astype(pixels.dtype.newbyteorder(order))
    bits = (8 * pixels.itemsize,) * channels
    tags = {256: (width,), 257: (height,), 258: bits, 259: (1,), 262: (colours,)}
    tags |= {277: (channels,), 278: (10,)}
    return tags, [stored[top : top + 10].tobytes() for top in range(0, height, 10)]


def tiff_file(*pages: Page, order: str = "<") -> bytes:
    """A TIFF file of these pictures, written by hand: what Pillow would not write."""
    content = bytearray(b"II*\0" if order == "<" else b"MM\0*") + bytes(4)
    pointer = 4
    for tags, strips in pages:
        places = []
        for strip in strips:
            places.append(len(content))
            content += strip
        entries = b""
        lengths = tuple(map(len, strips))
        where, how_long = (324, 325) if 322 in tags else (273, 279)
        stored = {where: tuple(places), how_long: lengths} if strips else {}
        for tag, values in sorted((stored | tags).items()):
            kind, letter = (3, "H") if max(values) < 2**16 else (4, "I")
            packed = struct.pack(f"{order}{len(values)}{letter}", *values)
            if len(packed) > 4:
                content += packed
                packed = struct.pack(f"{order}I", len(content) - len(packed))
            entries += struct.pack(f"{order}HHI", tag, kind, len(values)) + packed.ljust(4, b"\0")
        content[pointer : pointer + 4] = struct.pack(f"{order}I", len(content))
        content += struct.pack(f"{order}H", len(entries) // 12) + entries
        pointer = len(content)
        content += bytes(4)
    return bytes(content)


def bmp_file(
    size: tuple[int, int],
    bits: int,
    rows: bytes,
    *,
    palette: bytes = b"",
    compression: int = 0,
    masks: tuple[int, ...] = (),
    profile: bytes = b"",
) -> bytes:
    """A BMP file written by hand, of version 5 where it has masks or a profile.

    Args:
        size: Width and height in pixels; a height below 0: the first row is the upper one.
        bits: Of one pixel.
        rows: Their bytes, each row filled up to a multiple of four.
        palette: Four bytes for each colour: blue, green, red, 0.
        compression: 0 none, 1 runs of 8-bit pixels, 3 by masks.
        masks: Which bits of a pixel are red, green, blue and opaque.
        profile: An ICC profile.
    """
    newest = bool(masks or profile)
    colours, start = len(palette) // 4, 14 + (124 if newest else 40) + len(palette)
    header = struct.pack("<IiiHHII", 124 if newest else 40, *size, 1, bits, compression, len(rows))
    header += struct.pack("<iiII", 2835, 2835, colours, colours)
    if newest:
        kind = b"DEBM" if profile else b" niW"
        header += struct.pack("<4I4s48x", *(masks or (0,) * 4), kind)
        header += struct.pack("<IIII", 0, start - 14 + len(rows), len(profile), 0)
    file = struct.pack("<2sIHHI", b"BM", start + len(rows) + len(profile), 0, 0, start)
    return file + header + palette + rows + profile
