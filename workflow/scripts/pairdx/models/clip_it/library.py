"""An image classifier as timm or torchvision loads it (:mod:`pairdx.models.library_weights`).

With a plain head, backbone and classifier are such a library's own network, which is built, given
the weights and compared. With a text branch, or where the library would build another network
around it, the backbone is written alone.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from pairdx.files import write_json
from pairdx.models.library_weights import (
    FEATURES,
    FOLDER,
    PROBABILITIES,
    WEIGHTS,
    LibraryWeights,
    arguments_text,
    normalised_lines,
    resized_lines,
    result_lines,
    square_lines,
)
from pairdx.models.weights import save_weights

# How far the outputs of the library's own network may be from ours: the same sums.
TOLERANCE = 1e-4
CROP_MODES = {"crop": "center", "squash": "squash", "pad": "border"}
ALONE = (
    "The image encoder alone, which gives features of an image and no class. What follows it is no "
    "network of {library}, and lies in model.onnx."
)
WHOLE = (
    "All of it: the image encoder and its classifier, whose outputs are in the order of classes."
)


@dataclass(frozen=True)
class _Own:
    """A network as its library builds it, with our weights.

    Attributes:
        network: The network.
        head: Name of its last linear layer.
        whole: Whether that layer is there, and is our classifier.
    """

    network: nn.Module
    head: str
    whole: bool


def write(classifier: Any, folder: Path, image: Mapping[str, Any]) -> LibraryWeights | None:
    """Write the classifier, or its backbone alone; nothing of a backbone of open_clip.

    Args:
        classifier: A :class:`pairdx.models.clip_it.system.ClipItClassifier`.
        folder: Where; it is there.
        image: ``size`` and ``squaring`` of the images that it reads.
    """
    library = classifier.settings["backbone"]["library"]
    if library not in ("timm", "torchvision"):
        return None
    own = _own(classifier, image["size"])
    save_weights(own.network, folder / Path(WEIGHTS).name)
    if library == "timm":
        write_json(folder / "config.json", _timm_config(own, classifier, image))
    facts, resize = classifier.facts, classifier.settings.get("resize_to")
    gives = PROBABILITIES if own.whole else FEATURES
    lines = [
        *(_of_timm() if library == "timm" else _of_torchvision(own, classifier)),
        "model.eval()",
        *square_lines(image),
        *normalised_lines(facts["mean"], facts["std"]),
        *resized_lines(resize if resize != image["size"] else None),
        *result_lines(gives),
    ]
    what = WHOLE if own.whole else ALONE.format(library=library)
    return LibraryWeights(library, what, "\n".join(lines) + "\n", gives)


def _built(chosen: Mapping[str, Any], classes: int) -> nn.Module:
    """Build the library's own network with random weights, and leave random numbers as they were.

    Args:
        chosen: The setting ``backbone``.
        classes: Outputs of its last layer.
    """
    with torch.random.fork_rng(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of how weights are initialised in later versions
        if chosen["library"] == "timm":
            import timm

            made: nn.Module = timm.create_model(
                chosen["name"], num_classes=classes, **chosen["arguments"]
            )
            return made.eval()
        from torchvision import models

        found: nn.Module = models.get_model(
            chosen["name"], weights=None, num_classes=classes, **chosen["arguments"]
        )
        return found.eval()


def _own(classifier: Any, size: int) -> _Own:
    """Give the library's network our weights, the classifier's if it then gives what ours gives.

    Args:
        classifier: The system.
        size: Side of the images, pixels.
    """
    network = classifier.network
    built = _built(classifier.settings["backbone"], len(classifier.classes))
    weights: dict[str, Tensor] = dict(network.backbone.state_dict())
    further = sorted(set(built.state_dict()) - set(weights))
    head = further[0].rpartition(".")[0] if further else ""
    alone = _Own(network.backbone, head, whole=False)
    plain = network.to_text is None and further == [f"{head}.bias", f"{head}.weight"]
    if not plain or set(weights) - set(built.state_dict()):
        return alone
    ours = network.classify.image.state_dict()
    weights |= {f"{head}.{name}": tensor for name, tensor in ours.items()}
    if any(built.state_dict()[name].shape != tensor.shape for name, tensor in weights.items()):
        return alone
    built.load_state_dict(weights)
    side = classifier.settings.get("resize_to") or size
    return _Own(built, head, whole=True) if _same(built, network, side) else alone


@torch.no_grad()
def _same(built: nn.Module, network: Any, side: int) -> bool:
    """Tell whether both give two made-up images, normalised, the same scores."""
    images = torch.linspace(-9, 9, 2 * 3 * side * side).view(2, 3, side, side).sin()
    expected = network.classify(network.backbone(images), None)
    largest = (built(images) - expected).abs().max()
    return bool(largest <= TOLERANCE * (1 + expected.abs().max()))


def _of_timm() -> list[str]:
    return [
        "import numpy as np",
        "import timm",
        "import torch",
        "from PIL import Image, ImageOps",
        "",
        f'model = timm.create_model("local-dir:{FOLDER}", pretrained=True)',
    ]


def _of_torchvision(own: _Own, classifier: Any) -> list[str]:
    chosen = classifier.settings["backbone"]
    given = f"num_classes={len(classifier.classes)}{arguments_text(chosen['arguments'])}"
    without = f'model.set_submodule("{own.head}", torch.nn.Identity())'
    return [
        "import numpy as np",
        "import torch",
        "from PIL import Image, ImageOps",
        "from safetensors.torch import load_file",
        "from torchvision import models",
        "",
        f'model = models.get_model("{chosen["name"]}", weights=None, {given})',
        *([] if own.whole else [without]),
        f'model.load_state_dict(load_file("{WEIGHTS}"))',
    ]


def _timm_config(own: _Own, classifier: Any, image: Mapping[str, Any]) -> dict[str, Any]:
    """Return timm's description of the network and of the images that it was trained on."""
    network, facts = own.network, classifier.facts
    side = classifier.settings.get("resize_to") or image["size"]
    own_config: Any = network.pretrained_cfg
    return {
        "architecture": own_config["architecture"],
        "num_classes": len(classifier.classes) if own.whole else 0,
        "num_features": facts["dimension"],
        **({"label_names": list(classifier.classes)} if own.whole else {}),
        "model_args": dict(classifier.settings["backbone"]["arguments"]),
        "pretrained_cfg": {
            "input_size": [3, side, side],
            "fixed_input_size": bool(own_config["fixed_input_size"]),
            "interpolation": "bicubic",
            "crop_pct": 1.0,
            "crop_mode": CROP_MODES[image["squaring"]],
            "mean": list(facts["mean"]),
            "std": list(facts["std"]),
            "first_conv": own_config["first_conv"],
            "classifier": own_config["classifier"],
        },
    }
