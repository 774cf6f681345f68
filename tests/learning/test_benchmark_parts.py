"""Parts of the benchmark suite: what they compare is the same work, and their files are sound."""

from __future__ import annotations

from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest

from benchmarks.suite import part_a, part_c, part_d
from benchmarks.suite.full_size import IMAGE_SIZE, captions, deploy, full_size
from benchmarks.suite.image_files import drawn_files, image_files
from benchmarks.suite.part import Settings
from pairdx.curation.archives import inspect_archive
from pairdx.deployment.session import load
from pairdx.images import decode
from pairdx.models.exported import difference

SMALL = Settings(threads=1, peers=Path("none"), small=True)


def test_real_files_are_taken_from_the_archives_in_turns_and_repeated(tmp_path: Path) -> None:
    folder = tmp_path / "real_corpus"
    folder.mkdir()
    for name, contents in {"a": [b"1", b"2"], "b": [b"3"]}.items():
        with ZipFile(folder / f"{name}.zip", "w") as archive:
            for number, content in enumerate(contents):
                archive.writestr(f"x/{number}.webp", content)
            archive.writestr("readme.txt", b"none")
    contents, said = image_files(tmp_path, 5)
    assert contents == [b"1", b"3", b"2", b"1", b"3"]
    assert said == "3 real WebP files"


def test_without_real_files_some_are_drawn(tmp_path: Path) -> None:
    contents, said = image_files(None, 2)
    assert all(decode(content).size[0] >= 340 for content in contents)
    assert "drawn" in said
    assert image_files(tmp_path, 2) == (contents, said)


def test_loading_compares_ways_of_the_same_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rates are per image, and ratios those of the table."""
    monkeypatch.setattr(part_c, "IMAGE_SIZE", 16)
    monkeypatch.setattr(part_c, "BATCH", 4)
    part = part_c.measure(SMALL)
    rows = {row["way"]: row for row in part.tables[0].rows}
    assert set(rows) == {
        *(part_c.USUAL, part_c.OURS, part_c.FLOATS, part_c.GATHERED, part_c.BYTES),
    }
    assert part.conditions["rows of the packed file"] == 8
    rates = [str(rows[way]["images per second"]) for way in (part_c.OURS, part_c.USUAL)]
    ours, usual = (float(rate.replace(",", "")) for rate in rates)
    assert ours > usual
    assert part.aims[0].found.low <= part.aims[0].found.median <= part.aims[0].found.high


def test_copies_and_gathered_rows_are_the_same_bytes(tmp_path: Path) -> None:
    """What the plain copy copies is what a step is given."""
    loading = part_c.written(drawn_files(2, widths=(40, 60)), tmp_path, part_c.BATCH)
    (order,) = loading.orders
    np.testing.assert_array_equal(loading.rows[order], loading.pixels[order])
    floats = loading.floats.permute(0, 2, 3, 1).numpy()
    np.testing.assert_array_equal(np.round(floats * 255), loading.pixels[order])


def test_curation_rejects_none_of_the_files_that_it_is_timed_on(tmp_path: Path) -> None:
    """A rejected file would be left half looked at, and make the part faster than curation is."""
    archive, pairs = part_d.write_archive(drawn_files(3), tmp_path)
    facts = inspect_archive(pairs, archive, part_d.image_settings())
    assert set(facts["reason"]) == {""}
    small = drawn_files(2, widths=(part_d.SMALL_SIDE, part_d.SMALL_SIDE + 1))
    archive, pairs = part_d.write_archive(small, tmp_path)
    facts = inspect_archive(pairs, archive, part_d.image_settings())
    assert set(facts["reason"]) == {""}


@pytest.mark.slow
def test_a_small_run_of_curation_and_packing_has_all_its_figures() -> None:
    """Both do more than decoding, and the memory is that of a process with the library in it."""
    part = part_d.measure(SMALL)
    curation, packing, both, memory = part.aims
    assert min(curation.found.median, packing.found.median, both.found.median) > 1
    assert memory.found.median > 0.5
    assert all(float(str(row["MB"])) > 20 for row in part.tables[1].rows)


@pytest.mark.slow
def test_the_deployed_way_gives_eager_pytorchs_answers(tmp_path: Path) -> None:
    """The same files and captions, through both ways, at both batch sizes; by stages, too."""
    system = full_size("pairdx_fusion", tmp_path)
    model = load(deploy(system, tmp_path / "deployed"), threads=1)
    contents = drawn_files(3)
    for batch in (1, 3):
        work = part_a.Work(system, model, contents, captions(3), batch)
        seen = difference(work.eager(), work.deployed())
        assert seen.problem(least_agreement=1.0) == ""
        assert work.squares.shape == (3, IMAGE_SIZE, IMAGE_SIZE, 3)
        for stage in work.stages().values():
            stage()
    assert part_a.TEXT in work.stages()
