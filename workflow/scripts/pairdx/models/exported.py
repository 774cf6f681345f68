"""The networks as they are deployed: exported to ONNX and run by ONNX Runtime on the CPU.

Not in the paper, which timed PyTorch. An exported network reads uint8 images and word numbers and
gives probabilities; all in between, conversion to float included, is part of the exported graph.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from pairdx.errors import PairDxError
from pairdx.logs import logger
from pairdx.models.base import Classifier
from pairdx.plan.descriptions import families

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


def graph(family: str, classifier: Any) -> Any:
    """Return the network of a system of one family as it is exported, from its module ``graph``.

    Its ``reads`` names its inputs in order, of ``images`` (uint8) and ``ids``; it gives
    probabilities.
    """
    return importlib.import_module(f"pairdx.models.{family}.graph").Graph(classifier).eval()


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
        classifier: A system, on the CPU.
        family: Its family, one whose description says that it is exported.
        images: uint8 of shape (N, S, S, 3), of the N pairs to compare both on; at least one.
        captions: Their N captions.
        threads: Threads that ONNX Runtime may use.

    Returns:
        The exported system; None, with the reason in the log, if the export fails or its
        answers are not the classifier's.

    Raises:
        PairDxError: Systems of this family have no exported network.
    """
    if not families()[family].EXPORTED:
        raise PairDxError(f"systems of the family {family!r} have no network to export to ONNX")
    starts = range(0, len(images), _AT_ONCE)
    batches = [
        (images[start : start + _AT_ONCE], classifier.tokenise(captions[start : start + _AT_ONCE]))
        for start in starts
    ]
    try:
        session = _session(graph(family, classifier), *batches[0], threads)
        exported = ExportedClassifier(classifier, session)
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


def _session(network: Any, images: np.ndarray, tokens: np.ndarray | None, threads: int) -> Any:
    """Export a network by the first two pairs and open a session of ONNX Runtime on it."""
    # The exporter takes seconds to load, which jobs without it do without.
    import onnxruntime  # type: ignore[import-untyped]

    given: dict[str, Any] = {"images": images, "ids": tokens}
    # One example alone would fix the batch size at 1.
    rows = [0, min(1, len(images) - 1)]
    examples = tuple(torch.from_numpy(given[name][rows]) for name in network.reads)
    batch = torch.export.Dim("batch", min=1)
    shapes: Any = tuple({0: batch} for _ in examples)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # of the exporter's own insides
        program: Any = torch.onnx.export(
            network,
            examples,
            input_names=list(network.reads),
            output_names=["probabilities"],
            # The inputs of a function with *inputs are one argument.
            dynamic_shapes=(shapes,),
            dynamo=True,
            verbose=False,
        )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    return onnxruntime.InferenceSession(
        program.model_proto.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
