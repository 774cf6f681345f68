"""Material for the tests of the CLIP family: a tiny CLIP of ours, and open_clip's own."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import open_clip
import torch
from open_clip.model import CustomTextCLIP
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig

import tiny_models as tiny
from pairdx.models import clip


def build(seed: int = 1, weights: Path | None = None, **changes: Any) -> clip.ClipClassifier:
    """A tiny CLIP, random or with the given weights."""
    changes = {"weights": None if weights is None else "given"} | changes
    resources = {} if weights is None else {"weights": weights}
    return clip.build(tiny.settings(tiny.CLIP, **changes), tiny.CLASSES, resources, seed)


def plain_open_clip(**changes: Any) -> open_clip.CLIP:
    """The same architecture, built by open_clip itself from other random numbers."""
    with torch.random.fork_rng():
        torch.manual_seed(99)
        return open_clip.CLIP(**deepcopy(tiny.TINY_CLIP | changes)).eval()


def write_model_folder(folder: Path) -> Path:
    """A folder in BiomedCLIP's format: a timm image encoder, a BERT text encoder, all tiny."""
    folder.mkdir()
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "photo", "of"]
    words += [*tiny.CLASSES, "image", "axial", "ct"]
    tokeniser = Tokenizer(models.WordPiece({w: i for i, w in enumerate(words)}, unk_token="[UNK]"))  # noqa: S106 - a token of text
    tokeniser.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokeniser.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokeniser.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokeniser.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(
        json.dumps(
            {"tokenizer_class": "BertTokenizer", "do_lower_case": True, "pad_token": "[PAD]"}
        ),
        encoding="utf-8",
    )
    (folder / "vocab.txt").write_text("\n".join(words) + "\n", encoding="utf-8")
    BertConfig(
        vocab_size=len(words), hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=16, max_position_embeddings=20,
    ).save_pretrained(folder)  # fmt: skip
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
    torch.save(original.state_dict(), folder / "open_clip_pytorch_model.bin")
    return folder


def from_folder(folder: Path, **changes: Any) -> clip.ClipClassifier:
    """The system that such a folder holds."""
    own = {"architecture": None, "quick_gelu": False, "context_length": 10}
    return build(weights=folder, **(own | changes))
