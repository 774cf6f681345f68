"""What a folder of images holds, as a parameter: it changes with the images alone."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pairdx.plan.contents import contents
from plans import Of, plan_with


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.png", "scans/b.png", "scans/old/c.png"):
        path = tmp_path / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return tmp_path / "images"


def touched(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        os.utime(path, (1, 1))


def left_by_programs(folder: Path) -> None:
    (folder / ".DS_Store").write_bytes(b"x")
    (folder / "scans/Thumbs.db").write_bytes(b"x")
    (folder / ".cache").mkdir()
    (folder / ".cache/b.png").write_bytes(b"x")


@pytest.mark.parametrize("change", [touched, left_by_programs])
def test_it_stays_where_no_image_changed(folder: Path, change: Callable[[Path], None]) -> None:
    before = contents(str(folder))
    assert before.startswith("3 files, 31 bytes, ")
    change(folder)
    assert contents(str(folder)) == before
    shutil.copytree(folder, folder.with_name("copy"))
    assert contents(str(folder.with_name("copy"))) == before


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "scans/b.png").write_bytes(b"repaired in place"),
        lambda folder: (folder / "scans/old/d.png").write_bytes(b""),
        lambda folder: (folder / "scans/old/c.png").unlink(),
        lambda folder: (folder / "a.png").rename(folder / "scans/a.png"),
        lambda folder: (folder / "link").symlink_to("scans"),
    ],
)
def test_it_tells_of_changes_in_sub_folders(folder: Path, change: Callable[[Path], object]) -> None:
    before = contents(str(folder))
    change(folder)
    assert contents(str(folder)) != before


def test_links_are_not_followed_out_or_in_circles(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "outside.png").write_bytes(b"x" * 1000)
    (folder / "outside.png").symlink_to("../outside.png")
    (folder / "scans/circle").symlink_to("..")
    assert contents(str(folder)).startswith("5 files, 47 bytes, ")


def test_rules_are_told_of_folders_only(folder: Path, tmp_path: Path) -> None:
    assert contents(str(tmp_path / "nowhere")) == contents(str(folder / "a.png")) == ""
    overlay = f"""
    datasets:
      mine:
        {{like: documents, enabled: true, title: Mine, classes: [a, b],
         source: {{table: t.csv, images: "{folder}", columns: {{file: f, label: l}}}}}}
    """
    mine = Of(dataset="mine", archive="images")
    outside = plan_with(overlay).outside
    assert outside.stored(mine).startswith("3 files")
    assert outside.tables_stored(mine) == {}  # the table is a file of its own
    overlay = f'datasets: {{mine: {{like: release, enabled: true, source: {{path: "{folder}"}}}}}}'
    outside = plan_with(overlay).outside
    assert outside.tables_stored(mine) == {"release": outside.stored(mine)}
    of_zips = Of(dataset="multicare", archive="PMC1")
    assert (outside.stored(of_zips), outside.tables_stored(of_zips)) == ("", {})
