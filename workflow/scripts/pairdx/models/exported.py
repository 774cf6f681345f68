"""The networks as they are deployed: exported to ONNX and run by ONNX Runtime on the CPU.

Timing and deployment both export and compare by what is here; where an export fails, the one logs
why there is no such row, the other fails.

Not in the paper, which timed PyTorch. An exported network reads uint8 images and word numbers and
gives probabilities; all in between, conversion to float included, is part of the exported graph.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pairdx.errors import PairDxError
from pairdx.logs import logger
from pairdx.models.base import Classifier
from pairdx.onnx_runtime import import_onnxruntime
from pairdx.plan.descriptions import families

RUNTIME = "ONNX Runtime"
# How far probabilities may be from PyTorch's; both compute in float32, in another order.
TOLERANCE = 1e-4
# Two best classes nearer to each other than this are a tie, which either may win.
TIE = 1e-5
AT_ONCE = 32  # pairs, when both are compared


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
    require_exported(family)
    try:
        tokens = classifier.tokenise(captions[:2])
        session = _session(graph(family, classifier), images[:2], tokens, threads)
        exported = ExportedClassifier(classifier, session)
        expected, found = both_answers(classifier, exported, images, captions)
    # The exporter and the runtime raise errors of many kinds, and no timing job should end by them.
    except Exception as error:
        logger.warning("no times of %s, because the export fails: %s", RUNTIME, error)
        return None
    if said := difference(expected, found).problem(least_agreement=1.0):
        logger.warning("no times of %s: %s", RUNTIME, said)
        return None
    logger.info("%s gives all %d pairs the classes that PyTorch gives them", RUNTIME, len(found))
    return exported


def require_exported(family: str) -> None:
    """Refuse a family without a network.

    Raises:
        PairDxError: Systems of this family have no exported network.
    """
    if not families()[family].EXPORTED:
        raise PairDxError(f"systems of the family {family!r} have no network to export to ONNX")


def both_answers(
    classifier: Classifier,
    exported: ExportedClassifier,
    images: np.ndarray,
    captions: Sequence[str],
    at_once: int = AT_ONCE,
) -> tuple[np.ndarray, np.ndarray]:
    """Classify N pairs by a system and by its exported network, batch by batch.

    Args:
        classifier: The system.
        exported: Its exported network.
        images: uint8 of shape (N, S, S, 3).
        captions: N captions.
        at_once: Pairs in a batch.

    Returns:
        The probabilities of each, (N, C): the system's as it gives them, the network's float32.
    """
    expected, found = [], []
    for start in range(0, len(captions), at_once):
        rows = slice(start, start + at_once)
        tokens = classifier.tokenise(captions[rows])
        expected.append(classifier.probabilities(images[rows], tokens))
        found.append(exported.probabilities(images[rows], tokens))
    return np.concatenate(expected), np.concatenate(found)


@dataclass(frozen=True)
class Difference:
    """How an exported network's answers to N pairs differ from the system's own.

    Attributes:
        pairs: N.
        largest: Of any probability; NaN where one is not a number.
        ties: Decisions so near that rounding may turn them; they are not looked at.
        agreement: Share of equal decisions among the others; 1 where there are none.
    """

    pairs: int
    largest: float
    ties: int
    agreement: float

    def problem(self, *, least_agreement: float) -> str:
        """Say what is wrong with the exported network; "" if nothing is beyond rounding."""
        if not self.largest <= TOLERANCE:
            return f"its probabilities differ from PyTorch's by up to {self.largest:.2g}"
        if self.agreement < least_agreement:
            return f"it decides {1 - self.agreement:.3%} of what is no tie otherwise than PyTorch"
        return ""


def difference(
    expected: np.ndarray, found: np.ndarray, thresholds: np.ndarray | None = None
) -> Difference:
    """Compare probabilities of N pairs with the system's own.

    Args:
        expected: The system's, (N, C).
        found: Those of its exported network, (N, C).
        thresholds: Where any number of classes can be true, from which probability on each is,
            float64 (C,), NaN where that is not decided: every class is a decision. None where the
            most probable class is the decision.
    """
    largest = float(np.abs(found - expected).max(initial=0.0))
    if thresholds is None:
        ordered = np.sort(expected, axis=1)
        tie = ordered[:, -1] - ordered[:, -2] <= TIE
        same = found.argmax(axis=1) == expected.argmax(axis=1)
    else:
        decided = ~np.isnan(thresholds)
        tie = np.abs(expected - thresholds)[:, decided] <= TIE
        same = ((found >= thresholds) == (expected >= thresholds))[:, decided]
    return Difference(len(found), largest, int(tie.sum()), _share(same[~tie]))


def _share(same: np.ndarray) -> float:
    return float(same.mean()) if same.size else 1.0


def exported_program(
    network: Any, images: np.ndarray, tokens: np.ndarray | None
) -> torch.onnx.ONNXProgram:
    """Export a network for batches of any size.

    Args:
        network: What :func:`graph` returned.
        images: uint8 of shape (N, S, S, 3), of which the exporter sees the first two.
        tokens: int64 of shape (N, L), theirs; None where no captions are read.

    Returns:
        The program; nothing in it is of the machine that it was made on. Inputs and output are
        called ``images``, ``ids`` and ``probabilities``.
    """
    given: dict[str, Any] = {"images": images, "ids": tokens}
    # One example alone would fix the batch size at 1.
    rows = [0, min(1, len(images) - 1)]
    examples = tuple(torch.from_numpy(given[name][rows]) for name in network.reads)
    batch = torch.export.Dim("batch", min=1)
    shapes: Any = tuple({0: batch} for _ in examples)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # of the exporter's own insides
        program = torch.onnx.export(
            network,
            examples,
            input_names=list(network.reads),
            output_names=["probabilities"],
            # The inputs of a function with *inputs are one argument.
            dynamic_shapes=(shapes,),
            dynamo=True,
            verbose=False,
        )
    if program is None:  # as the old exporter returns it
        raise PairDxError("PyTorch's exporter returned no program")
    _forget_where_it_was_made(program.model)
    return program


def _forget_where_it_was_made(model: Any) -> None:
    """Take the exporter's notes out of an ONNX model: lines of code with the paths of this machine.

    What is left is a function of the network: exported again, it is the same bytes.
    """
    parts = [model, model.graph, *model.graph.inputs, *model.graph.initializers.values()]
    for node in model.graph.all_nodes():
        parts += [node, *node.outputs]
    for part in parts:
        part.metadata_props.clear()
        part.doc_string = None


def open_session(model: bytes | Path, threads: int) -> Any:
    """Open a session of ONNX Runtime on the CPU.

    Args:
        model: The exported network, or its file.
        threads: Threads that it may use.
    """
    onnxruntime = import_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    given = model if isinstance(model, bytes) else str(model)
    return onnxruntime.InferenceSession(given, options, providers=["CPUExecutionProvider"])


def _session(network: Any, images: np.ndarray, tokens: np.ndarray | None, threads: int) -> Any:
    """Export a network in memory, by the first two pairs, and open a session on it."""
    program = exported_program(network, images, tokens)
    return open_session(program.model_proto.SerializeToString(), threads)
