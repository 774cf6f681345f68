"""Arrays in a safetensors file with a checksum, written whole or not at all. No PyTorch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from pairdx.errors import PairDxError
from pairdx.files import written_whole
from pairdx.seals import fill_seal, header_to_seal, require_sound
from pairdx.storage_errors import storage_error

AGAIN = "delete it; it is made again"


def write_tensors(
    path: str | Path, tensors: Mapping[str, np.ndarray], header: Mapping[str, str] | None = None
) -> None:
    """Write arrays by name, with their checksum.

    Args:
        path: The file.
        tensors: Of any shape and memory layout.
        header: What else is to stand in the file's header.
    """
    contiguous = {name: np.ascontiguousarray(array) for name, array in tensors.items()}
    with written_whole(path) as aside:
        save_file(contiguous, aside, header_to_seal(header))
        fill_seal(aside)


def read_tensors(
    path: Path, names: Sequence[str], what: str
) -> tuple[dict[str, str], list[np.ndarray]]:
    """Read the header and the named arrays of such a file.

    Args:
        path: The file.
        names: Of the arrays, in the order in which they are returned.
        what: What the file should be, for messages, such as "features file".

    Raises:
        PairDxError: It is no such file, or is not as it was written.
    """
    try:
        require_sound(path)
        with safe_open(path, framework="numpy") as file:
            return dict(file.metadata() or {}), [file.get_tensor(name) for name in names]
    except (SafetensorError, OSError) as error:
        if refused := storage_error(error, path):
            raise refused from error
        raise is_none(path, what, error) from error


def is_none(path: Path, what: str, reason: object) -> PairDxError:
    """Return the error of a file that is not what it should be."""
    return PairDxError(f"this is no {what}: {reason}", where=path, remedy=AGAIN)


def require_rows(path: Path, array: np.ndarray, rows: int, which: str, of: str) -> None:
    """Refuse an array that is not one row of finite numbers for each of ``rows`` things.

    Args:
        path: The file, for messages.
        array: Of shape (N, D).
        rows: How many there should be.
        which: What its rows are, such as "image features".
        of: What has a row each, such as "pairs".

    Raises:
        PairDxError: It is not.
    """
    if len(array) != rows or not np.isfinite(array).all():
        raise PairDxError(
            f"its {which} are not one row of numbers for each of {rows} {of}",
            where=path,
            remedy=AGAIN,
        )
