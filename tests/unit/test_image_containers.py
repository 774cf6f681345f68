"""What stands beside the pixels is taken out, and the pixels stay byte for byte."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pairdx.image_containers import strip
from pairdx.images import beside_pixels, decode
from picture_files import (
    FORMATS,
    PLANTS,
    encoded,
    exif,
    jpeg_with_everything,
    png_with_everything,
    profile,
    upright,
    webp_with_everything,
    xmp,
)

EVERYTHING = {
    jpeg_with_everything: "comment;exif;further pictures;iptc;other;thumbnail;trailing bytes;xmp",
    png_with_everything: "exif;further pictures;other;text;time;trailing bytes;xmp",
    webp_with_everything: "exif;other;trailing bytes;xmp",
}


def shown(content: bytes) -> np.ndarray:
    image = decode(content)
    assert isinstance(image, Image.Image), image
    return np.asarray(image)


@pytest.mark.parametrize("make", EVERYTHING)
def test_nothing_that_a_file_states_is_left_and_every_kind_is_named(
    make: Callable[[], bytes],
) -> None:
    content = make()
    assert PLANTS[0] in content
    stripped = strip(content)
    assert stripped is not None
    assert ";".join(sorted(stripped.found)) == EVERYTHING[make] == beside_pixels(content)
    assert not any(secret in stripped.content for secret in PLANTS)
    with Image.open(io.BytesIO(stripped.content)) as image:
        image.load()
        assert not image.getexif()
        assert getattr(image, "n_frames", 1) == 1
        assert not {"comment", "xmp", "exif", "Author", "photoshop"} & set(image.info)
    np.testing.assert_array_equal(shown(stripped.content), shown(content))
    assert strip(stripped.content) is not None
    assert beside_pixels(stripped.content) == ""
    compressed = {b"\xff": b"\xff\xda", b"\x89": b"IDAT", b"R": b"VP8L"}[content[:1]]
    assert stripped.content[stripped.content.index(compressed) :][:60] in content


@pytest.mark.parametrize(
    ("kind", "mode"),
    [(kind, "RGB") for kind in FORMATS]
    + [("JPEG", "L"), ("JPEG", "CMYK"), ("PNG", "L"), ("PNG", "P"), ("PNG", "LA")]
    + [("PNG", "RGBA"), ("WEBP", "RGBA")],
)
def test_files_without_metadata_stay_as_they_are_and_profiles_stay(kind: str, mode: str) -> None:
    for options in ({}, {"icc_profile": profile()}):
        content = encoded(upright().convert(mode), kind, **options)
        stripped = strip(content)
        assert stripped is not None
        assert stripped.content == content
        assert not stripped.found


def test_an_animated_webp_file_cannot_be_stripped() -> None:
    others = [Image.new("RGB", (48, 80), "white")]
    content = encoded(upright(), "WEBP", save_all=True, append_images=others)
    assert strip(content) is None
    assert beside_pixels(content) == "structure"


def test_what_tiff_files_hold_is_named_and_they_and_bmp_files_cannot_be_stripped() -> None:
    scan = encoded(upright(), "TIFF")
    stated = encoded(upright(), "TIFF", tiffinfo={700: xmp(), 306: "2024", 65000: "own"})
    pages = encoded(
        upright(), "TIFF", icc_profile=profile(), save_all=True, append_images=[upright()]
    )
    for content, named in (
        (scan, "structure"),
        (encoded(upright(), "TIFF", exif=exif(6)), "exif;orientation;structure;text"),
        (stated, "other;structure;time;xmp"),
        (pages, "further pictures;structure"),
        (encoded(upright(), "BMP"), "structure"),
    ):
        assert strip(content) is None
        assert beside_pixels(content) == named


@given(data=st.data())
def test_damaged_and_foreign_files_raise_nothing(data: st.DataObject) -> None:
    """What is left of a damaged file is what its sound parts show, or nothing at all."""
    content = bytearray(data.draw(st.sampled_from([make() for make in EVERYTHING])))
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=4)):
        content[place] ^= data.draw(st.integers(1, 255))
    cut = bytes(content[: data.draw(st.integers(0, len(content)))])
    for damaged in (bytes(content), cut, data.draw(st.binary(max_size=40))):
        stripped = strip(damaged)
        assert stripped is None or len(stripped.content) <= len(damaged) + 1
