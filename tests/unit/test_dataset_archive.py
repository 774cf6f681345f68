"""The exported zip file: the published layout, reproducible, and readable as a release."""

from __future__ import annotations

import io
import os
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from dataset_samples import EDIT, image_bytes, pairs_table, split_table, write_archives
from pairdx.corpus.release.reading import read as read_release
from pairdx.curation.archives import inspect_archive
from pairdx.dataset_archive import (
    LAYOUT,
    SUFFIXES,
    archive_dataset,
    archive_table,
    as_seen,
    copy_images,
)
from pairdx.errors import PairDxError
from pairdx.files import sha256_of
from pairdx.image_containers import format_of
from pairdx.images import apply_edit, decode
from pairdx.plan.configuration import read_yaml
from pairdx.stores import open_store
from picture_files import (
    FORMATS,
    PLANTS,
    encoded,
    exif,
    jpeg_with_everything,
    png_with_everything,
    profile,
    turned,
    upright,
    webp_with_everything,
)

RELEASE = Path(__file__).parents[2] / "config/datasets/release.yaml"


@pytest.fixture(name="pairs")
def fixture_pairs() -> pd.DataFrame:
    return pairs_table()


@pytest.fixture(name="archive")
def fixture_archive(pairs: pd.DataFrame, tmp_path: Path) -> Path:
    path = tmp_path / "out" / "pairdx.zip"
    archive_dataset(pairs, split_table(pairs), write_archives(pairs, tmp_path), path, LAYOUT)
    return path


def test_the_export_is_read_back_as_a_release(pairs: pd.DataFrame, archive: Path) -> None:
    """Whoever reads the published PairDx reads ours: the same code, the same settings."""
    source = read_yaml(RELEASE)["datasets"]["release"]["source"]
    assert {key: source[key] for key in LAYOUT} == LAYOUT
    back = read_release({"release": archive}, source).set_index("pair_id")
    expected = pairs.merge(split_table(pairs)[["pair_id", "subset"]]).set_index("pair_id")
    expected = expected.loc[sorted(expected.index)]
    assert back.index.tolist() == expected.index.tolist()
    for column, published in {
        "caption": "caption",
        "label": "label",
        "subset": "published_subset",
    }.items():
        assert back[published].tolist() == expected[column].tolist(), column
    assert back["article_id"].tolist() == [name.split("_")[0] for name in expected.index]
    with open_store(archive) as store:
        assert all(decode(store.read(member)).size for member in back["member"])  # type: ignore[union-attr]


def test_images_without_metadata_keep_their_bytes_unless_a_person_edited_them(
    pairs: pd.DataFrame, archive: Path
) -> None:
    edited = pairs["image_edit"] != ""
    assert edited.sum() == 1
    with ZipFile(archive) as opened:
        for row, name in pairs.loc[~edited, "pair_id"].items():
            assert opened.read(f"images/{name}.webp") == image_bytes(int(str(row)))
        content = opened.read(f"images/{pairs.loc[edited, 'pair_id'].item()}.png")
    raw = decode(image_bytes(int(np.flatnonzero(edited)[0])))
    assert isinstance(raw, Image.Image)
    with Image.open(io.BytesIO(content)) as image:
        np.testing.assert_array_equal(np.asarray(image), np.asarray(apply_edit(raw, EDIT)))
        assert image.size == (30, 24)


def photographs() -> dict[str, bytes]:
    """Image files with secrets in all formats, upright and turned, by a wrong ending."""
    animated = encoded(upright(), "WEBP", save_all=True, append_images=[Image.new("RGB", (48, 80))])
    lying = upright().transpose(Image.Transpose.ROTATE_90)
    files = {
        "everything.webp": jpeg_with_everything(),
        "texts.jpg": png_with_everything(),
        "chunks.png": webp_with_everything(),
        "profile.png": encoded(upright(), "JPEG", icc_profile=profile(), exif=exif()),
        "turned_profile.webp": encoded(lying, "JPEG", icc_profile=profile(), exif=exif(6)),
        "animated.gif": animated,
        "scan.tif": encoded(upright(), "TIFF", exif=exif(), icc_profile=profile()),
        "scan.bmp": encoded(upright(), "BMP") + PLANTS[0],
    }
    return files | {f"turned_{kind}.webp": turned(kind, 6) for kind in (*FORMATS, "TIFF")}


def curated_files(files: dict[str, bytes], folder: Path) -> tuple[pd.DataFrame, dict[str, Path]]:
    """Pairs of these image files as curation describes them, and where their archive lies."""
    archive = folder / "PMC1.zip"
    with ZipFile(archive, "w") as source:
        for name, content in files.items():
            source.writestr(name, content)
    settings = {"min_side_pixels": 8, "max_aspect_ratio": 9, "min_grey_level_spread": 1}
    members = pd.DataFrame({"row": range(len(files)), "member": list(files)})
    facts = inspect_archive(members, archive, settings)
    assert (facts["reason"] == "").all(), facts["detail"].tolist()
    pairs = pd.concat([pairs_table().iloc[[0]]] * len(files), ignore_index=True).assign(
        archive="PMC1",
        member=members["member"],
        file=members["member"],
        pair_id=[f"pair{number}" for number in members["row"]],
        **facts[["sha256", "image_format", "beside_pixels", "width", "height"]],
    )
    return pairs, {"PMC1": archive}


def test_a_reviewer_sees_what_boxes_count_in_and_nothing_else(tmp_path: Path) -> None:
    """Whole, upright, named by the format; an earlier edit does not hide what it covers."""
    files = photographs()
    pairs, archives = curated_files(files, tmp_path)
    seen = as_seen(pairs.assign(image_edit="crop 0 0 9 9"))
    copy_images(seen, archives, tmp_path / "images")
    names = {path.name for path in (tmp_path / "images").iterdir()}
    assert names == set(seen["file"])
    for (_, pair), content in zip(seen.iterrows(), files.values(), strict=True):
        written = (tmp_path / "images" / pair["file"]).read_bytes()
        assert not any(plant in written for plant in PLANTS)
        with Image.open(io.BytesIO(written)) as image:
            assert image.size == (pair["width"], pair["height"]) == (48, 80)
            assert not image.getexif()
        before, after = decode(content), decode(written)
        np.testing.assert_array_equal(np.asarray(before), np.asarray(after))


@pytest.mark.parametrize("edit", ["", "mask 0 0 24 40"])
def test_nothing_that_files_state_is_handed_on_and_every_image_looks_as_before(
    tmp_path: Path, edit: str
) -> None:
    """The export shows what was packed and reviewed, upright and in the same colours."""
    files = photographs()
    pairs, archives = curated_files(files, tmp_path)
    pairs["image_edit"] = edit
    split = pd.DataFrame({"pair_id": pairs["pair_id"], "subset": "train"})
    archive = tmp_path / "dataset.zip"
    archive_dataset(pairs, split, archives, archive, LAYOUT)
    assert not any(plant in archive.read_bytes() for plant in PLANTS)
    with ZipFile(archive) as opened:
        table = pd.read_csv(opened.open("image_metadata.csv")).set_index("image_id")
        for number, (member, content) in enumerate(files.items()):
            name = table.loc[f"pair{number}", "filename"]
            handed = opened.read(f"images/{name}")
            before, after = decode(content), decode(handed)
            assert isinstance(before, Image.Image)
            assert isinstance(after, Image.Image)
            assert after.size == before.size == (48, 80), member
            np.testing.assert_array_equal(np.asarray(after), np.asarray(apply_edit(before, edit)))
            with Image.open(io.BytesIO(handed)) as image:
                assert SUFFIXES[str(image.format)] == Path(name).suffix, member
                assert image.size == (48, 80), "upright without being told"
                assert not image.getexif()
                assert getattr(image, "n_frames", 1) == 1
            anew = bool(edit) or member.startswith(("turned", "animated", "scan"))
            kind = "PNG" if anew else format_of(content)
            assert Path(name).suffix == SUFFIXES[kind], member


def test_columns_after_the_published_ones_say_whose_and_under_which_licence(
    pairs: pd.DataFrame, archive: Path
) -> None:
    with ZipFile(archive) as opened, opened.open("image_metadata.csv") as stream:
        table = pd.read_csv(stream).set_index("image_id")
    assert table.columns.tolist() == [
        *("modality", "filename", "caption", "split"),
        *("article_id", "case_id", "subtype", "age", "sex", "licence", "year"),
    ]
    source = pairs.set_index("pair_id").loc[table.index]
    assert table["age"].astype("Int64").equals(source["age"])
    assert table["licence"].fillna("").tolist() == source["licence"].tolist()
    years = pd.to_numeric(source["year"], errors="coerce")
    assert years.isna().sum() == 2
    assert table["year"].tolist() == pytest.approx(years.tolist(), nan_ok=True)


def test_the_same_dataset_gives_the_same_bytes(
    pairs: pd.DataFrame, archive: Path, tmp_path: Path
) -> None:
    """Row order, the clock and the umask leave no trace."""
    shuffled = pairs.sample(frac=1, random_state=3)
    before = os.umask(0o077)
    try:
        paths = write_archives(pairs, tmp_path)
        archive_dataset(shuffled, split_table(pairs), paths, tmp_path / "again.zip", LAYOUT)
    finally:
        os.umask(before)
    assert sha256_of(tmp_path / "again.zip") == sha256_of(archive)
    with ZipFile(archive) as opened:
        entries = opened.infolist()
    assert [entry.filename for entry in entries] == sorted(entry.filename for entry in entries)
    assert {(entry.compress_type, entry.date_time) for entry in entries} == {
        (ZIP_STORED, (1980, 1, 1, 0, 0, 0))
    }


def test_a_failed_export_leaves_nothing_behind(pairs: pd.DataFrame, tmp_path: Path) -> None:
    paths = write_archives(pairs.drop(index=5), tmp_path)
    with pytest.raises(PairDxError, match="PMC10000003_fig1"):
        archive_dataset(pairs, split_table(pairs), paths, tmp_path / "out/pairdx.zip", LAYOUT)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_pair_outside_the_split_has_no_subset(pairs: pd.DataFrame) -> None:
    split = split_table(pairs).iloc[1:]
    table = archive_table(pairs, split, LAYOUT)
    assert (table["split"] == "").sum() == 1
    with pytest.raises(PairDxError, match="1 pairs that are not in the dataset"):
        archive_table(pairs.iloc[1:], split_table(pairs), LAYOUT)


@pytest.mark.parametrize("name", ["../up", "a/b", "a\\b", "C:x", "", "new\nline"])
def test_no_identifier_leads_out_of_the_folder_of_images(pairs: pd.DataFrame, name: str) -> None:
    pairs.loc[0, "pair_id"] = name
    with pytest.raises(PairDxError, match="cannot be the name of a file"):
        archive_table(pairs, split_table(pairs), LAYOUT)


def test_a_column_name_that_is_taken_is_refused(pairs: pd.DataFrame) -> None:
    layout = LAYOUT | {"columns": LAYOUT["columns"] | {"label": "licence"}}
    with pytest.raises(PairDxError, match=r"(?s)would be called licence.*columns of the layout"):
        archive_table(pairs, split_table(pairs), layout)
