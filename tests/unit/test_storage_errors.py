"""What storage refuses is the site's: the path is named and what to do, and nothing of a defect."""

from __future__ import annotations

import errno
import os
import platform
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file, save_file

from pairdx.errors import PairDxError
from pairdx.files import write_json, written_whole
from pairdx.models.weights import read_weights
from pairdx.plan.code import SCRIPTS
from pairdx.storage_errors import check_temporary_folder, storage_error, storage_errors_at
from pairdx.stores import DamagedMemberError, open_store
from site_troubles import as_nobody, full, read_only

OF_THE_SITE = (
    *(errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOENT),
    *(errno.ESTALE, errno.EIO, errno.ENOTCONN, errno.ETIMEDOUT, errno.EISDIR, errno.ENOTDIR),
    *(errno.EEXIST, errno.EFBIG, errno.EMFILE, errno.ENAMETOOLONG, errno.ELOOP, errno.ENOLCK),
)
JOB = """
import sys
sys.path.insert(0, {scripts!r})
snakemake = object()
from pathlib import Path
from pairdx.logs import job_log
with job_log({log!r}):
    {work}
"""


def job(log: Path, work: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a job of the workflow, as a process."""
    return subprocess.run(
        [sys.executable, "-c", JOB.format(scripts=str(SCRIPTS), log=str(log), work=work)],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
        encoding="utf-8",
    )


@pytest.mark.parametrize("number", OF_THE_SITE, ids=errno.errorcode.get)
def test_every_error_of_storage_names_its_path_and_a_remedy(number: int) -> None:
    found = storage_error(OSError(number, os.strerror(number), "results/x.csv"))
    assert found is not None
    assert found.where == "results/x.csv"
    assert found.remedy
    assert "{" not in str(found)


@pytest.mark.parametrize(
    "error",
    [
        KeyError("missing"),
        ValueError("cannot reshape"),
        RuntimeError("unexpected pos 576 vs 534"),
        OSError("image file is truncated"),
        OSError(errno.ECONNREFUSED, "Connection refused"),
        OSError(errno.ETIMEDOUT, "Connection timed out"),
    ],
    ids=repr,
)
def test_what_is_not_of_storage_is_left_to_others(error: Exception) -> None:
    assert storage_error(error) is None


def test_a_missing_file_that_was_handled_before_is_not_the_cause_of_a_later_defect() -> None:
    """Only what an error says that it was raised from counts."""

    def defect_after_a_missing_file() -> None:
        try:
            Path("/nowhere/x").read_text(encoding="utf-8")
        except OSError:
            {}["key"]

    with pytest.raises(KeyError) as caught:
        defect_after_a_missing_file()
    assert storage_error(caught.value) is None


# -------------------------------------------------------------------- writing


@contextmanager
def too_large_for_the_user(folder: Path) -> Iterator[Path]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        yield folder
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextmanager
def forbidden(folder: Path) -> Iterator[Path]:
    folder.chmod(0o500)
    with as_nobody():
        yield folder


@contextmanager
def taken_by_a_folder(folder: Path) -> Iterator[Path]:
    for name in WRITERS:
        (folder / name / "something").mkdir(parents=True)
    yield folder


@contextmanager
def a_file_where_a_folder_belongs(folder: Path) -> Iterator[Path]:
    (folder / "file").touch()
    yield folder / "file" / "below"


TROUBLES: dict[str, tuple[Callable[..., object], str]] = {
    "full": (full, "no room left"),
    "read_only": (read_only, "can be read but not written"),
    "forbidden": (forbidden, "may not be read or written"),
    "too_large": (too_large_for_the_user, "larger than"),
    "folder": (taken_by_a_folder, "a folder stands where a file belongs"),
    "file": (a_file_where_a_folder_belongs, "a file stands where a folder belongs"),
}
WRITERS: dict[str, Callable[[Path], object]] = {
    "weights.safetensors": lambda path: save_file({"a": np.zeros(100_000)}, path),
    "table.parquet": lambda path: pd.DataFrame({"a": range(100_000)}).to_parquet(path),
    "array.npy": lambda path: np.save(path, np.zeros(100_000)),
    "text.md": lambda path: path.write_text("a" * 1_000_000, encoding="utf-8"),
}


@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.parametrize("name", WRITERS)
def test_what_cannot_be_written_says_why_whatever_library_meets_it(trouble: str, name: str) -> None:
    make, says = TROUBLES[trouble]
    with TemporaryFolder() as folder, make(folder) as place:
        path = place / name
        with pytest.raises(PairDxError, match=says) as caught, written_whole(path) as aside:
            WRITERS[name](aside)
        assert str(caught.value.where) in (str(path), str(path.parent), str(path.parents[1]))
        assert caught.value.remedy


@contextmanager
def TemporaryFolder() -> Iterator[Path]:  # noqa: N802 - as the class that it stands for
    """A folder that anybody could reach, unlike pytest's own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder
        folder.chmod(0o755)


@pytest.mark.parametrize("name", WRITERS)
def test_results_that_are_removed_under_a_job_are_said_to_be_gone(
    tmp_path: Path, name: str
) -> None:
    def write() -> None:
        with written_whole(tmp_path / "results" / name) as aside:
            for file in (tmp_path / "results").iterdir():
                file.unlink()
            (tmp_path / "results").rmdir()
            WRITERS[name](aside)

    with pytest.raises(PairDxError, match="is not there, or not any more") as caught:
        write()
    assert caught.value.where == tmp_path / "results" / name


def test_a_defect_while_writing_stays_one(tmp_path: Path) -> None:
    """On a disk that is in order."""
    with pytest.raises(KeyError), written_whole(tmp_path / "x.json"):
        {}["key"]


def test_an_input_that_cannot_be_read_is_named_and_not_the_output(tmp_path: Path) -> None:
    with (
        pytest.raises(PairDxError) as caught,
        written_whole(tmp_path / "out.csv"),
    ):
        (tmp_path / "in.csv").read_text(encoding="utf-8")
    assert caught.value.where == str(tmp_path / "in.csv")


def test_a_failing_disk_under_a_read_is_not_laid_to_the_output_alone(tmp_path: Path) -> None:
    """Reading address 0 of a process is an input/output error; it names no file."""
    with (
        pytest.raises(PairDxError, match="Input/output error") as caught,
        written_whole(tmp_path / "out.csv"),
        Path("/proc/self/mem").open("rb") as file,
    ):
        file.read(1)
    assert "or a file that it is made of" in str(caught.value.where)


# -------------------------------------------------------------------- reading


def test_weights_that_may_not_be_read_are_not_called_torn() -> None:
    with TemporaryFolder() as folder:
        path = folder / "model.safetensors"
        save_file({"a": np.zeros(3)}, path)
        path.chmod(0o000)
        with as_nobody(), pytest.raises(PairDxError, match="may not be read") as caught:
            read_weights(path)
        assert str(caught.value.where) == str(path)
        path.chmod(0o600)
        path.write_bytes(b"half")
        with pytest.raises(PairDxError, match="not a whole safetensors file"):
            read_weights(path)


def test_an_image_that_storage_refuses_stops_the_job_instead_of_counting_as_damaged() -> None:
    """Else a failing server would empty the corpus without a word."""
    with TemporaryFolder() as folder:
        (folder / "one.png").write_bytes(b"x")
        (folder / "one.png").chmod(0o000)
        with open_store(folder) as store, as_nobody(), pytest.raises(PairDxError) as caught:
            store.read("one.png")
        assert "may not be read" in str(caught.value)
        assert caught.value.where == str((folder / "one.png").resolve())
        with open_store(folder) as store, pytest.raises((KeyError, DamagedMemberError)):
            store.read("x" * 9000)


# -------------------------------------------------------------------- jobs


@pytest.mark.parametrize(
    ("work", "says"),
    [
        ("open('/dev/full', 'w', buffering=1).write('a\\n')", "no room left"),
        ("Path('/proc/self/mem').open('rb').read(1)", "Input/output error"),
        ("Path('{folder}/gone.csv').read_text()", "{folder}/gone.csv"),
        ("Path('{folder}').read_text()", "a folder stands where a file belongs"),
        ("Path('{folder}/file/below').read_text()", "a file stands where a folder belongs"),
        ("raise MemoryError('Unable to allocate 9 TiB')", "no memory left"),
        ("import numpy; numpy.ones(2 ** 55)", "no memory left"),
        ("__import__('safetensors.numpy').numpy.load_file('{folder}/x')", "is not there"),
    ],
)
def test_a_job_that_storage_stops_speaks_of_no_defect(tmp_path: Path, work: str, says: str) -> None:
    (tmp_path / "file").touch()
    done = job(tmp_path / "job.log", work.replace("{folder}", str(tmp_path)))
    log = (tmp_path / "job.log").read_text(encoding="utf-8")
    assert done.returncode == 1
    assert says.replace("{folder}", str(tmp_path)) in log
    assert "what to do: " in log
    assert "defect of the workflow" not in log


def test_what_names_no_file_shows_its_place_in_the_code(tmp_path: Path) -> None:
    job(tmp_path / "job.log", "Path('/proc/self/mem').open('rb').read(1)")
    assert "Traceback" in (tmp_path / "job.log").read_text(encoding="utf-8")


def test_a_log_on_a_full_disk_does_not_hide_why_the_job_failed() -> None:
    done = job(Path("/dev/full"), "from pairdx.errors import PairDxError; raise PairDxError('no')")
    assert done.returncode == 1
    assert "Error: no" in done.stderr
    assert done.stderr.rstrip().endswith("Error: no")


def test_a_log_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    (tmp_path / "logs").touch()
    done = job(tmp_path / "logs" / "job.log", "pass")
    assert done.returncode == 1
    assert f"where: {tmp_path}/logs" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_full_folder_of_temporary_files_is_called_that(tmp_path: Path) -> None:
    """Also where the error names only the file in it."""
    (tmp_path / "tmp").mkdir()
    with full(tmp_path / "tmp") as folder:
        work = "Path('{folder}/x').write_text('a' * 100_000)".replace("{folder}", str(folder))
        job(tmp_path / "job.log", "import os\n    " + work, TMPDIR=str(folder))
        log = (tmp_path / "job.log").read_text(encoding="utf-8")
        assert "no room left" in log
        assert "defect" not in log


def test_a_full_folder_of_temporary_files_is_noticed_before_anything_fails_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Snakemake's scheduler would end in a traceback of its own that does not name TMPDIR."""
    (tmp_path / "tmp").mkdir()
    with full(tmp_path / "tmp") as folder:
        monkeypatch.setenv("TMPDIR", str(folder))
        with pytest.raises(PairDxError, match="No space left on device") as caught:
            check_temporary_folder()
    assert caught.value.where == f"{folder} on {platform.node()}"
    assert "TMPDIR" in str(caught.value.remedy)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "missing"))  # /tmp serves then
    check_temporary_folder()


def test_no_usable_temporary_folder_says_what_each_one_refused(tmp_path: Path) -> None:
    """Python itself lists the folders and keeps their reasons for itself."""
    (tmp_path / "full").mkdir()
    with full(tmp_path / "full") as folder:
        names = [str(folder), str(tmp_path / "missing")]
        said = f"No usable temporary directory found in {names}"
        found = storage_error(FileNotFoundError(errno.ENOENT, said))
    assert found is not None
    assert f"{folder}: No space left on device" in str(found.where)
    assert f"{tmp_path / 'missing'}: No such file or directory" in str(found.where)
    assert "TMPDIR" in str(found.remedy)


def test_the_path_worked_on_is_named_where_the_error_does_not() -> None:
    with (
        pytest.raises(PairDxError, match="no room left") as caught,
        storage_errors_at("state/lease.json"),
        Path("/dev/full").open("w", encoding="utf-8") as file,
    ):
        file.write("x")
    assert caught.value.where == "state/lease.json"


def test_a_written_file_is_whole(tmp_path: Path) -> None:
    """The way that all of the above takes when nothing is wrong."""
    write_json(tmp_path / "a" / "x.json", {"a": 1})
    save_file({"a": np.ones(2)}, tmp_path / "m.safetensors")
    assert load_file(tmp_path / "m.safetensors")["a"].sum() == 2
