"""Files written whole or not at all, and their checksums."""

from __future__ import annotations

import errno
import glob
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pairdx.errors import PairDxError

if TYPE_CHECKING:  # the cluster check writes files where packages are missing
    import pandas as pd

FULL = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def written_whole(path: str | Path) -> Iterator[Path]:
    """Give a temporary path beside ``path`` and move it there when the block ends without an error.

    A reader never sees a half-written file, and a failed job leaves nothing that looks finished.

    Args:
        path: Where the finished file will stand. Its folder is created. The temporary name keeps
            the suffix.

    Raises:
        PairDxError: Writing failed, and there is no room on the disk.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}.", suffix=path.suffix)
    os.close(handle)
    aside = Path(name)
    try:
        yield aside
        # After writing, not before: some libraries put a private file of their own in its place.
        aside.chmod(0o666 & ~_umask())
        aside.replace(path)
    except Exception as error:
        # Libraries say it in many ways (PyTorch: "unexpected pos 576 vs 534"), so ask the disk.
        if not isinstance(error, PairDxError) and _is_for_want_of_room(error, path.parent):
            raise PairDxError(
                "there is no room left on the disk, or in your quota on it",
                where=path,
                remedy="make room and start again: what is finished is kept, and a training goes "
                "on from its last state",
            ) from error
        raise
    finally:
        aside.unlink(missing_ok=True)


def _is_for_want_of_room(error: Exception, folder: Path) -> bool:
    """Say whether an error names a full disk, or not even a megabyte can be written to a folder."""
    # safetensors has it in words only, and has already removed what it wrote.
    if any(f"os error {number}" in str(error) for number in FULL):
        return True
    if isinstance(error, OSError) and error.errno in FULL:
        return True
    try:
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(bytes(2**20))
            probe.flush()
            os.fsync(probe.fileno())
    except OSError as refusal:
        return refusal.errno in FULL
    return False


def remove_leftovers(path: str | Path) -> None:
    """Remove what killed jobs left half-written beside ``path``.

    Only for one who knows that nobody writes ``path`` at the moment.
    """
    path = Path(path)
    for leftover in path.parent.glob(f".{glob.escape(path.stem)}.*{glob.escape(path.suffix)}"):
        leftover.unlink(missing_ok=True)


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current


def write_json(path: str | Path, content: Any) -> None:
    """Write ``content`` as indented JSON, whole or not at all. NaN is refused (it is not JSON)."""
    with written_whole(path) as aside:
        aside.write_text(
            json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n",
            encoding="utf-8",
            errors="backslashreplace",  # bytes of a file name that are no UTF-8: JSON's own escape
        )


def read_json(path: str | Path) -> Any:
    """Read a JSON file.

    Raises:
        PairDxError: The file is missing or is not JSON.
    """
    path = Path(path)
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise PairDxError("a JSON file is missing", where=path) from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise PairDxError(f"this is not a JSON file: {error}", where=path) from error


def write_table(path: str | Path, table: pd.DataFrame) -> None:
    """Write a table as ``.parquet`` or ``.csv`` without its index, whole or not at all.

    A ``.csv`` is made for people's spreadsheets (see :mod:`pairdx.sheets`).
    """
    path = Path(path)
    with written_whole(path) as aside:
        if path.suffix == ".parquet":
            table.to_parquet(aside, index=False)
        elif path.suffix == ".csv":
            from pairdx.sheets import ENCODING, for_people  # pandas: see TYPE_CHECKING above

            for_people(table).to_csv(aside, index=False, encoding=ENCODING)
        else:
            raise ValueError(f"no table format is known for the suffix of {path}")


def sha256_of(path: str | Path) -> str:
    """Return the SHA-256 of a file as 64 hexadecimal digits."""
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
