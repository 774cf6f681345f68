"""What a process of `--processes` does, as the suite times it: files to probabilities.

Apart from what measures: a process that classifies imports no PyTorch.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pairdx.deployment.session import Model, load
from pairdx.errors import PairDxError

_opened: dict[str, Model] = {}


def open_model(folder: str) -> None:
    """Open the system once per process, for one thread."""
    _opened["model"] = load(folder, threads=1)


def labels(contents: Sequence[bytes], captions: Sequence[str]) -> np.ndarray:
    """Classify files by the process's own system: float64 (B, C)."""
    return classified(_opened["model"], contents, captions)


def classified(model: Model, contents: Sequence[bytes], captions: Sequence[str]) -> np.ndarray:
    """Classify B files in one batch, from their bytes to calibrated probabilities, (B, C)."""
    squares = []
    for content in contents:
        seen = model.read(content)
        if isinstance(seen, str):
            raise PairDxError(f"a file chosen for timing cannot be read: {seen}")
        squares.append(seen)
    return model.classify(np.stack(squares), captions)
