"""Banks of texts: what is read, cleaned, kept and rejected."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pairdx.errors import PairDxError
from pairdx.pairing.bank import Bank, read_texts, write_bank
from pairdx.pairing.banks import read_bank
from pairdx.pairing.cleaning import cleaned, harmless

TABLE: dict[str, Any] = {
    **{"reader": "table", "text": "text", "id": None, "keep": {}, "join": None},
    "cleaning": True,
}
REPORTS = [
    {"name": "TCGA-A1.0F", "text": "Ductal carcinoma, pT1N1.", "organ": "Breast"},
    {"name": "TCGA-A2.1F", "text": "Adenocarcinoma of the colon.", "organ": "colon"},
    {"name": "TCGA-A3.2F", "text": "[REDACTED] ___ **", "organ": "breast"},
    {"name": "TCGA-A4.3F", "text": "ductal  carcinoma, PT1N1.", "organ": "breast"},
]
ORGANS = [
    {"patient": "TCGA-A1", "cancer": "BRCA"},
    {"patient": "TCGA-A2", "cancer": "COAD"},
    {"patient": "TCGA-A3", "cancer": "BRCA"},
]
JOIN = {"path": "x", "on": {"name": "patient"}, "pattern": r"^([^.]+)\."}


def csv_file(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    return csv_file(tmp_path / "reports.csv", REPORTS)


def of_lines(path: Path, content: bytes, *, cleaning: bool = True) -> Bank:
    path.write_bytes(content)
    return read_bank({"reader": "lines", "cleaning": cleaning}, {"source": path}, "some")


@pytest.mark.parametrize(
    "text",
    [
        *("pT1N1, pN1mi(sn), grade II/III, stage IIIA, IV", "1.1 cm; 11 of 111 nodes; 1,111 cells"),
        *("Blocks A1, I11, L11; levels 1 and 11; a 5*3 cm mass", "ill-defined, till 11/11"),
        *("Ki-67 < 1 %, HER2 1+, 11 x 1.1 x 0.1 cm", "C50.1 ICD-O-3 8500/3 T1-T2", "0.1111 mm"),
        *("unredacted notes", "סרטן שד, ללא גרורות", "癌 1111"),
    ],
)
def test_what_may_mean_something_is_not_cleaned_away(text: str) -> None:
    assert cleaned(text) == text


@pytest.mark.parametrize(
    ("text", "left"),
    [
        *(("IIIIIIII mass", "mass"), ("mass I1I1I1 seen", "mass seen"), ("a |||| b", "a b")),
        *(
            ("1111111 cm", "cm"),
            ("Name: ______ done", "Name: done"),
            ("**Mass** *seen*", "Mass seen"),
        ),
        *(("[Redacted] and REDACTED.", "and ."), ("a\n\n \n\nb\r\nc", "a\nb\nc")),
        *(("Size ........ 1.1 cm ---- end", "Size 1.1 cm end"), ("a\x00\x07b\tc", "a b c")),
        ("\u202eright\u200b to left\ufeff", "right to left"),
    ],
)
def test_remains_of_character_recognition_go(text: str, left: str) -> None:
    assert cleaned(text) == left


def test_markup_is_text_and_control_characters_are_not() -> None:
    assert harmless("<script>a</script>\x1b[31m & \x85b") == "<script>a</script> [31m & \nb"


def test_a_row_is_kept_or_rejected_with_its_reason(reports: Path, tmp_path: Path) -> None:
    bank = read_bank({**TABLE, "id": "name"}, {"source": reports}, "reports")
    assert bank.texts["text_id"].tolist() == ["TCGA-A1.0F", "TCGA-A2.1F"]
    rejected = bank.rejected[["row", "reason"]].to_dict("records")
    assert rejected == [{"row": 3, "reason": "empty"}, {"row": 4, "reason": "repeated"}]
    counts = {"read": 4, "dropped": 0, "kept": 2, "rejected": {"empty": 1, "repeated": 1}}
    assert counts.items() <= bank.summary.items()
    paths = [str(tmp_path / name) for name in ("texts.parquet", "rejected.parquet", "bank.json")]
    write_bank(bank, *paths)
    pd.testing.assert_frame_equal(read_texts(paths[0]), bank.texts)


def test_rows_are_kept_by_any_case_of_allowed_values_and_keep_their_numbers(reports: Path) -> None:
    bank = read_bank({**TABLE, "keep": {"organ": ["COLON"]}}, {"source": reports}, "reports")
    assert bank.texts[["text_id", "row"]].to_dict("records") == [{"text_id": "row 2", "row": 2}]
    assert bank.summary["dropped"] == 3


def test_values_that_nothing_has_are_refused_with_those_that_there_are(reports: Path) -> None:
    with pytest.raises(PairDxError, match=r"'lung'.*organ.*(breast \(2\)).*Breast \(1\)"):
        read_bank({**TABLE, "keep": {"organ": ["lung"]}}, {"source": reports}, "reports")


def test_a_column_that_is_not_there_is_refused_by_its_key(reports: Path) -> None:
    for changes, key in (
        ({"text": "report"}, "text_banks.reports.text"),
        ({"keep": {"Organs": ["breast"]}}, "text_banks.reports.keep"),
    ):
        with pytest.raises(PairDxError, match=rf"the text bank lacks[\s\S]*{key}"):
            read_bank({**TABLE, **changes}, {"source": reports}, "reports")


def test_a_second_table_tells_the_organ(reports: Path, tmp_path: Path) -> None:
    files = {"source": reports, "joined": csv_file(tmp_path / "organs.csv", ORGANS)}
    settings = {**TABLE, "join": JOIN, "keep": {"cancer": ["brca"], "organ": ["breast"]}}
    bank = read_bank(settings, files, "reports")
    assert bank.texts["row"].tolist() == [1]
    assert bank.summary["dropped"] == 2  # one of another organ, one that the second table lacks


@pytest.mark.parametrize("pattern", [r"(?i)^(tcga-[^.]+)\.", r"^(?P<patient>[^.]+)\."])
def test_patterns_have_flags_and_names_and_the_key_itself_keeps_rows(
    reports: Path, tmp_path: Path, pattern: str
) -> None:
    files = {"source": reports, "joined": csv_file(tmp_path / "organs.csv", ORGANS)}
    settings = {**TABLE, "join": {**JOIN, "pattern": pattern}, "keep": {"patient": ["tcga-a2"]}}
    assert read_bank(settings, files, "reports").texts["row"].tolist() == [2]


def test_a_second_table_of_other_texts_is_refused(reports: Path, tmp_path: Path) -> None:
    files = {"source": reports, "joined": csv_file(tmp_path / "organs.csv", ORGANS)}
    settings = {**TABLE, "join": {**JOIN, "pattern": None}, "keep": {"cancer": ["BRCA"]}}
    with pytest.raises(PairDxError, match=r"'TCGA-A1.0F'[\s\S]*join.pattern"):
        read_bank(settings, files, "reports")
    csv_file(tmp_path / "organs.csv", [*ORGANS, {"patient": "TCGA-A1", "cancer": "COAD"}])
    with pytest.raises(PairDxError, match="several things of 'TCGA-A1'"):
        read_bank({**settings, "join": JOIN}, files, "reports")
    csv_file(tmp_path / "organs.csv", [{"patient": "", "cancer": "COAD"}])
    with pytest.raises(PairDxError, match="nothing in the column patient"):
        read_bank({**settings, "join": JOIN}, files, "reports")


def test_a_pattern_that_finds_nothing_is_shown_a_cell(reports: Path, tmp_path: Path) -> None:
    files = {"source": reports, "joined": csv_file(tmp_path / "organs.csv", ORGANS)}
    settings = {**TABLE, "join": {**JOIN, "pattern": "^([0-9]+)"}, "keep": {"cancer": ["BRCA"]}}
    with pytest.raises(PairDxError, match=r"pattern finds nothing .*'TCGA-A1.0F'"):
        read_bank(settings, files, "reports")


def test_identifiers_name_one_text_each(tmp_path: Path) -> None:
    rows = [{"name": "a", "text": "one"}, {"name": "a", "text": "two"}]
    with pytest.raises(PairDxError, match=r"'a'[\s\S]*key `id`"):
        read_bank({**TABLE, "id": "name"}, {"source": csv_file(tmp_path / "t.csv", rows)}, "x")


def test_lines_end_with_line_feeds_and_nothing_else(tmp_path: Path) -> None:
    content = "\ufeffone\r\n\ntwo\u2028and\x0cmore\r\nthree".encode()
    bank = of_lines(tmp_path / "t.txt", content)
    assert bank.texts["text"].tolist() == ["one", "two\nand\nmore", "three"]
    assert bank.texts["row"].tolist() == [1, 3, 4]
    assert bank.rejected["reason"].tolist() == ["empty"]


def test_carriage_returns_end_lines_where_nothing_else_does(tmp_path: Path) -> None:
    bank = of_lines(tmp_path / "t.txt", b"one\rtwo\r")
    assert bank.texts[["text", "row"]].values.tolist() == [["one", 1], ["two", 2]]


def test_a_long_text_is_kept_whole_and_one_text_is_a_bank(tmp_path: Path) -> None:
    bank = of_lines(tmp_path / "t.txt", b"word " * 4800)
    assert bank.summary["characters"]["longest"] == 23_999


@pytest.mark.parametrize("content", [b"", b"\n\n", b"___\n[redacted]\n"])
def test_an_empty_bank_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(PairDxError, match=r"empty[\s\S]*t\.txt"):
        of_lines(tmp_path / "t.txt", content)


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PairDxError, match=r"0xff at 3[\s\S]*text_banks\.some\.path"):
        of_lines(tmp_path / "t.txt", b"abc\xff")
    with pytest.raises(PairDxError, match=r"is missing[\s\S]*text_banks\.some\.path"):
        read_bank({"reader": "lines", "cleaning": True}, {"source": tmp_path / "no.txt"}, "some")


@pytest.mark.parametrize("first", [b"%PDF-1.7 ", b"PK\x03\x04", b"PAR1", b"\x1f\x8b", b"<html>"])
def test_files_of_other_kinds_are_no_lines(tmp_path: Path, first: bytes) -> None:
    with pytest.raises(PairDxError, match=r"and not lines of text[\s\S]*text_banks\.some\.path"):
        of_lines(tmp_path / "t.txt", first + b"one\ntwo\n")


@pytest.mark.parametrize("reader", ["lines", "table"])
def test_a_folder_is_no_bank(tmp_path: Path, reader: str) -> None:
    with pytest.raises(PairDxError, match=r"is a folder[\s\S]*some\.path`? to a file in it"):
        read_bank({**TABLE, "reader": reader}, {"source": tmp_path}, "some")


def test_captions_of_the_same_words_are_one_text_of_several_pairs(tmp_path: Path) -> None:
    captions = ["CT of the head", "", "ECG", "ct of  the head"]
    pairs = pd.DataFrame({"pair_id": list("abcd"), "caption": captions})
    pairs.to_parquet(tmp_path / "pairs.parquet")
    bank = read_bank({"reader": "captions"}, {"pairs": tmp_path / "pairs.parquet"}, "captions")
    assert bank.texts["pair_ids"].tolist() == [["a", "d"], ["c"]]
    assert bank.texts["text"].tolist() == ["CT of the head", "ECG"]
    assert bank.rejected["reason"].tolist() == ["empty"]


def test_prompts_name_classes_and_entities() -> None:
    classes = {"x": "lymph node", "y": "lymph node"}  # two classes of one name keep one each
    settings = {"reader": "class_prompts", "templates": ["a {}", "the {}."], "classes": classes}
    found = read_bank(settings, {}, "prompts").texts
    assert found["text"].tolist() == ["a lymph node", "the lymph node."] * 2
    assert found["label"].tolist() == ["x", "x", "y", "y"]
    settings = {"reader": "entities", "templates": ["a {}"], "entities": ["mitosis", "Mitosis"]}
    bank = read_bank(settings, {}, "entities")
    assert bank.texts["text"].tolist() == ["a mitosis"]
    assert bank.rejected["reason"].tolist() == ["repeated"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"reader": "class_prompts", "templates": ["{}"], "classes": {"x": "--", "y": "lung"}},
            r"class\(es\) 'x' has[\s\S]*text_banks\.some\.templates[\s\S]*`classes`",
        ),
        (
            {"reader": "entities", "templates": ["{}"], "entities": ["--"]},
            r"is empty[\s\S]*text_banks\.some\.entities",
        ),
        ({"reader": "captions"}, r"is empty[\s\S]*another `bank`"),
    ],
)
def test_banks_of_the_configuration_without_words_are_refused_with_what_helps(
    tmp_path: Path, settings: dict[str, Any], message: str
) -> None:
    path = tmp_path / "pairs.parquet"
    pd.DataFrame({"pair_id": ["a"], "caption": ["..."]}).to_parquet(path)
    with pytest.raises(PairDxError, match=message) as caught:
        read_bank(settings, {"pairs": path}, "some")
    assert "column" not in (caught.value.remedy or "")
