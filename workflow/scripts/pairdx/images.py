"""Image bytes from outside, decoded without trusting them, and a reviewer's edits of images.

There is one way of decoding, and it gives what a viewer shows: every size, box, hash, packed pixel
and archived picture is of that. Nothing else in the library opens an image file from outside.
"""

from __future__ import annotations

import io
import re
import struct
import warnings
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PIL import ExifTags, Image, ImageCms, ImagePalette, TiffImagePlugin, UnidentifiedImageError

from pairdx.errors import PairDxError
from pairdx.image_containers import bits_per_channel, format_of, strip
from pairdx.image_formats import bmp, tiff
from pairdx.image_formats.foreign import TOO_DEEP, Refusal, foreign
from pairdx.stores import is_marked_linear

# How an image that EXIF gives this orientation is turned to be upright (EXIF 2.32, tag 0x0112).
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# Kinds of metadata that may state an orientation; PNG texts hold what older software knew of EXIF.
MAY_TURN = frozenset({"exif", "xmp", "text"})
TURNED, NOT_STRIPPABLE = "orientation", "structure"
COLOUR_SPACES = {"L": "GRAY", "RGB": "RGB", "CMYK": "CMYK"}
# What damaged files raise in Pillow; TIFF's directories are read by much code.
DAMAGED = (OSError, SyntaxError, ValueError, EOFError, TypeError, LookupError, ArithmeticError)
PALETTE_TAG = 320  # of TIFF
SMALLEST_CHANGE = 3  # grey levels: by less, a profile's colours are those of sRGB and rounding
MASK_COLOUR = (128, 128, 128)

Box = tuple[int, int, int, int]


def decode(content: bytes) -> Image.Image | Refusal:
    """Decode an image to RGB as a viewer shows it: upright, in sRGB, over white if transparent.

    JPEG, PNG, WebP, TIFF and BMP are read. The image is turned as its EXIF says (or its XMP, where
    EXIF says nothing), and the colours of an embedded profile become those of sRGB. Of the frames
    of an animation the first is read; a TIFF file of several pages is not, because nobody knows
    which page is meant. Images of more pixels than Pillow's limit (about 89 million), which may be
    decompression bombs, and images whose files have more than 8 bits per channel, whose meaning is
    not known, are not decoded; but for grey PNG files of which a reader knows it
    (:data:`pairdx.stores.LINEAR`).

    Returns:
        The image, with nothing of what its file states beside the pixels; or, where it cannot be
        decoded, one sentence that says why, with the reason that it is counted by.
    """
    kind = format_of(content)
    if not kind:
        return foreign(content)
    linear = kind == "PNG" and is_marked_linear(content)
    if bits_per_channel(content) > 8 and not linear:
        return TOO_DEEP
    refused = tiff.problem(content) if kind == "TIFF" else None
    if refused is not None:
        return refused
    try:
        image = _opened(content, pixels=True)
    except UnidentifiedImageError:
        return Refusal(f"damaged image: a {kind} file that cannot be opened")
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        return Refusal(f"refused: {error}")
    except (*DAMAGED, struct.error) as error:
        return Refusal(f"damaged image: {error}")
    if linear:
        image = _of_8_bits(image)
    turn = TURNS.get(_orientation(image))
    image = _in_srgb_over_white(image)
    image.info.clear()
    return image if turn is None else image.transpose(turn)


def _opened(content: bytes, *, pixels: bool) -> Image.Image:
    """Open an image, and load its pixels if asked to."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of metadata that are damaged
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        kind = format_of(content)
        readable = bmp.for_pillow(content) if kind == "BMP" else content
        image = Image.open(io.BytesIO(readable), formats=(kind,))
        _mend(image, content)
        if pixels:
            image.load()
    return image


def _of_8_bits(image: Image.Image) -> Image.Image:
    """Bring grey levels of 16 bits to 8, black and white staying where they are."""
    levels = np.asarray(image).astype(np.uint32)
    return Image.fromarray(((levels + 128) // 257).astype(np.uint8))


def _mend(image: Image.Image, content: bytes) -> None:
    """Give an image what its file states and Pillow leaves out or misreads, before its pixels."""
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        stated = image.info.get("xmp", b"")
        if not isinstance(stated, bytes):  # where its tag says that it is text, or numbers
            text = stated if isinstance(stated, str) else ""
            image.info["xmp"] = text.encode("utf-8", "replace")
        colours = image.tag_v2.get(PALETTE_TAG, ())
        if image.mode in ("P", "PA") and max(colours) < 256:  # of 16 bits each, if it were TIFF's
            image.palette = ImagePalette.raw("RGB;L", bytes(colours))
    elif image.format == "BMP":
        image.info["icc_profile"] = bmp.profile(content)


def _orientation(image: Image.Image) -> int:
    """Return an image's orientation, 1 to 8; 1, as it lies, where it states none or is damaged."""
    try:
        with warnings.catch_warnings(action="ignore"):
            stated = image.getexif().get(ExifTags.Base.Orientation)
    except (OSError, SyntaxError, ValueError, TypeError, LookupError, struct.error):
        return 1
    return stated if isinstance(stated, int) and stated in TURNS else 1


def _in_srgb_over_white(image: Image.Image) -> Image.Image:
    profile = image.info.get("icc_profile")
    if image.mode == "La":
        image = image.convert("LA")
    if image.format == "BMP" and image.mode == "RGBA" and not image.getchannel("A").getbbox():
        image = image.convert("RGB")  # what is all transparent was meant to be all there
    grey = image.mode in ("1", "L", "LA")
    transparent = image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info
    if not transparent:
        return _in_srgb(image, profile, grey=grey)
    rgba = image.convert("RGBA")
    colours = _in_srgb(rgba.convert("RGB"), profile, grey=grey)
    colours.putalpha(rgba.getchannel("A"))
    background = Image.new("RGBA", rgba.size, "white")
    return Image.alpha_composite(background, colours).convert("RGB")


def _in_srgb(image: Image.Image, profile: bytes | None, *, grey: bool) -> Image.Image:
    """Convert to RGB, by the profile where there is one that fits the image's colours."""
    if image.mode == "LAB":
        return _transform_of_lab().apply(image)
    mode = "L" if grey else "CMYK" if image.mode == "CMYK" else "RGB"
    transform = _transform_to_srgb(profile, mode) if profile else None
    if transform is None:
        return image.convert("RGB")
    return transform.apply(image.convert(mode))


@lru_cache(maxsize=1)
def _transform_of_lab() -> ImageCms.ImageCmsTransform:
    """Return what makes sRGB of CIE L*a*b*, which needs no profile."""
    source, target = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    return ImageCms.buildTransform(source, target, "LAB", "RGB")


@lru_cache(maxsize=32)
def _transform_to_srgb(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """Return what makes sRGB of a profile's colours, or None where colours stay as they are.

    That is so where the profile is damaged or for another kind of image, as viewers have it, and
    where it changes nothing but by rounding, as the many profiles of sRGB itself do.
    """
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if source.profile.xcolor_space.strip() != COLOUR_SPACES[mode]:
            return None
        target = ImageCms.createProfile("sRGB")
        transform = ImageCms.buildTransform(source, target, mode, "RGB")
        samples = _samples(mode)
        converted = transform.apply(samples)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None
    change = np.asarray(converted, dtype=int) - np.asarray(samples.convert("RGB"), dtype=int)
    return transform if np.abs(change).max() >= SMALLEST_CHANGE else None


def _samples(mode: str) -> Image.Image:
    """Return colours from all over the space of a mode."""
    bands = len(Image.new(mode, (1, 1)).getbands())
    levels = np.stack(np.meshgrid(*[np.arange(0, 256, 51)] * bands), axis=-1).astype(np.uint8)
    pixels = np.ascontiguousarray(levels.reshape(1, -1, bands).squeeze())
    return Image.frombytes(mode, (pixels.size // bands, 1), pixels.tobytes())


def beside_pixels(content: bytes) -> str:
    """Name what a readable image file holds beside its pixels, kinds joined by ``;`` ("": nothing).

    The kinds are those of :class:`pairdx.image_containers.Stripped`, and two that decide how the
    image can be handed on: ``orientation`` (it must be turned to be upright) and ``structure``
    (nothing can be taken out of the file as it is).
    """
    stripped = strip(content)
    if stripped is None:
        found = {NOT_STRIPPABLE, *(tiff.kinds(content) if tiff.is_tiff(content) else ())}
    else:
        found = set(stripped.found)
    may_turn = stripped is None or found & MAY_TURN
    if may_turn and _orientation(_opened(content, pixels=False)) != 1:
        found.add(TURNED)
    return ";".join(sorted(found))


def grey_level_spread(image: Image.Image) -> float:
    """Return the standard deviation of the grey levels, from 0 (one colour) to about 127."""
    # Of how often each level occurs: no array of floating-point numbers is made of the picture.
    counts = np.asarray(image.convert("L").histogram(), dtype=np.float64)
    shares, levels = counts / counts.sum(), np.arange(len(counts))
    return float(np.sqrt(shares @ (levels - shares @ levels) ** 2))


@dataclass(frozen=True)
class Edit:
    """What is cut off or painted over, in pixels of the decoded image: left, top, right, bottom.

    Attributes:
        crop: What is kept; None for all.
        masks: What is painted over.
    """

    crop: Box | None = None
    masks: tuple[Box, ...] = ()


def parse_edit(text: str, size: tuple[int, int] | None = None) -> Edit:
    """Read an edit such as ``crop 10 20 300 400; mask 0 0 50 50``, or "" for none.

    Steps are separated by semicolons: at most one crop, which stands first, and any number of
    masks. Each names left, top, right and bottom in pixels of the whole decoded image, right and
    bottom excluded; a mask counts from its corner even where the image is cropped.

    Args:
        text: The edit.
        size: Width and height of the decoded image, to refuse boxes outside it; None if not known.

    Raises:
        PairDxError: The text is not in this form, or a box is empty or outside the image.
    """
    crop, masks = None, []
    for place, step in enumerate(text.split(";") if text.strip() else []):
        found = re.fullmatch(r"(crop|mask)((?:\s+[0-9]{1,9}){4})", step.strip())
        if found is None:
            raise PairDxError(
                f"`{step.strip()}` is no edit of an image: write `crop` or `mask` and left, top, "
                "right, bottom in whole pixels, steps separated by `;`"
            )
        left, top, right, bottom = box = _box(found[2])
        if left >= right or top >= bottom:
            raise PairDxError(f"the box of `{step.strip()}` is empty: left, top, right, bottom")
        if size is not None and (right > size[0] or bottom > size[1]):
            raise PairDxError(
                f"the box of `{step.strip()}` is not inside the image of {size[0]} x {size[1]} "
                "pixels"
            )
        if found[1] == "mask":
            masks.append(box)
        elif place == 0:
            crop = box
        else:
            raise PairDxError(f"`{text}` has a crop that does not stand first; there can be one")
    return Edit(crop, tuple(masks))


def _box(numbers: str) -> Box:
    left, top, right, bottom = map(int, numbers.split())
    return left, top, right, bottom


def apply_edit(image: Image.Image, edit: str) -> Image.Image:
    """Paint an edit's masks in mid-grey and cut out its crop; the given image stays as it is.

    Args:
        image: RGB, as :func:`decode` gives it.
        edit: As :func:`parse_edit` reads it.

    Returns:
        RGB, of the size of the crop if there is one; the image itself where the edit is "".

    Raises:
        PairDxError: The edit is malformed or does not fit the image.
    """
    parsed = parse_edit(edit, image.size)
    if parsed.masks:
        image = image.copy()
    for box in parsed.masks:
        image.paste(MASK_COLOUR, box)
    return image if parsed.crop is None else image.crop(parsed.crop)
