"""What a run notes on disk: numbered once, written batch by batch, locked, and kept when full."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from pairdx.deployment.entries import Entry
from pairdx.deployment.journal import Journal, Result
from pairdx.errors import PairDxError
from pairdx.plan.code import SCRIPTS

FILES = [
    Entry(name, name.encode(), source=source) for source, name in ((1, "b"), (0, "d"), (0, "c"))
]


def begun(path: Path, entries: list[Entry] = FILES, *, in_order: bool = False) -> Journal:
    journal = Journal(path)
    journal.begin()
    journal.enter(iter(entries), in_order=in_order)
    return journal


def test_files_are_numbered_by_input_and_name_and_rows_of_a_table_as_they_stand(
    tmp_path: Path,
) -> None:
    for in_order, expected in ((False, ["c", "d", "b"]), (True, ["b", "d", "c"])):
        journal = begun(tmp_path / f"{in_order}", in_order=in_order)
        (batch,) = journal.open_batches(1, 3, 10)
        assert [one.path.decode() for one in batch] == expected
        assert [one.number for one in batch] == [1, 2, 3]
        journal.close()


def test_a_listing_has_the_same_digest_in_whatever_order_a_folder_gives_its_files(
    tmp_path: Path,
) -> None:
    journal = begun(tmp_path / "journal")
    digests = [
        journal.enter(iter(entries), in_order=False, again=True)
        for entries in (FILES, FILES[::-1], FILES[:2], [*FILES, FILES[0]])
    ]
    assert digests[0] == digests[1]
    assert len(set(digests)) == 3
    assert journal.count() == 3
    journal.close()


def test_batches_are_of_the_same_numbers_whatever_is_done(tmp_path: Path) -> None:
    entries = [Entry(str(at), b"x", row=at) for at in range(1, 8)]
    path = tmp_path / "journal"
    journal = begun(path, entries, in_order=True)
    journal.finish({4: Result(problem="x"), 5: Result(bytes(8)), 6: Result(problem="y")})
    journal.close()
    journal = Journal(path)
    assert [[one.number for one in batch] for batch in journal.open_batches(1, 7, 3)] == [
        [1, 2, 3],
        [7],
    ]
    assert journal.count_done() == 3
    journal.close()


def test_captions_and_paths_come_back_as_they_were(tmp_path: Path) -> None:
    strange = Entry("x", b"\xff\n", 1, "half \ud83d of a sign \0 end", "")
    journal = begun(tmp_path / "journal", [strange], in_order=True)
    ((one,),) = journal.open_batches(1, 1, 1)
    assert (one.path, one.caption) == (strange.path, strange.caption)
    journal.close()


def test_a_second_process_is_refused_in_words_and_let_in_when_the_first_is_gone(
    tmp_path: Path,
) -> None:
    path = tmp_path / "out.csv.journal"
    journal = begun(path)
    code = (
        "import sys; from pathlib import Path; from pairdx.deployment.journal import Journal\n"
        "try: Journal(Path(sys.argv[1])).close()\n"
        "except Exception as error: print(type(error).__name__, error)"
    )

    def ask() -> str:
        command = [sys.executable, "-c", code, str(path)]
        done = subprocess.run(
            command,
            env={"PYTHONPATH": str(SCRIPTS)},
            capture_output=True,
            text=True,
            check=True,
            encoding="utf-8",
        )
        return done.stdout

    assert ask().startswith("PairDxError another process is writing this output")
    journal.close()
    assert ask() == ""


@pytest.mark.parametrize("content", [b"precious text\n" * 100, b"x"])
def test_another_file_in_its_place_is_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "journal"
    path.write_bytes(content)
    with pytest.raises(PairDxError, match="no journal of a run"):
        Journal(path)
    assert path.read_bytes() == content


def finish(journal: Journal) -> None:
    """Write something for all that is left."""
    for batch in journal.open_batches(1, 4000, 10):
        journal.finish({one.number: Result(bytes(800)) for one in batch})


def test_what_is_written_when_the_disk_is_full_is_kept_and_added_to_later(tmp_path: Path) -> None:
    """The limit on the size of files stands for the disk: SQLite meets both when it writes."""
    entries = [Entry(str(at), b"x", row=at) for at in range(1, 4001)]
    path = tmp_path / "journal"
    journal = begun(path, entries, in_order=True)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = sum(file.stat().st_size for file in tmp_path.iterdir())
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 100_000, hard))
    try:
        with pytest.raises(PairDxError, match="larger than") as refused:
            finish(journal)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    written = journal.count_done()
    assert 0 < written < 4000
    assert "same command again" in str(refused.value)
    journal.close()
    journal = Journal(path)
    assert journal.count_done() == written
    finish(journal)
    assert journal.count_done() == 4000
    journal.close(remove=True)
    assert list(tmp_path.iterdir()) == []
