"""Documents classified from a shell: the same rows however a run goes, and never a traceback."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from deployed_samples import seal, write_deployed
from pairdx.deployment.journal import Journal
from pairdx.plan.code import SCRIPTS
from picture_files import encoded, upright

FILES = 24
# What deployed systems run without.
ABSENT = ("torch", "pandas", "scipy", "h5py", "snakemake", "sklearn", "yaml", "jsonschema")
HOOK = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {absent!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Absent())
if any("pairdx.deployment.worker" in one for one in sys.orig_argv):
    import os, signal, time
    if {alone!r}:
        try:
            open({alone!r}, "x").close()
        except FileExistsError:
            os._exit(9)
    import pairdx.images
    decode = pairdx.images.decode
    def watched(content):
        if content.endswith(b"CRASH"):
            os.kill(os.getpid(), signal.SIGSEGV)
        if content.endswith(b"SLEEP"):
            time.sleep(600)
        time.sleep({pause!r})
        return decode(content)
    pairdx.images.decode = watched
"""


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three systems, one of them broken, and a folder of images, of which one is a text."""
    folder = tmp_path_factory.mktemp("deployed")
    write_deployed(folder / "system")
    write_deployed(folder / "reader", reads=("image", "caption"))
    broken = write_deployed(folder / "broken") / "model.onnx"
    broken.write_bytes(b"no graph" * 9)
    seal(broken.parent)
    images = folder / "images"
    images.mkdir()
    for at in range(FILES):
        content = encoded(upright(40 + at, 90), "PNG")
        (images / f"{at:02}.png").write_bytes(content if at != 5 else b"a text")
    return folder


def command(
    tmp_path: Path, *arguments: object, pause: float = 0.0, alone: str = ""
) -> tuple[list[str], dict[str, str]]:
    hook = tmp_path / f"hook{pause}"
    hook.mkdir(exist_ok=True)
    (hook / "sitecustomize.py").write_text(
        HOOK.format(absent=ABSENT, pause=pause, alone=alone), encoding="utf-8"
    )
    paths = os.pathsep.join([str(hook), str(SCRIPTS)])
    words = [sys.executable, "-m", "pairdx.deployment", *map(str, arguments)]
    return words, os.environ | {"PYTHONPATH": paths}


def run(
    tmp_path: Path,
    *arguments: object,
    expect: int = 0,
    pause: float = 0.0,
    alone: str = "",
    **options: Any,
) -> subprocess.CompletedProcess[str]:
    words, environment = command(tmp_path, *arguments, pause=pause, alone=alone)
    done = subprocess.run(
        words,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        encoding="utf-8",
        **options,
    )
    assert done.returncode == expect, done.stderr
    assert "Traceback" not in done.stderr
    return done


@contextmanager
def begun(
    tmp_path: Path, output: Path, *arguments: object, pause: float = 0.1
) -> Iterator[subprocess.Popen[str]]:
    """A run that takes a while, once it has written some rows."""
    words, environment = command(tmp_path, *arguments, "-o", output, "--batch-size", 1, pause=pause)
    process = subprocess.Popen(
        words, env=environment, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    )
    log = output.with_name(f"{output.name}.journal-wal")
    try:
        size, grown, end = 0, 0, time.monotonic() + 60
        while grown < 4:  # tables, listing, facts, and a row
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < end
            now = log.stat().st_size if log.exists() else 0
            grown += now > size
            size = max(now, size)
            time.sleep(0.01)
        yield process
    finally:
        process.kill()
        process.wait()


def children_of(process: int) -> list[Path]:
    text = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii")
    return [Path(f"/proc/{number}") for number in text.split()]


def gone(processes: list[Path]) -> bool:
    """Wait for processes to end by themselves; what is only not yet noticed counts as ended."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        if not any(_lives(process) for process in processes):
            return True
        time.sleep(0.05)
    return False


def _lives(process: Path) -> bool:
    try:
        state = (process / "stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def done_in(output: Path) -> int:
    journal = Journal(output.with_name(f"{output.name}.journal"))
    try:
        return journal.count_done()
    finally:
        journal.close()


@pytest.fixture(scope="module")
def whole(samples: Path) -> pd.DataFrame:
    """The rows of a run that nothing happened to."""
    run(samples, samples / "system", samples / "images", "-o", samples / "whole.parquet")
    return pd.read_parquet(samples / "whole.parquet")


def same(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    """Rows are the same; numbers to rounding, which hangs on what is computed together."""
    numbers = [name for name in expected if name.startswith("p_")] + ["probability"]
    pd.testing.assert_frame_equal(found.drop(columns=numbers), expected.drop(columns=numbers))
    np.testing.assert_allclose(found[numbers], expected[numbers], atol=1e-6)


def test_a_shell_without_torch_and_the_workflow_classifies(samples: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.csv"
    done = run(tmp_path, samples / "system", samples / "images", "-o", output)
    assert f"{FILES} rows" in done.stdout
    assert "1 without a class: a text, not an image\n" in done.stdout
    assert done.stderr == ""
    table = pd.read_csv(output)
    assert [Path(name).name for name in table["file"]] == [f"{at:02}.png" for at in range(FILES)]
    assert table["predicted"].isna().tolist() == [at == 5 for at in range(FILES)]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["hook0.0", "out.csv"]


@pytest.mark.slow
def test_batches_and_processes_change_no_row(
    samples: Path, tmp_path: Path, whole: pd.DataFrame
) -> None:
    for how in (("--batch-size", 1), ("--processes", 3, "--batch-size", 5), ("--processes", 1)):
        run(tmp_path, samples / "system", samples / "images", "-o", tmp_path / "o.parquet", *how)
        same(pd.read_parquet(tmp_path / "o.parquet"), whole)


@pytest.mark.slow
def test_a_killed_run_goes_on_without_loss_or_repetition(
    samples: Path, tmp_path: Path, whole: pd.DataFrame
) -> None:
    output, what = tmp_path / "out.parquet", (samples / "system", samples / "images")
    seen = []
    for _ in range(2):
        with begun(tmp_path, output, *what) as process:
            workers = children_of(process.pid)
            process.send_signal(signal.SIGKILL)
            process.wait()
        assert not output.exists()
        assert workers
        assert gone(workers)
        seen.append(done_in(output))
    assert 0 < seen[0] < seen[1] < FILES
    run(tmp_path, *what, "-o", output, "--batch-size", 1)
    same(pd.read_parquet(output), whole)
    assert not output.with_name(f"{output.name}.journal").exists()


@pytest.mark.slow
@pytest.mark.parametrize(("asked", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_run_that_is_asked_to_end_says_how_to_go_on(
    samples: Path, tmp_path: Path, asked: signal.Signals, status: int
) -> None:
    output, what = tmp_path / "out.jsonl", (samples / "system", samples / "images")
    with begun(tmp_path, output, *what) as process:
        process.send_signal(asked)
        _, said = process.communicate(timeout=30)
        assert process.returncode == status
    assert f"stopped by {asked.name} before the end" in said
    assert "give the same command again" in said
    assert "Traceback" not in said
    assert 0 < done_in(output) < FILES
    run(tmp_path, *what, "-o", output, "--batch-size", 1)
    assert len(output.read_text(encoding="utf-8").splitlines()) == FILES


@pytest.mark.slow
def test_one_output_is_of_one_run(samples: Path, tmp_path: Path) -> None:
    """A second process is refused, and so is another run's journal, with what differs."""
    images, output = tmp_path / "in", tmp_path / "out.csv"
    shutil.copytree(samples / "images", images)
    what = (samples / "system", images, "-o", output)
    with begun(tmp_path, output, *what[:2], pause=0.6) as process:
        refused = run(tmp_path, *what, "--batch-size", 1, expect=2)
        assert "another process is writing this output" in refused.stderr
        process.send_signal(signal.SIGKILL)
        process.wait()
    had = done_in(output)
    other = write_deployed(tmp_path / "other", threshold=0.1)
    said = run(tmp_path, *what, "--batch-size", 2, expect=2).stderr
    assert "--batch-size was 1, is 2" in said
    assert "--restart" in said
    assert "the system was" in run(tmp_path, other, *what[1:], "--batch-size", 1, expect=2).stderr
    shutil.copy(images / "00.png", images / "new.png")
    said = run(tmp_path, *what, "--batch-size", 1, expect=2).stderr
    assert "inputs: they are others by now" in said
    assert done_in(output) == had
    done = run(tmp_path, other, *what[1:], "--restart")
    assert f"{FILES + 1} rows" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("last", [b"", b"CRASH"])
def test_a_system_that_is_changed_in_mid_run_gives_no_table(
    samples: Path, tmp_path: Path, last: bytes
) -> None:
    """Neither by a process that is replaced nor in what is written with other names of classes."""
    system, images, output = tmp_path / "system", tmp_path / "in", tmp_path / "out.csv"
    shutil.copytree(samples / "system", system)
    shutil.copytree(samples / "images", images)
    with (images / f"{FILES - 1}.png").open("ab") as file:
        file.write(last)
    what = (system, images, "--processes", 1)
    with begun(tmp_path, output, *what, pause=0.15) as process:
        shutil.move(system, tmp_path / "kept")
        write_deployed(system, classes=(("a", "A"), ("b", "B"), ("c", "C")))
        _, said = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "the system was changed while it was in use: its list of checksums is another" in said
    assert "Traceback" not in said
    assert not output.exists()
    assert done_in(output) >= FILES - 1
    shutil.rmtree(system)
    shutil.move(tmp_path / "kept", system)
    run(tmp_path, *what, "-o", output, "--batch-size", 1)
    assert len(output.read_text(encoding="utf-8").splitlines()) == FILES + 1


@pytest.mark.slow
def test_a_file_that_brings_its_process_down_is_a_row(samples: Path, tmp_path: Path) -> None:
    images, output = tmp_path / "in", tmp_path / "out.parquet"
    images.mkdir()
    for at in range(6):
        content = encoded(upright(40 + at, 90), "PNG")
        (images / f"{at}.png").write_bytes(content + (b"CRASH" if at in (1, 4) else b""))
    run(tmp_path, samples / "system", images, "-o", output, "--processes", 2, "--batch-size", 3)
    table = pd.read_parquet(output)
    assert table["predicted"].isna().tolist() == [at in (1, 4) for at in range(6)]
    assert "it was ended by SIGSEGV" in table["problem"][1]


@pytest.mark.slow
def test_a_file_that_is_never_done_is_a_row(samples: Path, tmp_path: Path) -> None:
    images = tmp_path / "in"
    images.mkdir()
    for at in range(4):
        content = encoded(upright(40 + at, 90), "PNG")
        (images / f"{at}.png").write_bytes(content + (b"SLEEP" if at == 2 else b""))
    (tmp_path / "script.py").write_text(
        "import sys\n"
        "from pairdx.deployment.run import classify\n"
        "from pairdx.deployment.options import Options\n"
        "how = Options(processes=1, batch_size=1, patience=4.0, quiet=True)\n"
        "print(dict(classify(sys.argv[1], [sys.argv[2]], sys.argv[3], how).problems))\n",
        encoding="utf-8",
    )
    _, environment = command(tmp_path)
    output = tmp_path / "out.jsonl"
    words = [sys.executable, "script.py", samples / "system", images, output]
    done = subprocess.run(
        list(map(str, words)),
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        encoding="utf-8",
    )
    assert done.stdout == "{'the process that worked on it was lost': 1}\n"
    assert "it took more than 4 s" in output.read_text(encoding="utf-8").splitlines()[2]


@pytest.mark.slow
def test_processes_that_cannot_start_are_done_without(
    samples: Path, tmp_path: Path, whole: pd.DataFrame
) -> None:
    what = (samples / "system", samples / "images", "-o", tmp_path / "out.parquet")
    how = ("--processes", 3, "--batch-size", 1)
    done = run(tmp_path, *what, *how, pause=0.2, alone=str(tmp_path / "first"))
    assert "going on with" in done.stderr
    same(pd.read_parquet(tmp_path / "out.parquet"), whole)
    refused = run(tmp_path, *what, alone=str(tmp_path / "first"), expect=2)
    assert "should open the system is over (exit status 9)" in refused.stderr


@pytest.mark.slow
def test_parts_are_disjoint_and_together_everything(
    samples: Path, tmp_path: Path, whole: pd.DataFrame
) -> None:
    parts = []
    for part in (1, 2, 3):
        output = tmp_path / f"{part}.parquet"
        run(tmp_path, samples / "system", samples / "images", "-o", output, "--shard", f"{part}/3")
        parts.append(pd.read_parquet(output))
    assert [len(part) for part in parts] == [FILES // 3] * 3
    same(pd.concat(parts, ignore_index=True), whole)


@pytest.mark.slow
def test_a_full_disk_is_said_and_the_run_goes_on_when_there_is_room(
    samples: Path, tmp_path: Path, whole: pd.DataFrame
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", str(disk)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        what = (samples / "system", samples / "images", "-o", disk / "out.parquet")
        refused = run(tmp_path, *what, "--batch-size", 1, expect=2)
        assert "no room left on the disk" in refused.stderr
        assert "again" in refused.stderr
        assert not (disk / "out.parquet").exists()
        subprocess.run(["mount", "-o", "remount,size=50m", str(disk)], check=True)
        run(tmp_path, *what, "--batch-size", 1)
        same(pd.read_parquet(disk / "out.parquet"), whole)
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.slow
def test_real_files_are_classified_and_their_torn_copies_are_rows(
    samples: Path, tmp_path: Path
) -> None:
    if "PAIRDX_REAL_DATA" not in os.environ:
        pytest.skip("PAIRDX_REAL_DATA does not say where real files lie")
    archive = Path(os.environ["PAIRDX_REAL_DATA"]) / "real_corpus" / "PMC1.zip"
    images = tmp_path / "images"
    images.mkdir()
    with zipfile.ZipFile(archive) as opened:
        members = [name for name in opened.namelist() if name.endswith(".webp")][:20]
        for at, name in enumerate(members):
            content = opened.read(name)
            (images / f"{at:02}_whole.webp").write_bytes(content)
            (images / f"{at:02}_torn.webp").write_bytes(content[: len(content) * at // 20])
    run(tmp_path, samples / "system", images, "-o", tmp_path / "out.parquet")
    table = pd.read_parquet(tmp_path / "out.parquet")
    torn = table["file"].str.contains("torn")
    assert len(table) == 2 * len(members) > 20
    assert (table["problem"][~torn] == "").all()
    assert table["problem"][torn].str.match("damaged image|an empty file|not an image|a RIFF").all()


@pytest.mark.slow
def test_a_table_with_captions_is_classified(samples: Path, tmp_path: Path) -> None:
    rows = [("00.png", "ct scan"), ("00.png", "ct scan"), ("01.png", ""), ("../x.png", "mri")]
    table = pd.DataFrame(rows, columns=["scan", "text"])
    table.to_csv(tmp_path / "pairs.csv", index=False)
    what = (samples / "reader", tmp_path / "pairs.csv", "-o", tmp_path / "out.parquet")
    said = run(tmp_path, *what, "--image-column", "scan", expect=2).stderr
    assert "'scan', 'text'" in said
    columns = ("--image-column", "scan", "--caption-column", "text")
    run(tmp_path, *what, *columns, "--images", samples / "images")
    found = pd.read_parquet(tmp_path / "out.parquet")
    assert found["row"].tolist() == [1, 2, 3, 4]
    assert found["file"].tolist() == [name for name, _ in rows]
    assert found["predicted"].isna().tolist() == [False, False, True, True]
    assert found["problem"][2].startswith("no caption")
    assert found["width"].notna().tolist() == [True, True, True, False]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("SYSTEM", "IMAGES"), "required: -o"),
        (("SYSTEM", "-o", "x.csv"), "nothing to classify is named"),
        (("nowhere", "IMAGES", "-o", "x.csv"), "there is no deployment.json"),
        (("SYSTEM", "IMAGES", "-o", "x.xlsx"), "no format is known"),
        (("SYSTEM", "IMAGES", "-o", "no/x.csv"), "folder is not there"),
        (("SYSTEM", "IMAGES", "-o", "x.csv", "--shard", "4/3"), "--shard 4/3"),
        (("SYSTEM", "IMAGES", "-o", "x.csv", "--shard", "x"), "not of the form I/N"),
        (("SYSTEM", "IMAGES", "-o", "x.csv", "--processes", "0"), "a number from 1 on"),
        (("BROKEN", "IMAGES", "-o", "x.csv"), "cannot open this network"),
        (("SYSTEM", "IMAGES/*.webp", "-o", "x.csv"), "nothing is called so"),
        (("SYSTEM", "IMAGES/00.png", "-o", "IMAGES/00.png", "--format", "csv"), "one of the inp"),
    ],
)
def test_wrong_usage_is_said_in_words(
    samples: Path, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    places = {"SYSTEM": "system", "BROKEN": "broken", "IMAGES": "images"}
    words = list(arguments)
    for name, folder in places.items():
        words = [word.replace(name, str(samples / folder)) for word in words]
    refused = run(tmp_path, *words, expect=2, cwd=tmp_path)
    assert said in refused.stderr
    assert not [path for path in tmp_path.iterdir() if path.suffix != ".0"]


def test_the_command_line_begins_without_anything_heavy() -> None:
    code = (
        "import sys, pairdx.deployment.command, pairdx.deployment.run\n"
        "print([name for name in ('numpy', 'PIL', 'pyarrow', 'onnxruntime', 'tqdm', 'flask') "
        "if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(SCRIPTS)},
        capture_output=True,
        text=True,
        check=True,
        encoding="utf-8",
    )
    assert done.stdout == "[]\n"


@pytest.mark.slow
def test_a_script_without_a_guard_may_classify_and_is_told_what_came_of_it(
    samples: Path, tmp_path: Path
) -> None:
    """As a job's script does: no worker executes it again, and threads hear no signals."""
    (tmp_path / "script.py").write_text(
        "import sys, threading\n"
        "from pairdx.deployment.run import classify\n"
        "from pairdx.deployment.options import Options\n"
        "print('begun')\n"
        "how = Options(processes=2, batch_size=4, quiet=True)\n"
        "def work():\n"
        "    found = classify(sys.argv[1], [sys.argv[2]], sys.argv[3], how)\n"
        "    print(found.rows, found.classified, found.abstained, dict(found.problems))\n"
        "one = threading.Thread(target=work)\n"
        "one.start(); one.join()\n",
        encoding="utf-8",
    )
    words = ["script.py", samples / "system", samples / "images", "out.jsonl"]
    done = subprocess.run(
        [sys.executable, *map(str, words)],
        env=os.environ | {"PYTHONPATH": str(SCRIPTS)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        encoding="utf-8",
    )
    assert done.stderr == ""
    expected = f"begun\n{FILES} {FILES - 1} 0 {{'a text, not an image': 1}}\n"
    assert done.stdout == expected
