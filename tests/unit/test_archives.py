"""Images out of archives: each trouble has its reason, and nothing from outside is trusted."""

from __future__ import annotations

import io
import logging
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from pairdx.corpus.image_tables import require_images
from pairdx.curation.archives import inspect_archive, perceptual_hash
from pairdx.curation.duplicates import near_duplicates
from pairdx.curation.outcomes import Screening
from pairdx.errors import PairDxError
from pairdx.images import decode
from pairdx.stores import LINEAR, open_store
from picture_files import STORED, deep_png, tiff_file, tiff_page, turned

IMAGE_SETTINGS = {"min_side_pixels": 32, "max_aspect_ratio": 10, "min_grey_level_spread": 2.0}


def encoded(image: Image.Image, quality: int = 80, kind: str = "WEBP") -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, quality=quality)
    return stream.getvalue()


@pytest.fixture
def picture() -> Image.Image:
    # noise whose amplitude falls with frequency, as in natural images
    spectrum = np.fft.fft2(np.random.default_rng(5).standard_normal((96, 128)))
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(96), np.fft.fftfreq(128), indexing="ij"))
    surface = np.fft.ifft2(spectrum / np.maximum(frequency, 0.01)).real
    scaled = 255 * (surface - surface.min()) / np.ptp(surface)
    return Image.fromarray(scaled.astype(np.uint8)).convert("RGB")


def test_each_trouble_of_an_archive_has_its_reason(tmp_path: Path, picture: Image.Image) -> None:
    pixels = np.asarray(picture)
    contents = {
        "sound": encoded(picture),
        "tiny": encoded(Image.new("RGB", (1, 1), "white")),
        "white": encoded(Image.new("RGB", (64, 64), "white")),
        "strip": encoded(picture.resize((660, 40))),
        "truncated": encoded(picture)[:300],
        "page": b"<html>404</html>",
        "deep": deep_png("RGB"),
        "deep grey": deep_png("L"),
        "scan": encoded(picture, kind="TIFF"),
        "bitmap": encoded(picture, kind="BMP"),
        "stack": tiff_file(tiff_page(pixels, 2), tiff_page(pixels, 2)),
        "deep scan": tiff_file(tiff_page(pixels.astype(np.uint16), 2)),
    }
    with ZipFile(tmp_path / "PMC1.zip", "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
        archive.writestr("../climber", b"never read")
    members = [*contents, "absent"]
    table = pd.DataFrame({"row": range(len(members)), "member": members})
    facts = inspect_archive(table, tmp_path / "PMC1.zip", IMAGE_SETTINGS)
    assert dict(zip(members, facts["reason"], strict=True)) == {
        "sound": "",
        "tiny": "too_small",
        "white": "near_uniform",
        "strip": "extreme_shape",
        "truncated": "unreadable",
        "page": "unreadable",
        "deep": "more_than_8_bits",
        "deep grey": "more_than_8_bits",
        "scan": "",
        "bitmap": "",
        "stack": "several_pages",
        "deep scan": "more_than_8_bits",
        "absent": "missing_from_archive",
    }
    assert facts.loc[0, ["width", "height"]].tolist() == [128, 96]
    assert len(facts.loc[0, "perceptual_hash"]) == 64
    of_member = facts.set_axis(members)
    assert of_member.loc[["scan", "bitmap"], "image_format"].tolist() == ["TIFF", "BMP"]
    assert of_member.loc[["scan", "bitmap"], "perceptual_hash"].nunique() == 1
    assert "2 pages" in of_member.loc["stack", "detail"]
    assert "an HTML page" in of_member.loc["page", "detail"]


def test_size_and_hash_are_those_of_the_upright_image(tmp_path: Path, picture: Image.Image) -> None:
    for orientation in STORED:
        (tmp_path / str(orientation)).write_bytes(turned("WEBP", orientation, picture))
    table = pd.DataFrame({"row": range(8), "member": [str(number) for number in STORED]})
    facts = inspect_archive(table, tmp_path, IMAGE_SETTINGS)
    assert set(zip(facts["width"], facts["height"], strict=True)) == {(128, 96)}
    assert set(facts["perceptual_hash"]) == {perceptual_hash(picture)}
    assert facts["sha256"].nunique() == 8
    assert set(facts["image_format"]) == {"WEBP"}
    assert facts["beside_pixels"].tolist() == ["exif", *["exif;orientation"] * 7]


def test_a_folder_is_read_like_an_archive(tmp_path: Path, picture: Image.Image) -> None:
    contents = {"images/sound": encoded(picture), "images/page": b"<html>404</html>"}
    (tmp_path / "folder" / "images").mkdir(parents=True)
    with ZipFile(tmp_path / "corpus.zip", "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
            (tmp_path / "folder" / name).write_bytes(content)
    members = [*contents, "images/absent", "../corpus.zip"]
    table = pd.DataFrame({"row": range(len(members)), "member": members})
    of_folder = inspect_archive(table, tmp_path / "folder", IMAGE_SETTINGS)
    assert of_folder["reason"].tolist() == ["", "unreadable", *2 * ["missing_from_archive"]]
    of_archive = inspect_archive(table, tmp_path / "corpus.zip", IMAGE_SETTINGS)
    pd.testing.assert_frame_equal(of_folder, of_archive)


def test_ignored_members_are_counted_in_the_log(
    tmp_path: Path, picture: Image.Image, caplog: pytest.LogCaptureFixture
) -> None:
    names = ["wanted", "unnamed", "licence.txt", "../climber", "/absolute", "a/../../climber"]
    with ZipFile(tmp_path / "PMC1.zip", "w") as archive:
        for name in names:
            archive.writestr(name, encoded(picture))
    table = pd.DataFrame({"row": [0, 1], "member": ["wanted", "../climber"]})
    with caplog.at_level(logging.INFO, logger="pairdx"):
        facts = inspect_archive(table, tmp_path / "PMC1.zip", IMAGE_SETTINGS)
    assert facts["reason"].tolist() == ["", "missing_from_archive"]
    assert "PMC1.zip: 2 members are ignored because no candidate names them" in caplog.text
    assert "3 because their names lead out of the archive" in caplog.text
    assert [path.name for path in tmp_path.iterdir()] == ["PMC1.zip"]


def test_images_under_other_spellings_are_found_and_said_and_ambiguous_ones_named(
    tmp_path: Path, picture: Image.Image, caplog: pytest.LogCaptureFixture
) -> None:
    names = ["top/a/first.webp", "top\\a\\second.webp", "top/a/THIRD.webp", "top/A/third.webp"]
    with ZipFile(tmp_path / "PMC1.zip", "w") as archive:
        for name in names:
            archive.writestr(name, encoded(picture))
    members = ["a/first.webp", "a/second.webp", "a/third.webp", "a/absent.webp"]
    table = pd.DataFrame({"row": range(4), "member": members})
    with caplog.at_level(logging.INFO, logger="pairdx"):
        facts = inspect_archive(table, tmp_path / "PMC1.zip", IMAGE_SETTINGS)
    assert facts["reason"].tolist() == ["", "", "unreadable", "missing_from_archive"]
    assert "top/A/third.webp, top/a/THIRD.webp" in facts.loc[2, "detail"]
    assert "2 images were found under other spellings" in caplog.text
    assert "top/a/first.webp for a/first.webp" in caplog.text
    assert "2 members are ignored because no candidate names them" in caplog.text


@pytest.mark.parametrize("images", [1, 3, 20])
def test_images_two_folders_deep_are_missing_and_one_is_named(
    tmp_path: Path, picture: Image.Image, caplog: pytest.LogCaptureFixture, images: int
) -> None:
    members = [f"PMC1/{number}.webp" for number in range(images)]
    content = encoded(picture)
    with ZipFile(tmp_path / "PMC1.zip", "w") as archive:
        archive.writestr("PMC1/there.webp", content)
        for name in ["../0.webp", *(f"corpus\\images/{member.upper()}" for member in members)]:
            archive.writestr(name, content)
    wanted = [*members, "PMC1/there.webp", "PMC1/absent.webp", "other/there.webp"]
    table = pd.DataFrame({"row": range(len(wanted)), "member": wanted})
    with caplog.at_level(logging.WARNING, logger="pairdx"):
        facts = inspect_archive(table, tmp_path / "PMC1.zip", IMAGE_SETTINGS)
        assert (facts["reason"] == "missing_from_archive").sum() == images + 2
        said = f"{images} of {images + 2} missing images may lie in other folders"
        assert said in caplog.text
        assert "corpus\\images/PMC1/0.WEBP for PMC1/0.webp" in caplog.text
        if images == 20:
            caplog.clear()
            with pytest.raises(PairDxError, match="none of the 20"):
                inspect_archive(table.head(20), tmp_path / "PMC1.zip", IMAGE_SETTINGS)
            assert "20 of 20 missing images" in caplog.text


def test_how_grey_levels_are_read_and_what_is_no_file_are_nothing_for_people(
    tmp_path: Path, picture: Image.Image, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    for path in (folder / "there.png", tmp_path / "outside.png"):
        path.write_bytes(encoded(picture, kind="PNG"))
    (folder / "linked.png").symlink_to(tmp_path / "outside.png")
    (folder / "unnamed.png").touch()
    names = ["there.png", "linked.png", "gone.png"]
    table = pd.DataFrame({"row": range(3), "member": [f"{name}{LINEAR}" for name in names]})
    with caplog.at_level(logging.INFO, logger="pairdx"):
        facts = inspect_archive(table, folder, IMAGE_SETTINGS)
    assert facts["detail"].tolist() == ["", *names[1:]]
    assert "2 members are ignored" in caplog.text
    for said in (LINEAR, "other folders", "other spellings"):
        assert said not in caplog.text
    kept = Screening(table.assign(pair_id=names, file=names, label="a"))
    kept.reject("archive", facts["reason"], facts["detail"])
    assert kept.rejected["member"].tolist() == names[1:]
    assert kept.candidates["member"].tolist() == table["member"].tolist()[:1]
    with (
        open_store(folder) as store,
        pytest.raises(PairDxError, match=r"should be x/gone\.png, but there are: linked"),
    ):
        require_images(store, "x/" + table["member"][2:], "t.csv", place="here", remedy="look")


def test_an_archive_with_none_of_many_images_is_the_wrong_one(
    tmp_path: Path, picture: Image.Image
) -> None:
    with ZipFile(tmp_path / "PMC1.zip", "w") as archive:
        archive.writestr("other/place/image.webp", encoded(picture))
    members = [f"PMC1/PMC10/{number}.webp" for number in range(20)]
    table = pd.DataFrame({"row": range(20), "member": members})
    with pytest.raises(PairDxError, match=r"none of the 20.*PMC10/0\.webp.*other/place/image"):
        inspect_archive(table, tmp_path / "PMC1.zip", IMAGE_SETTINGS)
    few = inspect_archive(table.head(3), tmp_path / "PMC1.zip", IMAGE_SETTINGS)
    assert set(few["reason"]) == {"missing_from_archive"}


def test_a_file_that_is_too_large_is_not_read(
    tmp_path: Path, picture: Image.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = encoded(picture)
    (tmp_path / "image").write_bytes(content)
    monkeypatch.setattr("pairdx.curation.archives.LARGEST_FILE_BYTES", len(content) - 1)
    table = pd.DataFrame({"row": [0], "member": ["image"]})
    facts = inspect_archive(table, tmp_path, IMAGE_SETTINGS)
    assert facts.loc[0, "reason"] == "unreadable"
    assert "larger than" in facts.loc[0, "detail"]


def test_a_damaged_entry_is_one_rejection_and_not_the_end(
    tmp_path: Path, picture: Image.Image
) -> None:
    path = tmp_path / "PMC1.zip"
    with ZipFile(path, "w") as archive:
        archive.writestr("first", encoded(picture))
        archive.writestr("second", encoded(picture))
    content = bytearray(path.read_bytes())
    content[200] ^= 0xFF  # within the first entry's data: its checksum no longer fits
    path.write_bytes(content)
    table = pd.DataFrame({"row": [0, 1], "member": ["first", "second"]})
    facts = inspect_archive(table, path, IMAGE_SETTINGS)
    assert facts["reason"].tolist() == ["unreadable", ""]
    assert "damaged archive entry" in facts.loc[0, "detail"]


def test_a_truncated_archive_is_an_error_that_names_it(tmp_path: Path) -> None:
    path = tmp_path / "PMC7.zip"
    with ZipFile(path, "w") as archive:
        archive.writestr("entry", b"x" * 1000)
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(PairDxError, match=r"not a whole zip file[\s\S]*PMC7\.zip"):
        inspect_archive(pd.DataFrame({"row": [0], "member": ["entry"]}), path, IMAGE_SETTINGS)


def test_recompression_stays_within_the_default_distance(picture: Image.Image) -> None:
    again = decode(encoded(picture, quality=60))
    assert isinstance(again, Image.Image)
    hashes = pd.Series([perceptual_hash(picture), perceptual_hash(again)])
    assert len(near_duplicates(hashes, 12)) == 1


def test_transparent_images_are_laid_over_white() -> None:
    stream = io.BytesIO()
    Image.new("RGBA", (4, 4), (0, 0, 0, 0)).save(stream, "PNG")
    image = decode(stream.getvalue())
    assert isinstance(image, Image.Image)
    assert image.getpixel((0, 0)) == (255, 255, 255)


def test_a_decompression_bomb_is_refused_before_it_is_decoded() -> None:
    stream = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(stream, "PNG")
    assert str(decode(stream.getvalue())).startswith("refused")
