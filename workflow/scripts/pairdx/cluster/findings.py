"""A finding of the cluster check: what was seen, whether it is well, what to change if not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "warn", "fail"]
ORDER: tuple[Verdict, ...] = ("fail", "warn", "ok")


@dataclass(frozen=True)
class Finding:
    """One line of the table of verdicts.

    Attributes:
        place: ``login``, ``cpu``, ``gpu``, or ``cluster`` for what is true of all.
        check: What was looked at.
        verdict: ``fail``: jobs will not run. ``warn``: they may not, or not well.
        found: What was seen.
        remedy: What to change, with the profile's or the configuration's key; empty if it is well.
    """

    place: str
    check: str
    verdict: Verdict
    found: str
    remedy: str = ""

    def sentence(self) -> str:
        """Write the finding in one line."""
        return f"{self.verdict.upper()} {self.found}" + (self.remedy and f" -> {self.remedy}")


def worst_first(findings: Sequence[Finding]) -> list[Finding]:
    """Sort by verdict, and keep the order otherwise."""
    return sorted(findings, key=lambda finding: ORDER.index(finding.verdict))
