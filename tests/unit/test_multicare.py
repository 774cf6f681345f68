"""Reading MultiCaRe's tables: joins, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from pairdx.corpus.multicare import CAPTION_COLUMNS, read_candidates
from pairdx.errors import PairDxError

ROW = dict.fromkeys(CAPTION_COLUMNS, "") | {
    "file": "PMC10018421_fig1_undivided_1_1.webp",
    "main_image": "PMC10018421_01_fig1.jpg",
    "patient_id": "PMC10018421_01",
    "license": "CC BY",
    "caption": "Axial slice.",
    "image_type": "radiology",
    "image_subtype": "ct",
}


@pytest.fixture
def corpus(tmp_path: Path) -> dict[str, Path]:
    """A corpus of one image, whose files a test may overwrite."""
    paths = {
        "captions": tmp_path / "captions_and_labels.csv",
        "cases": tmp_path / "cases.parquet",
        "metadata": tmp_path / "metadata.parquet",
    }
    pd.DataFrame([ROW]).to_csv(paths["captions"], index=False)
    write_cases(paths["cases"], [{"case_id": "PMC10018421_01", "age": 44, "gender": "Female"}])
    pd.DataFrame(
        {"article_id": ["PMC10018421"], "article_metadata": [{"year": "2023", "license": "CC BY"}]}
    ).to_parquet(paths["metadata"])
    return paths


def write_cases(path: Path, cases: list[dict]) -> None:
    pd.DataFrame({"article_id": ["PMC10018421"], "cases": [cases]}).to_parquet(path)


def test_an_image_is_joined_to_its_case_and_article(corpus: dict[str, Path]) -> None:
    row = read_candidates(**corpus).iloc[0]
    assert row["pair_id"] == "PMC10018421_fig1_undivided_1_1"
    assert (row["article_id"], row["case_id"]) == ("PMC10018421", "PMC10018421_01")
    assert (row["age"], row["sex"], row["year"]) == (44, "Female", "2023")
    assert row["archive"] == "PMC1"
    assert row["member"] == "PMC1/PMC10/PMC10018421_fig1_undivided_1_1.webp"


def test_an_image_whose_case_is_unknown_is_kept_without_age(corpus: dict[str, Path]) -> None:
    write_cases(corpus["cases"], [{"case_id": "PMC1_01", "age": 44, "gender": "Female"}])
    row = read_candidates(**corpus).iloc[0]
    assert pd.isna(row["age"])
    assert row["sex"] == ""


@pytest.mark.parametrize("age", [131, -1, None])
def test_an_impossible_age_counts_as_unknown(corpus: dict[str, Path], age: int | None) -> None:
    write_cases(
        corpus["cases"],
        [
            {"case_id": "PMC10018421_01", "age": age, "gender": "Male"},
            {"case_id": "PMC10018421_02", "age": 30, "gender": "Male"},
        ],
    )
    assert pd.isna(read_candidates(**corpus).loc[0, "age"])


def test_a_case_listed_twice_does_not_double_its_images(corpus: dict[str, Path]) -> None:
    case = {"case_id": "PMC10018421_01", "age": 44, "gender": "Female"}
    write_cases(corpus["cases"], [case, case])
    assert len(read_candidates(**corpus)) == 1


def test_version_1_is_refused_with_the_reason(corpus: dict[str, Path]) -> None:
    pd.DataFrame([{"file": "a.jpg", "generic_label": "EKG"}]).to_csv(corpus["captions"])
    with pytest.raises(PairDxError, match=r"MultiCaRe 1\.0.*cannot be made"):
        read_candidates(**corpus)


def test_missing_columns_are_named(corpus: dict[str, Path]) -> None:
    pd.DataFrame([ROW]).drop(columns=["caption", "license"]).to_csv(corpus["captions"])
    with pytest.raises(PairDxError, match="license, caption"):
        read_candidates(**corpus)


@pytest.mark.parametrize("name", ["captions", "cases", "metadata"])
def test_a_damaged_or_missing_table_is_named(corpus: dict[str, Path], name: str) -> None:
    corpus[name].write_bytes(b"\x89garbage\xff\xfe")
    with pytest.raises(PairDxError, match=corpus[name].name):
        read_candidates(**corpus)
    corpus[name].unlink()
    with pytest.raises(PairDxError, match=rf"missing[\s\S]*{corpus[name].name}"):
        read_candidates(**corpus)


def test_ages_that_are_not_numbers_are_refused(corpus: dict[str, Path]) -> None:
    write_cases(corpus["cases"], [{"case_id": "PMC10018421_01", "age": "44", "gender": "Male"}])
    with pytest.raises(PairDxError, match="numbers of years"):
        read_candidates(**corpus)
