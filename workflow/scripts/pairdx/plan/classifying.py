"""New documents that deployed systems classify: the key ``documents_to_classify``.

A table goes in, a table comes out. In between it is cut into shards, one job each, because a job
that has a million images to read would take days.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pairdx.plan.cells import FOLDER, Cell, Wildcards

if TYPE_CHECKING:
    from pairdx.plan.plan import Plan

KEY = "documents_to_classify"
# What an entry need not state. Of its system, what it does not say is as in the key `deployment`.
UNSTATED: Mapping[str, Any] = {
    **dict.fromkeys(("system", "dataset", "split", "seed", "folder")),
    **dict.fromkeys(("images", "image_column", "caption_column")),
    "absolute_paths": False,
    "shards": 1,
    "format": "parquet",
}
SUMS = "SHA256SUMS"  # of a deployed folder: another one when any of its files changes


class Classifying:
    """Which documents are classified, by which deployed system, in how many jobs."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.entries: Mapping[str, Mapping[str, Any]] = plan.config[KEY]

    def entry(self, wildcards: Wildcards) -> Mapping[str, Any]:
        """Return what the configuration says of the wildcards' documents."""
        return self.entries[wildcards.documents]

    def cell(self, name: str) -> Cell:
        """Name the cell whose deployed folder classifies some documents."""
        entry, deployment = self.entries[name], self.plan.deployment
        dataset = self.plan.datasets[entry["dataset"] or next(iter(self.plan.datasets))]
        system = self.plan.systems[entry["system"]]
        split = entry["split"] or deployment.split(dataset) or dataset.splits[0]
        seed = deployment.seed(system) if entry["seed"] is None else entry["seed"]
        return Cell(dataset.name, split, system.name, seed)

    def files(self, wildcards: Wildcards) -> dict[str, str]:
        """Return what a shard's job reads: the table, and the deployed system."""
        entry = self.entry(wildcards)
        if entry["folder"] is not None:
            return {"table": entry["table"], "sums": f"{entry['folder'].rstrip('/')}/{SUMS}"}
        folder = FOLDER.format(**self.cell(wildcards.documents)._asdict())
        return {"table": entry["table"], "deployed": f"{folder}/deployed"}

    def shards(self, wildcards: Wildcards) -> list[str]:
        """List the tables of the shards, in order."""
        count = self.entry(wildcards)["shards"]
        folder = f"<results>/classified/{wildcards.documents}"
        return [f"{folder}/{number}_of_{count}.parquet" for number in range(1, count + 1)]

    def outputs(self) -> list[str]:
        """List the table of every entry."""
        return [
            f"<results>/classified/{name}.{entry['format']}" for name, entry in self.entries.items()
        ]

    def read_as(self, wildcards: Wildcards) -> dict[str, Any]:
        """Return what decides how the table is read."""
        entry = self.entry(wildcards)
        keys = ("images", "image_column", "caption_column", "absolute_paths")
        return {key: entry[key] for key in keys}

    def from_outside(self) -> dict[str, list[str]]:
        """List what is read from outside, by its config key."""
        found = {}
        for name, entry in self.entries.items():
            found[f"{KEY}.{name}.table"] = [entry["table"]]
            if entry["folder"] is not None:
                found[f"{KEY}.{name}.folder"] = [f"{entry['folder'].rstrip('/')}/{SUMS}"]
        return found
