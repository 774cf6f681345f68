"""What a training step asks of a device: kernels, bytes, copies from the host, waits for it.

    python tests/benchmarks/step_profile.py --table step_profile.md
    python tests/benchmarks/step_profile.py --device cuda --batch-size 128 --table step_profile.md
    python tests/benchmarks/step_profile.py --operators   # and PyTorch's own tables

PairDxFusion and PairDxCLIP at the sizes of config/systems, random weights, random pixels, real
captions where PAIRDX_REAL_DATA names a folder with real_corpus: each as it was before (augmentation
by kornia, whole texts) and as it is, in turns in one run. Kernels and bytes are counted on either
device by watching the operators that PyTorch dispatches (see ``Count``); times are those of the
device. It is no test: what is fast enough depends on the machine.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.profiler import ProfilerActivity, profile
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten
from torch.utils.weak import WeakIdKeyDictionary

REPOSITORY = Path(__file__).parents[2]
sys.path[:0] = [str(REPOSITORY / "tests"), str(REPOSITORY / "workflow" / "scripts")]

import kornia_augmentation  # noqa: E402
from benchmarks.data_path import registry  # noqa: E402
from benchmarks.paper_scale import CLASSES, _words  # noqa: E402
from pairdx.errors import PairDxError  # noqa: E402
from pairdx.models.clip.system import _objective as clip_objective  # noqa: E402
from pairdx.models.fusion.system import _CrossEntropy  # noqa: E402
from pairdx.models.registry import family  # noqa: E402
from pairdx.reporting.format.markdown import as_markdown  # noqa: E402
from pairdx.training.attempt import Attempt  # noqa: E402
from pairdx.training.batches import Batch, Examples  # noqa: E402
from pairdx.training.device import reproducible, synchronise, torch_device  # noqa: E402
from pairdx.training.interruption import StopRequest  # noqa: E402
from pairdx.training.passport import device_description  # noqa: E402
from pairdx.training.randomness import step_randomness  # noqa: E402
from pairdx.training.settings import TrainingSettings  # noqa: E402

SYSTEMS = ("pairdx_fusion", "pairdx_clip")
BEFORE, NOW = "before", "now"
# What makes the CPU wait for a GPU: a number, or a size that only the device knows, is asked for.
WAITS = ("_local_scalar_dense", "nonzero", "masked_select", "equal", "is_nonzero", "_unique2")
# What brings tensors of the CPU to the device, here and in kornia.
SENDERS = ("sent", "_to_device_nonblocking")
# Memory is set aside, nothing is computed.
NO_WORK = ("empty", "empty_like", "empty_strided", "new_empty", "new_empty_strided", "lift_fresh")


class Count(TorchDispatchMode):
    """Counts what operators ask of the device.

    An operator of ATen that reads a tensor of the device is one kernel: one at least, and several
    where a library call is more than one. Views and allocations are none. Its bytes are those of
    all its tensors, each read or written once as a whole, of an expanded one only what there is of
    it; what stays in a cache is not known. On a CPU both memories are one: of the device is then
    what was given as such, what passes the functions that send it there, and what is made of it.

    Args:
        on_device: Tensors that are on the device before.
    """

    def __init__(self, on_device: list[Tensor]) -> None:
        super().__init__()
        self.there = WeakIdKeyDictionary()
        self.kernels, self.bytes, self.copies, self.waits = 0, 0, 0, 0
        self._note(on_device)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Carry out an operator and count it."""
        given = _tensors_in((args, kwargs or {}))
        found = func(*args, **(kwargs or {}))
        if any(one in self.there for one in given):
            made, name = _tensors_in(found), func._schema.name.removeprefix("aten::")
            self._note(made)
            self.waits += name in WAITS
            if name not in NO_WORK and not _is_view(func):
                self.kernels += 1
                self.bytes += sum(_bytes(one) for one in (*given, *made))
        return found

    def _note(self, tensors: list[Tensor]) -> None:
        for one in tensors:
            self.there[one] = True

    def _sending(self, send: Callable[..., Tensor]) -> Callable[..., Tensor]:
        def counted(tensor: Tensor, *args: Any, **kwargs: Any) -> Tensor:
            found = send(tensor, *args, **kwargs)
            if tensor not in self.there:
                self.copies += 1
                found = found.clone() if found is tensor else found
                self._note([found])
            return found

        return counted

    @contextmanager
    def of(self, device: torch.device) -> Iterator[Count]:
        """Count inside the block, with the random numbers of one step."""
        with ExitStack() as stack:
            for name, module in list(sys.modules.items()):
                for send in SENDERS if name.startswith(("kornia.", "pairdx.training.")) else ():
                    if hasattr(module, send):
                        own = self._sending(getattr(module, send))
                        stack.enter_context(patch.object(module, send, own))
            stack.enter_context(step_randomness(device, 1, 1, 1))
            stack.enter_context(self)
            yield self


def _tensors_in(values: Any) -> list[Tensor]:
    return [one for one in tree_flatten(values)[0] if isinstance(one, Tensor)]


def _is_view(func: Any) -> bool:
    returned = [one.alias_info for one in func._schema.returns]
    return any(one is not None and not one.is_write for one in returned) or func._schema.name in (
        "aten::_unsafe_view", "aten::_reshape_alias", "aten::detach",
    )  # fmt: skip


def _bytes(tensor: Tensor) -> int:
    there = [size for size, step in zip(tensor.shape, tensor.stride(), strict=True) if step]
    return int(np.prod(there, dtype=np.int64)) * tensor.element_size()


def captions(count: int) -> list[str]:
    """Captions of the real corpus; or as many drawn ones of 40 words."""
    file = Path(os.environ.get("PAIRDX_REAL_DATA", "/none")) / "real_corpus/captions_and_labels.csv"
    rng = np.random.default_rng(1)
    if file.is_file():
        texts = pd.read_csv(file)["caption"].fillna("").to_numpy()
        return [str(text) for text in rng.choice(texts, count)]
    return [
        " ".join(f"word{number}" for number in rng.integers(0, 20_000, 40)) for _ in range(count)
    ]


def attempt_of(
    name: str, way: str, batch_size: int, device: torch.device, precision: str | None
) -> Attempt:
    """Build a system at its full size, ready to train on one batch, as it was or as it is."""
    entry = registry(name)
    settings = {**entry["settings"], "weights": None, "batch_size": batch_size}
    settings["precision"] = precision or settings["precision"]
    with tempfile.TemporaryDirectory() as folder:
        classifier: Any = family(entry["family"]).build(settings, CLASSES, _words(Path(folder)), 1)
    read, clip = captions(batch_size), name == "pairdx_clip"
    network = classifier.network
    if clip:
        tokens = classifier.parts.tokenise(read).numpy()
        network.cuts_texts = network.cuts_texts and way == NOW
        objective = clip_objective(classifier)
    else:
        tokens, objective = classifier.tokenise(read), _CrossEntropy(network)
    rng = np.random.default_rng(2)
    pixels = rng.integers(0, 256, (batch_size, 224, 224, 3), dtype=np.uint8)
    examples = Examples(pixels, rng.integers(0, len(CLASSES), batch_size), tokens)
    attempt = Attempt(network, objective, TrainingSettings.from_mapping(settings), 1, device)
    if way == BEFORE and attempt.settings.augmentation:
        attempt.augment = kornia_augmentation.augmentation(attempt.settings.augmentation)
    attempt.use_data(examples, examples, 0)
    attempt.use_state(None, None, StopRequest())
    attempt._prepare()
    network.train()
    return attempt


def _batch(attempt: Attempt) -> Batch:
    return next(attempt.training.batches([np.arange(len(attempt.training))], 1))


def _tensors(attempt: Attempt, batch: Batch) -> list[Tensor]:
    network = attempt.module
    of_objective = [one for one in vars(attempt.objective).values() if isinstance(one, Tensor)]
    kept = [batch.images, batch.labels, batch.texts, *network.parameters(), *network.buffers()]
    kept += [one for state in attempt.optimiser.state.values() for one in _tensors_in(state)]
    groups = batch.text_groups
    return kept + of_objective + ([] if groups is None else [groups.places])


def counts(attempt: Attempt) -> list[dict[str, Any]]:
    """Count a step, and the augmentation in it, as two lines of the table."""
    batch, lines = _batch(attempt), []
    parts: dict[str, Callable[[], Any]] = {}
    if attempt.settings.augmentation:
        parts["augmentation"] = lambda: attempt.augment(batch.images)
    parts["step"] = lambda: attempt._step(batch)
    for name, work in parts.items():
        work()  # memory of the optimiser is set aside by the first
        with Count(_tensors(attempt, batch)).of(attempt.device) as count:
            work()
        lines.append(
            {
                "part": name,
                "kernels": count.kernels,
                "megabytes_per_pair": count.bytes / 1e6 / len(attempt.training),
                "copies_from_the_host": count.copies,
                "waits": count.waits,
            }
        )
    return lines


def seconds(attempt: Attempt) -> tuple[float, float]:
    """Time one step: on the wall clock, and of all threads of the CPU."""
    batch = _batch(attempt)
    synchronise(attempt.device)
    started = time.perf_counter(), time.process_time()
    with step_randomness(attempt.device, 1, 1, 1):
        attempt._step(batch)
    synchronise(attempt.device)
    return time.perf_counter() - started[0], time.process_time() - started[1]


def operators(attempt: Attempt, rows: int) -> str:
    """Return PyTorch's own table of one step."""
    on_gpu = attempt.device.type == "cuda"
    wanted = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if on_gpu else [])]
    batch = _batch(attempt)
    with profile(activities=wanted, profile_memory=True) as found:
        attempt._step(batch)
        synchronise(attempt.device)
    order = "self_cuda_time_total" if on_gpu else "self_cpu_time_total"
    return str(found.key_averages().table(sort_by=order, row_limit=rows))


def measure(
    device: torch.device,
    systems: Sequence[str] = SYSTEMS,
    *,
    batch_size: int,
    turns: int,
    precision: str | None = None,
    rows: int = 0,
) -> pd.DataFrame:
    """Count and time every system both ways, in turns; ``rows`` of PyTorch's tables are printed."""
    lines = []
    for name in systems:
        ways = {way: attempt_of(name, way, batch_size, device, precision) for way in (BEFORE, NOW)}
        found = {way: counts(attempt) for way, attempt in ways.items()}
        times: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
        for _ in range(turns):
            for way, attempt in ways.items():
                times[way].append(seconds(attempt))
        for way, attempt in ways.items():
            for line in found[way]:
                wall, cpu = (
                    np.median(times[way], axis=0) if line["part"] == "step" else (None, None)
                )
                lines.append(
                    {"system": name, "way": way, **line, "seconds": wall, "cpu_seconds": cpu}
                )
            if rows:
                print(f"{name}, {way}\n{operators(attempt, rows)}", flush=True)
    return pd.DataFrame(lines)


def main() -> None:
    """Count, measure and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--table", type=Path, help="write the table to this file, too")
    parser.add_argument("--systems", nargs="+", choices=SYSTEMS, default=SYSTEMS)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--precision", choices=["float32", "bfloat16"], help="else the system's")
    parser.add_argument("--operators", type=int, nargs="?", const=25, default=0, metavar="ROWS")
    arguments = parser.parse_args()
    try:
        device = torch_device(arguments.device)
    except PairDxError as error:
        sys.exit(f"Error: {error}")
    load = os.getloadavg()[0]
    with reproducible(device, arguments.threads):
        table = measure(
            device,
            arguments.systems,
            batch_size=arguments.batch_size,
            turns=arguments.turns,
            precision=arguments.precision,
            rows=arguments.operators,
        )
    notes = [
        f"{device_description(arguments.device)['name']}, {arguments.threads} CPU threads; load "
        f"{load:.1f} of {os.cpu_count()} cores before; Python {sys.version.split()[0]}, torch "
        f"{version('torch')}, kornia {version('kornia')}",
        f"batches of {arguments.batch_size} pairs of 224 pixels, random weights; numbers: "
        f"{arguments.precision or 'as in config/systems'}; seconds: median of {arguments.turns} "
        "steps, the ways in turns",
        f"{BEFORE}: augmentation by kornia, whole texts; {NOW}: one grid and one sum of colours, "
        "texts in two groups",
        "kernels: operators that compute something on the device, without views and allocations; "
        "bytes: all of their tensors read or written once; copies: tensors of the CPU sent to the "
        "device; waits: operators that ask the device for a number",
    ]
    text = as_markdown(table, title="One training step", notes=notes)
    if arguments.table:
        arguments.table.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
