"""A deployed system in memory: what reads an image file, and what classifies squares and captions.

Both halves of using a system, the command line's workers and the page, call this and nothing below.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pairdx.deployment.answers import calibrated
from pairdx.deployment.folder import (
    GRAPH,
    MADE_BY,
    DeployedFolder,
    changed,
    read_folder,
    require_plain,
)
from pairdx.deployment.preprocessing import Square, square
from pairdx.errors import PairDxError
from pairdx.image_formats.foreign import Refusal
from pairdx.onnx_runtime import import_onnxruntime
from pairdx.words import FIRST_WORD_ID, word_ids, word_numbers

DEFAULT_RUNTIME = "onnxruntime"
# Network: from its inputs by name to probabilities, float32 (B, C).
Network = Callable[[Mapping[str, np.ndarray]], np.ndarray]
IMAGES, IDS, PROBABILITIES = "images", "ids", "probabilities"  # names in a graph
_SILENT = 4  # ONNX Runtime's own messages from this severity on are printed: the end of the process


class Port(NamedTuple):
    """An input or output of a graph.

    Attributes:
        kind: Of its numbers, as ONNX calls it: ``uint8``.
        sides: Its shape; a name, or None, where any number of it may be.
    """

    kind: str
    sides: tuple[int | str | None, ...]


class OpenGraph(NamedTuple):
    """A graph, open in a runtime.

    Attributes:
        network: What computes it.
        inputs: By name.
        outputs: By name.
    """

    network: Network
    inputs: Mapping[str, Port]
    outputs: Mapping[str, Port]


class Model:
    """A deployed system that classifies.

    Args:
        folder: What it says of itself.
        network: Its graph, open in a runtime.
    """

    def __init__(self, folder: DeployedFolder, network: Network) -> None:
        self.folder, self._network = folder, network
        self._image, self._text = folder.facts["image"], folder.facts["text"]
        self._numbers = word_numbers(folder.words())

    def look(self, content: bytes) -> Square | Refusal:
        """Decode an image file as training did; the square, or the sentence why there is none.

        Raises:
            PairDxError: The system reads no images.
        """
        if self._image is None:
            raise PairDxError("this system reads no images", where=self.folder.path)
        return square(content, self._image["size"], self._image["squaring"])

    def read(self, content: bytes) -> NDArray[np.uint8] | str:
        """Return what the system sees of an image file, uint8 (S, S, 3), or why it sees nothing.

        Raises:
            PairDxError: The system reads no images.
        """
        seen = self.look(content)
        return seen.pixels if isinstance(seen, Square) else str(seen)

    def wordless(self, captions: Sequence[str]) -> NDArray[np.bool_]:
        """Say of B captions of which word this system knows none, if it reads them: bool (B,)."""
        if self._text is None:
            return np.zeros(len(captions), dtype=bool)
        return np.asarray((self._ids(captions) < FIRST_WORD_ID).all(axis=1))

    def classify(
        self, images: np.ndarray | None, captions: Sequence[str] | None
    ) -> NDArray[np.float64]:
        """Classify B pairs: calibrated probabilities, float64 (B, C).

        Args:
            images: uint8 (B, S, S, 3), as :meth:`read` gives them; not looked at where the system
                reads no images.
            captions: B captions; not looked at where the system reads none.

        Raises:
            PairDxError: What the system reads is not given, or the runtime failed.
        """
        given: dict[str, np.ndarray] = {}
        if self._image is not None:
            if images is None:
                raise PairDxError("this system reads images, and none are given")
            given[IMAGES] = np.ascontiguousarray(images, dtype=np.uint8)
        if self._text is not None:
            if captions is None:
                raise PairDxError("this system reads captions, and none are given")
            given[IDS] = self._ids(captions)
        counts = {len(one) for one in given.values()}
        if len(counts) > 1:
            raise PairDxError("there are not as many captions as images")
        found = self._network(given)
        expected = (*counts, len(self.folder.labels))
        if np.shape(found) != expected:
            raise PairDxError(
                f"its network gives an array of {_sides(np.shape(found))}, and should give one of "
                f"{_sides(expected)}: a row per image or caption, a probability per class",
                where=self.folder.path / GRAPH,
                remedy=MADE_BY,
            )
        return calibrated(found, self.folder.facts["temperature"])

    def _ids(self, captions: Sequence[str]) -> NDArray[np.int64]:
        return word_ids(captions, self._numbers, self._text["tokens"])


def load(
    folder: DeployedFolder | str | Path,
    *,
    threads: int = 1,
    runtime: str = DEFAULT_RUNTIME,
    identity: str | None = None,
) -> Model:
    """Open a deployed system.

    Args:
        folder: Where it lies (then its checksums are compared), or what was read of it.
        threads: CPU threads that the network may use.
        runtime: What computes it: a name of :data:`RUNTIMES`.
        identity: Of the folder that lies there, when all its checksums have been compared before:
            then those of what is loaded are compared, after that.

    Raises:
        PairDxError: The folder is no deployed system, or the runtime is missing or cannot open it.
        ChangedError: It was changed since its checksums were compared, or meanwhile.
    """
    if runtime not in RUNTIMES:
        raise PairDxError(f"no runtime is called {runtime!r}; there are {', '.join(RUNTIMES)}")
    if isinstance(folder, DeployedFolder):
        return _opened(folder, threads, runtime)
    try:
        read = read_folder(folder, checked=identity is None)
    except PairDxError as error:
        if identity is None:
            raise
        raise changed(error) from error
    with _unchanged(read, identity or read.identity):
        return _opened(read, threads, runtime)


@contextmanager
def _unchanged(folder: DeployedFolder, identity: str) -> Iterator[None]:
    """Compare what the block has loaded; that it was changed explains whatever went wrong there."""
    try:
        yield
    finally:
        folder.require_unchanged(identity)


def _opened(folder: DeployedFolder, threads: int, runtime: str) -> Model:
    graph = folder.path / GRAPH
    require_plain(graph)
    opened = RUNTIMES[runtime](graph, threads)
    _compare_ports(folder, opened)
    model = Model(folder, opened.network)
    # Nothing in particular: what is wrong with a graph shows before the first file.
    side = folder.facts["image"]["size"] if folder.reads_images else 1
    model.classify(np.zeros((1, side, side, 3), dtype=np.uint8), [""])
    return model


def _compare_ports(folder: DeployedFolder, opened: OpenGraph) -> None:
    """Compare a graph's inputs and outputs with what the folder says that it reads and gives."""
    image, text = folder.facts["image"], folder.facts["text"]
    inputs: dict[str, Port] = {}
    if image is not None:
        inputs[IMAGES] = Port("uint8", (None, image["size"], image["size"], 3))
    if text is not None:
        inputs[IDS] = Port("int64", (None, text["tokens"]))
    outputs = {PROBABILITIES: Port("float", (None, len(folder.labels)))}
    has = {"input": opened.inputs, "output": opened.outputs}
    for kind, expected in (("input", inputs), ("output", outputs)):
        problem = _other_ports(kind, has[kind], expected)
        if problem is not None:
            raise PairDxError(
                f"its network is not the one that its facts describe: {problem}",
                where=folder.path / GRAPH,
                remedy=MADE_BY,
            )


def _other_ports(what: str, has: Mapping[str, Port], expected: Mapping[str, Port]) -> str | None:
    if set(has) != set(expected):
        named = ", ".join(map(ascii, sorted(has))) or "none"
        return f"it has the {what}s {named}, and should have {', '.join(sorted(expected))}"
    for name, (kind, sides) in expected.items():
        found = has[name]
        if found.kind != kind:
            return f"the {what} {name} is of {found.kind}, and should be of {kind}"
        # Where a graph leaves a side open, any number may be there.
        same = len(found.sides) == len(sides) and all(
            not isinstance(one, int) or one == other
            for one, other in zip(found.sides, sides, strict=True)
        )
        if found.sides and not same:
            return f"the {what} {name} is {_sides(found.sides)}, and should be {_sides(sides)}"
    return None


def _sides(shape: Sequence[int | str | None]) -> str:
    """Say a shape in words; what is open is N."""
    return " x ".join(str(one) if isinstance(one, int) else "N" for one in shape) or "one number"


def _onnxruntime(graph: Path, threads: int) -> OpenGraph:
    try:
        onnxruntime = import_onnxruntime()
    except ImportError as error:
        raise PairDxError(
            f"ONNX Runtime cannot be loaded ({error})",
            remedy="install the environment for deployed systems (`make deployment`)",
        ) from error
    onnxruntime.set_default_logger_severity(_SILENT)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _SILENT
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    # Between batches files are decoded: threads that wait busily would take the cores for that.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        session = onnxruntime.InferenceSession(
            str(graph), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # of many kinds, none of them public
        raise PairDxError(
            f"ONNX Runtime {onnxruntime.__version__} cannot open this network: {_said(error)}",
            where=graph,
            remedy=f"{MADE_BY}; if it is, install a newer ONNX Runtime",
        ) from error
    inputs, outputs = _ports(session.get_inputs()), _ports(session.get_outputs())
    return OpenGraph(_in_words(session, [*inputs], graph), inputs, outputs)


def _ports(told: Sequence[Any]) -> dict[str, Port]:
    """Return the ports of a session by name."""
    return {
        one.name: Port(one.type.removeprefix("tensor(").removesuffix(")"), tuple(one.shape or ()))
        for one in told
    }


def _in_words(session: Any, names: Sequence[str], graph: Path) -> Network:
    def network(given: Mapping[str, np.ndarray]) -> np.ndarray:
        try:
            read = {name: given[name] for name in names}
            found: np.ndarray = session.run([PROBABILITIES], read)[0]
        except Exception as error:  # as above
            raise PairDxError(
                f"the network failed: {_said(error)}",
                where=graph,
                remedy="if memory is short, ask for smaller batches or fewer processes",
            ) from error
        return found

    return network


def _said(error: Exception) -> str:
    """Return the first line of a runtime's message, without what is only for its makers."""
    lines = str(error).strip().splitlines()
    return lines[0].rpartition(" : ")[2][:300] if lines else type(error).__name__


RUNTIMES: dict[str, Callable[[Path, int], OpenGraph]] = {DEFAULT_RUNTIME: _onnxruntime}
