"""What a process does that classifies batches (:mod:`.worker_start` begins it).

It is a process of its own so that a file that brings a decoder down brings down nothing else. Not
by multiprocessing, which would execute the caller's main script again in each of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from pairdx.deployment.folder import ChangedError
from pairdx.deployment.journal import Listed, Result
from pairdx.deployment.opening import read_bytes
from pairdx.deployment.preprocessing import Square
from pairdx.deployment.session import Model, load
from pairdx.errors import PairDxError

NO_WORD = "no word of the caption is known to this system"
NO_NUMBERS = "probabilities that are no numbers"
_NO_MEMORY = "not enough memory to decode it"


def classify_batch(model: Model, batch: Sequence[Listed]) -> list[Result]:
    """Classify one batch: whatever is wrong with a file or a caption is that row's problem.

    Raises:
        PairDxError: The network failed.
    """
    results = [Result(problem=one.problem) for one in batch]
    pixels: dict[int, np.ndarray] = {}
    if model.folder.reads_images:
        for at, one in enumerate(batch):
            if one.path:
                results[at], seen = _look(model, one)
                if seen is not None:
                    pixels[at] = seen
    if model.folder.reads_captions:
        wordless = model.wordless([one.caption for one in batch])
        for at in np.flatnonzero(wordless).tolist():
            if not results[at].problem:
                results[at] = results[at]._replace(problem=NO_WORD)
    sound = [at for at, result in enumerate(results) if not result.problem]
    if sound:
        images = np.stack([pixels[at] for at in sound]) if pixels else None
        found = model.classify(images, [batch[at].caption for at in sound])
        for at, probabilities in zip(sound, found, strict=True):
            results[at] = _with(results[at], probabilities)
    return results


def _look(model: Model, one: Listed) -> tuple[Result, np.ndarray | None]:
    opened = read_bytes(one.path)
    result = Result(None, opened.size, opened.sha256, problem=one.problem or opened.problem)
    if opened.content is None:
        return result, None
    try:
        seen = model.look(opened.content)
    except MemoryError:
        return result._replace(problem=one.problem or _NO_MEMORY), None
    except Exception as error:  # a decoder's defect is this file's trouble, and no other's
        said = f"an image that cannot be decoded ({type(error).__name__}: {str(error)[:200]})"
        return result._replace(problem=one.problem or said), None
    if not isinstance(seen, Square):
        return result._replace(problem=one.problem or str(seen)), None
    return result._replace(width=seen.width, height=seen.height), seen.pixels


def _with(result: Result, probabilities: np.ndarray) -> Result:
    if not np.isfinite(probabilities).all():
        return result._replace(problem=NO_NUMBERS)
    return result._replace(probabilities=probabilities.astype(np.float64).tobytes())


def serve(parent: Connection) -> None:
    """Answer batches until the other end is closed, however that comes about.

    Whatever goes wrong is answered in a line: nobody reads what this process prints.
    """
    settings: dict[str, Any] = parent.recv()
    try:
        model = load(
            settings["folder"],
            threads=settings["threads"],
            runtime=settings["runtime"],
            identity=settings["identity"],
        )
    except PairDxError as error:
        kind = "changed" if isinstance(error, ChangedError) else "failed"
        parent.send((kind, (error.what, str(error.where or ""), error.remedy)))
        return
    except Exception as error:  # a defect, or a system that nobody thought of
        what = f"the system cannot be opened ({_said(error)})"
        parent.send(("failed", (what, settings["folder"], None)))
        return
    parent.send(("ready", None))
    while True:
        batch = [Listed(*one) for one in parent.recv()]
        parent.send(_answer(model, batch))


def _answer(model: Model, batch: Sequence[Listed]) -> tuple[str, Any]:
    try:
        return "done", [tuple(one) for one in classify_batch(model, batch)]
    except PairDxError as error:
        return "failed", error.what
    except MemoryError:
        return "failed", "not enough memory"
    except Exception as error:
        return "failed", _said(error)


def _said(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {lines[0][:200]}"
