"""Patterns: what they find is what a shell finds, and what they leave out is said or counted."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from deployed_samples import write_deployed
from pairdx.deployment.inputs import list_inputs
from pairdx.deployment.options import Options
from pairdx.deployment.patterns import FOLDERS, NOT_FOLLOWED
from pairdx.deployment.run import OWN_ENDINGS, classify
from pairdx.deployment.walking import HIDDEN, OTHER, OwnFiles
from pairdx.errors import PairDxError

IMAGES = SimpleNamespace(reads_images=True, reads_captions=False)


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def make(*names: str) -> None:
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch()


def found(name: str, own: OwnFiles | None = None) -> tuple[dict[str, str], Counter[str]]:
    """Return what is listed with its problems, and what is passed over."""
    listing = list_inputs([name], Options(), IMAGES, own)
    entries = list(listing.entries)
    problems = {one.shown: one.problem for one in entries}
    assert len(problems) == len(entries)
    return problems, listing.passed_over


def names(pattern: str) -> list[str]:
    return sorted(found(pattern)[0])


def test_patterns_find_what_a_shell_finds() -> None:
    make("in/a.png", "in/b.jpg", "in/.c.png", "in/d/e.png", "in/d/f/g.png", "in/[x].png")
    assert names("in/*.png") == ["in/[x].png", "in/a.png"]
    deep = ["in/[x].png", "in/a.png", "in/d/e.png", "in/d/f/g.png"]
    assert names("in/**/*.png") == names("in/**/**/*.png") == deep
    assert names("*/d/?.png") == ["in/d/e.png"]
    assert names("in/.*.png") == ["in/.c.png"]
    assert names(f"{Path.cwd()}/in/[ab].*") == [f"{Path.cwd()}/in/a.png", f"{Path.cwd()}/in/b.jpg"]
    assert names("in/[x].png") == ["in/[x].png"]  # a file is called so
    for nothing in ("in/*.tiff", "no*/*.png", "in/*/no/*.png", "in/*.png/x"):
        with pytest.raises(PairDxError, match="nothing is called so"):
            found(nothing)


def test_patterns_take_images_unless_they_name_an_ending() -> None:
    make(
        "in/a.png", "in/b.txt", "in/c", "in/.hidden.png", "in/d/e.TIF", "in/d/f.txt", "in/.g/h.png"
    )
    assert found("in/*") == ({"in/a.png": ""}, {OTHER: 2, HIDDEN: 1, FOLDERS: 1})
    assert found("in/**") == (
        {"in/a.png": "", "in/d/e.TIF": ""},
        {OTHER: 3, HIDDEN: 2},
    )
    assert found("in/*.*") == ({"in/a.png": ""}, {OTHER: 1, HIDDEN: 1})
    assert found("in/*.t[xy]t") == ({"in/b.txt": ""}, {})
    assert found("*/c") == ({"in/c": ""}, {})
    assert found("in/d/*.txt") == ({"in/d/f.txt": ""}, {})


def test_links_to_folders_are_rows_where_a_pattern_leaves_them_out() -> None:
    make("tree/a.png", "tree/b/c.png", "far/d.png")
    Path("tree/far").symlink_to("../far")
    Path("tree/b/up").symlink_to("..")
    problems, _ = found("tree/**/*.png")
    assert problems == {
        "tree/a.png": "",
        "tree/b/c.png": "",
        "tree/far": NOT_FOLLOWED,
        "tree/b/up": NOT_FOLLOWED,
    }
    assert names("tree/*/*.png") == ["tree/b/c.png", "tree/far/d.png"]


@contextmanager
def another_user() -> Iterator[None]:
    if os.getuid():
        pytest.skip("only root can become another user")
    for folder in (Path.cwd(), *Path.cwd().parents[:3]):
        folder.chmod(folder.stat().st_mode | 0o055)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("pattern", ["tree/**/*.png", "tree/*/*.png", "tree/**"])
def test_folders_that_cannot_be_listed_are_rows(pattern: str) -> None:
    make("tree/in/a.png", "tree/locked/b.png")
    Path("tree/locked").chmod(0o700)
    with another_user():
        problems, _ = found(pattern)
    refused = "a folder that cannot be listed (Permission denied)"
    assert problems == {"tree/in/a.png": "", "tree/locked": refused}


def test_files_that_may_not_be_looked_at_are_tried() -> None:
    make("tree/in/a.png", "tree/locked/a.png")
    Path("tree/locked").chmod(0o700)
    with another_user():
        problems, _ = found("tree/*/a.png")
    assert sorted(problems) == ["tree/in/a.png", "tree/locked/a.png"]


def test_a_runs_own_files_are_none_of_its_inputs() -> None:
    make("in/a.png", "in/notes.txt", "in/out.csv", "in/sub/out.csv")
    make(*(f"in/out.csv.journal{end}" for end in ("", "-wal", "-shm")))
    own = OwnFiles("in/../in/out.csv", OWN_ENDINGS)
    assert found("in", own) == ({"in/a.png": ""}, {OTHER: 2})
    assert found("in/*", own) == ({"in/a.png": ""}, {OTHER: 1, FOLDERS: 1})
    with pytest.raises(PairDxError, match="nothing is called so"):
        found("in/*.csv*", own)


def test_an_output_overwrites_neither_what_is_classified_nor_the_system() -> None:
    system = write_deployed(Path("system"))
    make("in/a.png")
    Path("same").symlink_to("in")
    Path("pairs.csv").write_text("image\nin/a.png\n", encoding="utf-8")
    how = Options(format="csv", quiet=True, processes=1)
    for given in ("in", "in/*", "pairs.csv"):
        for output in ("in/a.png", "same/a.png"):
            with pytest.raises(PairDxError, match="one of the files that are to be classified"):
                classify(system, [given], output, how)
    Path("link").symlink_to("system")
    for output in ("system/out.csv", "link/README.md", "in/../system/model.onnx"):
        with pytest.raises(PairDxError, match="in the folder of the deployed system"):
            classify(system, ["in"], output, how)
    assert sorted(path.name for path in Path("in").iterdir()) == ["a.png"]
