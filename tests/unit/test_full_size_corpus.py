"""The corpus of the scale benchmark has MultiCaRe's layout and counts, and images of its kind."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from pathlib import Path

import imagehash
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from benchmarks.full_size_corpus import write_full_size_corpus
from benchmarks.full_size_images import compressed_again, draw, encoded
from benchmarks.full_size_tables import (
    ARCHIVE_SIZES,
    FULL_SIZE,
    LICENCES,
    SUBTYPES,
    apportion,
    labels,
    plan_cases,
    plan_images,
)
from benchmarks.full_size_text import captions, sentence_pool
from pairdx.corpus.multicare.description import TABLES
from pairdx.corpus.multicare.reading import read as read_multicare
from properties import examples

pytestmark = pytest.mark.slow

ROWS = 300
NEAR = 12  # bits, the default of curation.duplicates.max_distance_bits


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    corpus = tmp_path_factory.mktemp("full_size")
    write_full_size_corpus(corpus, ROWS, seed=1)
    return corpus


@pytest.fixture(scope="module")
def members(folder: Path) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for archive in ARCHIVE_SIZES:
        with zipfile.ZipFile(folder / f"{archive}.zip") as opened:
            assert all(name.startswith(f"{archive}/") for name in opened.namelist())
            found |= {name: opened.read(name) for name in opened.namelist()}
    return found


def read(folder: Path) -> pd.DataFrame:
    return read_multicare({name: folder / file for name, file in TABLES.items()}, {})


@examples(40)
@given(st.integers(1, 200_000))
def test_any_number_of_rows_keeps_the_shares_of_the_classes(rows: int) -> None:
    types = apportion(rows, {name: sum(counts.values()) for name, counts in SUBTYPES.items()})
    assert sum(types.values()) == sum(labels(rows).values()) == rows
    for name, counts in SUBTYPES.items():
        assert abs(types[name] - rows * sum(counts.values()) / FULL_SIZE) < 1


def test_full_size_has_exactly_the_counts_of_the_release() -> None:
    """Labels, licences, cases and figures, without drawing an image."""
    rng = np.random.default_rng(1)
    cases = plan_cases(FULL_SIZE, rng)
    images = plan_images(cases, FULL_SIZE, rng)
    expected = {(kind, name): n for kind, counts in SUBTYPES.items() for name, n in counts.items()}
    assert images.groupby(["image_type", "subtype"]).size().to_dict() == expected
    assert images["licence"].value_counts().to_dict() == LICENCES
    assert images["case_id"].nunique() == 33_129
    assert len(images[["case_id", "figure"]].drop_duplicates()) == 75_319
    assert (len(cases), cases["article_id"].nunique()) == (93_816, 72_581)
    assert not images.duplicated(["article_id", "figure", "component", "order"]).any()

    assert cases["age"].isna().sum() == 93_816 - 85_374
    assert cases["age"].quantile([0.25, 0.5, 0.75]).tolist() == [21, 41, 60]
    assert (cases["age"] < 18).mean() == pytest.approx(0.23, abs=0.005)
    assert cases["gender"].value_counts()["Male"] == 44_835

    lengths = captions(images.iloc[:5000], sentence_pool(rng), rng).str.len()
    assert lengths.median() == pytest.approx(113, abs=6)
    assert lengths.mean() == pytest.approx(138.8, abs=8)


def test_the_workflow_reads_every_row_with_its_image(
    folder: Path, members: dict[str, bytes]
) -> None:
    candidates = read(folder)
    assert sorted(candidates["member"]) == sorted(members)
    assert set(candidates["archive"]) <= set(ARCHIVE_SIZES)
    assert candidates["age"].notna().any()
    assert (candidates["year"].str.len() == 4).all()
    assert (candidates["caption"].str.len() > 0).all()
    stated = pd.read_csv(folder / "captions_and_labels.csv").set_index("file")["file_size"]
    sizes = {name.rsplit("/", 1)[1]: len(content) for name, content in members.items()}
    assert stated.to_dict() == sizes
    shared = candidates.groupby("figure_id")["caption"].agg(["size", "nunique"])
    assert (shared["size"] > shared["nunique"]).any()


def test_some_images_are_copies_byte_for_byte_and_all_others_are_images_of_their_own(
    folder: Path, members: dict[str, bytes]
) -> None:
    candidates = read(folder).set_index("member")
    sizes = [Image.open(io.BytesIO(content)).size for content in members.values()]
    assert all(size == (1, 1) or min(size) >= 64 for size in sizes)
    sums = pd.Series({name: hashlib.sha256(data).hexdigest() for name, data in members.items()})
    copied = sums[sums.duplicated(keep=False)]
    assert 0 < len(copied) < 0.1 * ROWS
    for group in copied.groupby(copied).groups.values():
        assert candidates.loc[list(group), "subtype"].nunique() == 1


def test_the_same_arguments_give_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    """Whichever process drew an archive, and whichever was done first."""
    write_full_size_corpus(tmp_path, ROWS, seed=1)
    names = sorted(path.name for path in folder.iterdir())
    assert names == sorted(path.name for path in tmp_path.iterdir())
    for name in names:
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes(), name
    assert json.loads((tmp_path / "full_size.json").read_text(encoding="utf-8")) == {
        "rows": ROWS,
        "seed": 1,
    }


@pytest.mark.parametrize(
    ("image_type", "subtype"),
    [
        ("chart", "chart"),
        ("electrography", "ekg"),
        ("ophthalmic_imaging", "fundus_photograph"),
        ("radiology", "ct"),
    ],
)
def test_perceptual_hashes_tell_images_apart_and_know_compressed_copies(
    image_type: str, subtype: str
) -> None:
    """Classes of one layout are as far apart as real ones: about half of the bits, few below 40."""
    files = [
        encoded(draw(np.random.default_rng([5, number]), image_type, subtype))
        for number in range(40)
    ]
    copies = [compressed_again(content) for content in files]
    bits, copied = (
        np.stack([imagehash.phash(Image.open(io.BytesIO(one)), 16).hash.ravel() for one in some])
        for some in (files, copies)
    )
    distances = (bits[:, None] != bits[None]).sum(axis=2)[np.triu_indices(len(bits), k=1)]
    assert distances.min() > 2 * NEAR
    assert 100 <= np.median(distances) <= 132
    assert ((bits != copied).sum(axis=1) <= NEAR).mean() > 0.9
