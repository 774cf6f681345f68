"""The networks as they are deployed: exported to ONNX and run by ONNX Runtime on the CPU.

Not in the paper, which timed PyTorch. An exported network reads uint8 images and word numbers and
gives probabilities; all in between, conversion to float included, is part of the exported graph.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from pairdx.errors import PairDxError
from pairdx.logs import logger
from pairdx.models.base import Classifier
from pairdx.training.batches import as_float_images

RUNTIME = "ONNX Runtime"
# How far probabilities may be from PyTorch's; both compute in float32, in another order.
TOLERANCE = 1e-4
# Two best classes nearer to each other than this are a tie, which either may win.
TIE = 1e-5
_AT_ONCE = 32  # pairs, when both are compared


class ExportedClassifier:
    """A classifier whose network runs in ONNX Runtime (see :class:`pairdx.models.base.Classifier`).

    Args:
        classifier: The system, whose tokeniser is used as it is.
        session: The onnxruntime session of its exported network.
    """

    def __init__(self, classifier: Classifier, session: Any) -> None:
        self._classifier, self._session = classifier, session
        self._inputs = [one.name for one in session.get_inputs()]

    def tokenise(self, captions: Sequence[str]) -> Any:
        """Turn B captions into what ``probabilities`` reads: the work of the system itself."""
        return self._classifier.tokenise(captions)

    def probabilities(self, images: np.ndarray, tokens: np.ndarray | None) -> np.ndarray:
        """Classify uint8 images (B, S, S, 3) with word numbers (B, L): float32 (B, C)."""
        given = {"images": images, "ids": tokens}
        found: np.ndarray = self._session.run(None, {name: given[name] for name in self._inputs})[0]
        return found


class _Fusion(nn.Module):
    """PairDxFusion from what its branches read to probabilities."""

    def __init__(self, classifier: Any) -> None:
        super().__init__()
        self.network = classifier.network
        self.channels_last = classifier.settings["channels_last"]

    @property
    def reads(self) -> tuple[str, ...]:
        """Names of the inputs: ``images``, ``ids`` or both."""
        branches = {"images": self.network.images, "ids": self.network.captions}
        return tuple(name for name, encoder in branches.items() if encoder is not None)

    def forward(self, *inputs: Tensor) -> Tensor:
        """Classify, with the inputs in the order of ``reads``: float32 (B, C)."""
        given = dict(zip(self.reads, inputs, strict=True))
        images = ids = torch.empty(0)
        if "images" in given:
            images = as_float_images(given["images"], channels_last=self.channels_last)
        if "ids" in given:
            ids = given["ids"]
        scores: Tensor = self.network(images, ids)
        return scores.float().softmax(dim=1)


class _Clip(nn.Module):
    """A CLIP system from images to probabilities; the features of its classes are constants."""

    reads = ("images",)
    classes: Tensor

    def __init__(self, classifier: Any) -> None:
        super().__init__()
        self.network = classifier.network
        self.channels_last = classifier.settings.get("channels_last", False)
        temperature = classifier.settings["temperature"]
        with torch.no_grad():
            scale = self.network.scale() if temperature is None else 1 / temperature
            self.register_buffer("classes", scale * classifier.class_features().clone())

    def forward(self, images: Tensor) -> Tensor:
        """Classify uint8 images (B, S, S, 3): float32 (B, C)."""
        floats = as_float_images(images, channels_last=self.channels_last)
        return (self.network.image_features(floats) @ self.classes.T).softmax(dim=1)


# By family. Others have no network of their own from image and caption to probabilities.
GRAPHS = {"fusion": _Fusion, "clip": _Clip}


def export_classifier(
    classifier: Classifier,
    family: str,
    *,
    images: np.ndarray,
    captions: Sequence[str],
    threads: int,
) -> ExportedClassifier | None:
    """Export a classifier's network to ONNX, in memory, for batches of any size.

    Before the exported network is handed out, it classifies real pairs, and so does the classifier:
    probabilities and decisions must be the same.

    Args:
        classifier: A system of one of the families in :data:`GRAPHS`, on the CPU.
        family: Its family.
        images: uint8 of shape (N, S, S, 3), of the N pairs to compare both on; at least one.
        captions: Their N captions.
        threads: Threads that ONNX Runtime may use.

    Returns:
        The exported system; None, with the reason in the log, if the export fails or its
        answers are not the classifier's.

    Raises:
        PairDxError: Systems of this family have no exported network.
    """
    if family not in GRAPHS:
        raise PairDxError(f"systems of the family {family!r} have no network to export to ONNX")
    starts = range(0, len(images), _AT_ONCE)
    batches = [
        (images[start : start + _AT_ONCE], classifier.tokenise(captions[start : start + _AT_ONCE]))
        for start in starts
    ]
    try:
        graph = GRAPHS[family](classifier).eval()
        exported = ExportedClassifier(classifier, _session(graph, *batches[0], threads))
        found = np.concatenate([exported.probabilities(*batch) for batch in batches])
    # The exporter and the runtime raise errors of many kinds, and no timing job should end by them.
    except Exception as error:
        logger.warning("no times of %s, because the export fails: %s", RUNTIME, error)
        return None
    expected = np.concatenate([classifier.probabilities(*batch) for batch in batches])
    if difference := disagreement(expected, found):
        logger.warning("no times of %s: %s", RUNTIME, difference)
        return None
    logger.info("%s gives all %d pairs the classes that PyTorch gives them", RUNTIME, len(found))
    return exported


def disagreement(expected: np.ndarray, found: np.ndarray) -> str:
    """Say how probabilities differ from the classifier's own; "" if they do not beyond rounding.

    Args:
        expected: The classifier's, float32 (N, C).
        found: Those of its exported network, float32 (N, C).
    """
    largest = float(np.abs(found - expected).max())
    if not largest <= TOLERANCE:
        return f"its probabilities differ from PyTorch's by up to {largest:.2g}"
    ordered = np.sort(expected, axis=1)
    decided = ordered[:, -1] - ordered[:, -2] > TIE
    other = decided & (found.argmax(axis=1) != expected.argmax(axis=1))
    return f"it gives {other.sum()} of {len(other)} pairs another class" if other.any() else ""


def _session(graph: Any, images: np.ndarray, tokens: np.ndarray | None, threads: int) -> Any:
    """Export the graph by the first two pairs and open a session of ONNX Runtime on it."""
    # The exporter takes seconds to load, which jobs without it do without.
    import onnxruntime  # type: ignore[import-untyped]

    given: dict[str, Any] = {"images": images, "ids": tokens}
    # One example alone would fix the batch size at 1.
    rows = [0, min(1, len(images) - 1)]
    examples = tuple(torch.from_numpy(given[name][rows]) for name in graph.reads)
    batch = torch.export.Dim("batch", min=1)
    shapes: Any = tuple({0: batch} for _ in examples)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # of the exporter's own insides
        program: Any = torch.onnx.export(
            graph,
            examples,
            input_names=list(graph.reads),
            output_names=["probabilities"],
            # The inputs of a function with *inputs are one argument.
            dynamic_shapes=shapes if isinstance(graph, _Clip) else (shapes,),
            dynamo=True,
            verbose=False,
        )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    return onnxruntime.InferenceSession(
        program.model_proto.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
