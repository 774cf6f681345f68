"""Tables for people: what a spreadsheet does to them, and what is refused when they come back."""

from __future__ import annotations

import io
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairdx.errors import PairDxError
from pairdx.files import write_table
from pairdx.sheets import FORMULA, escaped, for_people, read_text_table, unescaped

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
    assert read("a,b,c\n1\n").to_dict("records") == [{"a": "1", "b": "", "c": ""}]


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
