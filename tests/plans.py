"""Configurations and plans as the Snakefile makes them, without Snakemake."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

from pairdx.plan.configuration import complete, defaults, merged, read_yaml
from pairdx.plan.plan import Plan
from pairdx.plan.start import plan_of

REPOSITORY = Path(__file__).parents[1]
# What nobody has changed, and what only the demo's overlay has.
DEFAULTS = complete(defaults(REPOSITORY), {})
OVERLAY_OF_DEMO = read_yaml(REPOSITORY / "config/demo.yaml")
DEMO = complete(defaults(REPOSITORY), OVERLAY_OF_DEMO)


@cache
def plan_with(overlay: str = "{}") -> Plan:
    """Return the plan of the paper's experiment under an overlay, written as YAML."""
    return plan_of(yaml.safe_load(overlay), REPOSITORY, [])[0]


@cache
def demo_with(overlay: str = "{}") -> Plan:
    """Return the plan of the demo under a further overlay."""
    return plan_of(merged(OVERLAY_OF_DEMO, yaml.safe_load(overlay)), REPOSITORY, [])[0]


class Of:
    """Wildcards of a job."""

    def __init__(self, **values: str) -> None:
        self._values = values

    def __getattr__(self, name: str) -> str:
        if name.startswith("_") or name not in self._values:
            raise AttributeError(f"the rule has no wildcard {name}")
        return self._values[name]

    def get(self, name: str, default: Any = None) -> Any:
        """Return one that may be missing."""
        return self._values.get(name, default)
