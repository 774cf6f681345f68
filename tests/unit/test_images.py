"""Every image is decoded in one way: as a viewer shows it, or not at all."""

from __future__ import annotations

import ast
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pairdx.images import TOO_DEEP, apply_edit, beside_pixels, decode
from pairdx.plan.code import SCRIPTS
from picture_files import (
    FORMATS,
    STORED,
    deep_png,
    encoded,
    exif,
    png_that_states_its_orientation_last,
    profile,
    turned,
    upright,
    xmp,
)

# Files that may open image bytes by themselves: those that have just encoded them.
OWN_BYTES = {"pairdx/evaluation/corruptions.py", "pairdx/corpus/drawn/troubles.py"}


def pixels(content: bytes) -> np.ndarray:
    image = decode(content)
    assert isinstance(image, Image.Image), image
    assert image.mode == "RGB"
    assert image.info == {}, "what a file states would be written into the next one"
    return np.asarray(image, dtype=int)


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("orientation", STORED)
def test_an_image_is_seen_upright_whatever_way_the_camera_was_held(
    kind: str, orientation: int
) -> None:
    content = turned(kind, orientation)
    expected = np.asarray(upright(), dtype=int)
    assert pixels(content).shape == expected.shape
    assert np.abs(pixels(content) - expected).max() < 8
    assert ("orientation" in beside_pixels(content).split(";")) == (orientation != 1)


@pytest.mark.parametrize("kind", FORMATS)
def test_a_reviewers_mask_lands_where_the_reviewer_sees_it(kind: str) -> None:
    """The box is read off the upright picture: its red quarter."""
    image = decode(turned(kind, 6))
    assert isinstance(image, Image.Image)
    masked = np.asarray(apply_edit(image, "mask 0 0 24 40"), dtype=int)
    assert (masked[:40, :24] == 128).all()
    assert not ((masked[..., 0] > 180) & (masked[..., 1] < 80)).any()


def test_an_orientation_that_is_none_or_damaged_turns_nothing() -> None:
    plain = encoded(upright(), "JPEG")
    for stated in (exif(9), exif(None), b"Exif\0\0garbage", b"Exif\0\0II*\0\xff\xff\xff\xff"):
        content = encoded(upright(), "JPEG", exif=stated)
        np.testing.assert_array_equal(pixels(content), pixels(plain))
        assert "orientation" not in beside_pixels(content)


def test_an_orientation_behind_the_pixels_counts() -> None:
    content = png_that_states_its_orientation_last()
    np.testing.assert_array_equal(pixels(content), np.asarray(upright()))
    assert beside_pixels(content) == "exif;orientation"


def test_an_orientation_in_xmp_alone_counts() -> None:
    stored = upright().transpose(Image.Transpose.ROTATE_90)
    content = encoded(stored, "WEBP", xmp=xmp(6))
    np.testing.assert_array_equal(pixels(content), np.asarray(upright()))
    assert beside_pixels(content) == "orientation;xmp"


def test_colours_of_a_profile_become_those_of_srgb() -> None:
    """With the primaries of red and green exchanged, stored red is shown green."""
    image = Image.new("RGB", (40, 40), (255, 0, 0))
    for kind in FORMATS:
        red, green, blue = pixels(encoded(image, kind, icc_profile=profile()))[20, 20]
        assert green > 250
        assert max(red, blue) < 12
    see_through = image.copy()
    see_through.putalpha(Image.new("L", image.size, 0))
    over_white = pixels(encoded(see_through, "PNG", icc_profile=profile()))
    assert (over_white == 255).all()


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "CMYK", "LA", "1"])
def test_profiles_of_srgb_of_other_modes_and_damaged_ones_change_no_pixel(mode: str) -> None:
    image = upright().convert(mode)
    kind = "JPEG" if mode == "CMYK" else "PNG"
    plain = pixels(encoded(image, kind))
    of_others = [] if mode in ("RGB", "P") else [profile()]
    for stated in [profile(red_and_green_swapped=False), b"no profile", *of_others]:
        np.testing.assert_array_equal(pixels(encoded(image, kind, icc_profile=stated)), plain)


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_more_than_8_bits_are_read_off_the_file_and_refused(mode: str) -> None:
    assert decode(deep_png(mode)) == TOO_DEEP


def test_jpegs_of_12_bits_are_refused_for_their_depth() -> None:
    content = bytearray(encoded(upright(), "JPEG"))
    content[content.index(b"\xff\xc0") + 4] = 12
    assert decode(bytes(content)) == TOO_DEEP


@pytest.mark.parametrize("kind", ["TIFF", "GIF", "BMP", "PPM", "JPEG2000"])
def test_formats_that_are_not_read_are_refused_whatever_their_depth(kind: str) -> None:
    """Of these, nothing is packed, and nothing is exported with what it states."""
    for image in (upright(), Image.fromarray(np.full((40, 40), 30_000, dtype=np.uint16))):
        if image.mode != "RGB" and kind in ("GIF", "BMP"):
            continue
        stream = io.BytesIO()
        image.save(stream, kind)
        assert str(decode(stream.getvalue())).startswith("not a WEBP, JPEG, PNG image")


def opened_images(path: Path) -> list[int]:
    """The lines in which a file opens an image by other means than the library's."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
        and node.attr in ("open", "imread", "read_image", "decode_image", "imdecode")
        and isinstance(node.value, ast.Name)
        and node.value.id in ("Image", "cv2", "plt", "mpimg", "io", "iio", "torchvision")
    ]


def test_there_is_one_way_of_decoding_images_from_outside() -> None:
    found = {
        path.relative_to(SCRIPTS).as_posix()
        for path in SCRIPTS.rglob("*.py")
        if opened_images(path)
    }
    assert found == {"pairdx/images.py", *OWN_BYTES}
