"""Material for the tests of the CLIP family: a tiny CLIP of ours, and open_clip's own."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import open_clip
import torch
from open_clip.model import CustomTextCLIP

import files_as_saved
import tiny_models as tiny
from pairdx.models.clip import system as clip

POSITIONS = 20


def build(
    seed: int = 1,
    weights: Path | None = None,
    *,
    classes: tuple[str, ...] = tiny.CLASSES,
    **changes: Any,
) -> clip.ClipClassifier:
    """A tiny CLIP, random or with the given weights."""
    changes = {"weights": None if weights is None else "given"} | changes
    resources = {} if weights is None else {"weights": weights}
    return clip.build(tiny.settings(tiny.CLIP, **changes), classes, resources, seed)


def plain_open_clip(**changes: Any) -> open_clip.CLIP:
    """The same architecture, built by open_clip itself from other random numbers."""
    with torch.random.fork_rng():
        torch.manual_seed(99)
        return open_clip.CLIP(**deepcopy(tiny.TINY_CLIP | changes)).eval()


def write_model_folder(folder: Path) -> Path:
    """A folder as BiomedCLIP's: a timm image encoder, a BERT text encoder, all tiny."""
    folder.mkdir()
    words = ("a", "photo", "of", *tiny.CLASSES, "image", "axial", "ct")
    files_as_saved.write_bert_tokeniser(folder, words)
    size = len(files_as_saved.SPECIAL) + len(words)
    files_as_saved.write_bert_configuration(folder / "config.json", size, POSITIONS)
    config = {
        "embed_dim": 16,
        "vision_cfg": {
            "timm_model_name": "test_vit", "timm_model_pretrained": False, "timm_pool": "",
            "timm_proj": "linear", "image_size": 32,
        },
        "text_cfg": {
            "hf_model_name": "somebody/some-bert", "hf_tokenizer_name": "somebody/some-bert",
            "hf_proj_type": "mlp", "hf_pooler_type": "cls_last_hidden_state_pooler",
            "context_length": 10,
        },
    }  # fmt: skip
    preprocessing = {"mean": [0.5, 0.4, 0.3], "std": [0.2, 0.2, 0.2]}
    (folder / "open_clip_config.json").write_text(
        json.dumps({"model_cfg": config, "preprocess_cfg": preprocessing}), encoding="utf-8"
    )
    text = {**config["text_cfg"], "hf_model_name": str(folder), "hf_model_pretrained": False}
    with torch.random.fork_rng():
        torch.manual_seed(3)
        original = CustomTextCLIP(16, config["vision_cfg"], text)
    files_as_saved.write_biomedclip_weights(
        original.state_dict(), folder / "open_clip_pytorch_model.bin", POSITIONS
    )
    return folder


def from_folder(folder: Path, **changes: Any) -> clip.ClipClassifier:
    """The system that such a folder holds."""
    own = {"architecture": None, "quick_gelu": False, "context_length": 10}
    return build(weights=folder, **(own | changes))
