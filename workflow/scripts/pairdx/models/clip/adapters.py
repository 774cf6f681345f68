"""LoRA (Hu et al., 2021): frozen weights, and beside each chosen one a trained product of low rank.

W stands for W + (alpha / rank) B A, where A is rank x in and B is out x rank. B starts at 0, so
that training starts at the pretrained model. The peft library does the work. Of its two ways to
adapt the packed projection of PyTorch's attention, that for single weights is used: the other one,
for whole attention layers, adds B A to W before every forward pass and subtracts it afterwards, so
that rounding moves the frozen weights; and it passes over dropout.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from peft import LoraConfig, LoraModel
from torch import nn

from pairdx.errors import PairDxError
from pairdx.training.randomness import seeded

NAME = "lora"
PACKED = "in_proj_weight"
TARGETS_KEY = "systems: … settings: lora: targets"


def adapt(clip: Any, lora: Mapping[str, Any], seed: int) -> LoraModel:
    """Freeze an open_clip model and put trainable adapters into it, in place.

    Args:
        clip: The model, on the CPU.
        lora: ``rank``; ``alpha``; ``dropout``, the share of an adapter's inputs that is dropped in
            training; ``targets``, ends of the names of linear layers, or ``in_proj_weight``, the
            query, key and value projections of PyTorch's attention; ``train_logit_scale``, whether
            the temperature is trained as well.
        seed: Of the adapters' first factors.

    Raises:
        PairDxError: The model has no such layer, or one of them cannot be adapted.
    """
    layers, packed = _targets(clip, lora["targets"])
    if packed and lora["dropout"]:
        raise PairDxError(
            f"an adapter of {PACKED} has no inputs of its own that dropout could drop",
            where="systems: … settings: lora: dropout",
            remedy=f"set dropout to 0, or leave {PACKED} out of the targets",
        )
    config = LoraConfig(
        r=lora["rank"],
        lora_alpha=lora["alpha"],
        lora_dropout=lora["dropout"],
        target_modules=layers,
        target_parameters=packed,
    )
    with seeded(torch.device("cpu"), "adapters", seed):
        adapted = LoraModel(clip, config, NAME)
    clip.logit_scale.requires_grad_(lora["train_logit_scale"])
    return adapted


def merge(adapted: LoraModel) -> None:
    """Add the adapters to the weights and remove them: an ordinary open_clip model remains."""
    clip = adapted.merge_and_unload()
    clip.requires_grad_(requires_grad=True)


def _targets(clip: nn.Module, targets: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the targets that are linear layers, and those that are packed projections."""
    layers: list[str] = []
    packed: list[str] = []
    for target in targets:
        named = [(name, part) for name, part in clip.named_modules() if _ends(name, target)]
        weights = [name for name in _packed_projections(clip) if _ends(name, target)]
        if not named and not weights:
            raise PairDxError(
                f"neither encoder has a layer {target!r}",
                where=TARGETS_KEY,
                remedy=f"these can be adapted: {', '.join(_adaptable(clip))}",
            )
        for name, part in named:
            _require_adaptable(clip, name, part)
        (layers if named else packed).append(target)
    return layers, packed


def _ends(name: str, target: str) -> bool:
    return name == target or name.endswith(f".{target}")


def _packed_projections(clip: nn.Module) -> Iterator[str]:
    for name, part in clip.named_modules():
        if isinstance(part, nn.MultiheadAttention) and part.in_proj_weight is not None:
            yield f"{name}.{PACKED}"


def _inside_attention(clip: nn.Module, name: str) -> bool:
    """Whether PyTorch's attention reads the layer's weight without calling the layer."""
    return isinstance(clip.get_submodule(name.rpartition(".")[0]), nn.MultiheadAttention)


def _require_adaptable(clip: nn.Module, name: str, part: nn.Module) -> None:
    if _inside_attention(clip, name):
        raise PairDxError(
            f"PyTorch's attention reads the weight of {name} and never calls it as a layer: an "
            "adapter there would learn nothing",
            where=TARGETS_KEY,
            remedy=f"use {PACKED}, the projection of queries, keys and values",
        )
    if not isinstance(part, nn.Linear):
        raise PairDxError(
            f"{name} is a {type(part).__name__}, and adapters are for linear layers",
            where=TARGETS_KEY,
            remedy=f"these can be adapted: {', '.join(_adaptable(clip))}",
        )


def _adaptable(clip: nn.Module) -> list[str]:
    """Return what can be adapted, by the last two parts of each name."""
    names = [
        name
        for name, part in clip.named_modules()
        if isinstance(part, nn.Linear) and not _inside_attention(clip, name)
    ]
    names += _packed_projections(clip)
    return sorted({".".join(name.split(".")[-2:]) for name in names})
