"""Compile Python sources to bytecode, so that no job has to do it again.

    python envs/compile.py              this Python's packages and the workflow's library
    python envs/compile.py FOLDER ...   what lies in these folders

A job that imports PyTorch and pandas spends most of its first seconds compiling them, if nobody has
done so before and kept the result: uv compiles nothing unless told to, with PYTHONDONTWRITEBYTECODE
nothing is kept, and in a read-only environment nothing can be.

`python -m compileall` is not enough: it is silent for minutes, ends alike for a full disk and for a
package's template that was never meant to be Python, and the environment (PYTHONPYCACHEPREFIX,
PYTHONOPTIMIZE, SOURCE_DATE_EPOCH) changes where and how it writes. Here bytecode always lies beside
its source and is valid as long as the source's time and size are the same; what is up to date is
left alone.
"""

from __future__ import annotations

import importlib.util
import io
import os
import py_compile
import struct
import sys
import sysconfig
import time
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path

LIBRARY = Path(__file__).parents[1] / "workflow/scripts"
FEW = 100  # for fewer files, other processes take longer to start than to help
MOST_PROCESSES = 8  # it may be a login node that others use too
SECONDS_BETWEEN_LINES = 10


def sources(folder: Path) -> Iterator[str]:
    """Yield the path of every Python source below a folder."""
    for parent, _, names in os.walk(folder):
        paths = (f"{parent}/{name}" for name in names if name.endswith(".py"))
        yield from (path for path in paths if Path(path).is_file())  # no dead link, as of an editor


def bytecode(source: str) -> str:
    """Return where Python looks for the bytecode of a source, where nothing says otherwise."""
    return importlib.util.cache_from_source(source, optimization="")


def is_compiled(source: str) -> bool:
    """Say whether this version of Python would take the bytecode that is there."""
    status = Path(source).stat()
    size, seconds = (number & 0xFFFFFFFF for number in (status.st_size, int(status.st_mtime)))
    try:
        with Path(bytecode(source)).open("rb") as file:
            head = file.read(16)
    except FileNotFoundError:
        return False
    return head == importlib.util.MAGIC_NUMBER + struct.pack("<III", 0, seconds, size)


def compile_source(source: str) -> str:
    """Compile one file and return what is wrong with its Python: nothing, mostly.

    Raises:
        OSError: if it cannot be read, or its bytecode not be written.
    """
    timestamp = py_compile.PycInvalidationMode.TIMESTAMP
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the style of other people's packages
        try:
            py_compile.compile(
                source, bytecode(source), doraise=True, optimize=0, invalidation_mode=timestamp
            )
        except py_compile.PyCompileError as error:
            return str(error.exc_value)
    return ""


def compile_sources(files: list[str]) -> Iterable[str]:
    """Compile files in several processes if they are many; yield compile_source's answers."""
    if len(files) < FEW:
        yield from map(compile_source, files)
        return
    from concurrent.futures import ProcessPoolExecutor

    pool = ProcessPoolExecutor(min(len(os.sched_getaffinity(0)), MOST_PROCESSES))
    try:
        yield from pool.map(compile_source, files, chunksize=20)
    finally:  # Ctrl-C does not wait for the rest
        pool.shutdown(cancel_futures=True)


def main(folders: list[Path]) -> None:
    """Compile what is not compiled yet, saying so.

    Exits with an error if a file that is no package's is not Python.
    """
    sys.pycache_prefix = None
    begun = said = time.monotonic()
    files = [source for folder in folders for source in sources(folder)]
    stale = [source for source in files if not is_compiled(source)]
    if not stale:
        return
    print(f"Compiling {len(stale)} of {len(files)} Python files to bytecode", flush=True)
    wrong: dict[str, str] = {}
    for number, (source, error) in enumerate(zip(stale, compile_sources(stale), strict=True)):
        if error:
            wrong[source] = error
        if time.monotonic() - said > SECONDS_BETWEEN_LINES:
            said = time.monotonic()
            print(f"  {number} of {len(stale)}", flush=True)
    print(f"  done in {time.monotonic() - begun:.0f} s", flush=True)
    own = [source for source in wrong if not Path(source).is_relative_to(sys.prefix)]
    if own:
        sys.exit("\n".join(f"{source}: {wrong[source]}" for source in own))
    for source in wrong:
        print(f"  not compiled, as it is not Python of this version: {source}")


if __name__ == "__main__":
    if isinstance(sys.stdout, io.TextIOWrapper):  # a path that the locale cannot write
        sys.stdout.reconfigure(errors="backslashreplace")
    packages = {Path(sysconfig.get_path(name)) for name in ("purelib", "platlib")}
    try:
        main([Path(folder) for folder in sys.argv[1:]] or [*sorted(packages), LIBRARY])
    except OSError as error:
        sys.exit(f"Bytecode cannot be written: {error}")
    except KeyboardInterrupt:
        sys.exit("Interrupted")
