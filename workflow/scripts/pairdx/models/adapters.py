"""LoRA (Hu et al., 2021): frozen weights, and beside each chosen one a trained product of low rank.

W stands for W + (alpha / rank) B A, where A is rank x in and B is out x rank. One of them starts at
0, so that training starts at the pretrained model. The peft library does the work. Of its two ways
to adapt the packed projection of PyTorch's attention, that for single weights is used: the other
one, for whole attention layers, adds B A to W before every forward pass and subtracts it
afterwards, so that rounding moves the frozen weights; and it passes over dropout.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from peft import LoraConfig, LoraModel
from torch import nn

from pairdx.errors import PairDxError
from pairdx.logs import logger
from pairdx.training.randomness import seeded

NAME = "lora"
PACKED = "in_proj_weight"
TARGETS_KEY = "systems: … settings: lora: targets"
# Kinds of layers, which targets may name.
KINDS: dict[str, type[nn.Module]] = {
    "linear": nn.Linear,
    "embedding": nn.Embedding,
    "convolution": nn.Conv2d,
}
# Of timm: with a forward pass of their own, which is linear in the weight that they hold.
AS_GOOD = {"timm.layers.linear.Linear", "timm.layers.conv2d_same.Conv2dSame"}
# What the weight of a layer does that cannot be adapted.
UNCALLED = "is used without a call of the layer, or not at all: an adapter would learn nothing"
CHANGED = "is changed before it is used: an adapter could not be merged into it"
IN_GROUPS = "works in groups: an adapter could not be merged into it"


@dataclass(frozen=True)
class _Layers:
    """What of a module can be adapted.

    Attributes:
        possible: Names of layers.
        packed: Names of packed projections of PyTorch's attention.
        obstacles: Why other layers of the kinds cannot, by name.
    """

    possible: list[str]
    packed: list[str]
    obstacles: dict[str, str]


def adapt_layers(
    module: nn.Module,
    lora: Mapping[str, Any],
    seed: int,
    *,
    encode: Callable[[], object],
    kinds: Sequence[str] = tuple(KINDS),
    who: str = "the backbone",
) -> LoraModel:
    """Freeze a module and put trainable adapters into it, in place.

    A layer that is never called, because the network reads its weight (as Swin and BEiT do for
    queries, keys and values), gets none: the adapter would learn nothing. Nor does one that
    computes with another weight than it holds, such as a standardised one: merging would be wrong.

    Args:
        module: On the CPU.
        lora: ``rank``; ``alpha``; ``dropout``, the share of an adapter's inputs that is dropped in
            training; ``targets``, ends of the names of layers; ``in_proj_weight``, the query, key
            and value projections of PyTorch's attention; or names of :data:`KINDS`, each for all
            layers of the kind that can be adapted (those of PyTorch's attention are linear).
        seed: Of the adapters' first factors.
        encode: Makes the module do once, on whatever input, what it does in training. It is how
            layers are found that are never called.
        kinds: The kinds of layers that may be adapted, keys of :data:`KINDS`.
        who: What the module is, for errors.

    Raises:
        PairDxError: The module has no such layer, or one of them cannot be adapted.
    """
    layers, packed = _targets(module, lora["targets"], kinds, who, _called(module, encode))
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
        # A pattern, which fits whole names: of a list, ends of names fit as well.
        target_modules="|".join(map(re.escape, layers)) if layers else [],
        target_parameters=packed,
    )
    with seeded(torch.device("cpu"), "adapters", seed):
        return LoraModel(module, config, NAME)


def merge_adapters(adapted: LoraModel) -> nn.Module:
    """Add the adapters to the weights and remove them; return the ordinary module that remains."""
    module: nn.Module = adapted.merge_and_unload()
    module.requires_grad_(requires_grad=True)
    return module


def _targets(
    module: nn.Module, targets: Sequence[str], kinds: Sequence[str], who: str, called: set[str]
) -> tuple[list[str], list[str]]:
    """Return the names of layers, and of packed projections, that targets name.

    A kind of which there is no layer is passed over, so that one list is good for any module.
    """
    found = _examined(module, kinds, called)
    layers: dict[str, None] = {}
    packed: dict[str, None] = {}
    missing: list[str] = []
    for target in targets:
        if target in kinds:
            own = [name for name in found.possible if isinstance(_at(module, name), KINDS[target])]
            own_packed = found.packed if target == "linear" else []
            _tell_of_others(module, target, found)
        else:
            own = [name for name, _ in module.named_modules() if _ends(name, target)]
            own_packed = [name for name in found.packed if _ends(name, target)]
            missing += [] if own or own_packed else [target]
        for name in own:
            _require_adaptable(module, name, kinds, found)
        layers |= dict.fromkeys(own)
        packed |= dict.fromkeys(own_packed)
    if missing or not (layers or packed):
        raise PairDxError(
            f"{who} has {'a' if who.startswith('neither') else 'no'} layer "
            f"{(missing or list(targets))[0]!r}{'' if missing else ' that can be adapted'}",
            where=TARGETS_KEY,
            remedy=f"these can be adapted: {_short_names([*found.possible, *found.packed])}",
        )
    return list(layers), list(packed)


@torch.no_grad()
def _called(module: nn.Module, encode: Callable[[], object]) -> set[str]:
    """Return the names of the parts that are called when the module does its work."""
    called: set[str] = set()
    training = {part: part.training for part in module.modules()}
    hooks = [
        part.register_forward_pre_hook(lambda *_, name=name: called.add(name))
        for name, part in module.named_modules()
    ]
    try:
        # Neither statistics of batches nor random numbers shall move.
        module.eval()
        encode()
    finally:
        for hook in hooks:
            hook.remove()
        for part, mode in training.items():
            part.training = mode
    return called


def _examined(module: nn.Module, kinds: Sequence[str], called: set[str]) -> _Layers:
    allowed = tuple(KINDS[kind] for kind in kinds)
    possible: list[str] = []
    packed: list[str] = []
    obstacles: dict[str, str] = {}
    for name, part in module.named_modules():
        if isinstance(part, nn.MultiheadAttention) and part.in_proj_weight is not None:
            packed.append(f"{name}.{PACKED}" if name else PACKED)
        if isinstance(part, allowed):
            obstacle = _obstacle(module, name, part, called)
            if obstacle is None:
                possible.append(name)
            else:
                obstacles[name] = obstacle
    return _Layers(possible, packed, obstacles)


def _obstacle(module: nn.Module, name: str, part: nn.Module, called: set[str]) -> str | None:
    """Say why a layer of one of the kinds cannot be adapted; None: it can."""
    if name not in called or _inside_attention(module, name):
        return UNCALLED
    if isinstance(part, nn.Conv2d) and part.groups > 1:
        return IN_GROUPS
    return None if _is_plain(part) else CHANGED


def _is_plain(part: nn.Module) -> bool:
    """Whether a layer does with its own weight, as it is held, what its kind does."""
    own = type(part)
    kind = next(kind for kind in KINDS.values() if isinstance(part, kind))
    # A convolution has its work done by another method.
    steps = ("forward", "_conv_forward")
    same = all(getattr(own, step, None) is getattr(kind, step, None) for step in steps)
    same = same or f"{own.__module__}.{own.__qualname__}" in AS_GOOD
    # Normalised by PyTorch's own means, it is made of other parameters.
    return same and "weight" in dict(part.named_parameters(recurse=False))


def _tell_of_others(module: nn.Module, kind: str, found: _Layers) -> None:
    """Say in the log which layers of a kind are passed over, those of PyTorch's attention aside."""
    by_reason: dict[str, list[str]] = {}
    for name, reason in found.obstacles.items():
        if isinstance(_at(module, name), KINDS[kind]) and not _inside_attention(module, name):
            by_reason.setdefault(reason, []).append(name)
    for reason, names in by_reason.items():
        logger.warning(
            "%d %s layer(s) get no adapter, such as %s: the weight of each %s",
            *(len(names), kind, names[0], reason),
        )


def _require_adaptable(module: nn.Module, name: str, kinds: Sequence[str], found: _Layers) -> None:
    if name in found.possible:
        return
    what = type(_at(module, name)).__name__
    if (reason := found.obstacles.get(name)) is None:
        problem = f"{name} is a {what}, and adapters are for {', '.join(kinds)} layers"
    else:
        problem = f"the weight of {name}, a {what}, {reason}"
    remedy = f"these can be adapted: {_short_names(found.possible)}"
    if _inside_attention(module, name):
        remedy = f"use {PACKED}, the projection of queries, keys and values"
    raise PairDxError(problem, where=TARGETS_KEY, remedy=remedy)


def _at(module: nn.Module, name: str) -> nn.Module:
    return module.get_submodule(name)


def _ends(name: str, target: str) -> bool:
    return name == target or name.endswith(f".{target}")


def _inside_attention(module: nn.Module, name: str) -> bool:
    """Whether PyTorch's attention reads the layer's weight without calling the layer."""
    return isinstance(_at(module, name.rpartition(".")[0]), nn.MultiheadAttention)


def _short_names(names: Sequence[str]) -> str:
    """Return names by their last two parts, each once."""
    return ", ".join(sorted({".".join(name.split(".")[-2:]) for name in names}))
