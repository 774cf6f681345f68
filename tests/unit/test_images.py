"""Every image is decoded in one way: as a viewer shows it, or not at all."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pairdx.image_formats.foreign import SIGNATURES, TEXTS, TOO_DEEP, Refusal
from pairdx.images import apply_edit, beside_pixels, decode, grey_level_spread
from pairdx.plan.code import SCRIPTS
from picture_files import (
    FORMATS,
    STORED,
    Page,
    bmp_file,
    deep_png,
    encoded,
    exif,
    png_that_states_its_orientation_last,
    profile,
    tiff_file,
    tiff_page,
    turned,
    upright,
    xmp,
)

TURNABLE = (*FORMATS, "TIFF")
COLOURS = np.random.default_rng(3).integers(0, 256, (24, 32, 3), dtype=np.uint8)
GREY = COLOURS[..., 0]

# Files that may open image bytes by themselves: those that have just encoded them.
OWN_BYTES = {"pairdx/evaluation/corruptions.py", "pairdx/corpus/drawn/troubles.py"}


def pixels(content: bytes) -> np.ndarray:
    image = decode(content)
    assert isinstance(image, Image.Image), image
    assert image.mode == "RGB"
    assert image.info == {}, "what a file states would be written into the next one"
    return np.asarray(image, dtype=int)


@pytest.mark.parametrize("kind", TURNABLE)
@pytest.mark.parametrize("orientation", STORED)
def test_an_image_is_seen_upright_whatever_way_the_camera_was_held(
    kind: str, orientation: int
) -> None:
    content = turned(kind, orientation)
    expected = np.asarray(upright(), dtype=int)
    assert pixels(content).shape == expected.shape
    assert np.abs(pixels(content) - expected).max() < 8
    assert ("orientation" in beside_pixels(content).split(";")) == (orientation != 1)


@pytest.mark.parametrize("kind", TURNABLE)
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
    for stated in (xmp(6), xmp(6).decode()):  # some programs call it text
        content = encoded(stored, "TIFF", tiffinfo={700: stated}, compression="tiff_lzw")
        np.testing.assert_array_equal(pixels(content), np.asarray(upright()))
        assert beside_pixels(content) == "orientation;structure;xmp"


def test_colours_of_a_profile_become_those_of_srgb() -> None:
    """With the primaries of red and green exchanged, stored red is shown green."""
    image = Image.new("RGB", (40, 40), (255, 0, 0))
    for kind in TURNABLE:
        red, green, blue = pixels(encoded(image, kind, icc_profile=profile()))[20, 20]
        assert green > 250
        assert max(red, blue) < 12
    see_through = image.copy()
    see_through.putalpha(Image.new("L", image.size, 0))
    for kind in ("PNG", "TIFF"):
        assert (pixels(encoded(see_through, kind, icc_profile=profile())) == 255).all()
    rows = np.full((8, 8, 3), (0, 0, 255), dtype=np.uint8).tobytes()
    assert pixels(bmp_file((8, 8), 24, rows, profile=profile()))[0, 0].tolist() == [0, 255, 0]
    assert pixels(bmp_file((8, 8), 24, rows, profile=b"none"))[0, 0].tolist() == [255, 0, 0]


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


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"])
@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGBA", "CMYK", "YCbCr"])
def test_scans_of_every_mode_and_compression_look_as_they_did(mode: str, compression: str) -> None:
    stored = upright().convert(mode)
    for big in (False, True):
        content = encoded(stored, "TIFF", compression=compression, big_tiff=big)
        np.testing.assert_array_equal(pixels(content), np.asarray(stored.convert("RGB")))


@pytest.mark.parametrize("order", ["<", ">"])
def test_scans_that_pillow_does_not_write_look_as_they_should(order: str) -> None:
    def shown(page: Page, **further: Page) -> np.ndarray:
        return pixels(tiff_file(page, *further.values(), order=order))

    grey = np.repeat(GREY[..., None], 3, axis=2)
    small = tiff_page(GREY[::2, ::2], order=order)
    np.testing.assert_array_equal(shown(tiff_page(COLOURS, 2, order)), COLOURS)
    np.testing.assert_array_equal(shown(tiff_page(GREY, 0, order)), 255 - grey)
    for copy in ({254: (1,)}, {254: (4,)}, {255: (2,)}):
        behind = (small[0] | copy, small[1])
        np.testing.assert_array_equal(shown(tiff_page(GREY, 1, order), behind=behind), grey)
    tags, strips = tiff_page(GREY, 3, order)
    for deep in (1, 256):  # a palette as TIFF has it, and of 8 bits
        palette = tuple(deep * level for level in range(256)) * 3
        np.testing.assert_array_equal(shown((tags | {320: palette}, strips)), grey)
    tags, strips = tiff_page(np.full((24, 32, 2), (100, 128), dtype=np.uint8), 1, order)
    for meaning, level in {0: 100, 1: 227, 2: 177}.items():  # none, premultiplied, opacity
        assert (shown((tags | {338: (meaning,)}, strips)) == level).all()
    tags, bands = tiff_page(COLOURS, 2, order)[0], np.moveaxis(COLOURS, 2, 0)
    planes = [band.tobytes() for band in bands]
    np.testing.assert_array_equal(shown((tags | {278: (24,), 284: (2,)}, planes)), COLOURS)
    padded = np.pad(COLOURS, ((0, 8), (0, 0), (0, 0)))
    tiles = [padded[y : y + 16, x : x + 16].tobytes() for y in (0, 16) for x in (0, 16)]
    np.testing.assert_array_equal(shown((tags | {322: (16,), 323: (16,)}, tiles)), COLOURS)
    lab = np.full((24, 32, 3), (136, 81, 70), dtype=np.uint8)
    assert np.abs(shown(tiff_page(lab, 8, order))[0, 0] - (254, 0, 0)).max() < 5


def test_bitmaps_of_every_depth_look_as_they_should() -> None:
    size, upwards = (32, 24), COLOURS[::-1, :, ::-1]
    alpha = np.dstack([upwards, np.zeros((24, 32), dtype=np.uint8)])
    masks = (0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    for content in (
        bmp_file(size, 24, upwards.tobytes()),
        bmp_file((32, -24), 24, upwards[::-1].tobytes()),
        bmp_file(size, 32, alpha.tobytes()),
        bmp_file(size, 32, alpha.tobytes(), compression=3, masks=masks),  # all is there, not none
    ):
        np.testing.assert_array_equal(pixels(content), COLOURS)
    alpha[0, 0, 3] = 255
    shown = pixels(bmp_file(size, 32, alpha.tobytes(), compression=3, masks=masks))
    np.testing.assert_array_equal(shown[-1, 0], COLOURS[-1, 0])
    assert (shown[:-1] == 255).all()


@pytest.mark.parametrize("bits", [1, 4, 8])
def test_bitmaps_of_two_colours_are_read_at_their_depth(bits: int) -> None:
    """Pillow takes black and white of 4 or 8 bits for single bits."""
    lit = GREY % 2
    black_and_white = b"\0\0\0\0\xff\xff\xff\0"
    rows = {1: np.packbits(lit, axis=1), 4: lit[:, ::2] * 16 + lit[:, 1::2], 8: lit}[bits]
    content = bmp_file((32, -24), bits, rows.tobytes(), palette=black_and_white)
    np.testing.assert_array_equal(pixels(content)[..., 0], 255 * lit)


def test_bitmaps_of_runs_are_read() -> None:
    levels = bytes(level for level in range(100) for _ in range(4))
    rows = [b"".join(bytes((1, level % 100)) for level in row) + b"\0\0" for row in GREY[::-1]]
    content = bmp_file((32, 24), 8, b"".join(rows) + b"\0\1", palette=levels, compression=1)
    np.testing.assert_array_equal(pixels(content)[..., 0], GREY % 100)
    cut = bmp_file((32, 24), 8, b"".join(rows[:9]), palette=levels, compression=1)
    assert str(decode(cut)).startswith("damaged image")


def deep_files() -> dict[str, bytes]:
    deep = COLOURS.astype(np.uint16) * 257
    levels = Image.fromarray(deep[..., 0])
    tags, strips = tiff_page(GREY)
    masks = (0x3FF00000, 0xFFC00, 0x3FF, 0)
    return {
        "16-bit colours": tiff_file(tiff_page(deep, 2)),
        "16-bit colours, high byte first": tiff_file(tiff_page(deep, 2, ">"), order=">"),
        "16-bit grey": encoded(levels, "TIFF"),
        "32-bit grey": encoded(levels.convert("I"), "TIFF", compression="tiff_lzw"),
        "fractions": encoded(levels.convert("F"), "TIFF"),
        "12-bit grey": tiff_file((tags | {258: (12,)}, strips)),
        "10-bit colours": bmp_file((32, 24), 32, bytes(3072), compression=3, masks=masks),
        "64-bit pixels": bmp_file((32, 24), 64, bytes(6144)),
    }


@pytest.mark.parametrize("name", deep_files())
def test_tiff_and_bmp_of_more_than_8_bits_are_refused_for_their_depth(name: str) -> None:
    refused = decode(deep_files()[name])
    assert refused == TOO_DEEP
    assert isinstance(refused, Refusal)
    assert refused.reason == "more_than_8_bits"


def refused_scans() -> dict[str, tuple[list[Page], str, str]]:
    page = tiff_page(GREY)
    tags, strips = page
    large, tile = {256: (60000,), 257: (60000,), 278: (60000,)}, {322: (32000,), 323: (32000,)}
    small, several, damaged = {254: (1,)}, "several_pages", "unreadable"
    without = {tag: {key: tags[key] for key in tags if key != tag} for tag in (257, 262)}
    return {
        "pages": ([page, page, page], "3 pages", several),
        "copy first": ([(tags | small, strips), page], "small copy", several),
        "of a camera": ([(tags | small | {330: (8,)}, strips)], "small copy", several),
        "huge": ([(tags | large, strips[:1])], "decompression bomb", damaged),
        "huge tiles": ([(tags | tile | {324: (8,), 325: (9,)}, [])], "bomb", damaged),
        "strip missing": ([(tags, strips[:-1])], "2 of 3 strips", damaged),
        "strip too many": ([(tags, [*strips, strips[0]])], "4 of 3 strips", damaged),
        "strip of nothing": ([(tags | {273: (8, 0, 8)}, strips)], "2 of 3 strips", damaged),
        "no height": ([(without[257], strips)], "sizes are not known", damaged),
        "no colours": ([(without[262], strips)], "Interpretation none", damaged),
        "compressed": ([(tags | {259: (33005,)}, strips)], "compression 33005", damaged),
        "signed": ([(tags | {339: (2,)}, strips)], "signed numbers", damaged),
        "channels": ([(tags | {277: (9,)}, strips)], "9 channels", damaged),
        "subsampled": ([tiff_page(COLOURS, 6)], "subsampled", damaged),
    }


@pytest.mark.parametrize("name", refused_scans())
def test_scans_that_would_not_look_as_they_should_are_refused_by_name(name: str) -> None:
    pages, said, reason = refused_scans()[name]
    refused = decode(tiff_file(*pages))
    assert isinstance(refused, Refusal), name
    assert said in refused
    assert refused.reason == reason


@pytest.mark.parametrize("kind", ["GIF", "PPM", "JPEG2000", "AVIF", "ICO", "PDF"])
def test_formats_that_are_not_read_are_refused_by_name(kind: str) -> None:
    """Of these, nothing is packed, and nothing is exported with what it states."""
    named = {"JPEG2000": "JPEG 2000", "PPM": "PNM"}.get(kind, kind)
    assert named in str(decode(encoded(upright(), kind))).partition(";")[0]


def test_other_files_are_refused_by_what_they_seem_to_be() -> None:
    for place, start, what, remedy in SIGNATURES:
        assert decode(b"\1" * place + start + bytes(99)) == f"{what}; {remedy}"
    for text, what, _ in TEXTS:
        assert str(decode(b"\xef\xbb\xbf\r\n" + text.upper() + b" >\xc3\xa9")).startswith(what)
    for content in (b"", b"hello, world", b"\1\2\3", b"BM, a text of two letters"):
        refused = decode(content)
        assert isinstance(refused, Refusal)
        assert refused.reason == "unreadable"
    for start in (b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"II*\0", b"MM\0+\0\x08\0\0"):
        assert str(decode(start + bytes(9))).startswith("damaged image")


def test_damaged_scans_and_bitmaps_raise_nothing(recwarn: pytest.WarningsRecorder) -> None:
    """Bytes of headers and pixels changed or cut off: a picture or a sentence."""
    chance = np.random.default_rng(7)
    files = [
        *(encoded(upright(), "TIFF", compression=how) for how in ("raw", "jpeg", "tiff_lzw")),
        *(turned("TIFF", 6), tiff_file(tiff_page(GREY), tiff_page(GREY))),
        *(encoded(upright().convert(mode), "BMP") for mode in ("1", "P", "RGBA")),
    ]
    outcomes = set()
    for _ in range(200):
        content = bytearray(files[chance.integers(len(files))])
        for _ in range(chance.integers(1, 5)):
            place = chance.integers(chance.choice((140, len(content))))
            content[place] = chance.choice((0, 1, 255, chance.integers(256)))
        cut = len(content) if chance.random() < 0.8 else chance.integers(len(content))
        outcomes.add(type(decode(bytes(content[:cut]))))
    assert outcomes == {Image.Image, Refusal}
    assert not recwarn.list


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


def test_the_spread_of_grey_levels_is_their_standard_deviation() -> None:
    levels = np.random.default_rng(3).integers(0, 256, (31, 57), dtype=np.uint8)
    assert grey_level_spread(Image.fromarray(levels)) == pytest.approx(levels.std(dtype=float))
    assert grey_level_spread(Image.new("RGB", (9, 9), (200, 30, 7))) == 0
