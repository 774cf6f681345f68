"""A system's weights as safetensors besides, as the library loads them that its network is of."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pairdx.models.library_weights import FOLDER, LibraryWeights


def write_library_weights(
    classifier: Any, family: str, folder: Path, image: Mapping[str, Any] | None
) -> LibraryWeights | None:
    """Write the weights for the library that loads them, if the system's network is one's.

    Args:
        classifier: The system, on the CPU.
        family: Its family.
        folder: The deployed folder; what is written lies in ``weights`` in it.
        image: ``size`` and ``squaring`` of the images that it reads (deployment.json); None if it
            reads none.

    Returns:
        What was written; None, and no folder, where no library has such a network.
    """
    name = f"pairdx.models.{family}.library"
    if image is None or find_spec(name) is None:
        return None
    weights = folder / FOLDER
    weights.mkdir(parents=True, exist_ok=True)
    written: LibraryWeights | None = importlib.import_module(name).write(classifier, weights, image)
    if written is None:
        weights.rmdir()
    return written
