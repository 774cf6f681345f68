"""PatchCamelyon, the colorectal patches and BACH, in the layouts in which they are given out."""

from __future__ import annotations

import gzip
import logging
import re
import shutil
from collections import Counter
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pytest

from histology_files import (
    BACH_TEST,
    BACH_VALIDATION,
    write_array,
    write_bach,
    write_crc,
    write_pcam,
    write_tiff,
)
from pairdx.corpus.bach import description as bach
from pairdx.corpus.bach.reading import place_of, subset_at
from pairdx.corpus.bach.reading import read as read_bach
from pairdx.corpus.crc import description as crc
from pairdx.corpus.crc.reading import read as read_crc
from pairdx.corpus.multicare.reading import read as read_multicare
from pairdx.corpus.pcam import description as pcam
from pairdx.corpus.pcam.reading import read as read_pcam
from pairdx.curation.archives import inspect_archive
from pairdx.curation.pairs import curate
from pairdx.curation.review import read_decisions
from pairdx.curation.tables import screen_tables
from pairdx.errors import PairDxError
from pairdx.fetching import unpack_gzip
from pairdx.images import decode
from pairdx.leakage import leakage, refuse_leakage
from pairdx.plan import curation
from pairdx.plan.curation import OFFICIAL
from pairdx.plan.descriptions import readers
from pairdx.splits import published
from pairdx.stores import DamagedMemberError, open_store
from pairdx.usable_splits import check_subsets
from plans import DEFAULTS, plan_with
from rule_files import all_rules

FEW = {"train": 6, "valid": 4, "test": 2}
SOURCES = {name: DEFAULTS["datasets"][name]["source"] for name in ("pcam", "crc", "bach")}
STEM = "camelyonpatch_level_2_split_train"


def pcam_tables(folder: Path) -> dict[str, Path]:
    """What a job is given of a folder of which no file has to be unpacked first."""
    found = pcam.tables(SOURCES["pcam"] | {"path": str(folder)}, DEFAULTS)
    return {name: Path(path) for name, path in found.items()}


def pcam_in(folder: Path) -> pd.DataFrame:
    return read_pcam(pcam_tables(folder), pcam.settings(SOURCES["pcam"]))


def crc_in(folder: Path) -> pd.DataFrame:
    tables = crc.tables(SOURCES["crc"] | {"path": str(folder)}, DEFAULTS)
    return read_crc({name: Path(path) for name, path in tables.items()}, SOURCES["crc"])


def bach_in(path: Path) -> pd.DataFrame:
    return read_bach({"bach": path}, SOURCES["bach"])


@pytest.fixture
def patches(tmp_path: Path) -> Path:
    return write_pcam(tmp_path / "pcam", FEW, side=16, gzipped=False)


# ---------------------------------------------------------------- PatchCamelyon
def test_patches_have_their_subset_label_slide_and_row(patches: Path) -> None:
    found = pcam_in(patches)
    assert found["published_subset"].tolist() == 6 * ["train"] + 4 * ["validation"] + 2 * ["test"]
    assert found["label"].tolist() == 6 * ["normal", "tumour"]
    assert found["row"].tolist() == list(range(12))
    assert found.loc[5, ["pair_id", "archive", "member", "case_id", "licence"]].tolist() == [
        *("train_000005", "train", f"{STEM}_x/5", "camelyon16_train_001", "CC0 1.0"),
    ]
    assert (found["archive"] == found["pair_id"].str.rpartition("_")[0]).all()


def test_each_patch_is_read_from_its_row_without_loss(patches: Path) -> None:
    path = pcam_tables(patches)["train_images"]
    with h5py.File(path, locking=False) as file:
        stored = file["x"][:]
    with open_store(path) as store:
        assert store.members() == [f"{STEM}_x/{row}" for row in range(6)]
        for row, pixels in enumerate(stored):
            content = store.read(f"{STEM}_x/{row}")
            assert store.size(f"{STEM}_x/{row}") == len(content)
            assert np.array_equal(np.asarray(decode(content)), pixels)
        for other in ("6", f"{STEM}_x/6", f"{STEM}_x/05", f"{STEM}_x/-1", f"{STEM}_x/²", ""):
            with pytest.raises(KeyError):
                store.read(other)


@pytest.mark.parametrize(("height", "width"), [(5, 7), (4, 3)])
def test_lines_of_any_length_come_back(tmp_path: Path, height: int, width: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (2, height, width, 3), dtype=np.uint8)
    with open_store(write_array(tmp_path / "a.h5", "x", pixels)) as store:
        assert np.array_equal(np.asarray(decode(store.read("a/1"))), pixels[1])


def test_gzipped_labels_are_read_and_gzipped_images_unpacked_once(tmp_path: Path) -> None:
    opened = pcam_in(write_pcam(tmp_path / "open", FEW, side=16, gzipped=False))
    source = SOURCES["pcam"] | {"path": str(write_pcam(tmp_path / "gz", FEW, side=16))}
    unpacked = pcam.unpacked(source, DEFAULTS)
    assert [*unpacked] == [pcam.store(source, DEFAULTS, name) for name in pcam.archives(source)]
    tables = {name: Path(path) for name, path in pcam.tables(source, DEFAULTS).items()}
    for place, gzipped in unpacked.items():
        target = tmp_path / "resources" / Path(place).name
        assert unpack_gzip(gzipped, target) == target.stat().st_size
        tables |= {name: target for name, path in tables.items() if path == Path(place)}
    pd.testing.assert_frame_equal(read_pcam(tables, pcam.settings(source)), opened)


def test_a_rule_finds_the_gzipped_file_of_an_unpacked_one(tmp_path: Path) -> None:
    folder = write_pcam(tmp_path / "gz", FEW, side=16)
    plan = plan_with(f"datasets: {{pcam: {{enabled: true, source: {{path: {folder}}}}}}}")
    place = plan.datasets["pcam"].store("valid")
    assert re.fullmatch(r"<resources>/pcam/of_[0-9a-f]{12}/\w+\.h5", place)
    assert plan.outside.gzipped(place) == str(folder / f"{Path(place).name}.gz")
    downloaded = plan_with("datasets: {pcam: {enabled: true}}")
    place = downloaded.datasets["pcam"].store("valid")
    assert place.startswith("<resources>/pcam/2546921/")
    assert downloaded.outside.gzipped(place) == f"{place}.gz"
    with pytest.raises(ValueError, match="no dataset"):
        downloaded.outside.gzipped("<resources>/pcam/1/other.h5")


def test_without_tables_of_slides_every_patch_is_a_case_and_that_is_said(tmp_path: Path) -> None:
    folder = write_pcam(tmp_path / "pcam", FEW, side=16, gzipped=False, slides=False)
    assert pcam_in(folder)["case_id"].is_unique
    alone = SOURCES["pcam"] | {"path": str(folder)}
    assert "do not lie beside the images" in pcam.lacks(alone)["groups"]
    write_pcam(folder, FEW, side=16, gzipped=False)
    assert "groups" not in pcam.lacks(alone)
    unwanted = alone | {"columns": {"group": None}}
    assert pcam.slides(unwanted, DEFAULTS) == {}
    assert "source.columns.group" in pcam.lacks(unwanted)["groups"]


def test_slides_that_are_not_read_for_one_table_is_missing_are_told(
    patches: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (patches / "camelyonpatch_level_2_split_valid_meta.csv").unlink()
    assert pcam_in(patches)["case_id"].is_unique
    assert "there is no camelyonpatch_level_2_split_valid_meta.csv beside" in caplog.text
    caplog.clear()
    for path in patches.glob("*_meta.csv"):
        path.unlink()
    pcam_in(patches)
    assert not caplog.text


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def gzipped_and_cut(path: Path) -> None:
    packed = path.with_name(f"{path.name}.gz")
    packed.write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()
    cut(packed)


def with_array(name: str, array: np.ndarray) -> Callable[[Path], object]:
    return lambda path: write_array(path, name, array)


BROKEN: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "images cut short": ("x.h5", cut, "not a whole HDF5 file"),
    "images of text": ("x.h5", lambda path: path.write_bytes(b"<html>"), "not a whole HDF5 file"),
    "images gone": ("x.h5", Path.unlink, "missing"),
    "no x": ("x.h5", with_array("images", np.zeros((6, 4, 4, 3), np.uint8)), "no array x; it has"),
    "floats": ("x.h5", with_array("x", np.zeros((6, 4, 4, 3), np.float32)), "no images of 8 bits"),
    "grey": ("x.h5", with_array("x", np.zeros((6, 4, 4), np.uint8)), "no images of 8 bits"),
    "none": ("x.h5", with_array("x", np.zeros((0, 4, 4, 3), np.uint8)), "no images of 8 bits"),
    "a group of that name": (
        *("x.h5", lambda path: h5py.File(path, "w").create_group("x"), "no array x; x is a group"),
    ),
    "labels gone": ("y.h5", Path.unlink, "the file of labels is missing"),
    "labels cut short": ("y.h5", cut, "not a whole HDF5 file"),
    "labels gzipped and cut": ("y.h5", gzipped_and_cut, "labels is damaged"),
    "no y": ("y.h5", with_array("x", np.zeros(6, np.uint8)), "no array y; it has: x"),
    "more labels": ("y.h5", with_array("y", np.zeros((7, 1, 1, 1), np.uint8)), "7 labels for 6"),
    "two labels each": ("y.h5", with_array("y", np.zeros((6, 2), np.uint8)), "one whole number"),
    "labels of text": ("y.h5", with_array("y", np.array([b"a"] * 6)), "one whole number"),
    "fewer slides": (
        "meta.csv",
        lambda path: path.write_bytes(b"wsi\na\n"),
        "1 rows of slides for 6",
    ),
    "no column of slides": (
        *("meta.csv", lambda path: path.write_bytes(b"slide\n" + 6 * b"a\n"), "lacks the column"),
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_files_of_patches_that_cannot_be_used_are_named(patches: Path, case: str) -> None:
    file, broken, message = BROKEN[case]
    broken(patches / f"{STEM}_{file}")
    with pytest.raises(PairDxError, match=message) as caught:
        pcam_in(patches)
    assert f"{STEM}_{file}" in str(caught.value)
    assert caught.value.remedy


def test_images_that_are_cut_short_within_gzip_are_not_unpacked(tmp_path: Path) -> None:
    folder = write_pcam(tmp_path / "pcam", FEW, side=16)
    cut(folder / f"{STEM}_x.h5.gz")
    with pytest.raises(PairDxError, match="damaged or was cut short"):
        unpack_gzip(folder / f"{STEM}_x.h5.gz", tmp_path / "x.h5")
    with pytest.raises(PairDxError, match="does not exist"):
        unpack_gzip(folder / "absent.gz", tmp_path / "x.h5")
    assert not [*tmp_path.glob("*x.h5*")]


def test_labels_that_are_neither_are_no_class_and_counted_later(patches: Path) -> None:
    write_array(patches / f"{STEM}_y.h5", "y", np.array([0, 1, 2, 0, 1, 255]).reshape(6, 1, 1, 1))
    labels = pcam_in(patches)["label"].tolist()[:6]
    assert labels == ["normal", "tumour", "2", "normal", "tumour", "255"]


def test_a_damaged_row_is_one_damaged_image(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        pixels = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3), dtype=np.uint8)
        array = file.create_dataset("x", data=pixels, chunks=(1, 32, 32, 3), compression="gzip")
        start = array.id.get_chunk_info(2).byte_offset
    content = bytearray(path.read_bytes())
    content[start : start + 64] = bytes(64)
    path.write_bytes(content)
    with open_store(path) as store:
        assert len(store.read("a/1")) == store.size("a/1")
        with pytest.raises(DamagedMemberError, match="damaged row"):
            store.read("a/2")


# ---------------------------------------------------------------- colorectal patches
@pytest.mark.parametrize("zipped", [False, True])
def test_colorectal_patches_are_read_from_folders_and_zip_files(
    tmp_path: Path, zipped: bool
) -> None:
    found = crc_in(write_crc(tmp_path / "crc", 2, 1, side=8, zipped=zipped))
    assert Counter(found["published_subset"]) == {"train": 18, "test": 9}
    assert set(found["label"]) == set(crc.CLASSES) == set(DEFAULTS["datasets"]["crc"]["classes"])
    assert found["pair_id"].is_unique
    assert found["case_id"].is_unique
    first = found.iloc[0]
    assert (first["pair_id"], first["archive"]) == ("train_ADI-NCT00000", "NCT-CRC-HE-100K")
    assert first["member"].endswith("ADI/ADI-NCT00000.tif")
    assert found.columns.tolist() == pcam_columns()


def pcam_columns() -> list[str]:
    """The columns that `pairdx.corpus.multicare.reading.read` promises, in its order."""
    documented = read_multicare.__doc__ or ""
    names = "row file pair_id article_id case_id figure_id caption label subtype licence archive "
    names += "member text_labels published_subset malformed age sex year"
    assert all(name in documented for name in names.split())
    return names.split()


def test_a_fifth_of_every_class_is_for_validation_whatever_the_order(tmp_path: Path) -> None:
    found = crc_in(write_crc(tmp_path / "crc", 10, 1, side=8))
    found = found.assign(duplicate_cluster=found["pair_id"], caption_cluster="")
    settings = DEFAULTS["datasets"]["crc"]["split"]
    split = published(found, settings["fractions"], settings["seed"])
    counts = pd.crosstab(found["label"], split["subset"])
    assert (counts[["train", "validation", "test"]] == [8, 2, 1]).all(axis=None)
    again = published(found[::-1], settings["fractions"], settings["seed"])
    assert again.sort_index().equals(split)


def test_a_class_without_a_folder_is_named(tmp_path: Path) -> None:
    folder = write_crc(tmp_path / "crc", 1, 1, side=8)
    for path in (folder / "NCT-CRC-HE-100K/MUC").iterdir():
        path.unlink()  # an empty folder
    shutil.rmtree(folder / "NCT-CRC-HE-100K/TUM")
    with pytest.raises(PairDxError, match=r"no TIFF image in a folder MUC or TUM; .*ADI, BACK"):
        crc_in(folder)
    shutil.rmtree(folder / "NCT-CRC-HE-100K")
    with pytest.raises(PairDxError, match="missing") as caught:
        crc_in(folder)
    assert "source" in (caught.value.remedy or "")


def test_other_folders_are_no_class_and_other_files_are_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = write_crc(tmp_path / "crc", 1, 1, side=8)
    val = folder / "CRC-VAL-HE-7K"
    (val / "STR").rename(val / "str")
    write_tiff(val / "HEALTHY/one.tif", np.zeros((8, 8, 3), np.uint8))
    write_tiff(val / "ADI/.hidden.tif", np.zeros((8, 8, 3), np.uint8))
    write_tiff(val / "__MACOSX/ADI/ADI-1.tif", np.zeros((8, 8, 3), np.uint8))
    (val / "ADI/Thumbs.db").write_bytes(b"")
    with caplog.at_level(logging.INFO):
        found = crc_in(folder)
    assert Counter(found["label"]) == dict.fromkeys(crc.CLASSES, 2) | {"HEALTHY": 1}
    assert "1 files are no TIFF and not read, such as ADI/Thumbs.db" in caplog.text


TIFFS = {
    "L": ("", (8, 8)),
    "CMYK": ("", (8, 8)),
    "RGBA": ("", (8, 8)),
    "1": ("", (8, 8)),
    "P": ("", (8, 8)),
    "I;16": ("more_than_8_bits", None),
    "F": ("more_than_8_bits", None),
}


@pytest.mark.parametrize("mode", TIFFS)
def test_tiff_of_other_modes_is_decoded_or_counted(tmp_path: Path, mode: str) -> None:
    """Grey levels, inks and palettes become red, green and blue; what is deeper is rejected."""
    reason, size = TIFFS[mode]
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    if mode == "I;16":
        write_tiff(tmp_path / "ADI/a.tif", pixels[..., 0].astype(np.uint16) * 200)
    else:
        write_tiff(tmp_path / "ADI/a.tif", pixels, mode)
    candidates = pd.DataFrame({"row": [0], "member": ["ADI/a.tif"]})
    (facts,) = inspect_archive(candidates, tmp_path, OFFICIAL["images"]).to_dict("records")
    assert (facts["reason"], facts["image_format"]) == (reason, "TIFF")
    assert size is None or (facts["width"], facts["height"]) == size


def test_images_that_cannot_be_read_are_counted(tmp_path: Path) -> None:
    folder = write_crc(tmp_path / "crc", 1, 1, side=8)
    cut(folder / "NCT-CRC-HE-100K/ADI/ADI-NCT00000.tif")
    (folder / "NCT-CRC-HE-100K/BACK/BACK-NCT00000.tif").write_bytes(b"")
    found = crc_in(folder)
    train = found[found["archive"] == "NCT-CRC-HE-100K"]
    facts = inspect_archive(train, folder / "NCT-CRC-HE-100K", OFFICIAL["images"])
    assert facts["reason"].value_counts().to_dict() == {"": 7, "unreadable": 2}


# ---------------------------------------------------------------- BACH
@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("within", ["", "Photos", ".."])
def test_bach_is_read_from_its_folder_one_inside_or_a_zip_file(
    tmp_path: Path, zipped: bool, within: str
) -> None:
    path = write_bach(tmp_path / "bach", height=8, width=8, zipped=zipped)
    found = bach_in(path if zipped else path / within)
    assert Counter(found["label"]) == dict.fromkeys(bach.CLASSES, 13)
    counts = pd.crosstab(found["label"], found["published_subset"])
    assert (counts[["train", "validation", "test"]] == [7, 2, 4]).all(axis=None)
    with open_store(path if zipped else path / within) as store:
        assert all(store.size(member) for member in found["member"])


def test_the_split_of_bach_is_that_of_the_benchmark() -> None:
    assert Counter(map(subset_at, range(400))) == {"train": 254, "validation": 14, "test": 132}
    # Ends of its ranges, and the first of every twenty training images.
    places = {"train": [1, 40, 59, 138, 399], "validation": [0, 20, 40 + 0, 108, 309]}
    assert [subset_at(place) for place in (41, 58, 60, 89, 139, 345, 367)] == 7 * ["test"]
    assert [subset_at(place) for place in (1, 39, 59, 138, 399)] == 5 * ["train"]
    assert [subset_at(place) for place in places["validation"]] == 5 * ["validation"]
    for label, numbers in BACH_VALIDATION.items():
        spots = [place_of(label, f"x{number:03d}") for number in (*numbers, *BACH_TEST)]
        assert [subset_at(spot or 0) for spot in spots] == 2 * ["validation"] + 4 * ["test"]


def test_images_of_bach_with_other_names_are_in_no_subset(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = write_bach(tmp_path / "bach", height=8, width=8)
    for name in ("Benign/extra.tif", "Benign/b101.tif", "Benign/b000.tif", "Else/e001.tif"):
        write_tiff(path / "Photos" / name, np.zeros((8, 8, 3), np.uint8))
    found = bach_in(path).set_index("pair_id")
    names = ["extra", "b101", "b000", "e001"]
    assert (found.loc[names, "published_subset"] == "").all()
    assert found.loc["e001", "label"] == "Else"
    assert "3 images have names without a number from 1 to 100" in caplog.text


def test_bach_without_a_class_is_refused(tmp_path: Path) -> None:
    path = write_bach(tmp_path / "bach", ("Benign", "InSitu", "Normal"), height=8, width=8)
    with pytest.raises(PairDxError, match="no TIFF image in a folder Invasive; "):
        bach_in(path)


def test_whoever_has_no_path_to_bach_is_told_where_to_ask() -> None:
    with pytest.raises(PairDxError, match=r"bach\.source\.path: no path is stated: .*grand-chal"):
        plan_with("datasets: {bach: {enabled: true}}")


# ---------------------------------------------------------------- up to the split
def tiny(name: str, folder: Path) -> tuple[dict[str, Any], dict[str, Path], pd.DataFrame]:
    """The entry of a dataset that lies on disk, its archives, and its candidates."""
    writers = {
        "pcam": lambda: write_pcam(folder, side=32, gzipped=False),
        "crc": lambda: write_crc(folder, 5, 1, side=16),
        "bach": lambda: write_bach(folder, height=16, width=16),
    }
    entry = DEFAULTS["datasets"][name]
    source = entry["source"] | {"path": str(writers[name]())}
    reader = readers()[name]
    tables = {key: Path(path) for key, path in reader.tables(source, DEFAULTS).items()}
    reading = import_module(f"pairdx.corpus.{name}.reading")
    candidates = reading.read(tables, reader.settings(source))
    stores = {one: Path(reader.store(source, DEFAULTS, one)) for one in reader.archives(source)}
    return entry | {"source": source}, stores, candidates


@pytest.mark.parametrize(
    ("name", "sizes"),
    [
        ("pcam", {"train": 32, "validation": 12, "test": 12}),
        ("crc", {"train": 36, "validation": 9, "test": 9}),
        ("bach", {"train": 28, "validation": 8, "test": 16}),
    ],
)
def test_all_images_are_kept_in_a_split_that_systems_can_be_trained_on(
    tmp_path: Path, name: str, sizes: dict[str, int]
) -> None:
    entry, stores, candidates = tiny(name, tmp_path / name)
    settings = curation.settings(entry["curation"]) | {
        key: entry[key] for key in ("classes", "out_of_distribution")
    }
    lacks = readers()[name].lacks(entry["source"])
    screened = screen_tables(
        candidates, settings, subset=None, seed=1, lacks=lacks, needs_subset=True
    )
    facts = [
        inspect_archive(
            screened.candidates[screened.candidates["archive"] == one], path, settings["images"]
        )
        for one, path in stores.items()
    ]
    pairs = curate(
        screened.candidates,
        screened.rejected,
        pd.concat(facts),
        settings,
        decisions=read_decisions(None),
        counts=candidates["label"].value_counts(),
        seed=1,
    ).pairs
    assert len(pairs) == len(candidates) == sum(sizes.values())
    assert entry["splits"] == ["published"]
    split = published(pairs, entry["split"]["fractions"], entry["split"]["seed"])
    assert split["subset"].value_counts().to_dict() == sizes
    check_subsets(pairs, split, list(entry["classes"]), "published")
    # Nothing is shared between subsets: the images differ, and slides stay whole.
    refuse_leakage(leakage(pairs, split, "published", entry["split"]["fractions"]))


# ---------------------------------------------------------------- where files lie
def test_what_is_downloaded_of_patches_and_colorectal_patches() -> None:
    plan = plan_with("datasets: {pcam: {enabled: true}, crc: {enabled: true}}")
    files = plan.outside.files()
    assert files["downloads.crc"] == [
        f"resources/crc/1214456/{name}.zip" for name in ("NCT-CRC-HE-100K", "CRC-VAL-HE-7K")
    ]
    assert Counter(Path(path).suffix for path in files["downloads.pcam"]) == {".gz": 6, ".csv": 3}
    (rule,) = (one for one in all_rules() if one.name == "download_record")
    pattern = re.search(r'file=r"(.+)",', rule.body)
    assert pattern is not None
    assert all(re.fullmatch(pattern[1], Path(path).name) for path in files["downloads.pcam"])
    patches = plan.datasets["pcam"]
    assert {path.replace("<resources>", "resources") for path in patches.tables.values()} >= {
        f"resources/pcam/2546921/camelyonpatch_level_2_split_{name}_meta.csv"
        for name in ("train", "valid", "test")
    }
    assert patches.grouped_by == {"article_id": "wsi"}
    unwanted = plan_with("datasets: {pcam: {enabled: true, source: {columns: {group: null}}}}")
    assert len(unwanted.outside.files()["downloads.pcam"]) == 6
    assert plan.datasets["crc"].grouped_by == {}


def test_files_on_disk_are_named_as_they_lie_there(tmp_path: Path) -> None:
    write_pcam(tmp_path / "pcam", FEW, side=16, gzipped=False)
    write_crc(tmp_path / "crc", 1, 1, side=8, zipped=True)
    overlay = {"pcam": tmp_path / "pcam/", "crc": tmp_path / "crc"}
    sources = ", ".join(
        f"{name}: {{enabled: true, source: {{path: {path}}}}}" for name, path in overlay.items()
    )
    plan = plan_with(f"datasets: {{{sources}}}")
    files = plan.outside.files()
    assert all(
        Path(file).is_file() for name in overlay for file in files[f"datasets.{name}.source.path"]
    )
    assert plan.datasets["pcam"].grouped_by == {"article_id": "wsi"}
    assert plan.datasets["pcam"].reader.record(plan.datasets["pcam"].source, plan.config) is None
