"""Own documents are read from the tables that people have; what is wrong with one is said of it."""

from __future__ import annotations

import logging
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curation_samples import SETTINGS as CURATION
from pairdx.corpus.labels import counted, matched, renamed, require_classes
from pairdx.corpus.table.cells import ages_of
from pairdx.corpus.table.description import lacks
from pairdx.corpus.table.groups import hidden
from pairdx.corpus.table.reading import identifier_of, read
from pairdx.curation.archives import inspect_archive
from pairdx.curation.captions import caption_cluster
from pairdx.curation.tables import screen_tables
from pairdx.errors import PairDxError

COLUMNS = dict.fromkeys(
    ("caption", "pair_id", "subset", "licence", "date", "age", "subtype"), None
) | {"file": "file", "label": "label", "group": []}
SETTINGS: dict[str, Any] = {
    "columns": COLUMNS,
    "labels": {},
    "subsets": {"train": "train", "val": "validation", "test": "test"},
    "sheet": None,
    "licence": "",
}
ROWS = pd.DataFrame(
    {
        "file": ["a/1.png", "a/2.png", "b/1.png", "3.png"],
        "label": ["letter", "form", "letter", "form"],
        "patient": ["P1", "P2", "", "P2"],
        "case": ["", "K1", "K1", "K9"],
        "note": ['Grüße; "so", =1', "", "Две строки\nhier", "'96"],
        "when": ["12.03.2019", "20200401", "soon", ""],
        "years": ["45", "045Y", "old", ""],
        "part": ["train", "Test", "val", "train"],
    }
)


def settings(**columns: Any) -> dict[str, Any]:
    return SETTINGS | {"columns": COLUMNS | columns}


def images(folder: Path, *names: str) -> Path:
    for name in names or ROWS["file"]:
        (folder / "images" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "images" / name).write_bytes(b"")
    return folder / "images"


def read_file(path: Path, chosen: dict[str, Any] = SETTINGS) -> pd.DataFrame:
    if not (path.parent / "images").exists():
        images(path.parent)
    return read({"table": path, "images": path.parent / "images"}, chosen)


def read_rows(folder: Path, rows: pd.DataFrame, chosen: dict[str, Any] = SETTINGS) -> pd.DataFrame:
    rows.to_csv(folder / "documents.csv", index=False)
    return read_file(folder / "documents.csv", chosen)


def written(folder: Path, kind: str) -> Path:
    path = folder / f"documents.{kind}"
    if kind == "xlsx":
        ROWS.to_excel(path, index=False)
    elif kind == "parquet":
        ROWS.to_parquet(path, index=False)
    elif kind == "utf16.txt":
        ROWS.to_csv(path, index=False, sep="\t", encoding="utf-16")
    else:
        separator, encoding = {"csv": (",", "utf-8"), "tsv": ("\t", "utf-8-sig")}.get(
            kind, (";", "utf-8-sig")
        )
        ROWS.to_csv(path, index=False, sep=separator, encoding=encoding)
    return path


def named(*groups: str) -> list[str]:
    """How groups are called in results: those that a table states stand there as checksums."""
    return [one if one.startswith("image ") else hidden(pd.Series([one]))[0] for one in groups]


@pytest.mark.parametrize("kind", ["csv", "tsv", "semicolons.csv", "utf16.txt", "parquet", "xlsx"])
def test_every_kind_of_table_gives_the_same_rows(tmp_path: Path, kind: str) -> None:
    found = read_file(written(tmp_path, kind), settings(caption="note", group="patient"))
    assert found["member"].tolist() == ROWS["file"].tolist()
    assert found["file"].tolist() == ["1.png", "2.png", "1.png", "3.png"]
    assert found["pair_id"].tolist() == ["a~11.png", "a~12.png", "b~11.png", "3.png"]
    assert found["caption"].tolist()[:3] == ROWS["note"].tolist()[:3]
    assert found["label"].tolist() == ROWS["label"].tolist()
    assert found["case_id"].tolist() == named("P1", "P2", "image b/1.png", "P2")
    assert set(found["archive"]) == {"images"}


def test_a_wrong_ending_misleads_nobody(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = written(tmp_path, "xlsx").rename(tmp_path / "documents.csv")
    with caplog.at_level(logging.WARNING):
        assert len(read_file(path)) == len(ROWS)
    assert "read as what it holds, Excel" in caplog.text


def test_cells_of_other_types_are_texts(tmp_path: Path) -> None:
    rows = {
        "file": pa.array([b"96", b"97"], pa.binary()),
        "label": pa.array(["x", "y"]).dictionary_encode(),
        "number": pa.array([1, None], pa.int64()),
        "share": pa.array([96.0, 0.5]),
        "day": pa.array([date(2020, 1, 2), None]),
        "nothing": pa.array([None, None]),
        "pixels": pa.array([[1], [2]]),
    }
    pq.write_table(pa.table(rows), tmp_path / "t.parquet")
    images(tmp_path, "96")
    chosen = settings(pair_id="number", group=["share"], date="day", subtype="nothing")
    found = read_file(tmp_path / "t.parquet", chosen)
    assert found["member"].tolist() == ["96", "97"]
    assert found["label"].tolist() == ["x", "y"]
    assert found["pair_id"].tolist() == ["1", "97"]
    assert found["case_id"].tolist() == named("96", "0.5")
    assert found["year"].tolist() == ["2020", ""]
    pq.write_table(pa.table(rows | {"Label": rows["label"]}), tmp_path / "two.parquet")
    with pytest.raises(PairDxError, match="same name for several columns: label"):
        read_file(tmp_path / "two.parquet")
    with pytest.raises(PairDxError, match=r"should hold text, but is of type list[\s\S]*pixels"):
        read_file(tmp_path / "t.parquet", settings(licence="pixels"))


def test_numbers_and_dates_of_a_sheet_are_as_they_look(tmp_path: Path) -> None:
    rows = pd.DataFrame(
        {"file": [96.0, 97], "label": [True, "b"], "day": [date(2020, 1, 2), "1.2.2021"]}
    )
    with pd.ExcelWriter(tmp_path / "t.xlsx") as book:
        rows.to_excel(book, sheet_name="first", index=False)
        rows.iloc[:1].to_excel(book, sheet_name="second", index=False)
    images(tmp_path, "96")
    chosen = settings(date="day", group="day")
    found = read_file(tmp_path / "t.xlsx", chosen)
    assert found["member"].tolist() == ["96", "97"]
    assert found["case_id"].tolist() == named("2020-01-02", "1.2.2021")
    assert found["year"].tolist() == ["2020", "2021"]
    assert len(read_file(tmp_path / "t.xlsx", chosen | {"sheet": "second"})) == 1
    with pytest.raises(PairDxError, match=r"no sheet secnd; its sheets are first, second; did you"):
        read_file(tmp_path / "t.xlsx", chosen | {"sheet": "secnd"})


def test_separators_are_counted_outside_quotes(tmp_path: Path) -> None:
    path = tmp_path / "documents.csv"
    path.write_text('\n"file";"label, kind, sort"\na/1.png;x\n', encoding="utf-8")
    assert read_file(path, settings(label="label, kind, sort"))["label"].tolist() == ["x"]


def test_what_excel_states_and_macos_composes_is_read(tmp_path: Path) -> None:
    path = tmp_path / "documents.csv"
    path.write_text("sep=;\r\nfile;Gro\u0308\xdfe \r\na/1.png;x, y\r\n", encoding="utf-8")
    found = read_file(path, settings(label=" Gr\xf6\xdfe"))
    assert found["label"].tolist() == ["x, y"]
    assert found.attrs["as_read"]["other_columns"] == []


def test_rows_between_stray_quotation_marks_are_noticed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "documents.csv"
    lines = ["file,label,note", 'a/1.png,x,"5 wide', 'a/2.png,y,6" wide', 'b/1.png,x,"one,']
    path.write_text("\n".join([*lines, 'two, three"', ""]), encoding="utf-8")
    with caplog.at_level(logging.WARNING):
        found = read_file(path)
    assert len(found) == 2  # the second is inside the first
    assert found.attrs["as_read"] == {
        "other_columns": ["note"],
        "rows_in_cells": 1,
        "untold_ages": 0,
    }
    assert "1 cells hold what looks like further rows" in caplog.text
    assert "in the row of a/1.png" in caplog.text


# ------------------------------------------------------------ tables that are wrong as a whole
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"file,label\n", "has no rows below its first line"),
        (b"file,Label ,label\na,b,c\n", "same name for several columns: label"),
        (
            "file,gro\u0308\xdfe,Gr\xf6\xdfe\n".encode(),
            "same name for several columns: gr\xf6\xdfe",
        ),
        ("file,label\nä.png,x\n".encode("latin-1"), r"not text in UTF-8 \(byte 0xe4 in line 2\)"),
        (b"path,label\na,b\n", r"lacks the column\(s\) file; its columns are: path, label"),
        (b"files,label\na,b\n", r"did you mean files\?[\s\S]*`source\.columns\.file`"),
        (b"file,label\na,b\na,b,c\n", "cannot be read as CSV: line 3 has 3 cells"),
        (b"<html><table></table></html>", "is a web page or XML"),
        (b"%PDF-1.7", "is a PDF file"),
        (b"f\0i\0l\0e\0", "null characters"),
        (b"PK\x03\x04 and so on", "no workbook that can be read"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "no workbook that can be read"),
        (b"PAR1", "no readable Parquet file"),
        (b"\x1f\x8b\0", "is a gzip file"),
    ],
)
def test_a_table_that_cannot_be_read_says_why(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "documents.csv"
    path.write_bytes(content)
    with pytest.raises(PairDxError, match=message) as error:
        read_file(path)
    assert str(path) in str(error.value)
    assert error.value.remedy


def test_a_table_that_is_not_there_names_its_key(tmp_path: Path) -> None:
    with pytest.raises(PairDxError, match=r"missing[\s\S]*`source\.table`"):
        read_file(tmp_path / "none.csv")


# ------------------------------------------------------------ images
def rejected(
    candidates: pd.DataFrame, *, needs_subset: bool = False, **changes: Any
) -> dict[str, str]:
    labels = ["letter", "form"]
    curation = CURATION | {"classes": labels, "modalities": None, "unknown_age": "keep"} | changes
    screening = screen_tables(
        *(candidates, curation),
        subset=None,
        seed=1,
        lacks={"captions": "there is no column"},
        needs_subset=needs_subset,
    )
    return dict(zip(screening.rejected["row"], screening.rejected["reason"], strict=True))


def test_paths_are_those_below_the_folder_however_they_are_written(tmp_path: Path) -> None:
    folder = images(tmp_path)
    paths = ["a\\1.png", "./a//2.png", str(folder / "b/1.png"), "../3.png"]
    paths += ["/etc/3.png", "C:\\3.png", f"{folder}/../3.png", "", "a/.hidden", "a/"]
    rows = pd.DataFrame({"file": paths, "label": "letter"})
    found = read_rows(tmp_path, rows)
    assert found["member"].tolist()[:3] == ["a/1.png", "a/2.png", "b/1.png"]
    unsafe = dict.fromkeys((3, 4, 5, 6, 8, 9), "unsafe_file_name")
    assert rejected(found) == unsafe | {7: "no_file_name"}


def test_a_path_or_identifier_that_stands_twice_counts_once(tmp_path: Path) -> None:
    rows = pd.DataFrame({"file": ["a/1.png", "./a/1.png", "a~1.png"], "label": "form", "id": "x"})
    assert rejected(read_rows(tmp_path, rows)) == {1: "repeated_row"}
    by_name = read_rows(tmp_path, rows, settings(pair_id="id"))
    assert rejected(by_name) == {1: "repeated_row", 2: "repeated_row"}
    with pytest.raises(PairDxError, match=r"hold slashes, such as './a/1\.png'|'a/1\.png'"):
        read_rows(tmp_path, rows, settings(pair_id="file"))


@pytest.mark.parametrize(
    ("path", "identifier"),
    [
        ("a/b~1.png", "a~1b~01.png"),
        ("Screen\u202f9.png", "Screen~u00202f9.png"),
        ("a\u202eb.png", "a~u00202eb.png"),
        ("胸部.png", "胸部.png"),
    ],
)
def test_what_cannot_stand_in_the_name_of_a_file_is_escaped(path: str, identifier: str) -> None:
    assert identifier_of(path) == identifier


def test_long_paths_have_short_identifiers_of_their_own() -> None:
    paths = [f"{'d' * 150}/{'ü' * length}/{top}.png" for length in (60, 120) for top in "ab"]
    paths += [f"a/{'胸' * 90}.png", f"b/{'胸' * 90}.png"]
    names = list(map(identifier_of, paths))
    assert len(set(names)) == len(paths)
    assert max(len(name.encode()) for name in names) <= 200
    assert names[0].startswith("a.png~h")


def test_identifiers_that_cannot_name_files_are_refused(tmp_path: Path) -> None:
    rows = ROWS.assign(id=["a" * 251, "", "", "b"])
    with pytest.raises(PairDxError, match=r"longer than 250 bytes[\s\S]*column id"):
        read_rows(tmp_path, rows, settings(pair_id="id"))
    found = read_rows(tmp_path, ROWS.assign(id=["", "", "x", "y"]), settings(pair_id="id"))
    assert found["pair_id"].tolist() == ["a~11.png", "a~12.png", "x", "y"]


def test_no_image_at_all_is_no_matter_of_single_ones(tmp_path: Path) -> None:
    images(tmp_path, "elsewhere/1.png")
    message = r"none of the 4 images is in [\s\S]*images; the first should be a/1\.png, but there"
    with pytest.raises(PairDxError, match=message):
        read_rows(tmp_path, ROWS)


def test_links_out_of_the_folder_are_called_so_and_the_folder_behind_them_is_named(
    tmp_path: Path,
) -> None:
    real = images(tmp_path / "real", *ROWS["file"])
    folder = tmp_path / "images"
    for name in ROWS["file"]:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).symlink_to(real / name)
    message = rf"4 are links that lead out of it[\s\S]*`source\.images`\), such as {real}; or"
    with pytest.raises(PairDxError, match=message):
        read_rows(tmp_path, ROWS)
    (folder / "3.png").unlink()
    shutil.copy(real / "3.png", folder / "3.png")
    found = read_rows(tmp_path, ROWS)
    facts = inspect_archive(found, folder, {})
    assert facts["reason"].tolist()[:3] == ["link_out_of_folder"] * 3
    assert facts["reason"].iloc[3] == "unreadable"


def test_paths_that_are_confused_are_called_so_and_nobody_is_told_to_delete(tmp_path: Path) -> None:
    table, folder = written(tmp_path, "csv"), images(tmp_path)
    for paths, message in (
        ({"table": folder, "images": folder}, r"table of images is a folder[\s\S]*`source\.table`"),
        ({"table": table, "images": table}, r"is a file, and no whole zip[\s\S]*`source\.images`"),
    ):
        with pytest.raises(PairDxError, match=message) as caught:
            read(paths, SETTINGS)
        assert "delete" not in str(caught.value)


def test_rows_without_a_subset_are_rejected_where_no_other_split_takes_them(tmp_path: Path) -> None:
    images(tmp_path)
    rows = ROWS.assign(part=["train", "", "test", " "])
    found = read_rows(tmp_path, rows, settings(subset="part"))
    assert rejected(found) == {}
    assert rejected(found, needs_subset=True) == dict.fromkeys((1, 3), "no_subset")


# ------------------------------------------------------------ what columns tell
def test_rows_that_share_any_group_belong_together(tmp_path: Path) -> None:
    found = read_rows(tmp_path, ROWS, settings(group=["patient", "case"]))
    first, second, third, fourth = found["case_id"]
    assert second == third == fourth != first
    assert found["article_id"].tolist() == named("P1", "P2", "image b/1.png", "P2")
    assert found["figure_id"].tolist() == named("image a/1.png", "K1", "K1", "K9")
    assert not found.map(str).isin(["P1", "P2", "K1", "K9"]).any(axis=None)
    shuffled = read_rows(tmp_path, ROWS.iloc[::-1], settings(group=["patient", "case"]))
    assert shuffled["case_id"].tolist() == found["case_id"].tolist()[::-1]


def test_without_groups_every_image_is_one(tmp_path: Path) -> None:
    found = read_rows(tmp_path, ROWS)
    assert found["case_id"].is_unique
    assert "groups" in lacks(SETTINGS)
    assert "groups" not in lacks(settings(group="patient"))


def test_what_no_column_tells_is_said(tmp_path: Path) -> None:
    every = ("ages", "caption_labels", "captions", "groups", "licences", "modalities", "sexes")
    every += ("subsets",)
    assert tuple(sorted(lacks(SETTINGS))) == every
    assert "licences" not in lacks(SETTINGS | {"licence": "CC0"})
    assert read_rows(tmp_path, ROWS, SETTINGS | {"licence": "CC0"})["licence"].eq("CC0").all()


def test_years_ages_and_subsets_are_read_and_others_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    chosen = settings(date="when", age="years", subset="part", group="patient")
    with caplog.at_level(logging.WARNING):
        found = read_rows(tmp_path, ROWS, chosen)
    assert found["year"].tolist() == ["2019", "2020", "", ""]
    assert found["age"].tolist() == [45, 45, pd.NA, pd.NA]
    assert found["published_subset"].tolist() == ["train", "test", "validation", "train"]
    assert "1 of 3 cells of the column when tell no date, such as 'soon'" in caplog.text
    assert "1 of 3 cells of the column years tell no age, such as 'old'" in caplog.text
    assert "1 of 2 values of the column patient stand in several" in caplog.text
    with caplog.at_level(logging.WARNING):
        read_rows(tmp_path, ROWS.assign(part=["train", "", "test", " "]), chosen)
    assert "2 of 4 rows state no subset in the column part" in caplog.text
    with pytest.raises(PairDxError, match=r"unknown names: rest[\s\S]*`source\.subsets`"):
        read_rows(tmp_path, ROWS.assign(part="rest"), chosen)


@pytest.mark.parametrize(
    ("stated", "years"),
    [
        *(("45", 45), ("045Y", 45), ("17.9", 17), ("45 Jahre", 45), ("45 yo", 45)),
        *(("45 years old", 45), ("45-year-old", 45), (">89", 89), ("90+", 90), ("<1", 0)),
        *(("<18", 17), ("3 months", 0), ("006M", 0), ("2 weeks", 0), ("10D", 0)),
        *(("216M", 18), ("215 months", 17), ("1 y 6 m", 1), ("12 Monate", 1), ("0", 0)),
        *(("old", None), ("45-50", None), ("2019", None), ("", None), ("-5", None)),
    ],
)
def test_ages_are_whole_years_however_they_are_written(stated: str, years: int | None) -> None:
    found = ages_of(pd.Series([stated]))[0]
    assert (None if found is pd.NA else found) == years


def test_a_column_of_captions_without_any_is_refused(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    read_rows(tmp_path, ROWS, settings(caption="note"))
    assert "1 of 4 rows have no caption: they are rejected, also for systems that" in caplog.text
    with pytest.raises(PairDxError, match=r"`source\.columns\.caption` to null"):
        read_rows(tmp_path, ROWS.assign(note=" "), settings(caption="note"))


# ------------------------------------------------------------ labels
def test_labels_are_matched_as_people_type_them(caplog: pytest.LogCaptureFixture) -> None:
    typed = ["Brief", "brief ", "Ärztin", "A\u0308rztin", "two  Words", "Two words", "x|y", ""]
    known = ["Brief", "Ärztin", "two words", "Two words", "x|y"]
    with caplog.at_level(logging.WARNING):
        found = matched(pd.Series(typed), known)
    wanted = ["Brief", "Brief", "Ärztin", "Ärztin", "two  Words", "Two words", "x|y", ""]
    assert found.tolist() == wanted
    counts = counted(pd.Series(typed), found).set_index(["label", "stated"])["rows"]
    assert counts.sum() == len(typed)
    assert counts["Brief"].to_dict() == {"Brief": 1, "brief ": 1}
    assert "2 labels are spelled in other ways" in caplog.text
    assert "2 candidates have labels that are no class here" in caplog.text


def test_other_spellings_are_translated_without_regard_to_case() -> None:
    labels = renamed(pd.Series(["cxr", "CXR ", "letter"]), {"CXR": "chest X-ray"})
    assert labels.tolist() == ["chest X-ray", "chest X-ray", "letter"]


def test_a_number_with_a_nought_is_the_number() -> None:
    assert matched(pd.Series(["0.0", "1.0", "1.50", ""]), ["0", "1"]).tolist() == [
        *("0", "1", "1.50", "")
    ]
    assert matched(pd.Series(["1.0"]), ["1.0", "1"]).tolist() == ["1.0"]


def test_where_no_label_is_a_class_the_lines_to_paste_are_given() -> None:
    labels = pd.Series(["Brief", "Brief", 'a "b"', ""])
    with pytest.raises(PairDxError, match=r"'Brief' \(2\)") as error:
        require_classes(labels, ["letter", "form"], [])
    assert error.value.remedy is not None
    assert r'`classes: ["Brief", "a \"b\""]`' in error.value.remedy
    message = r"not one of the 2 candidates .* 'form'; labels that are no class: 'Brief' \(1\)"
    with pytest.raises(PairDxError, match=message):
        require_classes(pd.Series(["letter", "Brief"]), ["letter", "form"], ["none"])
    require_classes(pd.Series(["letter", "form"]), ["letter", "form"], ["none"])


# ------------------------------------------------------------ without captions
def test_nothing_is_rejected_for_a_caption_that_nobody_wrote(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    found = read_rows(tmp_path, ROWS)
    with caplog.at_level(logging.INFO):
        assert rejected(found) == {}
    assert "not searched for identifiers: there is no column" in caplog.text
    assert caption_cluster(found["caption"]).eq("").all()
