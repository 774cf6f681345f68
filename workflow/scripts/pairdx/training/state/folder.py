"""Where training state belongs and how long it lives; what is in it: checkpoint.py."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pairdx.training.state.lease import lease


def settings_hash(settings: Mapping[str, Any]) -> str:
    """Return 16 hexadecimal digits for the settings; the order of their keys does not matter."""
    canonical = json.dumps(
        settings, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]


def remove_state(folder: str | Path) -> None:
    """Remove a run's training state, if there is any.

    For the job that first reads the trained weights, not for the training itself: if a second job
    for the same model is submitted by mistake, Snakemake deletes the outputs of the first, which
    may have been written a moment before. With the state they are written again in seconds.

    Raises:
        PairDxError: A job is training there.
    """
    folder = Path(folder)
    if folder.is_dir():
        with lease(folder):
            shutil.rmtree(folder, ignore_errors=True)
