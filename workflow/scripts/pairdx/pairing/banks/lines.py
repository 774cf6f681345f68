"""One text per line of a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pairdx.corpus.table.rows import other_kind
from pairdx.errors import PairDxError
from pairdx.pairing.bank import Bank, bank_of
from pairdx.pairing.banks.class_prompts import numbered
from pairdx.storage_errors import storage_error

LARGEST_BYTES = 4_000_000_000
# First bytes of what the reader `table` takes, and of archives, and what it is.
_NO_LINES = {
    b"PK\x03\x04": "a zip file or a workbook",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "a workbook or document of Office",
    b"PAR1": "a Parquet file",
}


def read(settings: Mapping[str, Any], files: Mapping[str, Path], key: str) -> Bank:
    """Read a text file in UTF-8, whose lines end with a line feed, whatever else is in them.

    Where there is none, carriage returns end them.
    """
    content = _content(Path(files["source"]), key)
    lines = content.split("\n" if "\n" in content else "\r")
    if lines[-1] == "":
        lines.pop()  # what stands behind the last line's end is no line
    if not lines:
        raise PairDxError(
            "the text bank is empty: its file has no lines",
            where=files["source"],
            remedy=f"set {key}.path to a file with a text on each line",
        )
    found = numbered([{"text": line, "label": ""} for line in lines], "line")
    return bank_of(found, where=files["source"], cleaning=settings["cleaning"])


def _content(path: Path, key: str) -> str:
    remedy = f"set {key}.path to a text file in UTF-8 with a text on each line"
    try:
        size = path.stat().st_size
        if size > LARGEST_BYTES:
            raise PairDxError(
                f"the text bank has {size:,} bytes, more than {LARGEST_BYTES:,}",
                where=path,
                remedy=remedy,
            )
        content = path.read_bytes()
        if kind := _kind(content):
            raise PairDxError(
                f"the text bank is {kind}, and not lines of text", where=path, remedy=remedy
            )
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise PairDxError(
            f"the text bank is not text in UTF-8 (byte 0x{error.object[error.start]:02x} at "
            f"{error.start:,})",
            where=path,
            remedy=remedy,
        ) from error
    except FileNotFoundError as error:
        raise PairDxError("the text bank is missing", where=path, remedy=remedy) from error
    except IsADirectoryError as error:
        raise PairDxError(
            "the text bank is a folder", where=path, remedy=f"set {key}.path to a file in it"
        ) from error
    except OSError as error:
        raise storage_error(error, path) or PairDxError(
            f"the text bank cannot be read: {error.strerror}", where=path, remedy=remedy
        ) from error


def _kind(content: bytes) -> str | None:
    found = next((name for first, name in _NO_LINES.items() if content.startswith(first)), None)
    return found or other_kind(content)
