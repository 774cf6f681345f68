"""The rules as they are written: names and bodies, without Snakemake."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
RULE_FILES = sorted((REPOSITORY / "workflow/rules").rglob("*.smk"))


@dataclass(frozen=True)
class Rule:
    """A rule: name (of one in a loop without what the loop puts behind it), body, and its base.

    The base is the rule of ``use rule ... as ... with``, where there is one.
    """

    name: str
    body: str
    base: str | None


def rules_of(file: Path) -> Iterator[Rule]:
    """Yield every rule of a file, those within loops and conditions too."""
    written = re.findall(
        r"^( *)(?:use rule (\w+) as (\w+) with|rule(?: (\w+))?):\n((?:\1 +.*\n|\n)*)",
        file.read_text(encoding="utf-8"),
        re.M,
    )
    for _, base, used_as, name, body in written:
        named = re.search(r'name:\s+f?"?(\w+)', body)
        yield Rule(used_as or name or (named[1] if named else ""), body, base or None)


def all_rules() -> list[Rule]:
    """Return every rule of the workflow."""
    return [rule for file in (REPOSITORY / "Snakefile", *RULE_FILES) for rule in rules_of(file)]
