"""Processes that classify batches side by side, and what becomes of a batch whose process dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import Pipe
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

import pairdx
from pairdx.deployment import worker_start
from pairdx.deployment.folder import ChangedError
from pairdx.deployment.journal import Listed, Result
from pairdx.errors import PairDxError
from pairdx.logs import logger
from pairdx.onnx_runtime import SILENCE

_LOOK_UP = 0.2  # seconds between looks at signals and clocks
_GRACE = 15.0  # seconds that batches at work may take once a stop was asked for
_TO_START = 300.0  # seconds that opening a system may take
_ALONE = 2  # times that a file is tried alone before its end is put down to it


@dataclass
class Batch:
    """Documents whose results are written together.

    Attributes:
        items: In the order of their numbers.
        results: What came of them so far, by number.
    """

    items: list[Listed]
    results: dict[int, Result] = field(default_factory=dict)


@dataclass
class _Work:
    """What one process has at a time: a batch, or a file of one alone."""

    batch: Batch
    items: list[Listed]
    tries: int = 1


class Worker:
    """One process, and what it is at.

    Args:
        settings: ``folder``, its ``identity`` (see :func:`.session.load`), ``threads`` and
            ``runtime``.
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self.pipe, other = Pipe()
        library = str(Path(pairdx.__file__).parents[1])
        paths = [library, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
        own = {"PYTHONPATH": os.pathsep.join(paths), "OPENBLAS_NUM_THREADS": "1"}
        self.process = subprocess.Popen(  # noqa: S603 - this very interpreter
            [sys.executable, "-P", "-m", worker_start.__name__, str(other.fileno())],
            env=os.environ | own | SILENCE,
            pass_fds=[other.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,  # decoders print there; errors come through the pipe
            process_group=0,  # a Ctrl-C is for the parent alone
        )
        other.close()
        self.ready = False
        self.work: _Work | None = None
        self.since = time.monotonic()
        self.pipe.send(dict(settings))

    def give(self, work: _Work) -> None:
        """Send what is to be done; a process that died meanwhile is met at the next look."""
        self.work, self.since = work, time.monotonic()
        with suppress(OSError):
            self.pipe.send([tuple(one) for one in work.items])

    def end(self) -> str:
        """End the process, however it is, and say how it ended; once more does no harm."""
        self.pipe.close()  # which ends it, if nothing else did
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(1.0)
        status = self.process.poll()
        if status is None:
            self.process.kill()
            with suppress(subprocess.TimeoutExpired):  # one that waits for storage cannot end
                self.process.wait(5.0)
            return "it did not end"
        if status < 0:
            with suppress(ValueError):
                return f"it was ended by {signal.Signals(-status).name}"
        return f"exit status {status}"


class Pool:
    """Processes with one system each.

    Args:
        processes: How many, at most.
        settings: Of every one, see :class:`Worker`.
        patience: Seconds after which a batch that is not done is given up.
    """

    def __init__(self, processes: int, settings: Mapping[str, Any], patience: float) -> None:
        self._processes, self._settings, self._patience = processes, settings, patience
        self._workers: list[Worker] = []
        self._again: deque[_Work] = deque()
        self._waiting: Iterator[list[Listed]] = iter(())
        self._next: list[Listed] | None = None
        self._without = ""  # why there are fewer processes than asked for, until that is said

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:  # there is nothing in them that is not in the journal
            worker.process.kill()
            worker.end()

    def start(self) -> None:
        """Begin with one process, so that it opens its system while other things are done."""
        self._workers.append(Worker(self._settings))

    def limit(self, batches: int) -> None:
        """Start no more processes than there are batches to do."""
        self._processes = max(1, min(self._processes, batches))

    def run(self, batches: Iterator[list[Listed]], stopped: Callable[[], bool]) -> Iterator[Batch]:
        """Yield batches as they are done, in any order.

        Args:
            batches: What is to be done; taken one by one as processes have nothing to do.
            stopped: Asked often; once it says so, nothing new is begun.

        Raises:
            PairDxError: The system cannot be opened.
            ChangedError: A process that was to help, or to replace another, met another system.
        """
        self._waiting, stop_at = batches, None
        self._next = next(self._waiting, None)
        done: list[Batch] = []
        while True:
            if stop_at is None and stopped():
                stop_at = time.monotonic() + _GRACE
            if stop_at is None:
                self._give_out()
            yield from done  # written while the processes are at the next ones
            busy = any(worker.work is not None for worker in self._workers)
            left = stop_at is None and (self._next is not None or bool(self._again))
            if not (busy or left) or (stop_at is not None and time.monotonic() > stop_at):
                return
            done = list(self._done())

    def _give_out(self) -> None:
        """Give whoever has nothing to do something, and see to it that there are enough."""
        for worker in self._workers:
            if not worker.ready or worker.work is not None:
                continue
            if self._again:
                worker.give(self._again.popleft())
            elif self._next is not None:
                worker.give(_Work(Batch(self._next), self._next))
                self._next = next(self._waiting, None)
        while (self._next or self._again) and len(self._workers) < self._processes:
            self.start()

    def _done(self) -> Iterator[Batch]:
        """Wait a moment for answers, and for processes that are over or take too long."""
        of_pipe = {worker.pipe: worker for worker in self._workers}
        for pipe in wait(list(of_pipe), _LOOK_UP):
            yield from self._heard(of_pipe[pipe])  # type: ignore[index]
        now = time.monotonic()
        for worker in list(self._workers):
            limit = self._patience if worker.ready else _TO_START
            if (worker.work is not None or not worker.ready) and now - worker.since > limit:
                yield from self._lost(worker, f"it took more than {limit:.0f} s")

    def _heard(self, worker: Worker) -> Iterator[Batch]:
        try:
            kind, said = worker.pipe.recv()
        except (EOFError, OSError):
            yield from self._lost(worker, None)
            return
        if not worker.ready:
            if kind != "ready":
                of_kind = ChangedError if kind == "changed" else PairDxError
                what, where, remedy = said
                self._do_without(worker, of_kind(what, where=where or None, remedy=remedy))
                return
            worker.ready = True
            self._say_without()
            return
        work, worker.work = worker.work, None
        if work is None:
            return
        if kind == "failed":
            yield from self._try_again(work, f"the network failed on it: {said}")
            return
        found = {one.number: Result(*row) for one, row in zip(work.items, said, strict=True)}
        yield from _finished(work, found)

    def _lost(self, worker: Worker, why: str | None) -> Iterator[Batch]:
        """Replace a process that is over, and find out which file it was."""
        if why is not None:
            worker.process.kill()
        how = worker.end()
        if not worker.ready:
            error = PairDxError(
                f"a process that should open the system is over ({why or how})",
                where=self._settings["folder"],
                remedy="if memory is short, ask for fewer processes (--processes 1)",
            )
            self._do_without(worker, error)
            return
        self._workers.remove(worker)
        if worker.work is not None:
            yield from self._try_again(
                worker.work, f"the process that worked on it was lost ({why or how})"
            )

    def _do_without(self, worker: Worker, error: PairDxError) -> None:
        """Go on with fewer processes as long as there are others of the same system; else not."""
        self._workers.remove(worker)
        worker.end()
        if not self._workers or isinstance(error, ChangedError):
            raise error
        self._processes, self._without = len(self._workers), error.what
        self._say_without()

    def _say_without(self) -> None:
        """Say that there are fewer, once it is known that it is not for a fault of the system."""
        if self._without and any(worker.ready for worker in self._workers):
            logger.warning("going on with %d processes: %s", self._processes, self._without)
            self._without = ""

    def _try_again(self, work: _Work, problem: str) -> Iterator[Batch]:
        if len(work.items) > 1:
            self._again.extend(_Work(work.batch, [one]) for one in work.items)
        elif work.tries < _ALONE:
            self._again.append(_Work(work.batch, work.items, work.tries + 1))
        else:
            (one,) = work.items
            yield from _finished(work, {one.number: Result(problem=one.problem or problem)})


def _finished(work: _Work, found: Mapping[int, Result]) -> Iterator[Batch]:
    """Add results to their batch; yield it once it is whole."""
    work.batch.results.update(found)
    if len(work.batch.results) == len(work.batch.items):
        yield work.batch
