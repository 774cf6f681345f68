"""CLIP's weights files: whether one fits the architecture, and what its header says.

The header of a file that was written here holds the architecture, because weights load without
complaint under an architecture with the same shapes and another activation, and then classify
worse. Files of others have no such header; for them the setting ``quick_gelu`` is all there is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from open_clip.model import CustomTextCLIP, convert_to_custom_text_state_dict

from pairdx.errors import PairDxError
from pairdx.models.clip.loading import ClipParts
from pairdx.models.weights import load_strictly, read_header, read_weights, save_weights

# Left over in files of other versions; no model of ours has them, and they are not learned. The
# numbers are OpenAI's; the others are counted up or masked out anew by every model.
LEFT_OVER_NUMBERS = ("input_resolution", "context_length", "vocab_size")
LEFT_OVER_BUFFERS = ("position_ids", "token_type_ids", "attn_mask")
# One entry for all that we state: safetensors writes several in no fixed order, and equal weights
# are to be equal files.
HEADER = "pairdx.clip"


def save_clip_weights(parts: ClipParts, path: Path) -> None:
    """Write an open_clip state dict as safetensors, with the architecture in its header."""
    stated = {"quick_gelu": parts.quick_gelu, "architecture": parts.architecture}
    save_weights(parts.clip, path, {HEADER: json.dumps(stated, sort_keys=True)})


def load_clip_weights(parts: ClipParts, path: Path) -> None:
    """Load an open_clip state dict, whose names and shapes must be the model's own.

    Raises:
        PairDxError: The header names another architecture than the built one; or see
            :func:`pairdx.models.weights.read_weights` and ``load_strictly``.
    """
    weights = read_weights(path)
    _require_same_architecture(parts, path)
    if isinstance(parts.clip, CustomTextCLIP) and "text_projection" in weights:
        weights = convert_to_custom_text_state_dict(weights)
    own = parts.clip.state_dict()
    kept = {
        name: value for name, value in weights.items() if name in own or not _is_left_over(name)
    }
    if "logit_scale" in kept and kept["logit_scale"].numel() == 1:
        kept["logit_scale"] = kept["logit_scale"].reshape(own["logit_scale"].shape)
    load_strictly(parts.clip, kept, path)


def _is_left_over(name: str) -> bool:
    return name in LEFT_OVER_NUMBERS or name.rpartition(".")[2] in LEFT_OVER_BUFFERS


def _require_same_architecture(parts: ClipParts, path: Path) -> None:
    stated = _stated(path)
    if stated is None:
        return
    quick_gelu, architecture = stated
    if quick_gelu != parts.quick_gelu:
        raise PairDxError(
            f"these weights were trained {'with' if quick_gelu else 'without'} QuickGELU, and the "
            f"architecture is built {'with' if parts.quick_gelu else 'without'} it",
            where=path,
            remedy=f"use the architecture that they were trained in, and quick_gelu: "
            f"{json.dumps(quick_gelu)}",
        )
    trained, built = dict(_leaves(architecture)), dict(_leaves(parts.architecture))
    differing = sorted(name for name in trained | built if trained.get(name) != built.get(name))
    if differing:
        name = differing[0]
        raise PairDxError(
            f"these weights were trained in another architecture: {name} was "
            f"{json.dumps(trained.get(name))}, and here it is {json.dumps(built.get(name))}",
            where=path,
            remedy="put settings.json or the model folder back as it was, or name the "
            "architecture that they were trained in",
        )


def _stated(path: Path) -> tuple[bool, Mapping[str, Any]] | None:
    """Return what the header says of QuickGELU and of the architecture; None if it is not ours."""
    entry = read_header(path).get(HEADER)
    if entry is None:
        return None
    try:
        stated = json.loads(entry)
        quick_gelu, architecture = stated["quick_gelu"], stated["architecture"]
    except (json.JSONDecodeError, KeyError, TypeError):
        quick_gelu = architecture = None
    if not isinstance(quick_gelu, bool) or not isinstance(architecture, dict):
        raise PairDxError(
            "the header of this weights file is damaged", where=path, remedy="train the model again"
        )
    return quick_gelu, architecture


def _leaves(configuration: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every value that is no mapping, named by all its keys."""
    for key, value in configuration.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{path}{key}.")
        else:
            yield f"{path}{key}", value
