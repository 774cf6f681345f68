"""What classifying many documents takes as they grow in number: memory of all processes, and time.

    python tests/benchmarks/classify_at_scale.py --files 1 1000 100000 --table scale.md

Small images (32 x 32 pixels, 256 different ones under other names) and a graph of a few nodes, so
that what is measured is the way of a file: listed, read, decoded, classified, noted, written. With
`--system FOLDER` a deployed system takes the graph's place. Each run is the command line itself, a
process and its workers; their resident memory is looked at every 20 ms and added up. One file tells
what starting takes. It is no test: what is fast enough depends on the machine.
"""

from __future__ import annotations

import argparse
import io
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(TESTS), str(TESTS.parent / "workflow" / "scripts")]

from deployed_samples import write_deployed  # noqa: E402
from pairdx.machine import cpu_model  # noqa: E402
from pairdx.reporting.format.markdown import as_markdown  # noqa: E402

DIFFERENT, SIDE = 256, 32
SECONDS_BETWEEN_LOOKS = 0.02
_RESIDENT = re.compile(r"^VmRSS:\s+(\d+) kB", re.M)


def write_images(folder: Path, files: int) -> None:
    """Write so many small PNG files into one folder."""
    folder.mkdir()
    generator = np.random.default_rng(1)
    shape = (DIFFERENT, SIDE, SIDE, 3)
    drawn = generator.integers(0, 256, shape, dtype=np.uint8)
    contents = [png(pixels) for pixels in drawn]
    for at in range(files):
        (folder / f"{at:07}.png").write_bytes(contents[at % DIFFERENT])


def png(pixels: np.ndarray) -> bytes:
    """Encode uint8 pixels (H, W, 3)."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def resident(process: int) -> float:
    """Return the resident memory of a process and of those that it started, in MiB."""
    total = 0
    children = Path(f"/proc/{process}/task/{process}/children")
    try:
        for number in (str(process), *children.read_text(encoding="ascii").split()):
            found = _RESIDENT.search(Path(f"/proc/{number}/status").read_text(encoding="utf-8"))
            total += int(found[1]) if found else 0
    except (OSError, ValueError):  # it ended meanwhile
        return 0.0
    return total / 1024


def measure(system: Path, images: Path, output: Path, processes: int) -> dict[str, float]:
    """Classify a folder once; return one line of the table.

    Raises:
        SystemExit: It failed.
    """
    command = [sys.executable, "-m", "pairdx.deployment", str(system), str(images)]
    command += ["-o", str(output), "--processes", str(processes), "--threads", "1", "--quiet"]
    environment = os.environ | {"PYTHONPATH": str(TESTS.parent / "workflow" / "scripts")}
    begun, peak = time.perf_counter(), 0.0
    with subprocess.Popen(command, env=environment) as process:
        while process.poll() is None:
            peak = max(peak, resident(process.pid))
            time.sleep(SECONDS_BETWEEN_LOOKS)
    seconds = time.perf_counter() - begun
    if process.returncode:
        sys.exit(f"classifying ended with {process.returncode}")
    rows = len(pd.read_parquet(output, columns=["row"]))
    return {
        "files": rows,
        "seconds": seconds,
        "files_per_second": rows / seconds,
        "peak_memory_MiB": peak,
        "output_MiB": output.stat().st_size / 2**20,
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure every number of files and print the table, or write it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=int, nargs="+", default=[1, 1000, 10000])
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--system", type=Path, help="a deployed system that reads images alone")
    parser.add_argument("--folder", type=Path, help="where the files are written for a while")
    parser.add_argument("--table", type=Path, help="write the table to this file")
    options = parser.parse_args(arguments)
    lines = []
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        system = options.system or write_deployed(Path(folder) / "system", size=SIDE)
        for files in options.files:
            images = Path(folder) / f"images{files}"
            write_images(images, files)
            output = Path(folder) / f"{files}.parquet"
            lines.append(measure(system, images, output, options.processes))
    notes = [
        f"{os.cpu_count()} cores of {cpu_model()}, load {os.getloadavg()[0]:.1f} at the end; "
        f"Python {sys.version.split()[0]}, onnxruntime {version('onnxruntime')}",
        f"PNG files of {SIDE} x {SIDE} pixels, {options.processes} processes of one thread, and "
        f"one that leads them; system: {options.system or 'a graph of a few nodes'}",
        "memory: resident, all processes together (what they share is counted in each)",
    ]
    text = as_markdown(pd.DataFrame(lines), title="Classifying many files", notes=notes)
    if options.table:
        options.table.write_text(text, encoding="utf-8")
    else:
        print(text)


if __name__ == "__main__":
    main()
