"""Draw why every system decided as it did about the same few pairs."""

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pairdx.logs import job_log, logger
from pairdx.models.explanation import explainer
from pairdx.models.inputs import resources
from pairdx.models.registry import load_or_build
from pairdx.reporting.explained_pairs import choose_pairs
from pairdx.reporting.explanation_figures import explanation_figure
from pairdx.reporting.explanation_layout import ExplainedPair
from pairdx.reporting.labels import demo_note, system_title
from pairdx.reporting.tables import DRAWN_NOTE
from pairdx.reporting.theme import save

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def files_of_systems() -> dict[str, dict[str, Any]]:
    """Gather the inputs called SYSTEM__settings, SYSTEM__weights and so on, by system."""
    found: dict[str, dict[str, Any]] = defaultdict(dict)
    for name, paths in snakemake.input.items():
        model, between, kind = name.rpartition("__")
        if between:
            found[model][kind] = paths
    return found


def explained(model: str, files: dict[str, Any], pairs: pd.DataFrame) -> list[ExplainedPair]:
    """Load a system and explain its decisions; row i of the images belongs to pair i."""
    params = snakemake.params
    classifier = load_or_build(
        files.get("settings"), params.untrained[model], params.classes, resources(files)
    )
    explain = explainer(params.families[model])
    images = np.load(snakemake.input.images, mmap_mode="r")
    found = []
    for row, pair in pairs.iterrows():
        image, name = np.asarray(images[row]), pair["pair_id"]
        explanation = explain(classifier, image, pair["caption"])
        logger.info("%s, %s: %s", model, name, params.classes[explanation.predicted])
        found.append(ExplainedPair(name, pair["subset"], pair["label"], image, explanation))
    return found


def draw(model: str, pairs: list[ExplainedPair], svg: str, png: str) -> None:
    """Draw the explanations of one system."""
    params = snakemake.params
    name = system_title(model, params.registry)
    notes = [demo_note([params.registry[model]]), DRAWN_NOTE if params.drawn else None]
    figure = explanation_figure(
        pairs,
        params.classes,
        title=f"What decisions rest on: {name}, {params.split} split",
        note=" ".join(filter(None, notes)) or None,
    )
    save(figure, svg, png)


def main() -> None:
    """Explain the same pairs for every system, and draw them."""
    params, source, out = snakemake.params, snakemake.input, snakemake.output
    with job_log(snakemake.log[0]):
        pairs = choose_pairs(
            pd.read_parquet(source.pairs),
            pd.read_parquet(source.split),
            params.classes,
            named=params.explanations["pairs"],
            per_class=params.explanations["per_class"],
            seed=params.explanations["seed"],
        )
        files = files_of_systems()
        for model, svg, png in zip(params.families, out.svgs, out.pngs, strict=True):
            draw(model, explained(model, files[model], pairs), svg, png)


main()
