"""Compare systems by their predictions: tests, the split's effect, disagreements, prompts."""

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from pairdx.evaluation.comparisons import pairwise_tests
from pairdx.evaluation.method_tests import add_method_tests
from pairdx.evaluation.mistakes import best_two, disagreements, side_by_side
from pairdx.evaluation.split_effect import effect_of_the_split
from pairdx.files import write_table
from pairdx.joins import joined
from pairdx.logs import job_log, logger
from pairdx.reporting import split_effect, system_tests
from pairdx.reporting.cells import of_first_seed, read_by_system
from pairdx.reporting.comparison_figures import difference_matrix
from pairdx.reporting.comparison_figures import split_effect as split_effect_figure
from pairdx.reporting.error_sheets import disagreement_notes, disagreements_for_reading
from pairdx.reporting.labels import demo_note, readable, system_title
from pairdx.reporting.prompt_tables import TITLE as PROMPTS_TITLE
from pairdx.reporting.prompt_tables import prompt_notes, prompt_table, prompts_for_reading
from pairdx.reporting.theme import save
from pairdx.reporting.webpage import write_for_reading

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

# The predictions of every seed, by (system, split).
Predictions = dict[tuple[str, str], list[pd.DataFrame]]


def titles() -> dict[str, str]:
    """How systems are called in figures."""
    registry = snakemake.params.registry
    return {model: system_title(model, registry) for model in registry}


def test_systems(predictions: Predictions) -> None:
    """Test every two systems on the same test pairs: write the table, draw the differences."""
    params, out = snakemake.params, snakemake.output
    tables = []
    for split in params.splits:
        first = of_first_seed(predictions, split, params.registry)
        how = {"resamples": params.resamples, "seed": params.seed}
        tests = pairwise_tests(first, **how)
        seeds = {model: predictions[model, split] for model in params.registry}
        random = {model: entry["random"] for model, entry in params.registry.items()}
        tests = add_method_tests(tests, seeds, random, **how)
        tests.insert(0, "split", split)
        tables.append(tests)
    table = pd.concat(tables, ignore_index=True)
    write_table(out.tests_csv, table)
    write_for_reading(
        system_tests.pairwise_for_reading(table, params.registry),
        out.tests_md,
        out.tests_html,
        out.tests_tex,
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
        f"{demo_note(params.registry.values()) or ''}"
    )
    figure = difference_matrix(
        table,
        titles(),
        params.splits,
        title="Differences in accuracy between trained classifiers",
        note=note.strip(),
        significance=system_tests.SIGNIFICANCE,
    )
    save(figure, out.tests_svg, out.tests_png)
    logger.info("%s", Path(out.tests_md).read_text(encoding="utf-8"))


def compare_splits(predictions: Predictions) -> None:
    """Set every system's accuracy on the stratified split against that on the grouped one."""
    params, out = snakemake.params, snakemake.output
    by_split = [
        {model: predictions[model, split] for model in params.registry}
        for split in ("stratified", "grouped")
    ]
    table = effect_of_the_split(*by_split, resamples=params.resamples, seed=params.seed)
    write_table(out.effect_csv, table)
    write_for_reading(
        split_effect.effect_for_reading(table, params.registry),
        out.effect_md,
        out.effect_html,
        out.effect_tex,
        title=split_effect.TITLE,
        notes=split_effect.effect_notes(table, params.registry, resamples=params.resamples),
    )
    note = demo_note(params.registry.values())
    figure = split_effect_figure(table, titles(), title=split_effect.TITLE, note=note)
    save(figure, out.effect_svg, out.effect_png)
    logger.info("%s", Path(out.effect_md).read_text(encoding="utf-8"))


def list_disagreements(predictions: Predictions, split: str, position: int) -> None:
    """List the test pairs that two systems classify differently (paper, Section 5)."""
    params, out = snakemake.params, snakemake.output
    found = of_first_seed(predictions, split, params.registry)
    seeds = {model: predictions[model, split] for model in params.registry}
    names = params.compared or best_two(seeds)
    chosen = (
        "The two systems are named by the configuration (errors.compare)."
        if params.compared
        else "The two systems have the highest validation accuracy on this split (mean over "
        "seeds), the higher first."
    )
    both = side_by_side({name: found[name] for name in names}, params.classes)
    pairs = pd.read_parquet(snakemake.input.pairs, columns=["pair_id", "caption"])
    what = "the predictions and the pairs"
    table = joined(disagreements(both, names), pairs, "pair_id", what=what)
    table.insert(2, "caption", table.pop("caption"))
    write_table(out.disagreements_csv[position], table)
    how = {"listed": params.listed, "drawn": params.drawn}
    write_for_reading(
        disagreements_for_reading(table, names, params.registry, params.listed),
        out.disagreements_md[position],
        out.disagreements_html[position],
        out.disagreements_tex[position],
        title=f"Two systems disagree: {readable(split).lower()} split",
        notes=disagreement_notes(both, names, params.registry, chosen=chosen, **how),
    )
    logger.info("%s", Path(out.disagreements_md[position]).read_text(encoding="utf-8"))


def compare_prompts() -> None:
    """Set the accuracies of one prompt template after the other side by side."""
    params, out = snakemake.params, snakemake.output
    registry = {model: params.registry[model] for model in params.own}
    predictions = read_by_system(params.prompted, snakemake.input.prompts, registry)
    table = prompt_table(predictions, resamples=params.resamples, seed=params.seed)
    write_table(out.prompts_csv, table)
    write_for_reading(
        prompts_for_reading(table, registry),
        out.prompts_md,
        out.prompts_html,
        out.prompts_tex,
        title=PROMPTS_TITLE,
        notes=prompt_notes(table, registry, params.own, params.resamples),
    )
    logger.info("%s", Path(out.prompts_md).read_text(encoding="utf-8"))


def main() -> None:
    """Write all comparisons that this configuration has."""
    params, out = snakemake.params, snakemake.output
    with job_log(snakemake.log[0]):
        predictions = read_by_system(params.cells, snakemake.input.predictions, params.registry)
        test_systems(predictions)
        if out.get("effect_csv"):
            compare_splits(predictions)
        if out.get("disagreements_csv"):
            for position, split in enumerate(params.splits):
                list_disagreements(predictions, split, position)
        if out.get("prompts_csv"):
            compare_prompts()


main()
