"""Deployed folders with a graph of a few nodes, written by hand: what uses them needs no torch."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

CLASSES = (("ct", "CT scan"), ("mri", "MRI"), ("=x,y", "X & <Y>"))
WORDS = ("ct", "mri", "scan", "axial", "brain")
TOKENS = 6


def write_deployed(
    folder: Path,
    *,
    reads: Sequence[str] = ("image",),
    task: str = "single_label",
    classes: Sequence[tuple[str, str]] = CLASSES,
    size: int = 8,
    temperature: float | None = 1.5,
    threshold: float | None = 0.4,
    thresholds: Sequence[float | None] | None = None,
    squaring: str = "crop",
) -> Path:
    """Write a deployed folder whose graph looks at an image's mean colour and a caption's words."""
    folder.mkdir(parents=True)
    several = task == "multi_label"
    onnx.save(graph(reads, len(classes), size, several=several), folder / "model.onnx")
    image = {"size": size, "squaring": squaring} if "image" in reads else None
    text = {"tokeniser": "words", "tokens": TOKENS, "vocabulary": "vocabulary.json"}
    labels = [label for label, _ in classes]
    chosen = dict(zip(labels, thresholds or [0.5] * len(labels), strict=True))
    facts = {
        "format": 1,
        "system": "tiny",
        "title": "Tiny",
        "family": "fusion",
        "stand_in": True,
        "dataset": "drawn",
        "dataset_title": "Drawn",
        "split": "grouped",
        "seed": 1,
        "task": task,
        "classes": [list(one) for one in classes],
        "reads": list(reads),
        "image": image,
        "text": text if "caption" in reads else None,
        "temperature": None if several else temperature,
        "threshold": None if several else threshold,
        "risk": None if several else 0.05,
        "coverage": None if several else 0.8,
        "thresholds": chosen if several else None,
        "validation_pairs": 50,
        "versions": {"onnx opset": 18, "pairdx code": "0" * 20},
    }
    _write(folder / "deployment.json", facts)
    if "caption" in reads:
        _write(folder / "vocabulary.json", {"words": list(WORDS)})
    (folder / "README.md").write_text("# Tiny\n\nA *card*.\n", encoding="utf-8")
    seal(folder)
    return folder


def seal(folder: Path) -> None:
    """Write the list of checksums of what lies in a folder."""
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder)}\n"
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "SHA256SUMS"
    ]
    (folder / "SHA256SUMS").write_text("".join(lines), encoding="utf-8")


def graph(
    reads: Sequence[str], classes: int, size: int, *, several: bool = False
) -> onnx.ModelProto:
    """Make a network: scores are linear in the mean colour and in the share of each word."""
    generator = np.random.default_rng(7)
    inputs, nodes, constants, scores = [], [], [], []
    if "image" in reads:
        inputs.append(
            helper.make_tensor_value_info("images", TensorProto.UINT8, ["b", size, size, 3])
        )
        constants += [
            numpy_helper.from_array(np.array([1, 2], dtype=np.int64), "sides"),
            numpy_helper.from_array(np.array([1 / 32], dtype=np.float32), "scale"),
            _weights(generator, (3, classes), "of_colours"),
        ]
        nodes += [
            helper.make_node("Cast", ["images"], ["levels"], to=TensorProto.FLOAT),
            helper.make_node("Mul", ["levels", "scale"], ["scaled"]),
            helper.make_node("ReduceMean", ["scaled", "sides"], ["colour"], keepdims=0),
            helper.make_node("MatMul", ["colour", "of_colours"], ["by_image"]),
        ]
        scores.append("by_image")
    if "caption" in reads:
        inputs.append(helper.make_tensor_value_info("ids", TensorProto.INT64, ["b", TOKENS]))
        constants += [
            numpy_helper.from_array(np.array([1], dtype=np.int64), "along"),
            _weights(generator, (len(WORDS) + 2, classes), "of_words"),
        ]
        nodes += [
            helper.make_node("Gather", ["of_words", "ids"], ["each"]),
            helper.make_node("ReduceMean", ["each", "along"], ["by_text"], keepdims=0),
        ]
        scores.append("by_text")
    nodes.append(helper.make_node("Sum", scores, ["scores"]))
    last: dict[str, Any] = {} if several else {"axis": 1}
    kind = "Sigmoid" if several else "Softmax"
    nodes.append(helper.make_node(kind, ["scores"], ["probabilities"], **last))
    output = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["b", classes])
    made = helper.make_graph(nodes, "tiny", inputs, [output], constants)
    opset = [helper.make_opsetid("", 18)]
    return helper.make_model(made, opset_imports=opset, ir_version=10)


def _weights(generator: np.random.Generator, shape: tuple[int, int], name: str) -> onnx.TensorProto:
    drawn = generator.standard_normal(shape).astype(np.float32)
    return numpy_helper.from_array(drawn, name)


def _write(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
