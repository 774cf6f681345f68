"""Image encoders by name: of timm, of torchvision, or the image tower of an open_clip model.

They come without their classifier, with random weights or those of a local file, never from the
network. What a saved system has to know of one is its :class:`Facts`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from pairdx.errors import PairDxError
from pairdx.models.weights import load_strictly, read_weights
from pairdx.plan.wording import similar
from pairdx.training.randomness import seeded

KEY = "systems: … settings: backbone"
# Arguments that would fetch or load weights, or build a classifier.
REFUSED = ("pretrained", "weights", "checkpoint_path", "num_classes", "cache_dir", "scriptable")
# Where the networks of torchvision have their classifier.
HEADS = ("fc", "heads", "classifier", "head")
# Patches of 7, 8, 14, 16, 28 and 32 pixels fill it.
SIDE_WHERE_ANY_WILL_DO = 224
# Of an open_clip model configuration, what concerns its image encoder.
OF_A_TOWER = ("embed_dim", "vision_cfg", "quick_gelu")


@dataclass(frozen=True)
class Facts:
    """What a saved system has to know of its backbone, as JSON keeps it.

    Attributes:
        dimension: Length D of its features.
        side: Side in pixels of the images that it reads; None for a network that reads any.
        mean: Of each colour channel of the images that it was trained on.
        std: Standard deviation, likewise.
        architecture: The open_clip model configuration of an image tower; None of other libraries.
    """

    dimension: int
    side: int | None
    mean: Sequence[float]
    std: Sequence[float]
    architecture: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Backbone:
    """An image encoder: float images (B, 3, S, S), normalised, to features (B, D)."""

    network: nn.Module
    facts: Facts


@dataclass(frozen=True)
class _Made:
    """A network as its library makes it, without its classifier.

    Attributes:
        network: It gives features.
        heads: What the names of its classifier's weights begin with.
        side: As in :class:`Facts`.
        made_for: Side in pixels of the images that its library gives it.
        mean: As in :class:`Facts`.
        std: Likewise.
    """

    network: nn.Module
    heads: tuple[str, ...]
    side: int | None
    made_for: int
    mean: Sequence[float]
    std: Sequence[float]


def build_backbone(settings: Mapping[str, Any], weights: Path | None, seed: int) -> Backbone:
    """Build an image encoder.

    Args:
        settings: ``library``: timm, torchvision or open_clip; ``name`` of the network; further
            ``arguments`` of the library; of open_clip ``encoder``, an entry of feature_extractors
            with ``squaring``.
        weights: A state dict in the library's own names, with or without a classifier of whatever
            classes; a model folder or state dict of open_clip. None leaves the weights random.
        seed: Of random weights.

    Raises:
        PairDxError: There is no such network or argument, or the weights are another's.
    """
    if settings["library"] == "open_clip":
        return _tower(settings["encoder"], weights, seed)
    made = _make(settings, seed)
    if weights is not None:
        _load(made, weights)
    facts = Facts(_dimension(made, settings["name"]), made.side, made.mean, made.std)
    return Backbone(made.network, facts)


def rebuild_backbone(settings: Mapping[str, Any], facts: Facts) -> Backbone:
    """Build the network of a saved system, whose weights are loaded afterwards.

    Args:
        settings: As for :func:`build_backbone`.
        facts: What was saved of it.

    Raises:
        PairDxError: The library no longer has it.
    """
    if settings["library"] == "open_clip":
        from pairdx.models.clip.loading import image_tower

        return Backbone(image_tower(facts.architecture or {}), facts)
    return Backbone(_make(settings, 0).network, facts)


def facts_of(backbone: Backbone) -> dict[str, Any]:
    """Return its facts as JSON keeps them."""
    return asdict(backbone.facts)


def _make(settings: Mapping[str, Any], seed: int) -> _Made:
    makers = {"timm": _of_timm, "torchvision": _of_torchvision}
    arguments = settings["arguments"]
    if refused := sorted(set(REFUSED) & set(arguments)):
        raise PairDxError(
            f"the argument {refused[0]} is not for settings: weights are named by `weights`, and "
            "there is no classifier",
            where=f"{KEY}: arguments",
            remedy=f"leave {refused[0]} out",
        )
    with seeded(torch.device("cpu"), "backbone", seed):
        made = makers[settings["library"]](settings["name"], arguments)
    made.network.eval()
    return made


def _of_timm(name: str, arguments: Mapping[str, Any]) -> _Made:
    import timm

    _require_known("timm", name, name.split(".")[0], timm.list_models())
    asked = _asked_side(arguments.get("img_size"))
    network = _built("timm", name, lambda: timm.create_model(name, num_classes=0, **arguments))
    data = timm.data.resolve_model_data_config(network)
    config: Mapping[str, Any] = network.pretrained_cfg
    heads = config.get("classifier") or ()
    side = asked or int(data["input_size"][-1])
    fixed = config.get("fixed_input_size") and not arguments.get("dynamic_img_size")
    return _Made(
        network,
        (heads,) if isinstance(heads, str) else tuple(heads),
        side if fixed else None,
        side,
        data["mean"],
        data["std"],
    )


def _asked_side(asked: Any) -> int | None:
    """Return the side that img_size states: a number, or two equal ones; None for none."""
    sides = set(asked if isinstance(asked, list | tuple) else [asked])
    side = sides.pop() if len(sides) == 1 else False
    if side is None or (isinstance(side, int) and side > 0):
        return side
    raise PairDxError(
        f"images are square, and img_size is {asked!r}",
        where=f"{KEY}: arguments: img_size",
        remedy="state one whole number, the side in pixels",
    )


def _of_torchvision(name: str, arguments: Mapping[str, Any]) -> _Made:
    from torchvision import models

    _require_known("torchvision", name, name, models.list_models(module=models))
    network = _built("torchvision", name, lambda: models.get_model(name, weights=None, **arguments))
    head = _without_classifier(network, name)
    # What its own weights were trained on; nothing is fetched.
    images: Any = models.get_model_weights(name)["DEFAULT"].transforms()
    side, (made_for,) = getattr(network, "image_size", None), images.crop_size
    return _Made(network, (head,), side, made_for, images.mean, images.std)


def _built(library: str, name: str, make: Callable[[], nn.Module]) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of how weights are initialised in later versions
            return make()
    # What a library says of arguments that its networks do not take is of every kind.
    except (TypeError, ValueError, RuntimeError, AssertionError, KeyError) as error:
        raise PairDxError(
            f"{library} cannot build {name}: {error}",
            where=f"{KEY}: arguments",
            remedy=f"give arguments that {library} takes for this network",
        ) from error


def _require_known(library: str, name: str, plain: str, known: Iterable[str]) -> None:
    names = list(known)
    if plain not in names:
        raise PairDxError(
            f"{library} has no network {name!r}{similar(plain, names)}",
            where=f"{KEY}: name",
            remedy=f"use one of the {len(names)} names that {library}'s list_models() gives",
        )


def _without_classifier(network: nn.Module, name: str) -> str:
    """Take the last linear layer off a network of torchvision; return its name.

    Raises:
        PairDxError: Its classifier has none, or it has several classifiers.
    """
    found = next((head for head in HEADS if hasattr(network, head)), None)
    part = getattr(network, found) if found else None
    if found and isinstance(part, nn.Sequential):
        inner = [key for key, layer in part.named_children() if isinstance(layer, nn.Linear)]
        if inner and inner[-1] == list(dict(part.named_children()))[-1]:
            setattr(part, inner[-1], nn.Identity())
            return f"{found}.{inner[-1]}"
    elif found and isinstance(part, nn.Linear) and not getattr(network, "aux_logits", False):
        setattr(network, found, nn.Identity())
        return found
    raise PairDxError(
        f"the classifier of torchvision's {name} is not one linear layer at its end",
        where=f"{KEY}: name",
        remedy="use another network; of those with auxiliary classifiers, state the argument "
        "aux_logits: false",
    )


def _load(made: _Made, path: Path) -> None:
    """Load weights whose names and shapes are the network's own; a classifier's do not count.

    Raises:
        PairDxError: They are another network's, damaged or hold code.
    """
    if path.is_dir():
        raise PairDxError(
            "this folder is one of open_clip; a state dict is needed",
            where=path,
            remedy="name a single file in downloads: weights, or library: open_clip",
        )
    own = made.network.state_dict()
    kept = {
        name: tensor
        for name, tensor in read_weights(path).items()
        if name in own or not any(name.startswith(f"{head}.") for head in made.heads)
    }
    load_strictly(made.network, kept, path)


@torch.no_grad()
def _dimension(made: _Made, name: str) -> int:
    """Find how long the features are: the network encodes one empty image."""
    found: Any = None
    sides = [made.side] if made.side else [SIDE_WHERE_ANY_WILL_DO, made.made_for]
    for side in sides:
        try:
            found = made.network(torch.zeros(1, 3, side, side))
            break
        # A side that patches or windows do not fill is found by an assertion in timm.
        except (RuntimeError, AssertionError, ValueError) as error:
            if side == sides[-1]:
                raise PairDxError(
                    f"{name} does not read an image of {side} pixels: {error}",
                    where=KEY,
                    remedy="use a network that reads images of three colours, and arguments that "
                    "go with their size",
                ) from error
    if not isinstance(found, Tensor) or found.ndim != 2:
        raise PairDxError(
            f"{name} does not give one row of features for each image",
            where=KEY,
            remedy="use a network for classification; arguments of pooling decide it in timm",
        )
    return found.shape[1]


def _tower(encoder: Mapping[str, Any], weights: Path | None, seed: int) -> Backbone:
    """Take the image tower of an open_clip model."""
    # Only here: open_clip takes seconds to load, which systems of other libraries do without.
    from pairdx.models.clip.loading import build_clip
    from pairdx.models.clip.weights import load_clip_weights
    from pairdx.models.sources import weights_file

    folder = weights if weights is not None and weights.is_dir() else None
    parts = build_clip(encoder, folder, seed)
    if weights is not None:
        load_clip_weights(parts, weights_file(weights))
    clip: Any = parts.clip
    with torch.no_grad():
        features = clip.visual(torch.zeros(1, 3, parts.image_size, parts.image_size))
    described = {key: parts.architecture[key] for key in OF_A_TOWER if key in parts.architecture}
    return Backbone(
        clip.visual,
        Facts(features.shape[1], parts.image_size, list(parts.mean), list(parts.std), described),
    )
