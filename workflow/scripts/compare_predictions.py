"""Compare systems by their predictions: tests, the split's effect, disagreements, prompts."""

from typing import TYPE_CHECKING

import pandas as pd

from pairdx.evaluation.comparisons import pairwise_tests
from pairdx.evaluation.method_tests import add_method_tests
from pairdx.evaluation.mistakes import best_two, disagreements, side_by_side
from pairdx.evaluation.split_effect import effect_of_the_split
from pairdx.joins import joined
from pairdx.logs import job_log, logger
from pairdx.reporting.format.cells import of_first_seed, read_by_system
from pairdx.reporting.format.labels import readable, system_title, systems_note
from pairdx.reporting.format.outputs import is_made
from pairdx.reporting.format.theme import save_item
from pairdx.reporting.format.webpage import write_item
from pairdx.reporting.systems import split_effect, system_tests
from pairdx.reporting.systems.comparison_figures import difference_matrix
from pairdx.reporting.systems.comparison_figures import split_effect as split_effect_figure
from pairdx.reporting.systems.mistake_sheets import disagreement_notes, disagreements_for_reading
from pairdx.reporting.systems.prompt_tables import TITLE as PROMPTS_TITLE
from pairdx.reporting.systems.prompt_tables import prompt_notes, prompt_table, prompts_for_reading

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

# The predictions of every seed, by (system, split).
Predictions = dict[tuple[str, str], list[pd.DataFrame]]


def titles() -> dict[str, str]:
    """How systems are called in figures."""
    registry = snakemake.params.registry
    return {system: system_title(system, registry) for system in registry}


def test_systems(predictions: Predictions) -> None:
    """Test every two systems on the same test pairs: write the table, draw the differences."""
    params, out = snakemake.params, snakemake.output
    tables = []
    for split in params.splits:
        first = of_first_seed(predictions, split, params.registry)
        how = {"resamples": params.resamples, "seed": params.seed}
        tests = pairwise_tests(first, **how)
        seeds = {system: predictions[system, split] for system in params.registry}
        random = {system: entry["random"] for system, entry in params.registry.items()}
        tests = add_method_tests(tests, seeds, random, **how)
        tests.insert(0, "split", split)
        tables.append(tests)
    table = pd.concat(tables, ignore_index=True)
    written = write_item(
        out,
        "system_tests",
        table,
        system_tests.pairwise_for_reading(table, params.registry),
        title=system_tests.TITLE,
        notes=system_tests.pairwise_notes(
            table,
            params.registry,
            seed_of_training=params.training_seed,
            several_seeds=any(len(seeds) > 1 for seeds in predictions.values()),
        ),
    )
    note = (
        "Row minus column, in percentage points, on the same test pairs, one training of each. "
        "Shaded, bold and marked *: these two trained classifiers differ, "
        f"p < {system_tests.SIGNIFICANCE} after Holm's correction for all pairs of systems of a "
        "split (bootstrap over cases). \N{DAGGER}: the methods differ, whatever cases and seeds "
        "are drawn; never marked where a system with randomness has one seed. "
        f"{systems_note(params.registry.values()) or ''}"
    )
    figure = difference_matrix(
        table,
        titles(),
        params.splits,
        title="Differences in accuracy between trained classifiers",
        note=note.strip(),
        significance=system_tests.SIGNIFICANCE,
    )
    save_item(out, "system_tests", figure)
    logger.info("%s", written)


def compare_splits(predictions: Predictions) -> None:
    """Set every system's accuracy on the stratified split against that on the grouped one."""
    params, out = snakemake.params, snakemake.output
    by_split = [
        {system: predictions[system, split] for system in params.registry}
        for split in ("stratified", "grouped")
    ]
    table = effect_of_the_split(*by_split, resamples=params.resamples, seed=params.seed)
    written = write_item(
        out,
        "split_effect",
        table,
        split_effect.effect_for_reading(table, params.registry),
        title=split_effect.TITLE,
        notes=split_effect.effect_notes(
            table, params.registry, params.tells, resamples=params.resamples
        ),
    )
    note = systems_note(params.registry.values())
    figure = split_effect_figure(table, titles(), title=split_effect.TITLE, note=note)
    save_item(out, "split_effect", figure)
    logger.info("%s", written)


def list_disagreements(predictions: Predictions, split: str, position: int) -> None:
    """List the test pairs that two systems classify differently."""
    params = snakemake.params
    found = of_first_seed(predictions, split, params.registry)
    seeds = {system: predictions[system, split] for system in params.registry}
    names = params.compared or best_two(seeds)
    chosen = (
        "The two systems are named by the configuration (mistakes.compare)."
        if params.compared
        else "The two systems have the highest validation accuracy on this split (mean over "
        "seeds), the higher first."
    )
    both = side_by_side({name: found[name] for name in names}, [*params.classes])
    pairs = pd.read_parquet(snakemake.input.pairs, columns=["pair_id", "caption"])
    what = "the predictions and the pairs"
    table = joined(disagreements(both, names), pairs, "pair_id", what=what)
    table.insert(2, "caption", table.pop("caption"))
    how = {"listed": params.listed, "drawn": params.drawn}
    written = write_item(
        snakemake.output,
        "disagreements",
        table,
        disagreements_for_reading(table, names, params.registry, params.listed, params.classes),
        at=position,
        title=f"Two systems disagree: {readable(split).lower()} split",
        notes=disagreement_notes(both, names, params.registry, chosen=chosen, **how),
    )
    logger.info("%s", written)


def compare_prompts() -> None:
    """Set the accuracies of one prompt template after the other side by side."""
    params = snakemake.params
    registry = {system: params.registry[system] for system in params.own}
    predictions = read_by_system(params.prompted, snakemake.input.prompts, registry)
    table = prompt_table(predictions, resamples=params.resamples, seed=params.seed)
    written = write_item(
        snakemake.output,
        "prompt_sensitivity",
        table,
        prompts_for_reading(table, registry),
        title=PROMPTS_TITLE,
        notes=prompt_notes(table, registry, params.own, params.resamples, params.own_prompts),
    )
    logger.info("%s", written)


def main() -> None:
    """Write all comparisons that this configuration has."""
    params, out = snakemake.params, snakemake.output
    with job_log(snakemake.log[0]):
        predictions = read_by_system(params.cells, snakemake.input.predictions, params.registry)
        test_systems(predictions)
        if is_made(out, "split_effect"):
            compare_splits(predictions)
        if is_made(out, "disagreements"):
            for position, split in enumerate(params.splits):
                list_disagreements(predictions, split, position)
        if is_made(out, "prompt_sensitivity"):
            compare_prompts()


main()
