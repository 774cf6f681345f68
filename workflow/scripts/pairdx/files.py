"""Files written whole or not at all, and their checksums."""

from __future__ import annotations

import glob
import hashlib
import json
import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pairdx.errors import PairDxError
from pairdx.seals import fill_footer_seal, header_to_seal, require_sound
from pairdx.storage_errors import OF_WRITING, error_number, refusal_of, storage_error

if TYPE_CHECKING:  # the cluster check writes files where packages are missing
    import pandas as pd


@contextmanager
def written_whole(path: str | Path) -> Iterator[Path]:
    """Give a temporary path beside ``path`` and move it there when the block ends without an error.

    A reader never sees a half-written file, and a failed job leaves nothing that looks finished.

    Args:
        path: Where the finished file will stand. Its folder is created. The temporary name keeps
            the suffix.

    Raises:
        PairDxError: The storage refused: there is no room, no right, no such folder …
    """
    path, aside = Path(path), None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = _made_beside(path)
        yield aside
        # After writing, not before: some libraries put a private file of their own in its place.
        aside.chmod(0o666 & ~_umask())
        aside.replace(path)
    except Exception as error:
        found = None if isinstance(error, PairDxError) else _of_storage(error, path)
        if found is not None:
            raise found from error
        raise
    finally:
        if aside is not None:
            with suppress(OSError):  # what went wrong before says more
                aside.unlink(missing_ok=True)


def _made_beside(path: Path) -> Path:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}.", suffix=path.suffix)
    os.close(handle)
    return Path(name)


def _of_storage(error: Exception, path: Path) -> PairDxError | None:
    """Say what the storage refused, if it did; of a temporary name the user need not hear.

    An error without a name may be about ``path``, or about a file that was read to make it.
    """
    unnamed = f"{path}, or a file that it is made of"
    found = storage_error(error, unnamed)
    if found is not None and found.where != unnamed:
        own = Path(str(found.where)).name.startswith(f".{path.stem}.")
    elif found is not None and error_number(error) in OF_WRITING:
        own = True
    else:
        refused = refusal_of(path.parent)
        found = found if refused is None else storage_error(refused)
        own = refused is not None
    return PairDxError(found.what, where=path, remedy=found.remedy) if own and found else found


def remove_leftovers(path: str | Path) -> None:
    """Remove what killed jobs left half-written beside ``path``.

    Only for one who knows that nobody writes ``path`` at the moment.
    """
    path = Path(path)
    for leftover in path.parent.glob(f".{glob.escape(path.stem)}.*{glob.escape(path.suffix)}"):
        leftover.unlink(missing_ok=True)


_ASKING = threading.Lock()


def _umask() -> int:
    # It can be asked for by setting it only, and a thread may write training state meanwhile.
    with _ASKING:
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
        raise PairDxError(
            "a JSON file is missing",
            where=path,
            remedy="put it there, or correct the setting that names it; one that the workflow "
            "makes is made again by running it",
        ) from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise PairDxError(
            f"this is not a JSON file: {error}",
            where=path,
            remedy="delete the file, and fetch it or let the workflow make it again; one that you "
            "wrote, mend at that place",
        ) from error


def write_table(path: str | Path, table: pd.DataFrame) -> None:
    """Write a table as ``.parquet`` or ``.csv`` without its index, whole or not at all.

    A ``.csv`` is made for people's spreadsheets (see :mod:`pairdx.sheets`).
    """
    path = Path(path)
    with written_whole(path) as aside:
        if path.suffix == ".parquet":
            _write_parquet(aside, table)
        elif path.suffix == ".csv":
            from pairdx.sheet_cells import ENCODING
            from pairdx.sheets import for_people  # pandas: see TYPE_CHECKING above

            for_people(table).to_csv(aside, index=False, encoding=ENCODING)
        else:
            raise ValueError(f"no table format is known for the suffix of {path}")


def _write_parquet(path: Path, table: pd.DataFrame) -> None:
    """Write as pandas does, with a checksum of the whole in the footer."""
    import pyarrow as pa
    from pyarrow import parquet

    content = pa.Table.from_pandas(table, preserve_index=False)
    known = {key.decode(): value for key, value in (content.schema.metadata or {}).items()}
    parquet.write_table(content.replace_schema_metadata({**known, **header_to_seal()}), path)
    fill_footer_seal(path)


def read_table(path: str | Path, columns: list[str] | None = None) -> pd.DataFrame:
    """Read a Parquet table that :func:`write_table` wrote, or any other.

    Raises:
        PairDxError: It is not as it was written.
    """
    import pandas as pd

    require_sound(Path(path))
    return pd.read_parquet(path, columns=columns)


def sha256_of(path: str | Path) -> str:
    """Return the SHA-256 of a file as 64 hexadecimal digits."""
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
