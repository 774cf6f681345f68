"""Tables for people: what a spreadsheet does to them, and what is refused when they come back."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairdx.errors import PairDxError
from pairdx.files import write_table
from pairdx.sheet_cells import FORMULA, escaped, unescaped
from pairdx.sheets import for_people, read_text_table

CELLS = st.text(alphabet=st.sampled_from("=+-@'\"\t,;\n x1\u00e9\u03bc\uff1d"), max_size=6)


def read(content: str | bytes, **how: object) -> pd.DataFrame:
    raw = content if isinstance(content, bytes) else content.encode()
    given_how = {"what": "the table", "where": "here", "remedy": "fetch it again"} | how
    return read_text_table(raw, **given_how)  # type: ignore[arg-type]


@given(CELLS)
def test_no_cell_is_a_formula_and_every_cell_comes_back(cell: str) -> None:
    shown = escaped(cell)
    assert isinstance(shown, str)
    assert shown[:1] not in set("=+-@\t\uff1d")
    assert unescaped(shown) == cell


@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=4))
def test_a_table_for_people_is_read_back_as_it_was(rows: list[tuple[str, str]]) -> None:
    table = pd.DataFrame([("k", *row) for row in rows], columns=["key", "=a", "b"], dtype=str)
    content = for_people(table).to_csv(index=False)
    pd.testing.assert_frame_equal(read(content, by_people=True), table)


def test_a_written_table_is_utf_8_with_a_mark_and_numbers_stay_numbers(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    caption = "\u2212=Ulcer, 50 \u00b5m\rin the antrum"
    table = pd.DataFrame({"n": [-1.5], "k": [-2], "b": [True], "caption": [caption], "e": [None]})
    write_table(path, table)
    assert path.read_bytes().startswith(b"\xef\xbb\xbfn,k,b")
    # As a spreadsheet that knows of no encoding but what the mark says.
    again = pd.read_csv(io.BytesIO(path.read_bytes()))
    assert again.columns[0] == "n"
    assert again.loc[0, ["n", "k", "b"]].tolist() == [-1.5, -2, True]
    assert again.loc[0, "caption"] == caption.replace("\r", "\n")
    assert pd.isna(again.loc[0, "e"])


def test_any_table_can_be_written_for_people(tmp_path: Path) -> None:
    table = pd.DataFrame({1: ["=a"], "b": pd.array([True], "boolean"), "c": pd.Categorical(["@c"])})
    twice = pd.concat([table, table], axis=1)
    write_table(tmp_path / "t.csv", twice)
    assert (tmp_path / "t.csv").read_text(encoding="utf-8-sig").splitlines() == [
        "1,b,c,1,b,c",
        "'=a,True,'@c,'=a,True,'@c",
    ]
    write_table(tmp_path / "none.csv", twice.head(0))
    assert (tmp_path / "none.csv").read_text(encoding="utf-8-sig") == "1,b,c,1,b,c\n"


def test_a_caption_that_is_a_formula_is_text_in_the_file(tmp_path: Path) -> None:
    write_table(tmp_path / "t.csv", pd.DataFrame({"caption": ["=HYPERLINK(1)", "- 5 mm", "'+x"]}))
    cells = pd.read_csv(tmp_path / "t.csv")["caption"].tolist()
    assert cells == ["'=HYPERLINK(1)", "'- 5 mm", "''+x"]
    assert not FORMULA.match("T1 = 5")


@pytest.mark.parametrize(
    "content",
    [
        "a,b\n1,2,3\n",
        "a,b\n1,2,\n3,4,\n",
        "a,b\n1,2,\n3,4\n",
        "a,b\n1,2\n3,4,5\n",
        "a,b\n1,2,3,4\n",
    ],
)
def test_a_row_with_a_cell_too_many_is_refused_with_its_place(content: str) -> None:
    with pytest.raises(PairDxError, match=r"more cells than its first|has 3 cells") as caught:
        read(content)
    assert "line 2" in str(caught.value) or "line 3" in str(caught.value)


def test_cells_that_a_spreadsheet_left_out_are_empty() -> None:
    found = read("a,b,c\n1\n", by_people=True)
    assert found.to_dict("records") == [{"a": "1", "b": "", "c": ""}]


@pytest.mark.parametrize(
    ("content", "line"),
    [("a,b\n1,2\n3\n", 3), ('a,b\n"1\n\n",2\n\n3\n', 6), ("\n \na,b\r\n1,\r\n3\r\n", 5)],
)
def test_a_row_that_lacks_a_cell_is_refused_with_its_line(content: str, line: int) -> None:
    """Where no spreadsheet left it out, it may be the first, and all others are shifted."""
    with pytest.raises(PairDxError, match=rf"1 cells, and the first line names 2[\s\S]* {line}\n"):
        read(content)


def test_empty_cells_and_long_ones_are_no_missing_ones() -> None:
    found = read(f'a,b\n,\n"",""\n\n{"x" * 200_000},\n')
    assert found["b"].tolist() == ["", "", ""]


@pytest.mark.parametrize(
    ("content", "by_people", "name"),
    [
        ("a,b,a\n1,2,3\n", False, "a"),
        ('a,"b", b\n1,2,3\n', False, "b"),
        ("a,b,A \n1,2,3\n", True, "a"),
        ("=a,b,'=a\n1,2,3\n", True, "=a"),
        ("a,a.1,a\n", False, "a"),
    ],
)
def test_a_name_of_two_columns_is_refused(content: str, by_people: bool, name: str) -> None:
    with pytest.raises(PairDxError, match=rf"several columns: {name}\n[\s\S]*line 1"):
        read(content, by_people=by_people)


def test_columns_without_names_and_in_other_capitals_are_read() -> None:
    assert read("a,A,,\n1,2,3,4\n").iloc[0].tolist() == ["1", "2", "3", "4"]


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (gzip.compress(b"a,b\n1,2\n", mtime=0), "a gzip file"),
        (b"PK\x03\x04\0\0\0\0", "a zip file, or a spreadsheet"),
    ],
)
def test_a_packed_file_is_named_as_that(content: bytes, name: str) -> None:
    with pytest.raises(PairDxError, match=name) as caught:
        read(content)
    assert "unpack it" in str(caught.value)


@pytest.mark.parametrize(
    "content", ["", "\n\n", 'a\n"x\n', "a,b\n1,2,3\n", "a,b\n1\n", "a,a\n1,2\n"]
)
def test_no_remedy_begins_in_the_middle_of_a_sentence(content: str) -> None:
    with pytest.raises(PairDxError) as caught:
        read(content, remedy="or fetch it again")
    assert caught.value.remedy is not None
    assert not caught.value.remedy.startswith("or ")


def test_another_encoding_is_told_from_a_broken_download() -> None:
    with pytest.raises(PairDxError, match="UTF-8") as caught:
        read("a,b\nx,\u00e9\n".encode("latin-1"))
    assert "line 2" in str(caught.value)
    assert caught.value.remedy is not None
    assert "CSV UTF-8" in caught.value.remedy


@pytest.mark.parametrize(("content", "message"), [("", "empty"), ('a\n"x\n', "never closed")])
def test_what_is_no_csv_is_named(content: str, message: str) -> None:
    with pytest.raises(PairDxError, match=message):
        read(content)


@pytest.mark.parametrize(
    "content",
    [
        "\ufeffa,b\r\n1,\u00e9\r\n".encode(),
        "a;b\n1;\u00e9\n".encode(),
        "a\tb\r\n1\t\u00e9\r\n".encode("utf-16"),
    ],
)
def test_what_spreadsheets_save_is_read(content: bytes) -> None:
    table = read(content, separators=",;\t", by_people=True)
    assert table.to_dict("records") == [{"a": "1", "b": "\u00e9"}]
