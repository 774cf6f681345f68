"""Reading MultiCaRe's tables: joins, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pairdx.corpus.multicare.reading import CAPTION_COLUMNS, read
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


def write_articles(path: Path, identifiers: list, articles: list[dict]) -> None:
    pd.DataFrame({"article_id": identifiers, "article_metadata": articles}).to_parquet(path)


def write_cases(path: Path, cases: list[dict]) -> None:
    pd.DataFrame({"article_id": ["PMC10018421"], "cases": [cases]}).to_parquet(path)


def test_an_image_is_joined_to_its_case_and_article(corpus: dict[str, Path]) -> None:
    row = read(corpus, {}).iloc[0]
    assert row["pair_id"] == "PMC10018421_fig1_undivided_1_1"
    assert (row["article_id"], row["case_id"]) == ("PMC10018421", "PMC10018421_01")
    assert (row["age"], row["sex"], row["year"]) == (44, "Female", "2023")
    assert row["archive"] == "PMC1"
    assert row["member"] == "PMC1/PMC10/PMC10018421_fig1_undivided_1_1.webp"


OTHER = {"file": "PMC10099999_fig1_a_1_1.webp", "patient_id": "PMC10099999_01"}


def test_an_image_whose_case_is_unknown_is_kept_without_age_and_counted(
    corpus: dict[str, Path], caplog: pytest.LogCaptureFixture
) -> None:
    pd.DataFrame([ROW, ROW | OTHER | {"license": ""}]).to_csv(corpus["captions"], index=False)
    with caplog.at_level("WARNING", logger="pairdx"):
        found = read(corpus, {})
    assert found["age"].isna().tolist() == [False, True]
    assert found["sex"].tolist() == ["Female", ""]
    assert found["licence"].tolist() == ["CC BY", ""]
    cases, articles = (line for line in caplog.messages if line.startswith("1 of 2 images"))
    assert "'PMC10099999_01': their age and sex is not known" in cases
    assert "metadata.parquet" in articles


@pytest.mark.parametrize("column", ["case_id", "article_id"])
def test_a_join_that_finds_nobody_stops_before_a_screen_is_off(
    corpus: dict[str, Path], column: str
) -> None:
    if column == "case_id":
        write_cases(corpus["cases"], [{"case_id": "10018421-1", "age": 4, "gender": "Male"}])
    else:
        write_articles(corpus["metadata"], ["10018421"], [{"year": "2023", "license": "CC BY"}])
    with pytest.raises(PairDxError, match=f"no {column} of the images") as caught:
        read(corpus, {})
    assert "PMC10018421" in str(caught.value)
    assert "10018421" in str(caught.value).replace("PMC10018421", "")


@pytest.mark.parametrize(
    "text_type",
    [pa.binary(), pa.large_binary(), pa.large_string(), pa.dictionary(pa.int8(), pa.string())],
)
def test_texts_of_any_type_of_parquet_are_the_same_texts(
    corpus: dict[str, Path], text_type: pa.DataType
) -> None:
    """A binary identifier once matched nothing, and let children pass as of unknown age."""

    def column(*values: str) -> pa.Array:
        return pa.array(list(values)).cast(text_type)

    case = pa.StructArray.from_arrays(
        [column("PMC10018421_01"), pa.array([7.0]), column("Male")], ["case_id", "age", "gender"]
    )
    cases = pa.ListArray.from_arrays(pa.array([0, 1], pa.int32()), case)
    pq.write_table(pa.table({"article_id": column("PMC10018421"), "cases": cases}), corpus["cases"])
    article = pa.StructArray.from_arrays([column("2023"), column("CC BY")], ["year", "license"])
    table = pa.table({"article_id": column("PMC10018421"), "article_metadata": article})
    pq.write_table(table, corpus["metadata"])
    row = read(corpus, {}).iloc[0]
    assert (row["age"], row["sex"], row["year"]) == (7, "Male", "2023")
    assert row["licence"] == "CC BY"


@pytest.mark.parametrize("identifiers", [[10018421], [10018421.0]])
def test_numeric_identifiers_are_texts(corpus: dict[str, Path], identifiers: list[float]) -> None:
    case = {"case_id": int(identifiers[0]), "age": 44, "gender": "Female"}
    pd.DataFrame({"article_id": identifiers, "cases": [[case]]}).to_parquet(corpus["cases"])
    write_articles(corpus["metadata"], identifiers, [{"year": 2023.0, "license": "CC BY"}])
    pd.DataFrame([ROW | {"patient_id": " 10018421 "}]).to_csv(corpus["captions"], index=False)
    row = read(corpus, {}).iloc[0]
    assert (row["age"], row["year"]) == (44, "2023")


def test_identifiers_that_are_no_text_are_named(corpus: dict[str, Path]) -> None:
    write_cases(corpus["cases"], [{"case_id": ["PMC1"], "age": 44, "gender": "Female"}])
    with pytest.raises(PairDxError, match=r"should hold text[\s\S]*cases\.case_id"):
        read(corpus, {})


def test_of_a_case_with_two_ages_the_lower_one_counts(corpus: dict[str, Path]) -> None:
    case = {"case_id": "PMC10018421_01", "age": 44, "gender": "Female"}
    write_cases(corpus["cases"], [case | {"age": None}, case, case | {"age": 12}])
    assert read(corpus, {})["age"].tolist() == [12]


def test_a_row_with_a_cell_too_many_does_not_shift_the_columns(corpus: dict[str, Path]) -> None:
    head, row = corpus["captions"].read_text(encoding="utf-8").splitlines()
    corpus["captions"].write_text(f"{head}\n{row},\n", encoding="utf-8")
    with pytest.raises(PairDxError, match="more cells than its first line"):
        read(corpus, {})


@pytest.mark.parametrize("age", [131, -1, None])
def test_an_impossible_age_counts_as_unknown(corpus: dict[str, Path], age: int | None) -> None:
    write_cases(
        corpus["cases"],
        [
            {"case_id": "PMC10018421_01", "age": age, "gender": "Male"},
            {"case_id": "PMC10018421_02", "age": 30, "gender": "Male"},
        ],
    )
    assert pd.isna(read(corpus, {}).loc[0, "age"])


def test_a_case_listed_twice_does_not_double_its_images(corpus: dict[str, Path]) -> None:
    case = {"case_id": "PMC10018421_01", "age": 44, "gender": "Female"}
    write_cases(corpus["cases"], [case, case])
    assert len(read(corpus, {})) == 1


def test_version_1_is_refused_with_the_reason(corpus: dict[str, Path]) -> None:
    pd.DataFrame([{"file": "a.jpg", "generic_label": "EKG"}]).to_csv(corpus["captions"])
    with pytest.raises(PairDxError, match=r"MultiCaRe 1\.0.*cannot be made"):
        read(corpus, {})


def test_missing_columns_are_named(corpus: dict[str, Path]) -> None:
    pd.DataFrame([ROW]).drop(columns=["caption", "license"]).to_csv(corpus["captions"])
    with pytest.raises(PairDxError, match="license, caption"):
        read(corpus, {})


@pytest.mark.parametrize("name", ["captions", "cases", "metadata"])
def test_a_damaged_or_missing_table_is_named(corpus: dict[str, Path], name: str) -> None:
    corpus[name].write_bytes(b"\x89garbage\xff\xfe")
    with pytest.raises(PairDxError, match=corpus[name].name):
        read(corpus, {})
    corpus[name].unlink()
    with pytest.raises(PairDxError, match=rf"missing[\s\S]*{corpus[name].name}"):
        read(corpus, {})


def test_ages_that_are_not_numbers_are_refused(corpus: dict[str, Path]) -> None:
    write_cases(corpus["cases"], [{"case_id": "PMC10018421_01", "age": "44", "gender": "Male"}])
    with pytest.raises(PairDxError, match="numbers of years"):
        read(corpus, {})
