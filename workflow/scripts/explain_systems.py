"""Draw why every system decided as it did about the same few pairs."""

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pandas as pd

from pairdx.logs import job_log, logger
from pairdx.models.explanation import explainer
from pairdx.models.inputs import resources
from pairdx.models.registry import load_or_build
from pairdx.packed_images import open_packed
from pairdx.reporting.format.labels import system_title, systems_note
from pairdx.reporting.format.tables import DRAWN_NOTE
from pairdx.reporting.format.theme import save_item
from pairdx.reporting.systems.explained_pairs import choose_pairs, of_some_classes
from pairdx.reporting.systems.explanation_figures import explanation_figure
from pairdx.reporting.systems.explanation_layout import ExplainedPair

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def files_of_systems() -> dict[str, dict[str, Any]]:
    """Gather the inputs called SYSTEM__settings, SYSTEM__weights and so on, by system."""
    found: dict[str, dict[str, Any]] = defaultdict(dict)
    for name, paths in snakemake.input.items():
        system, between, kind = name.rpartition("__")
        if between:
            found[system][kind] = paths
    return found


def explained(system: str, files: dict[str, Any], pairs: pd.DataFrame) -> list[ExplainedPair]:
    """Load a system and explain its decisions."""
    params = snakemake.params
    classifier = load_or_build(
        files.get("settings"), params.untrained[system], [*params.classes], resources(files)
    )
    explain = explainer(params.families[system])
    packed = open_packed(files["images"], checked=False)
    images = packed.of_pairs(pairs["pair_id"].tolist())[:]
    found = []
    for image, (_, pair) in zip(images, pairs.iterrows(), strict=True):
        name = pair["pair_id"]
        explanation = explain(classifier, image, pair["caption"])
        logger.info("%s, %s: %s", system, name, [*params.classes][explanation.predicted])
        found.append(ExplainedPair(name, pair["subset"], pair["label"], image, explanation))
    return found


def draw(system: str, pairs: list[ExplainedPair], position: int) -> None:
    """Draw the explanations of one system; figures come in the order of ``params.families``."""
    params = snakemake.params
    name = system_title(system, params.registry)
    notes = [systems_note([params.registry[system]]), DRAWN_NOTE if params.drawn else None]
    notes.append(of_some_classes(params.classes, params.explanations))
    figure = explanation_figure(
        pairs,
        params.classes,
        title=f"What decisions rest on: {name}, {params.split} split",
        note=" ".join(filter(None, notes)) or None,
    )
    save_item(snakemake.output, "explanations", figure, position)


def main() -> None:
    """Explain the same pairs for every system, and draw them."""
    params, source = snakemake.params, snakemake.input
    with job_log(snakemake.log[0]):
        pairs = choose_pairs(
            pd.read_parquet(source.pairs),
            pd.read_parquet(source.split),
            [*params.classes],
            named=params.explanations["pairs"],
            per_class=params.explanations["per_class"],
            seed=params.explanations["seed"],
        )
        files = files_of_systems()
        for position, system in enumerate(params.families):
            draw(system, explained(system, files[system], pairs), position)


main()
