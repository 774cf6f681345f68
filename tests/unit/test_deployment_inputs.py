"""What is to be classified: which files are found, and what a table may say."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pairdx.deployment.cells import (
    BACKSLASHES,
    BLANKS,
    LEADS_OUT,
    LINKS_OUT,
    NO_CAPTION,
    NO_FILE,
    NO_NAME,
)
from pairdx.deployment.entries import Entry, printable, reason_of
from pairdx.deployment.inputs import list_inputs
from pairdx.deployment.options import Options
from pairdx.deployment.tables import NO_JSON, NO_TEXT, SURPLUS
from pairdx.deployment.walking import HIDDEN, OTHER
from pairdx.errors import PairDxError
from pairdx.plan.code import SCRIPTS
from pairdx.storage_errors import storage_error

IMAGES = SimpleNamespace(reads_images=True, reads_captions=False)
BOTH = SimpleNamespace(reads_images=True, reads_captions=True)
CAPTIONS = SimpleNamespace(reads_images=False, reads_captions=True)


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    return


def entries(*inputs: str, system: Any = IMAGES, **options: Any) -> list[Entry]:
    return list(list_inputs(inputs, Options(**options), system).entries)


def table(content: str | bytes, name: str = "pairs.csv") -> str:
    Path(name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return name


def make(*names: str) -> None:
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch()


def test_folders_are_gone_through_and_what_is_passed_over_is_counted() -> None:
    make("in/a.png", "in/b/c.JPG", "in/b/d.dcm", "in/.hidden.png", "in/.git/x.png", "in/notes.txt")
    listing = list_inputs(["in"], Options(), IMAGES)
    assert sorted(one.shown for one in listing.entries) == ["in/a.png", "in/b/c.JPG", "in/b/d.dcm"]
    assert listing.passed_over == {HIDDEN: 2, OTHER: 1}


def test_named_files_are_tried_whatever_they_are_called() -> None:
    make("scan", ".hidden.txt")
    assert [one.shown for one in entries("scan", ".hidden.txt")] == ["scan", ".hidden.txt"]


def test_links_are_followed_once_and_circles_are_rows() -> None:
    make("in/a/x.png", "far/y.png")
    Path("in/a/up").symlink_to("..")
    Path("in/far").symlink_to("../far")
    Path("in/far_again").symlink_to("../far")
    Path("in/loop.png").symlink_to("loop.png")
    found = {one.shown: one.problem for one in entries("in")}
    again = "a link to a folder that is listed already; it is not followed"
    assert found == {
        "in/a/x.png": "",
        "in/a/up": again,
        "in/far/y.png": "",
        "in/far_again": again,
        "in/loop.png": "a link that leads in a circle",
    }


def test_names_of_any_bytes_are_found_and_can_be_opened_again() -> None:
    Path("in").mkdir()
    for name in (b"in/\xff.png", b"in/two\nlines.png"):
        os.close(os.open(name, os.O_CREAT))
    found = {one.path: one.shown for one in entries("in")}
    assert found == {
        b"in/\xff.png": "in/\\udcff.png",
        b"in/two\nlines.png": "in/two\nlines.png",
    }


def test_what_is_not_there_is_said_at_the_start() -> None:
    with pytest.raises(PairDxError, match="no such file or folder"):
        entries("nowhere")
    with pytest.raises(PairDxError, match="between folders stands /"):
        entries("folder\\a.png")
    with pytest.raises(PairDxError, match="nothing to classify"):
        entries()


def test_a_system_that_reads_captions_asks_for_them() -> None:
    make("a.png", "b.png")
    for system in (BOTH, CAPTIONS):
        with pytest.raises(PairDxError, match="caption"):
            entries("a.png", system=system)
    (one,) = entries("a.png", system=BOTH, caption="a scan")
    assert one.caption == "a scan"
    with pytest.raises(PairDxError, match="caption of one file"):
        entries("a.png", "b.png", system=BOTH, caption="a scan")
    with pytest.raises(PairDxError, match="the caption is empty"):
        entries("a.png", system=BOTH, caption=" ")
    with pytest.raises(PairDxError, match="reads no captions"):
        entries("a.png", caption="a scan")


@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl", "parquet", "utf16", "semicolons"])
def test_tables_of_all_kinds_say_the_same(kind: str) -> None:
    rows = [
        {"id": "1", "image": "a.png", "caption": "a scan, axial"},
        {"id": "2", "image": "a.png", "caption": "a scan, axial"},
        {"id": "3", "image": "sub/ü.png", "caption": 'two\n"lines"'},
    ]
    frame = pd.DataFrame(rows)
    name = f"pairs.{ {'utf16': 'csv', 'semicolons': 'csv'}.get(kind, kind) }"
    if kind == "parquet":
        frame.to_parquet(name)
    elif kind == "jsonl":
        lines = "\n\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
        table(lines, name)
    else:
        separator = {"tsv": "\t", "utf16": "\t", "semicolons": ";"}.get(kind, ",")
        encoding = "utf-16" if kind == "utf16" else "utf-8-sig"
        table(frame.to_csv(index=False, sep=separator).encode(encoding), name)
    found = entries(name, system=BOTH)
    here = os.fsencode(Path.cwd())
    assert [(one.row, one.shown, one.caption, one.problem) for one in found] == [
        (at, row["image"], row["caption"], "") for at, row in enumerate(rows, start=1)
    ]
    assert [one.path for one in found] == [
        here + b"/a.png",
        here + b"/a.png",
        here + "/sub/ü.png".encode(),
    ]


@pytest.mark.parametrize(
    ("cell", "problem"),
    [
        ("a.png", ""),
        ("sub/../a.png", ""),
        ("", NO_FILE),
        ("../a.png", LEADS_OUT),
        ("sub/../../a.png", LEADS_OUT),
        ("/etc/passwd", LEADS_OUT),
        (".", LEADS_OUT),
        ("a\x00b.png", NO_NAME),
    ],
)
def test_no_cell_leads_out_of_the_folder_of_images(cell: str, problem: str) -> None:
    Path("images").mkdir()
    name = table(json.dumps({"file": cell}), "pairs.jsonl")
    (one,) = entries(name, images=Path("images"))
    assert one.problem == problem
    assert bool(one.path) == (not problem)
    if problem == LEADS_OUT:
        (one,) = entries(name, images=Path("images"), absolute_paths=True)
        assert one.problem == ""


def test_links_lead_out_of_the_folder_of_images_no_more_than_paths_do() -> None:
    make("images/in.png", "secret.txt", "elsewhere/x.png")
    for link, target in {"root": "/", "one.png": "../secret.txt", "same.png": "in.png"}.items():
        Path("images", link).symlink_to(target)
    Path("link_to_images").symlink_to("images")
    name = table("image\nroot/etc/passwd\none.png\nsame.png\nin.png\nabsent.png\n")
    for folder in ("images", "link_to_images"):
        found = [(bool(one.path), one.problem) for one in entries(name, images=Path(folder))]
        assert found == [(False, LINKS_OUT)] * 2 + [(True, "")] * 3
    anywhere = entries(name, images=Path("images"), absolute_paths=True)
    assert [one.problem for one in anywhere] == [""] * 5


@pytest.mark.parametrize("text", ["nan", "NaN", "None", "null", "N/A", "na", "<NA>", " nan\t"])
def test_what_is_written_for_nothing_is_no_caption(text: str) -> None:
    name = table(json.dumps({"image": "a.png", "caption": text}), "pairs.jsonl")
    (one,) = entries(name, system=BOTH)
    assert one.problem == f"no caption: {text.strip()!r} is written for nothing"
    assert reason_of(one.problem) == reason_of(NO_CAPTION) == "no caption"
    (one,) = entries(table(f"image,caption\na.png,{text} scan\n"), system=BOTH)
    assert one.problem == ""


def test_names_of_other_systems_and_with_blanks_are_said_where_no_file_is_called_so() -> None:
    make("images/img/a.png", "images/odd\\name.png", "images/ blank.png")
    cells = ["img\\a.png", "img/a.png ", "odd\\name.png", " blank.png"]
    name = table("\n".join(json.dumps({"image": cell}) for cell in cells), "pairs.jsonl")
    found = entries(name, images=Path("images"))
    assert [one.problem for one in found] == [BACKSLASHES, BLANKS, "", ""]
    assert {reason_of(one.problem) for one in found[:2]} == {"no such file"}


def test_keys_of_json_lines_need_not_be_the_first_lines() -> None:
    lines = [{"id": 1}, {"id": 2, "caption": "a scan", "image": "a.png"}, {"image": "b.png"}]
    name = table("\n".join(map(json.dumps, lines)), "pairs.jsonl")
    found = [(one.shown, one.caption, one.problem) for one in entries(name, system=BOTH)]
    assert found == [("", "", NO_FILE), ("a.png", "a scan", ""), ("b.png", "", NO_CAPTION)]
    with pytest.raises(PairDxError, match=r"no column .* 'text'; .*'id', 'caption', 'image'"):
        entries(name, system=BOTH, caption_column="text")
    many = "\n".join(json.dumps({f"key{at}": ""}) for at in range(10_001))
    with pytest.raises(PairDxError, match="more than 10,000 different keys"):
        entries(table(many, "many.jsonl"))


@pytest.mark.parametrize(
    ("name", "first", "said"),
    [
        ("pairs.csv", "image|caption", "commas, semicolons or tabs"),
        ("pairs.tsv", "image;caption", r"a \.tsv stand between tabs"),
    ],
)
def test_a_first_line_that_was_not_cut_is_said(name: str, first: str, said: str) -> None:
    with pytest.raises(PairDxError, match=said):
        entries(table(f"{first}\na,b\n", name))
    with pytest.raises(PairDxError, match=said):
        entries(name, image_column="image")


def test_a_folder_that_is_called_as_a_table_is_said_to_be_a_folder() -> None:
    make("dir.csv/a.png")
    with pytest.raises(PairDxError, match=r"no table is named\n.*dir\.csv/?, which is a folder"):
        entries("dir.csv/", image_column="image")
    with pytest.raises(PairDxError, match="which is a folder"):
        entries("dir.csv", system=BOTH)
    assert [one.shown for one in entries("dir.csv")] == ["dir.csv/a.png"]


def test_a_table_that_may_not_be_read_is_said_without_a_word_of_trainings() -> None:
    said = storage_error(PermissionError(13, "Permission denied", "pairs.csv"))
    assert said is not None
    assert "training" not in str(said)


def test_signs_that_steer_a_terminal_are_printed_by_their_numbers() -> None:
    assert printable("a\x1b[31m\nü\\.png") == "a\\x1b[31m\\nü\\.png"
    assert reason_of("a\x1b[2J thing (details)") == "a\\x1b[2J thing"
    with pytest.raises(PairDxError) as caught:
        entries("no\x1b[31m.png")
    assert "\x1b" not in str(caught.value)


ASCII = """
import json, os, sys
from types import SimpleNamespace
from pairdx.deployment.inputs import list_inputs
from pairdx.deployment.options import Options
assert sys.getfilesystemencoding() == "ascii", sys.getfilesystemencoding()
system = SimpleNamespace(reads_images=True, reads_captions=False)
for name in ("pairs.csv", "images"):
    entries = list_inputs([name], Options(), system).entries
    print(json.dumps([(one.shown, os.path.isfile(one.path)) for one in entries]))
"""


def test_names_are_found_where_the_system_knows_ascii_alone() -> None:
    make("images/ä.png")
    table("image\nimages/ä.png\n")
    done = subprocess.run(
        [sys.executable, "-c", ASCII],
        env=os.environ
        | {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
        | {"PYTHONPATH": str(SCRIPTS)},
        capture_output=True,
        text=True,
        check=True,
        encoding="utf-8",
    )
    for line in done.stdout.splitlines():
        assert json.loads(line) == [["images/ä.png", True]]


def test_rows_that_are_wrong_are_rows_with_a_reason() -> None:
    name = table("image,caption,\na.png,a scan\nb.png,\n,c\nd.png, a scan, axial\ne.png\n\n")
    found = [(one.shown, one.problem) for one in entries(name, system=BOTH)]
    assert found == [
        ("a.png", ""),
        ("b.png", NO_CAPTION),
        ("", NO_FILE),
        ("d.png", ""),  # its third cell stands in a column without a name
        ("e.png", NO_CAPTION),
    ]
    name = table("image,caption\na.png,a scan, axial\nb.png,b,,\n")
    assert [one.problem for one in entries(name, system=BOTH)] == [SURPLUS, ""]
    lines = ['{"image": "a.png"}', "[]", '{"image": 3}', "no", '{"image": null}']
    name = table("\n".join(lines), "pairs.jsonl")
    found_problems = [one.problem for one in entries(name)]
    assert found_problems == ["", NO_JSON, NO_TEXT, NO_JSON, NO_FILE]


def test_a_column_that_is_missing_is_said_with_those_that_are_there() -> None:
    name = table("scan,text\na.png,b\n")
    with pytest.raises(PairDxError, match=r"no column is known of files; .*'scan', 'text'"):
        entries(name)
    with pytest.raises(PairDxError, match=r"no column is called 'caption'; .*'scan', 'text'"):
        entries(name, system=BOTH, image_column="scan")
    with pytest.raises(PairDxError, match="no column is called 'picture'"):
        entries(name, image_column="picture")
    (one,) = entries(name, system=BOTH, image_column="scan", caption_column="text")
    assert (one.shown, one.caption) == ("a.png", "b")
    with pytest.raises(PairDxError, match="both image and file could be the column"):
        entries(table("image,file\na,b\n"))
    with pytest.raises(PairDxError, match="several columns are called 'image'"):
        entries(table("image,image\na,b\n"))


def test_a_table_of_a_thousand_columns_is_read() -> None:
    names = [f"c{at}" for at in range(999)]
    name = table(",".join([*names, "image"]) + "\n" + ",".join(["x"] * 999 + ["a.png"]) + "\n")
    assert [one.shown for one in entries(name)] == ["a.png"]
    with pytest.raises(PairDxError, match="and 960 more"):
        entries(name, image_column="none")


def test_a_system_that_reads_captions_alone_needs_no_files() -> None:
    (one,) = entries(table("caption\na scan\n"), system=CAPTIONS)
    assert (one.path, one.caption, one.problem) == (b"", "a scan", "")


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (b"", "pairs.csv", "empty"),
        (b"\n\n", "pairs.jsonl", "empty"),
        (b"PK\x03\x04....", "pairs.csv", "a zip file"),
        (b"image\n\xff\xfe.png\n", "pairs.csv", "not text in UTF-8"),
        (b'image\n"a.png\nb.png\n', "pairs.csv", "cannot be read as CSV"),
        (b"no", "pairs.jsonl", "no JSON objects"),
        (b"no", "pairs.parquet", "not a Parquet file"),
    ],
)
def test_what_is_no_table_is_said_in_words(content: bytes, name: str, said: str) -> None:
    with pytest.raises(PairDxError, match=re.escape(said)):
        entries(table(content, name))


def test_a_column_of_anything_but_texts_is_refused() -> None:
    pd.DataFrame({"image": [{"bytes": b"", "path": "a.png"}]}).to_parquet("pairs.parquet")
    with pytest.raises(PairDxError, match="holds struct"):
        entries("pairs.parquet")


def test_a_table_stands_alone_and_options_of_tables_need_one() -> None:
    make("a.png")
    name = table("image\na.png\n")
    with pytest.raises(PairDxError, match="a table is classified alone"):
        entries(name, "a.png")
    with pytest.raises(PairDxError, match="--images is about a table"):
        entries("a.png", images=Path())
    with pytest.raises(PairDxError, match="folder of images is not there"):
        entries(name, images=Path("nowhere"))


def test_signs_of_formulas_are_read_as_the_outputs_write_them() -> None:
    assert [one.shown for one in entries(table("image\n'=a.png\n"))] == ["=a.png"]


def test_a_folder_that_cannot_be_listed_is_a_row_with_a_reason() -> None:
    if os.getuid():
        pytest.skip("only root can become another user")
    make("in/a.png", "in/closed/b.png")
    Path("in/closed").chmod(0o700)
    for folder in (Path.cwd(), *Path.cwd().parents[:3]):
        folder.chmod(folder.stat().st_mode | 0o055)
    os.seteuid(65534)
    try:
        found = {one.shown: one.problem for one in entries("in")}
    finally:
        os.seteuid(0)
    assert found == {
        "in/a.png": "",
        "in/closed": "a folder that cannot be listed (Permission denied)",
    }


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_damaged_tables_are_read_or_refused_in_words(kind: str) -> None:
    frame = pd.DataFrame({"image": [f"{at}.png" for at in range(50)], "caption": ["ä, scan"] * 50})
    name = f"pairs.{kind}"
    write = {"csv": frame.to_csv, "jsonl": frame.to_json, "parquet": frame.to_parquet}[kind]
    write(name, **({"orient": "records", "lines": True} if kind == "jsonl" else {"index": False}))
    whole = Path(name).read_bytes()
    generator = np.random.default_rng(5)
    refused = 0
    for _ in range(60):
        content = bytearray(whole)
        for place in generator.integers(0, len(content), 3):
            content[place] = generator.integers(0, 256)
        try:
            found = entries(table(bytes(content), name), system=BOTH)
            assert len(found) > 0
        except PairDxError:
            refused += 1
    assert 0 < refused < 60
