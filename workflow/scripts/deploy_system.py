"""Make a folder of one system that classifies new documents outside the workflow."""

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from pairdx.deployment.export.card import card_facts, model_card
from pairdx.deployment.export.choices import SUBSET, choose
from pairdx.deployment.export.verification import Sample, chosen_rows
from pairdx.deployment.export.writing import (
    Deployed,
    Written,
    sizes_of,
    write_card,
    write_folder,
    write_sums,
)
from pairdx.errors import PairDxError
from pairdx.files import read_json, read_table
from pairdx.logs import job_log
from pairdx.models.inputs import read_subset, require_usable, resources
from pairdx.models.registry import load_or_build

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def sample(predictions: pd.DataFrame) -> Sample:
    """Read the validation pairs that the export is looked at on, and what the run said of them."""
    params, source = snakemake.params, snakemake.input
    pairs = read_subset(source.pairs, source.split, source.images, params.classes, SUBSET)
    if not len(pairs):
        raise PairDxError(
            "this split has no validation pairs, on which an export could be looked at",
            where=source.split,
            remedy="deploy the system of another split (config key deployment.split)",
        )
    chosen = pairs.at(chosen_rows(pairs.table["pair_id"].tolist(), params.pairs))
    archives = dict(zip(params.archives, map(Path, source.archives), strict=True))
    return Sample(chosen.table.reset_index(drop=True), chosen.images, archives, predictions)


def card(folder: Path, of: Deployed, written: Written, predictions: pd.DataFrame) -> str:
    """Return the text of the model card of a folder that holds everything else."""
    source = snakemake.input
    facts = card_facts(
        deployment=written.facts,
        passport=of.passport,
        verification=written.verified,
        predictions=predictions,
        pairs=read_table(source.pairs),
        split=read_table(source.split),
        told=snakemake.params.card,
        weights=written.weights,
        files=sizes_of(folder),
        others=read_table(source.others),
    )
    return model_card(facts)


def main() -> None:
    """Load the system, choose on validation pairs, export, compare, and write the folder."""
    params, source = snakemake.params, snakemake.input
    folder = Path(snakemake.output.folder)
    with job_log(snakemake.log[0]) as log:
        require_usable(source.pairs, source.split, params.classes, snakemake.wildcards.split)
        files = resources(dict(source.items()))
        classifier = load_or_build(source.get("settings"), params.untrained, params.classes, files)
        predictions = read_table(source.predictions)
        choices = choose(predictions, params.classes, risk=params.stated["risk"])
        of = Deployed(params.stated, choices, read_json(source.passport), params.code)
        seen = sample(predictions)
        written = write_folder(folder, classifier, of, seen, snakemake.threads)
        write_card(folder, card(folder, of, written, predictions))
        log.info("%d files, checksums of all of them", len(write_sums(folder)))


main()
