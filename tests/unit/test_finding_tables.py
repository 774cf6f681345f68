"""Tables and figures of several labels per pair: what stands in them, and what is said of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from figure_checks import assert_whole
from finding_samples import CLASSES, random_findings
from pairdx.evaluation.findings import MACRO, ensemble, finding_scores, roc_points
from pairdx.files import write_table
from pairdx.models.prompt_sets import OWN_PROMPTS, PROMPTS
from pairdx.reporting.findings import (
    by_test_set,
    calibration,
    comparison,
    prompts,
    scores,
    system_tests,
)
from pairdx.reporting.findings.calibration_figure import probabilities_and_shares
from pairdx.reporting.findings.comparison_figure import findings_comparison
from pairdx.reporting.findings.numbers import UNDEFINED
from pairdx.reporting.findings.places import Asked, in_order, read_asked
from pairdx.reporting.findings.roc_figure import roc_curves
from pairdx.reporting.format.labels import RECONSTRUCTION_NOTE, STAND_IN_NOTE
from pairdx.reporting.format.markdown import as_markdown
from pairdx.tasks.multi_label.task import TASK

HOW: dict[str, Any] = {"resamples": 10, "seed": 1}
NAMES = {"edema": "edema", "effusion": "pleural effusion", "fracture": "fracture"}
NONE_KNOWN = {name: f"{name}?" for name in NAMES}
REGISTRY: dict[str, dict[str, Any]] = {
    "zero_shot": {"title": "Zero-shot", "trained": False, "random": False, "stand_in": False},
    "plain": {"title": "Tuned", "trained": True, "random": True, "stand_in": False},
    "relaxed": {
        **{"title": "Tuned, relaxed", "trained": True, "random": True, "stand_in": True},
        "reconstructed": True,
    },
}
FACTS = {
    "datasets": {
        "home": {"title": "Home images", "classes": NAMES},
        "away": {"title": "Other images", "classes": NAMES},
    },
    "splits": [["home", "away", "grouped", "published"]],
}


def few() -> pd.DataFrame:
    """A table in which one finding is true of no test pair, and one of no validation pair."""
    table = random_findings(1)
    test = table["subset"] == "test"
    table.loc[test, "findings"] = table.loc[test, "findings"].map(
        lambda text: without(text, "edema")
    )
    validation = table.loc[~test, "findings"].map(lambda text: without(text, "effusion"))
    table.loc[~test, "findings"] = validation
    return table


def without(text: str, finding: str) -> str:
    return "|".join(name for name in text.split("|") if name != finding)


def unlabelled(table: pd.DataFrame) -> pd.DataFrame:
    """The same images, of which nobody knows anything."""
    return table.assign(findings="|".join(NONE_KNOWN.values()))


def scored(*tables: pd.DataFrame) -> pd.DataFrame:
    return finding_scores(TASK, list(tables), CLASSES, **HOW)


# ---------------------------------------------------------------- one system
def test_undefined_scores_are_a_dash_where_they_are_read_and_never_zero() -> None:
    table = scored(few())
    shown = scores.scores_for_reading(table, NAMES)
    assert shown["Finding"].tolist() == [
        *("Edema", "Pleural effusion", "Fracture", "Mean of 2 findings")
    ]
    edema, effusion = shown.iloc[0], shown.iloc[1]
    assert (edema["Positives"], edema["AUROC (interval)"]) == ("0", UNDEFINED)
    assert effusion["Threshold"] == effusion["F1 (interval)"] == UNDEFINED
    assert effusion["AUROC (interval)"] != UNDEFINED
    assert shown.iloc[-1]["Positives"] == ""
    assert pd.isna(table.loc[0, "auroc"])


def test_notes_name_the_findings_that_do_not_count_and_those_without_a_threshold() -> None:
    notes = " ".join(scores.scores_notes(scored(few()), NAMES, 10))
    assert "Left out of them: edema." in notes
    assert "So it is of: pleural effusion." in notes
    assert "Fewer than 10 positive test pairs: fracture." in notes
    assert "SD" not in notes
    both = " ".join(scores.scores_notes(scored(random_findings(1), random_findings(1)), NAMES, 10))
    assert "Left out" not in both
    assert "SD" in both


def test_a_spread_over_seeds_is_shown_only_where_there_are_several() -> None:
    one, two = scored(random_findings(1)), scored(*(random_findings(1, noise=at) for at in (1, 2)))
    assert "AUROC, SD over seeds" not in scores.scores_for_reading(one, NAMES)
    shown = scores.scores_for_reading(two, NAMES)["AUROC, SD over seeds"]
    assert shown.iloc[-1] == f"{two['auroc_sd'].iloc[-1]:.3f}"


def texts(figure: Figure) -> str:
    """All that is written in a figure."""
    return " ".join(" ".join(text.get_text() for text in figure.findobj(Text)).split())


@pytest.mark.slow
def test_findings_with_ten_positives_have_a_curve_and_others_are_named(tmp_path: Path) -> None:
    tables = [random_findings(1, noise=at) for at in (1, 2)]
    table, points = scored(*tables), roc_points(tables, CLASSES)
    enough = table.iloc[:-1].query("positives >= 10")["finding"].tolist()
    assert 0 < len(enough) < len(CLASSES)
    figure = roc_curves(points, table, NAMES, title="ROC curves", note=STAND_IN_NOTE)
    assert len(figure.axes) == len(enough)
    assert all(len(panel.lines) == 2 + 1 + 1 for panel in figure.axes)  # seeds, chance, threshold
    assert "positive test pairs, or none without it): fracture." in texts(figure)
    assert_whole(figure, tmp_path)


def test_without_enough_positives_a_sentence_stands_in_place_of_curves(tmp_path: Path) -> None:
    table = unlabelled(random_findings(1))
    figure = roc_curves(roc_points([table], CLASSES), scored(table), NAMES, title="ROC curves")
    assert not figure.axes
    assert "No finding has enough test pairs" in texts(figure)
    assert_whole(figure, tmp_path)


# ---------------------------------------------------------------- all systems
def asked(folder: Path, *, labels: bool = True) -> list[Asked]:
    """Three systems of two seeds (one is not trained), at home and asked about other images."""
    rows, files = [], []
    for other, known in (("home", labels), ("away", True)):
        for system, entry in REGISTRY.items():
            for seed in (1, 2) if entry["random"] else (1,):
                table = random_findings(3 if other == "home" else 4, noise=seed + len(rows))
                path = folder / f"{len(files)}.parquet"
                write_table(path, table if known else unlabelled(table))
                rows.append(("home", "grouped", system, seed, other))
                files.append(path)
    return in_order(read_asked(rows, files, FACTS), FACTS, REGISTRY)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> list[Asked]:
    """What all systems say of images at home and of others."""
    return asked(tmp_path_factory.mktemp("asked"))


@pytest.fixture(scope="module")
def unknown(tmp_path_factory: pytest.TempPathFactory) -> list[Asked]:
    """The same where nobody knows the findings of the images at home."""
    return asked(tmp_path_factory.mktemp("unknown"), labels=False)


@pytest.fixture(scope="module")
def table(found: list[Asked]) -> pd.DataFrame:
    """The comparison of all systems."""
    return comparison.comparison_table(
        TASK, comparison.scored(TASK, found, FACTS, REGISTRY, **HOW), **HOW
    )


@pytest.fixture(scope="module")
def partly(unknown: list[Asked]) -> pd.DataFrame:
    """The same where nobody knows the findings of the images at home."""
    return comparison.comparison_table(
        TASK, comparison.scored(TASK, unknown, FACTS, REGISTRY, **HOW), **HOW
    )


def test_seeds_are_gathered_and_the_split_there_is_named(found: list[Asked]) -> None:
    assert [(one.other, one.system, len(one.predictions)) for one in found] == [
        (other, system, 2 if REGISTRY[system]["random"] else 1)
        for other in ("home", "away")
        for system in REGISTRY
    ]
    assert {(one.other, one.split_there) for one in found} == {
        *(("home", "grouped"), ("away", "published"))
    }


def test_the_comparison_holds_means_over_seeds_and_the_ensemble(
    found: list[Asked], table: pd.DataFrame
) -> None:
    row = table[(table["other"] == "away") & (table["system"] == "plain")].iloc[0]
    tables = next(one.predictions for one in found if (one.other, one.system) == ("away", "plain"))
    of_seeds = [scored(one).iloc[-1]["auroc"] for one in tables]
    assert row["macro_auroc"] == pytest.approx(np.mean(of_seeds))
    assert row["macro_auroc_sd"] == pytest.approx(np.std(of_seeds, ddof=1))
    whole = scored(ensemble(tables, CLASSES)).set_index("finding").loc[MACRO]
    assert row["ensemble_mcc"] == pytest.approx(whole["mcc"])
    assert row["findings"] == len(CLASSES)
    assert row["patients"] == tables[0].query("subset == 'test'")["case_id"].nunique()
    alone = table[table["system"] == "zero_shot"]
    assert alone[["ensemble_auroc", "macro_auroc_sd"]].isna().all(axis=None)


def test_what_is_read_says_where_systems_were_trained_and_what_is_a_reconstruction(
    table: pd.DataFrame,
) -> None:
    shown = comparison.comparison_for_reading(table, FACTS, REGISTRY)
    assert shown["Tested on"].tolist() == ["Home images"] * 3 + ["Other images"] * 3
    assert shown["Trained on"].tolist() == ["(not trained)", *["Home images"] * 2] * 2
    assert shown["Split"].tolist()[3:] == ["Grouped (there: published)"] * 3
    assert shown["AUROC, ensemble"].tolist()[0] == UNDEFINED
    notes = " ".join(comparison.comparison_notes(table, REGISTRY, 10))
    assert RECONSTRUCTION_NOTE in notes
    assert "thresholds are chosen on its validation pairs" in notes
    plain = table[table["system"] != "relaxed"]
    assert RECONSTRUCTION_NOTE not in " ".join(comparison.comparison_notes(plain, REGISTRY, 10))
    assert len(as_markdown(shown, title="Title").splitlines()) == 2 + 2 + len(table)


def test_a_system_that_is_not_trained_stands_once_beside_the_same_pairs(
    table: pd.DataFrame,
) -> None:
    again = table.assign(dataset="away", split="published")[table["other"] == "away"]
    shown = comparison.comparison_for_reading(pd.concat([table, again]), FACTS, REGISTRY)
    there = shown[shown["Tested on"] == "Other images"]
    assert there["System"].str.startswith("Zero-shot").sum() == 1
    assert there["System"].str.startswith("Tuned").sum() == 4


@pytest.mark.slow
def test_the_figure_has_a_panel_per_test_pairs_and_names_those_without_labels(
    table: pd.DataFrame, partly: pd.DataFrame, tmp_path: Path
) -> None:
    whole = findings_comparison(table, FACTS, REGISTRY, note=RECONSTRUCTION_NOTE)
    assert [panel.get_title(loc="left").splitlines()[0] for panel in whole.axes] == [
        *("Tested on Home images", "Tested on Other images")
    ]
    assert_whole(whole, tmp_path)
    part = findings_comparison(partly, FACTS, REGISTRY)
    assert len(part.axes) == 1
    assert "because no finding counts there: Home images." in texts(part)
    assert_whole(part, tmp_path)


def test_a_comparison_of_what_nobody_knows_is_made_and_says_so(
    partly: pd.DataFrame, tmp_path: Path
) -> None:
    table = partly[partly["other"] == "home"]
    shown = comparison.comparison_for_reading(table, FACTS, REGISTRY)
    assert set(shown["AUROC (interval)"]) == {UNDEFINED}
    assert "no finding counts" in " ".join(comparison.comparison_notes(table, REGISTRY, 10))
    figure = findings_comparison(table, FACTS, REGISTRY)
    assert not figure.axes
    assert_whole(figure, tmp_path)


# ---------------------------------------------------------------- the systems of one dataset
def test_every_finding_of_every_test_set_is_what_its_average_is_made_of(
    found: list[Asked], table: pd.DataFrame
) -> None:
    each = by_test_set.by_test_set(comparison.scored(TASK, found, FACTS, REGISTRY, **HOW))
    counted = each[each["counts"].astype(bool)]
    keys = ["dataset", "other", "split", "system"]
    means = counted.groupby(keys, sort=False)["auroc"].mean()
    macro = table.set_index(keys)["macro_auroc"]
    assert means.to_numpy() == pytest.approx(macro.loc[means.index].to_numpy())
    shown = by_test_set.by_test_set_for_reading(each, FACTS, REGISTRY)
    assert len(shown) == len(counted.drop_duplicates(["other", "finding"]))
    assert list(shown)[-3:] == ["Zero-shot", "Tuned", "Tuned, relaxed (stand-in)"]
    notes = by_test_set.by_test_set_notes(each, REGISTRY, 40)
    assert any(RECONSTRUCTION_NOTE in note for note in notes)


def test_every_two_systems_are_tested_at_each_place_by_every_metric(found: list[Asked]) -> None:
    table = system_tests.pairwise_table(found, REGISTRY, **HOW)
    assert len(table) == 2 * 3 * len(system_tests.TESTED)
    assert list(table.columns) == list(system_tests.COLUMNS)
    shown = system_tests.pairwise_for_reading(table, FACTS, REGISTRY)
    assert shown["Tested on"].unique().tolist() == ["Home images", "Other images"]
    notes = " ".join(system_tests.pairwise_notes(table, REGISTRY))
    assert "10 bootstrap resamples of the patients" in notes
    assert RECONSTRUCTION_NOTE in notes
    assert "CSV" not in notes


def test_tests_say_how_many_findings_are_averaged_where_a_system_lacks_a_threshold(
    found: list[Asked],
) -> None:
    whole = system_tests.pairwise_table(found, REGISTRY, **HOW)
    assert "Findings" not in system_tests.pairwise_for_reading(whole, FACTS, REGISTRY)
    home = [one for one in found if one.other == "home"]
    constant = [one.assign(p_edema=0.5) for one in home[0].predictions]
    home[0] = replace(home[0], predictions=constant)
    table = system_tests.pairwise_table(home, REGISTRY, **HOW)
    assert (table["findings"] == 3).all()
    assert (table["decided"] == 2).all()
    shown = system_tests.pairwise_for_reading(table, FACTS, REGISTRY)
    assert shown.groupby("Metric")["Findings"].unique().map(list).to_dict() == {
        **{"AUROC": [3], "Average precision": [3]},
        **{"F1": [2], "MCC": [2]},
    }
    assert "fewer than count" in " ".join(system_tests.pairwise_notes(table, REGISTRY))


def test_of_very_many_tests_those_of_one_metric_are_shown(
    found: list[Asked], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(system_tests, "MOST_ROWS", 5)
    table = system_tests.pairwise_table(found, REGISTRY, **HOW)
    shown = system_tests.pairwise_for_reading(table, FACTS, REGISTRY)
    assert len(shown) == 2 * 3
    assert "Average precision, F1, MCC are in the CSV file" in " ".join(
        system_tests.pairwise_notes(table, REGISTRY)
    )


def test_one_system_alone_is_tested_against_nobody(found: list[Asked]) -> None:
    alone = [one for one in found if one.system == "plain"]
    table = system_tests.pairwise_table(alone, REGISTRY, **HOW)
    assert table.empty
    assert system_tests.pairwise_for_reading(table, FACTS, REGISTRY).empty
    assert "one system only" in system_tests.pairwise_notes(table, REGISTRY)[-1]


def test_probabilities_stand_beside_the_share_that_is_true(found: list[Asked]) -> None:
    table = calibration.calibration_table(found)
    assert len(table) == len(found) * len(CLASSES)
    own = table[table["system"] == "zero_shot"].iloc[: len(CLASSES)]
    shown = calibration.calibration_for_reading(table, FACTS, REGISTRY)
    assert shown["Mean probability"].iloc[0] == f"{own['mean_probability'].mean():.3f}"
    off = (own["mean_probability"] - own["base_rate"]).abs()
    farthest = NAMES[str(own["finding"].iloc[int(off.to_numpy().argmax())])]
    assert shown["Farthest off"].iloc[0].startswith(f"{farthest}: ")
    assert RECONSTRUCTION_NOTE in calibration.calibration_notes(table, REGISTRY)[0]


@pytest.mark.slow
def test_each_system_has_a_panel_of_its_probabilities(found: list[Asked], tmp_path: Path) -> None:
    """Of the test pairs at home, wherever these stand."""
    table = calibration.calibration_table(found).sort_values("other", kind="stable")
    figure = probabilities_and_shares(table, FACTS, REGISTRY, note=RECONSTRUCTION_NOTE)
    assert len(figure.axes) == len(REGISTRY)
    assert "Test pairs of Home images, grouped split." in texts(figure)
    assert_whole(figure, tmp_path)


@pytest.mark.slow
def test_where_nothing_is_known_at_home_the_figure_is_of_other_pairs(
    unknown: list[Asked], tmp_path: Path
) -> None:
    table = calibration.calibration_table(unknown)
    shown = calibration.calibration_for_reading(table, FACTS, REGISTRY)
    assert shown["Farthest off"].iloc[0] == shown["Brier score"].iloc[0] == UNDEFINED
    figure = probabilities_and_shares(table, FACTS, REGISTRY)
    assert "Test pairs of Other images, published split. Systems of Home images." in texts(figure)
    nothing = probabilities_and_shares(table[table["other"] == "home"], FACTS, REGISTRY)
    assert not nothing.axes
    assert_whole(nothing, tmp_path)


def test_prompts_are_compared_with_the_systems_own() -> None:
    sets = {OWN_PROMPTS: 0.5, "short": 1.0, "sentences": 3.0}
    table = pd.concat(
        [
            random_findings(1, noise=at, sharpness=sharp)
            .query("subset == 'test'")
            .assign(**{PROMPTS: name})
            for at, (name, sharp) in enumerate(sets.items())
        ],
        ignore_index=True,
    )
    found = prompts.prompts_table({("zero_shot", "grouped"): [table]}, CLASSES, **HOW)
    assert found["prompts"].tolist() == [*sets]
    shown = prompts.prompts_for_reading(found, REGISTRY)
    assert shown["Difference to own prompts (interval)"].tolist()[0] == ""
    notes = prompts.prompts_notes(found, REGISTRY, {"zero_shot": "chexzero"}, 10)
    assert "Zero-shot, grouped split: from" in notes[0]
    assert f"({OWN_PROMPTS}) to" in notes[0]
    assert notes[0].endswith("(sentences).")
    assert "Zero-shot: chexzero." in notes[1]
    none = prompts.prompts_table({("zero_shot", "grouped"): [unlabelled(table)]}, CLASSES, **HOW)
    told = prompts.prompts_notes(none, REGISTRY, {"zero_shot": "chexzero"}, 10)
    assert "no finding counts" in told[-1]
