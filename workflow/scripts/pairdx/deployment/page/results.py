"""What is shown of every image: classes with probabilities, whether it is left open, or why not."""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from PIL import Image

from pairdx.deployment.answers import decide, found
from pairdx.deployment.folder import DeployedFolder
from pairdx.deployment.page.limits import Limits
from pairdx.deployment.page.uploads import Upload
from pairdx.deployment.session import Model
from pairdx.image_formats.foreign import Refusal

NO_CAPTION = "no caption; this system reads captions"
NO_MEMORY = "not enough memory to decode it"
NO_NUMBERS = "probabilities that are no numbers"
NO_WORD = "no word of the caption is known to this system"


@dataclass(frozen=True)
class Bar:
    """One class of one image.

    Attributes:
        label: Of the class.
        name: As it is shown.
        probability: 0 to 1.
        chosen: Whether it is the answer, or one of the findings.
        threshold: The probability from which a finding counts; None where there is none.
    """

    label: str
    name: str
    probability: float
    chosen: bool
    threshold: float | None = None


@dataclass(frozen=True)
class Result:
    """What came of one upload.

    Attributes:
        upload: What it is of.
        problem: Why there is no answer; empty where there is one.
        bars: Of every class, the most probable first; none where there is no answer.
        abstain: Whether it is left to a person.
        size: Width and height in pixels, upright; None where no image was read.
        seen: What the system saw, as the address of a PNG image in itself; empty where nothing.
    """

    upload: Upload
    problem: str = ""
    bars: Sequence[Bar] = field(default_factory=list)
    abstain: bool = False
    size: tuple[int, int] | None = None
    seen: str = ""

    @cached_property
    def sha256(self) -> str:
        """Of the file."""
        return hashlib.sha256(self.upload.content).hexdigest() if self.upload.content else ""

    @property
    def chosen(self) -> list[Bar]:
        """The answer: one class, or any number of findings."""
        return [bar for bar in self.bars if bar.chosen]

    def as_json(self, *, several: bool) -> dict[str, Any]:
        """Return what a program reads of it, as the columns of the command line are named."""
        labels = [bar.label for bar in self.chosen]
        one = {} if several or not self.bars else {"probability": self.bars[0].probability}
        width, height = self.size or (None, None)
        return {
            "file": self.upload.name,
            "predicted": labels if several else (labels[0] if labels else None),
            **one,
            **({} if several else {"abstain": self.abstain if self.bars else None}),
            "probabilities": {bar.label: bar.probability for bar in self.bars},
            "bytes": len(self.upload.content),
            "sha256": self.sha256,
            "width": width,
            "height": height,
            "problem": self.problem,
        }


def results_of(model: Model, uploads: Sequence[Upload], limits: Limits) -> list[Result]:
    """Classify what was sent, and say of what cannot be why; in the same order.

    Raises:
        PairDxError: The network failed.
    """
    results: list[Result] = []
    waiting, squares, decoded = [], [], 0
    for upload in uploads:
        result, pixels = _looked_at(model, upload, limits, decoded)
        if result.size is not None:
            decoded += result.size[0] * result.size[1]
        if not result.problem:
            waiting.append(len(results))
            squares.append(pixels)
        results.append(result)
    if waiting:
        captions = [uploads[at].caption for at in waiting]
        images = np.stack(squares) if model.folder.reads_images else None
        probabilities = model.classify(images, captions if model.folder.reads_captions else None)
        for at, (bars, abstain) in zip(waiting, _answers(model.folder, probabilities), strict=True):
            if np.isfinite([bar.probability for bar in bars]).all():
                results[at] = replace(results[at], bars=bars, abstain=abstain)
            else:
                results[at] = replace(results[at], problem=NO_NUMBERS)
    return results


def _looked_at(
    model: Model, upload: Upload, limits: Limits, decoded: int
) -> tuple[Result, np.ndarray]:
    """Read one upload, after so many pixels: what is wrong with it, or its square (S, S, 3)."""
    nothing, size, seen = np.zeros((0, 0, 3), np.uint8), None, ""
    pixels = nothing
    problem = (
        limits.too_large(len(upload.content))
        or limits.too_long(upload.caption)
        or limits.too_many_pixels(decoded)
    )
    if not problem and model.folder.reads_images:
        if not upload.content:
            return Result(upload, "the file is empty"), nothing
        try:
            square = model.look(upload.content)
        except MemoryError:
            return Result(upload, NO_MEMORY), nothing
        if isinstance(square, Refusal):
            return Result(upload, str(square)), nothing
        pixels, size = square.pixels, (square.width, square.height)
        seen = _as_png(pixels)
    if not problem and model.folder.reads_captions:
        if not upload.caption:
            problem = NO_CAPTION
        elif model.wordless([upload.caption])[0]:
            problem = NO_WORD
    return Result(upload, problem, size=size, seen=seen), pixels


def _answers(folder: DeployedFolder, probabilities: np.ndarray) -> list[tuple[list[Bar], bool]]:
    """Return of every image its bars and whether it is left to a person."""
    labels, names = folder.labels, folder.names
    thresholds: Mapping[str, float | None] = folder.facts["thresholds"] or {}
    if folder.several:
        chosen = found(probabilities, [thresholds.get(label) for label in labels])
        abstain = np.zeros(len(probabilities), dtype=bool)
    else:
        decisions = decide(probabilities, folder.facts["threshold"])
        chosen = np.arange(len(labels)) == decisions.predicted[:, None]
        abstain = decisions.abstain
    answers = []
    for row, of_row, left_open in zip(probabilities, chosen, abstain, strict=True):
        bars = [
            Bar(label, names[label], float(row[at]), bool(of_row[at]), thresholds.get(label))
            for at, label in enumerate(labels)
        ]
        # of equals the answer stands first
        bars.sort(key=lambda bar: (-bar.probability, not bar.chosen))
        answers.append((bars, bool(left_open)))
    return answers


def _as_png(pixels: np.ndarray) -> str:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format="PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode('ascii')}"
