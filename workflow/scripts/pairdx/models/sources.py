"""The files that a system is made from: which they are, and whether they are still the same.

Nothing here needs PyTorch.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pairdx.errors import PairDxError
from pairdx.files import read_json, sha256_of
from pairdx.models.base import SETTINGS_FILE

# What open_clip calls the weights in a model folder.
FOLDER_WEIGHTS = (
    "open_clip_model.safetensors",
    "open_clip_pytorch_model.safetensors",
    "open_clip_pytorch_model.bin",
)


def require_resource(resources: Mapping[str, Path], name: str) -> Path:
    """Return the file called ``name``.

    Raises:
        PairDxError: It was not given.
    """
    if name not in resources:
        raise PairDxError(f"the model needs the file {name!r}, and it was not given")
    return Path(resources[name])


def weights_file(path: Path) -> Path:
    """Return the weights file: ``path`` itself, or the one in a model folder.

    Raises:
        PairDxError: There is none.
    """
    if path.is_dir():
        found = [path / name for name in FOLDER_WEIGHTS if (path / name).is_file()]
        if not found:
            raise PairDxError(
                "this model folder holds no weights",
                where=path,
                remedy=f"put {FOLDER_WEIGHTS[0]} or {FOLDER_WEIGHTS[-1]} there",
            )
        return found[0]
    return path


def read_settings(folder: Path, family: str) -> dict[str, Any]:
    """Read the settings.json of a saved system of ``family``.

    Raises:
        PairDxError: It is missing, or another family's.
    """
    content = read_json(folder / SETTINGS_FILE)
    if not isinstance(content, dict) or content.get("family") != family:
        raise PairDxError(
            f"these are not the settings of a saved {family} model", where=folder / SETTINGS_FILE
        )
    return content


def named_with_checksum(path: Path) -> dict[str, str]:
    """Return the file's name and SHA-256, by which a saved system names a file from outside."""
    return {"file": path.name, "sha256": sha256_of(path)}


def require_same_file(path: Path, recorded: Mapping[str, str]) -> None:
    """Refuse another file than the one a saved system was made with.

    Raises:
        PairDxError: The checksums differ.
    """
    if sha256_of(path) != recorded["sha256"]:
        raise PairDxError(
            f"this is not the file {recorded['file']} that the model was prepared with",
            where=path,
            remedy="run the model's preparation again, or put the old file back",
        )
