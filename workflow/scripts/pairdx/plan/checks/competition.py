"""What is wrong with the key ``competition``: its dataset, and the findings that count."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pairdx.plan.descriptions import has_several
from pairdx.plan.wording import not_among, similar

KEY = "competition"


def problems(config: Mapping[str, Any]) -> Iterator[str]:
    """Yield sentences that begin with the config key; none where there is no competition.

    A dataset that does not run is no mistake: the table is left out, and a sentence says why.
    """
    stated = config[KEY]
    if stated is None:
        return
    name, datasets = stated["dataset"], config["datasets"]
    if name not in datasets:
        yield not_among(f"{KEY}.dataset", name, "datasets", datasets) + similar(name, datasets)
        return
    entry = datasets[name]
    if not has_several(entry["task"]):
        yield (
            f"config key {KEY}.dataset: {name} has one label per pair, and a competition counts "
            "several findings"
        )
    for finding in stated["findings"]:
        if finding not in entry["classes"]:
            yield not_among(
                f"{KEY}.findings", finding, f"datasets.{name}.classes", entry["classes"]
            )
