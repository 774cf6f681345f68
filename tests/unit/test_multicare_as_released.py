"""MultiCaRe's tables in the forms that other writers give them: the same row comes out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pairdx.corpus.multicare.reading import CAPTION_COLUMNS, read

CASE = {"case_id": "PMC10018421_01", "case_text": "A man.", "age": 44, "gender": "Male"}
IMAGE = dict.fromkeys(CAPTION_COLUMNS, "") | {
    "file_id": "file_0000003",
    "file": "PMC10018421_fig1_undivided_1_1.webp",
    "main_image": "PMC10018421_01_fig1.jpg",
    "patient_id": "PMC10018421_01",
    "license": "CC BY",
    "caption": "Aneurysm (arrow), “large”, with a β-blocker.",
    "case_substring": "['He had pain.']",
    "image_type": "radiology",
    "image_subtype": "ct",
    "gt_labels_for_semisupervised_classification": "['ct', 'axial']",
}


def case_type(text: pa.DataType, age: pa.DataType) -> pa.DataType:
    fields = [("case_id", text), ("case_text", text), ("age", age), ("gender", text)]
    return pa.struct(fields)


def write(path: Path, cases: list[Any], kind: pa.DataType) -> None:
    """Beside the article asked for, one whose list of cases is missing."""
    articles = pa.array(["PMC1", "PMC10018421"])
    pq.write_table(pa.table({"article_id": articles, "cases": pa.array([None, cases], kind)}), path)


def corpus(folder: Path) -> dict[str, Path]:
    """As its makers write it: pandas' index in the tables, whole records, missing lists."""
    paths = {
        "captions": folder / "captions_and_labels.csv",
        "cases": folder / "cases.parquet",
        "metadata": folder / "metadata.parquet",
    }
    pd.DataFrame([IMAGE]).to_csv(paths["captions"], index=False)
    cases = pd.DataFrame({"article_id": ["PMC10018421"], "cases": [[CASE]]}, index=[17])
    cases.to_parquet(paths["cases"])
    record = {
        "title": "A case", "authors": ["A", "B"], "journal": "J", "year": "2023", "doi": None,
        "mesh_terms": None, "keywords": [], "license": "CC BY", "case_amount": 1,
    }  # fmt: skip
    metadata = {"article_id": ["PMC10018421"], "article_metadata": [record]}
    pd.DataFrame(metadata, index=[17]).to_parquet(paths["metadata"])
    return paths


CSV_FORMS: dict[str, Callable[[pd.DataFrame, Path], None]] = {
    "with a byte order mark": lambda t, p: t.to_csv(p, index=False, encoding="utf-8-sig"),
    "with a column of row numbers": lambda t, p: t.to_csv(p),
    "in another order of columns": lambda t, p: t[t.columns[::-1]].to_csv(p, index=False),
    "with more columns": lambda t, p: t.assign(file_path="x", main_image_link="").to_csv(
        p, index=False
    ),
    "with a carriage return": lambda t, p: t.to_csv(p, index=False, lineterminator="\r\n"),
    "with every cell quoted": lambda t, p: t.to_csv(p, index=False, quoting=1),
}
CASE_FORMS = {
    "ages as pandas makes them of missing ones": pa.list_(case_type(pa.string(), pa.float64())),
    "small numbers": pa.list_(case_type(pa.string(), pa.int8())),
    "large lists and texts": pa.large_list(case_type(pa.large_string(), pa.int64())),
    "dictionaries": pa.list_(case_type(pa.dictionary(pa.int32(), pa.string()), pa.int64())),
}


def test_the_tables_as_their_makers_write_them_are_read(tmp_path: Path) -> None:
    row = read(corpus(tmp_path), {}).iloc[0]
    assert (row["age"], row["sex"], row["year"], row["licence"]) == (44, "Male", "2023", "CC BY")
    assert (row["text_labels"], row["malformed"]) == ("ct;axial", "")
    assert row["caption"] == IMAGE["caption"]


@pytest.mark.parametrize("form", CSV_FORMS)
def test_other_forms_of_the_table_of_images_say_the_same(tmp_path: Path, form: str) -> None:
    paths = corpus(tmp_path)
    expected = read(paths, {})
    CSV_FORMS[form](pd.DataFrame([IMAGE]), paths["captions"])
    pd.testing.assert_frame_equal(read(paths, {}), expected)


@pytest.mark.parametrize("form", CASE_FORMS)
def test_other_types_of_cases_say_the_same(tmp_path: Path, form: str) -> None:
    paths = corpus(tmp_path)
    expected = read(paths, {})
    write(paths["cases"], [CASE, None], CASE_FORMS[form])
    pd.testing.assert_frame_equal(read(paths, {}), expected)


def test_ages_none_of_which_is_known_are_unknown_ages(tmp_path: Path) -> None:
    """A column without a value has no type."""
    paths = corpus(tmp_path)
    write(paths["cases"], [CASE | {"age": None}], pa.list_(case_type(pa.string(), pa.null())))
    assert pd.isna(read(paths, {}).loc[0, "age"])


def test_a_year_that_became_a_float_is_a_year(tmp_path: Path) -> None:
    paths = corpus(tmp_path)
    records = [{"year": 2023.0, "license": "CC BY"}, {"year": None, "license": None}]
    metadata = {"article_id": ["PMC10018421", "PMC1"], "article_metadata": records}
    pd.DataFrame(metadata).to_parquet(paths["metadata"])
    assert read(paths, {}).loc[0, "year"] == "2023"
