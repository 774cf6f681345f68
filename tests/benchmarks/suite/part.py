"""What one part of the suite is asked, what it answers, and whether its aims are met."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from benchmarks.suite.measure import HIGH, LOW, Spread

REPOSITORY = Path(__file__).parents[3]
BOUNDS = ("at most", "at least")
NOT_EXPLAINED = "Nothing that was measured explains it."


@dataclass(frozen=True)
class Declared:
    """A part: its heading, and after how many minutes it should have ended."""

    title: str
    minutes: float


# `part_<letter>.py` measures it. All of them are to end within 20 minutes on two cores.
DECLARED = {
    "a": Declared("From a file to its label", 4),
    "b": Declared("A training step, fed by the loader and from memory", 3),
    "c": Declared("Loading", 2),
    "d": Declared("Curation and packing", 2),
    "e": Declared("Planning", 2),
    "f": Declared("Peers on the same task", 7),
}


@dataclass(frozen=True)
class Settings:
    """Under which conditions the parts measure.

    Attributes:
        threads: CPU threads that anything measured may use.
        peers: Folder of the peers' environments.
        real_data: Folder of real files (PAIRDX_REAL_DATA), or None: then files are drawn.
        small: Few and small, to see whether all runs: its numbers say nothing.
    """

    threads: int
    peers: Path
    real_data: Path | None = None
    small: bool = False


def settings_here(*, small: bool = False) -> Settings:
    """Return the settings of this machine: two threads, or as many as there are cores."""
    given = os.environ.get("PAIRDX_REAL_DATA")
    return Settings(
        threads=min(2, len(os.sched_getaffinity(0))),
        peers=REPOSITORY / ".cache" / "peers",
        real_data=Path(given) if given else None,
        small=small,
    )


@dataclass(frozen=True)
class Aim:
    """A figure that was aimed at, and the one that was measured.

    Attributes:
        what: The figure in words.
        bound: On which side of the target it should be.
        target: The figure aimed at.
        found: What was measured, over the rounds.
        why: A sentence that explains a miss, from what the part measured.
    """

    what: str
    bound: Literal["at most", "at least"]
    target: float
    found: Spread
    why: str = ""

    @property
    def met(self) -> bool:
        """Whether the median, as it was measured, is on the right side."""
        if self.bound == "at most":
            return self.found.median <= self.target
        return self.found.median >= self.target

    @property
    def verdict(self) -> str:
        """In words; of a miss by how much, and of an aim met whether most rounds met it.

        Most rounds: the 10th to 90th percentile; single rounds beyond them are not looked at.
        """
        if not self.met:
            return f"missed by {100 * abs(self.found.median / self.target - 1):.1f} %"
        if self.bound == "at most":
            missed = self.found.high > self.target
            return f"met by the median, not by the {HIGH}th percentile" if missed else "met"
        missed = self.found.low < self.target
        return f"met by the median, not by the {LOW}th percentile" if missed else "met"


@dataclass(frozen=True)
class Table:
    """Rows with the same keys, and what stands over them.

    Keys that end in ``_seconds`` are seconds, ``accuracy`` and ``share`` shares of 1 (see
    pairdx.reporting.format.markdown); text is written as it is.
    """

    title: str
    rows: Sequence[Mapping[str, object]]


@dataclass(frozen=True)
class Part:
    """What a part found.

    Attributes:
        question: What was asked, in a sentence.
        tables: The figures.
        aims: Those among them that were aimed at; none where nothing was.
        conditions: What this part alone ran under: sizes, versions, files.
        notes: What a reader must know of the figures, a sentence each.
        problems: What could not be measured, and why, a sentence each.
    """

    question: str
    tables: Sequence[Table]
    aims: Sequence[Aim] = ()
    conditions: Mapping[str, object] = field(default_factory=dict)
    notes: Sequence[str] = ()
    problems: Sequence[str] = ()


@dataclass(frozen=True)
class Outcome:
    """A part that ended: with what it found, or with why it found nothing."""

    letter: str
    seconds: float
    part: Part | None = None
    failure: str = ""

    @property
    def failed(self) -> bool:
        """Whether something was not measured."""
        return self.part is None or bool(self.part.problems)


def as_dictionary(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome as it stands in the JSON file, verdicts included."""
    declared = DECLARED[outcome.letter]
    found: dict[str, Any] = {
        "letter": outcome.letter,
        "title": declared.title,
        "seconds": round(outcome.seconds, 1),
        "budget_seconds": 60 * declared.minutes,
        "failure": outcome.failure,
    }
    if outcome.part is not None:
        found |= asdict(outcome.part)
        found["aims"] = [
            {**asdict(aim), "met": aim.met, "verdict": aim.verdict} for aim in outcome.part.aims
        ]
    return found


def part_from(found: Mapping[str, Any]) -> Part:
    """Return the part that :func:`as_dictionary` wrote."""
    keys = ("what", "bound", "target", "why")
    aims = [
        Aim(**{key: aim[key] for key in keys}, found=Spread(**aim["found"]))
        for aim in found["aims"]
    ]
    return Part(
        question=found["question"],
        tables=[Table(**table) for table in found["tables"]],
        aims=aims,
        conditions=found["conditions"],
        notes=found["notes"],
        problems=found["problems"],
    )
