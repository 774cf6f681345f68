"""Draw why one system decided as it did about a few pairs."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pairdx.logs import job_log
from pairdx.models.explanation import explainer
from pairdx.models.inputs import resources
from pairdx.models.registry import load_classifier
from pairdx.reporting.explained_pairs import choose_pairs
from pairdx.reporting.explanation_figures import explanation_figure
from pairdx.reporting.explanation_layout import ExplainedPair
from pairdx.reporting.labels import demo_note, system_title
from pairdx.reporting.tables import DRAWN_NOTE
from pairdx.reporting.theme import save

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main() -> None:
    """Explain the same pairs for every system, and draw them."""
    params, source, out = snakemake.params, snakemake.input, snakemake.output
    model = snakemake.wildcards.model
    with job_log(snakemake.log[0]) as log:
        classifier = load_classifier(Path(source.settings).parent, resources(dict(source.items())))
        pairs = choose_pairs(
            pd.read_parquet(source.pairs),
            pd.read_parquet(source.split),
            params.classes,
            named=params.explanations["pairs"],
            per_class=params.explanations["per_class"],
            seed=params.explanations["seed"],
        )
        images, explain = np.load(source.images, mmap_mode="r"), explainer(params.family)
        explained = []
        for row, pair in pairs.iterrows():
            image = np.asarray(images[row])
            explanation = explain(classifier, image, pair["caption"])
            name = pair["pair_id"]
            log.info("%s: %s", name, params.classes[explanation.predicted])
            explained.append(ExplainedPair(name, pair["subset"], pair["label"], image, explanation))
        title = f"What decisions rest on: {system_title(model, params.registry)}"
        title += f", {params.split} split"
        notes = [demo_note(params.registry.values()), DRAWN_NOTE if params.drawn else None]
        note = " ".join(filter(None, notes)) or None
        figure = explanation_figure(explained, params.classes, title=title, note=note)
        save(figure, out.svg, out.png)


main()
