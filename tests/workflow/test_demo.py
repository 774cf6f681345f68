"""The whole demo, run once: results that hold together, and reruns of exactly what changed."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from pairdx.evaluation.accuracy import majority_share
from pairdx.evaluation.metrics import evaluate
from pairdx.files import sha256_of
from pairdx.tasks.single_label.task import TASK
from plans import DEMO as CONFIG
from plans import OVERLAY_OF_DEMO, demo_with

from .conftest import DEMO, Workflow

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("demo")]

SPLITS = ("stratified", "grouped")
CLASSES = list(CONFIG["datasets"]["drawn"]["classes"])
REGISTRY = {name: entry for name, entry in CONFIG["systems"].items() if entry["enabled"]}
COMPARISON_COLUMNS = [
    *("dataset", "system", "split", "seeds"),
    *("accuracy", "accuracy_low", "accuracy_high", "macro_f1"),
    *("train_seconds", "train_device", "seconds_per_image", "parameters"),
    *("paper_accuracy", "paper_train_seconds", "paper_seconds_per_image"),
]


@pytest.fixture(scope="module")
def results(demo: Workflow) -> Path:
    return demo.folder / "results/demo"


@pytest.fixture(scope="module")
def drawn(results: Path) -> Path:
    """What concerns the one dataset."""
    return results / "drawn"


@pytest.fixture(scope="module")
def comparison(results: Path) -> pd.DataFrame:
    return pd.read_csv(results / "tables/comparison.csv").set_index(["system", "split"])


@pytest.fixture(scope="module")
def pairs(drawn: Path) -> pd.DataFrame:
    return pd.read_parquet(drawn / "curated/pairs.parquet")


def test_the_comparison_has_one_row_per_system_and_split(results: Path) -> None:
    comparison = pd.read_csv(results / "tables/comparison.csv")
    assert list(comparison) == COMPARISON_COLUMNS
    rows = comparison[["dataset", "system", "split"]].itertuples(index=False, name=None)
    assert list(rows) == [("drawn", system, split) for system in REGISTRY for split in SPLITS]


def test_cells_that_do_not_apply_are_empty_and_never_zero(comparison: pd.DataFrame) -> None:
    for system, entry in REGISTRY.items():
        for split in SPLITS:
            row = comparison.loc[system, split]
            assert row["train_seconds"] > 0 if entry["trained"] else pd.isna(row["train_seconds"])
            assert pd.isna(row["train_device"]) != entry["trained"]
            has_paper = split == "stratified" and entry["paper"] is not None
            assert pd.isna(row["paper_accuracy"]) != has_paper
    assert not (comparison[["train_seconds", "seconds_per_image"]] == 0).any().any()
    assert comparison.loc[("pairdx_clip", "stratified"), "paper_train_seconds"] == 3952
    assert comparison.loc[("biomedclip_zero_shot", "stratified"), "paper_accuracy"] == 0.663


def test_the_demo_is_a_real_task(comparison: pd.DataFrame, drawn: Path) -> None:
    """Images and words tell something, and neither all of it nor anything without training.

    The bars are far from what was measured, as what a training ends at depends on the processor:
    0.64 or more, 0.52, 0.71 and 0.22, where the most frequent class has less than 0.2.
    """
    for split in SPLITS:
        predictions = drawn / split / "pairdx_fusion/seed1/predictions.parquet"
        majority = majority_share(pd.read_parquet(predictions))
        assert comparison.loc[("pairdx_fusion", split), "accuracy_low"] > majority + 0.2
        assert comparison.loc[("mean_colour", split), "accuracy"] < 0.9
        assert comparison.loc[("tfidf_logistic", split), "accuracy"] < 0.9
        for untrained in ("clip_zero_shot", "biomedclip_zero_shot"):
            assert comparison.loc[(untrained, split), "accuracy"] < 0.45


def test_every_class_has_at_least_ten_test_pairs(drawn: Path, pairs: pd.DataFrame) -> None:
    for split in SPLITS:
        subsets = pd.read_parquet(drawn / split / "split.parquet")
        test = pairs[pairs["pair_id"].isin(subsets.loc[subsets["subset"] == "test", "pair_id"])]
        assert test["label"].value_counts().reindex(CLASSES, fill_value=0).min() >= 10


def test_the_funnel_adds_up_to_the_rows_of_the_raw_table(demo: Workflow, drawn: Path) -> None:
    raw = pd.read_csv(next(demo.folder.glob("resources/drawn/*/captions_and_labels.csv")))
    funnel = pd.read_csv(drawn / "curated/funnel.csv")
    assert (
        funnel["candidates"] == funnel[["rejected", "out_of_distribution", "kept"]].sum(axis=1)
    ).all()
    counted = funnel[funnel["stage"] == "ingest"].set_index("label")["candidates"]
    assert counted.to_dict() == raw["image_type"].value_counts().to_dict()
    rejected = pd.read_parquet(drawn / "curated/rejected.parquet")
    stages = rejected.groupby("stage").size()
    assert funnel.groupby("stage")["rejected"].sum()[stages.index].to_dict() == stages.to_dict()


def test_every_planted_trouble_is_rejected_for_its_reason(
    demo: Workflow, drawn: Path, pairs: pd.DataFrame
) -> None:
    manifest = json.loads(
        next(demo.folder.glob("resources/drawn/*/manifest.json")).read_text(encoding="utf-8")
    )
    rejected = pd.read_parquet(drawn / "curated/rejected.parquet").set_index("file")
    masked = pairs.set_index("file")["masked"]
    problems = {planted["problem"] for planted in manifest["planted"]}
    assert len(problems) >= 20
    for planted in manifest["planted"]:
        if planted["expected"] == "rejected":
            found = rejected.loc[planted["file"], ["stage", "reason"]].tolist()
            assert found == [planted["stage"], planted["reason"]], planted
        else:
            surplus = rejected["stage"].get(planted["file"]) == "balance"
            assert surplus or masked[planted["file"]] == (planted["masked"] or ""), planted


def test_the_grouped_split_leaks_nothing_and_the_stratified_one_is_measured(drawn: Path) -> None:
    leaked = {}
    for split in SPLITS:
        report = json.loads((drawn / split / "leakage.json").read_text(encoding="utf-8"))
        leaked[split] = sum(c["pairs"] for kind in report["kinds"].values() for c in kind.values())
    assert leaked["grouped"] == 0
    assert leaked["stratified"] > 0


def assert_close(found: Any, stored: Any) -> None:
    """The same keys and texts, and the same numbers but for rounding: threads add up in parts."""
    if isinstance(stored, dict):
        assert found.keys() == stored.keys()
        for key, value in stored.items():
            assert_close(found[key], value)
    elif isinstance(stored, list):
        for one, other in zip(found, stored, strict=True):
            assert_close(one, other)
    else:
        assert found == pytest.approx(stored, rel=1e-9)


def test_metrics_can_be_recomputed_from_the_predictions(drawn: Path) -> None:
    folder = drawn / "grouped/pairdx_fusion/seed1"
    stored = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    predictions = pd.read_parquet(folder / "predictions.parquet")
    interval = stored["interval"]
    again = evaluate(
        TASK, predictions, stored["classes"], resamples=interval["resamples"], seed=interval["seed"]
    )
    assert_close(again, stored)
    columns = [f"p_{name}" for name in stored["classes"]]
    np.testing.assert_allclose(predictions[columns].sum(axis=1), 1, atol=1e-5)


def test_comparisons_agree_with_the_comparison(results: Path, comparison: pd.DataFrame) -> None:
    """One seed each: tests, seeds and the split's effect rest on the accuracies of Table 8."""
    tests = pd.read_csv(results / "tables/system_tests_drawn.csv")
    assert len(tests) == len(SPLITS) * len(REGISTRY) * (len(REGISTRY) - 1) // 2
    for row in tests.to_dict("records"):
        accuracies = [
            comparison.loc[(row[key], row["split"]), "accuracy"] for key in ("system_a", "system_b")
        ]
        assert [row["accuracy_a"], row["accuracy_b"]] == pytest.approx(accuracies)
        assert row["p_bootstrap"] <= row["p_bootstrap_holm"] <= 1
    seeds = pd.read_csv(results / "tables/seeds.csv")
    seeds = seeds[seeds["metric"] == "accuracy"].set_index(["system", "split"])
    for name, same in (("mean", "accuracy"), ("low", "accuracy_low"), ("high", "accuracy_high")):
        pd.testing.assert_series_equal(
            seeds[name].sort_index(), comparison[same].sort_index(), check_names=False
        )
    effect = pd.read_csv(results / "tables/split_effect_drawn.csv").set_index("system")
    assert list(effect.index) == list(REGISTRY)
    for split in SPLITS:
        assert effect[f"{split}_accuracy"].to_dict() == pytest.approx(
            comparison["accuracy"].xs(split, level="split").to_dict()
        )


def test_the_price_of_leakage_is_that_of_two_trainings_on_one_test_set(
    results: Path, drawn: Path, comparison: pd.DataFrame
) -> None:
    price = pd.read_csv(results / "tables/leakage_price_drawn.csv").set_index("system")
    assert list(price.index) == ["tfidf_logistic"]
    row = price.loc["tfidf_logistic"]
    both = [
        pd.read_parquet(drawn / split / "tfidf_logistic/seed1/predictions.parquet")
        for split in ("with_siblings", "grouped")
    ]
    tested = set(both[0].loc[both[0]["subset"] == "test", "pair_id"])
    right = [
        (part["label"] == part["predicted"]).mean()
        for part in (table[table["pair_id"].isin(tested)] for table in both)
    ]
    assert [row["with_accuracy"], row["without_accuracy"]] == pytest.approx(right)
    assert row["price"] == pytest.approx(right[0] - right[1])
    assert row["price_low"] < row["price"] < row["price_high"]
    assert 0 < row["pairs_with_siblings"] <= row["test_pairs"] == len(tested)
    passports = [
        json.loads(
            (drawn / split / "tfidf_logistic/seed1/passport.json").read_text(encoding="utf-8")
        )["pairs"]
        for split in ("with_siblings", "grouped")
    ]
    assert passports[0]["train"] == passports[1]["train"]
    chosen = [
        json.loads(
            (drawn / split / "tfidf_logistic/seed1/settings.json").read_text(encoding="utf-8")
        )["chosen"]
        for split in ("with_siblings", "grouped")
    ]
    assert chosen[0]["inverse_regularisation"] == chosen[1]["inverse_regularisation"]
    assert "with_siblings" not in comparison.index.get_level_values("split")


def test_every_system_leaves_what_it_should(results: Path, drawn: Path) -> None:
    systems = demo_with().systems
    for system, entry in REGISTRY.items():
        folder = drawn / "stratified" / system / "seed1"
        passport = json.loads((folder / "passport.json").read_text(encoding="utf-8"))
        assert passport["seed"] == 1
        assert sum(passport["pairs"].values()) == 720
        assert (folder / "settings.json").is_file()
        assert (folder / "model.safetensors").is_file() == entry["trained"]
        assert (folder / "training.csv").is_file() == entry["trained"]
        timing = json.loads((drawn / f"timing/{system}.json").read_text(encoding="utf-8"))
        run = {stage: seconds for stage, seconds in timing["stages"].items() if seconds is not None}
        assert sum(run.values()) == pytest.approx(timing["mean"])
        assert ({"decode", "preprocess"} <= set(run)) == ("image" in systems[system].reads)
        assert ("text" in run) == ("caption" in systems[system].reads)
        assert timing["cpu_model"]
        assert [batched["batch_size"] for batched in timing["deployment"]] == [8, 32]
    states = results.parents[1] / "state/demo/drawn"
    assert (states / "stratified/pairdx_fusion").is_dir()
    assert not [path for path in states.rglob("*") if path.is_file()]
    assert not list(results.parents[1].glob("<*"))


def test_costs_are_those_of_the_comparison_and_every_job_is_counted(
    demo: Workflow, results: Path, comparison: pd.DataFrame
) -> None:
    costs = pd.read_csv(results / "tables/cost.csv").set_index(["system", "split"])
    same = ["train_seconds", "seconds_per_image", "paper_train_seconds", "parameters"]
    pd.testing.assert_frame_equal(costs[same], comparison[same])
    assert costs["batched_seconds_per_image"].gt(0).all()
    jobs = pd.read_csv(results / "tables/benchmarks.csv")
    folder = demo.folder / "benchmarks/demo"
    left_out = {"tables", "figures", "archive", "review"}
    files = [set(path.relative_to(folder).parts) for path in folder.rglob("*.tsv")]
    assert len(jobs) == sum(not left_out & parts for parts in files)
    assert jobs["wall_seconds"].gt(0).all()


def test_stand_ins_are_called_so_wherever_their_numbers_stand(results: Path) -> None:
    notice = "randomly initialised"
    pages = ["tables/comparison.md", "tables/comparison.html", "figures/comparison.svg"]
    pages += ["tables/timing.md", "tables/per_class_drawn_grouped_clip_zero_shot.md"]
    pages += ["tables/prompt_sensitivity_drawn.md", "tables/texts_drawn.html"]
    pages += ["tables/calibration_drawn.md", "tables/out_of_distribution_drawn.html"]
    pages += ["figures/reliability_drawn_grouped.svg", "figures/risk_coverage_drawn_grouped.svg"]
    pages += ["tables/cost.md", "figures/accuracy_against_cost.svg"]
    pages += ["figures/explanations_drawn_pairdx_clip.svg"]
    kinds = ("confusion", "training")
    pages += [f"figures/{kind}_drawn_grouped_pairdx_fusion.svg" for kind in kinds]
    for page in pages:
        text = (results / page).read_text(encoding="utf-8")  # an SVG repeats its texts as comments
        assert notice in text or "stand-in" in text, page


def test_a_second_run_has_nothing_to_do(demo: Workflow) -> None:
    assert "Nothing to be done" in demo.snakemake("all", *DEMO)


def test_a_new_time_stamp_alone_reruns_nothing(demo: Workflow) -> None:
    for name in ("train_model.py", "pairdx/models/fusion/system.py", "pairdx/curation/captions.py"):
        (demo.folder / "workflow/scripts" / name).touch()
    assert demo.plan("all", *DEMO) == {}


def test_other_words_rerun_nothing_and_other_code_reruns_what_it_is_of(demo: Workflow) -> None:
    """A docstring that every script's library brings; then a file of one family."""
    library = demo.folder / "workflow/scripts/pairdx"
    old = '"""The one exception that a user is meant to read."""'
    with edited(library / "errors.py", old, '"""What a user is meant to read."""\n\n# Why?'):
        assert demo.plan("all", *DEMO) == {}
    family = [name for name, entry in REGISTRY.items() if entry["family"] == "fusion"]
    with edited(library / "models/fusion/system.py"):
        output = demo.snakemake("all", *DEMO, "-n")
    retrained = re.findall(r"rule train_on_cpu:[\s\S]*?wildcards: .*?system=(\w+)", output)
    assert sorted(retrained) == sorted(family * len(SPLITS))
    assert "predict_untrained" not in output


def test_editing_what_only_tables_and_figures_show_retrains_nothing(demo: Workflow) -> None:
    yardsticks = demo.folder / "config/systems/yardsticks.yaml"
    with edited(yardsticks, "title: Mean colour", "title: Colour"):
        plan = demo.plan("all", *DEMO)
    assert plan["compare_systems"] == 1
    assert not {"train_on_cpu", "predict", "predict_untrained", "pack_images"} & set(plan)
    figures = demo.folder / "workflow/scripts/pairdx/reporting/systems"
    compared = {"all", "compare_systems", "describe_cost", "list_discrepancies"}
    with edited(figures / "figures.py"):  # the jobs that draw by it write metrics, too
        plan = demo.plan("all", *DEMO)
    assert set(plan) == {"report_system", "report_baseline"} | compared
    with edited(figures / "accuracy_figure.py"):
        assert set(demo.plan("all", *DEMO)) == compared


def test_an_overlay_whose_lines_are_in_another_order_changes_nothing(
    demo: Workflow, tmp_path: Path
) -> None:
    """The demo's own, turned round at every depth but within lists."""

    def turned_round(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: turned_round(value[key]) for key in reversed(value)}
        return value

    overlay = tmp_path / "turned.yaml"
    content = yaml.safe_dump(turned_round(OVERLAY_OF_DEMO), sort_keys=False)
    overlay.write_text(content, encoding="utf-8")
    assert demo.plan("all", *DEMO[:2], "--configfile", str(overlay)) == {}


def test_a_copy_with_new_time_stamps_is_taken_as_it_is_by_touch(
    demo: Workflow, tmp_path: Path
) -> None:
    """And so are results of which one knows that a changed value leaves them alone."""
    copied = Workflow(tmp_path / "copy")
    shutil.copytree(demo.folder, copied.folder, copy_function=shutil.copyfile)
    for archive in copied.folder.glob("resources/drawn/*/*.zip"):
        archive.touch()  # as if it were copied last
    (tmp_path / "more.yaml").write_text("datasets: {drawn: {subset: 100000}}", encoding="utf-8")
    unchanged = (*DEMO, str(tmp_path / "more.yaml"))
    assert "train_on_cpu" in copied.plan("all", *unchanged)
    copied.snakemake("all", "--touch", *unchanged)
    assert copied.plan("all", *unchanged) == {}


def test_choosing_other_pairs_to_explain_redraws_these_figures_alone(
    demo: Workflow, tmp_path: Path
) -> None:
    (tmp_path / "others.yaml").write_text("explanations: {seed: 2}", encoding="utf-8")
    plan = demo.plan("all", *DEMO, str(tmp_path / "others.yaml"))
    assert set(plan) == {"all", "explain_systems", "write_configuration"}


def test_the_rule_graph_is_redrawn_where_its_rules_change_and_nowhere_else(
    demo: Workflow, tmp_path: Path
) -> None:
    """What changes them: tests/unit/test_plan.py."""
    figure, other = "results/demo/figures/rule_graph.svg", tmp_path / "other.yaml"
    for overlay, redrawn in (("{run: demo, seeds: [1, 2]}", False), ("{device: cuda}", True)):
        other.write_text(overlay, encoding="utf-8")
        assert bool(demo.plan(figure, *DEMO, str(other))) is redrawn


def test_another_number_of_pairs_out_of_distribution_is_asked_about_without_any_training(
    demo: Workflow, tmp_path: Path
) -> None:
    """They are packed apart from what is trained on."""
    (tmp_path / "fewer.yaml").write_text(
        "evaluation: {out_of_distribution_pairs: 5}", encoding="utf-8"
    )
    plan = demo.plan("all", *DEMO, str(tmp_path / "fewer.yaml"))
    assert plan["pack_out_of_distribution"] == plan["assess_confidence"] == 1
    assert not {"pack_images", "train_on_cpu", "time_system"} & set(plan)


def test_editing_one_systems_setting_retrains_that_system_alone(demo: Workflow) -> None:
    rate = "learning_rate: 0.0008"  # of pairdx_clip
    with edited(demo.folder / "config/demo.yaml", rate, "learning_rate: 0.0009"):
        plan = demo.plan("trained", *DEMO)
    assert plan == {"train_on_cpu": len(SPLITS), "trained": 1}


def test_a_failed_job_leaves_nothing_that_looks_finished(demo: Workflow, tmp_path: Path) -> None:
    overlay = tmp_path / "broken.yaml"
    overlay.write_text(
        "run: broken\ndatasets: {drawn: {curation: {images: {min_side_pixels: 5000}}}}",
        encoding="utf-8",
    )
    files = ["config/demo.yaml", str(overlay)]
    command = ["curated", "--profile", "profiles/local", "--configfile", *files]
    output = demo.snakemake(*command, check=False)
    assert "no pair is left after curation" in output
    assert "Traceback" not in output
    assert not [*(demo.folder / "results/broken/drawn/curated").glob("*.*")]


def test_a_training_killed_again_and_again_ends_with_the_same_weights(
    demo: Workflow, tmp_path: Path
) -> None:
    """Through Snakemake: SIGKILL at two random moments, then the same command to the end."""
    copy = Workflow(tmp_path / "copy")
    shutil.copytree(demo.folder, copy.folder)
    outputs = "results/demo/drawn/stratified/pairdx_clip/seed1"
    weights = copy.folder / outputs / "model.safetensors"
    undisturbed = sha256_of(weights)
    history = pd.read_csv(copy.folder / outputs / "training.csv")
    weights.unlink()
    (copy.folder / "often.yaml").write_text(
        "training: {checkpoint_minutes: 0.01}", encoding="utf-8"
    )
    target = [f"{outputs}/model.safetensors", *DEMO, "often.yaml"]
    rng, states = np.random.default_rng(1), copy.folder / "state/demo/drawn/stratified/pairdx_clip"
    half_an_epoch = history["seconds"].median() / 2  # so that both kills come before the end
    for _ in range(2):
        newest = _newest_state(states)
        running = subprocess.Popen(
            [sys.executable, "-m", "snakemake", *target],
            cwd=copy.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        _wait_for_a_state_after(newest, states, running)
        time.sleep(rng.uniform(0, half_an_epoch))
        subprocess.run(["pkill", "-KILL", "-f", f"{copy.folder}/.snakemake/scripts"], check=True)
        assert running.wait(timeout=600) != 0
        assert not weights.exists()

    copy.snakemake(*target)
    log = copy.folder / outputs.replace("results", "logs") / "train.log"
    assert "resuming after epoch" in log.read_text(encoding="utf-8")
    again = pd.read_csv(copy.folder / outputs / "training.csv")
    learned = ["epoch", "train_loss", "train_accuracy", "validation_loss", "validation_accuracy"]
    assert history[learned].equals(again[learned])
    assert sha256_of(weights) == undisturbed
    assert not list(states.rglob("lease.json"))


def _newest_state(folder: Path) -> str:
    return max((path.name for path in folder.rglob("after-epoch-*.pt")), default="")


def _wait_for_a_state_after(newest: str, folder: Path, running: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 600
    while _newest_state(folder) <= newest:
        assert running.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.1)


REPORT_CATEGORIES = [
    *("1. Overview", "2. Data", "3. Systems", "4. Comparison", "5. Mistakes", "6. Cost")
]


def _embedded(report: str, name: str) -> dict[str, dict]:
    """What Snakemake's report holds under this name, as its page reads it."""
    found = re.search(rf'<script id="{name}">\s*var {name} = (.*?);\s*</script>', report, re.DOTALL)
    assert found is not None
    return json.loads(found[1])


def test_the_report_is_one_file_with_every_category_in_reading_order(demo: Workflow) -> None:
    """Snakemake sorts by text: numbers keep the order in which the report is read."""
    demo.snakemake("all", "--report", "results/demo/report.html", *DEMO)
    report = (demo.folder / "results/demo/report.html").read_text(encoding="utf-8")
    categories = _embedded(report, "categories")
    assert sorted(categories) == REPORT_CATEGORIES
    assert {entry["title"] for entry in REGISTRY.values()} == set(categories["3. Systems"])
    first = [Path(path).name for path in categories["1. Overview"]["Other"]]
    assert {"comparison.html", "comparison.svg", "discrepancies.html", "rule_graph.svg"} < {*first}
    assert "randomly initialised" in report
    assert "system-message" not in report  # what docutils writes where a caption has an error
    captions = [one["caption"] for one in _embedded(report, "results").values()]
    assert all(len(caption) > 100 for caption in captions)
    # Jinja takes away the line break after a block's end, and two sentences run into each other.
    assert not [one for one in captions if re.search(r"[a-z)]\.[A-Z]", re.sub("<[^>]*>", "", one))]


def test_every_item_of_the_report_can_be_reached(demo: Workflow) -> None:
    """Snakemake shows a switch for a label with two values; an item without one of them is lost."""
    report = demo.folder / "results/demo/report.html"
    if not report.is_file():
        demo.snakemake("all", "--report", str(report), *DEMO)
    results = _embedded(report.read_text(encoding="utf-8"), "results")
    for category in _embedded(report.read_text(encoding="utf-8"), "categories").values():
        for paths in category.values():
            labels = [results[path]["labels"] for path in paths]
            assert len({json.dumps(one) for one in labels}) == len(labels)
            switches = [
                name
                for name in {name for one in labels for name in [*one][1:]}
                if sorted(Counter(one.get(name) for one in labels).values())
                == [len(labels) / 2, len(labels) / 2]
            ]
            for name in switches:
                rest = Counter(next(iter(one.values())) for one in labels if name in one)
                assert set(rest.values()) == {2}


@pytest.mark.skipif(not shutil.which("chromium"), reason="no headless Chromium on this machine")
def test_the_report_opens_in_a_browser_without_a_network(demo: Workflow, tmp_path: Path) -> None:
    """The report is one file to hand on: it loads nothing, and shows no error without a network."""
    report = demo.folder / "results/demo/report.html"
    if not report.is_file():
        demo.snakemake("all", "--report", str(report), *DEMO)
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    flags += ["--no-first-run", "--disable-component-update", "--disable-sync", "--enable-logging"]
    requests = tmp_path / "requests.json"
    flags += ["--host-resolver-rules=MAP * ~NOTFOUND", f"--log-net-log={requests}"]
    flags += [f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=8000", "--dump-dom"]
    done = subprocess.run(
        ["chromium", *flags, "--log-level=0", report.as_uri()],
        capture_output=True,
        text=True,
        timeout=600,
        check=True,
        encoding="utf-8",
    )
    assert all(category in done.stdout for category in REPORT_CATEGORIES)
    assert "Where to begin" in done.stdout
    assert "Uncaught" not in done.stderr
    asked_for = set(re.findall(r'"url":"https?://([^/"]*)', requests.read_text(encoding="utf-8")))
    # What the browser asks its maker for, whatever the page.
    assert not {host for host in asked_for if not host.endswith((".google.com", ".googleapis.com"))}


class edited:  # noqa: N801 - reads as a verb: with edited(file)
    """Change a file for the time of a block: one word for another, or one more line of code."""

    def __init__(self, path: Path, old: str = "", new: str = "") -> None:
        self.path, self.original = path, path.read_text(encoding="utf-8")
        assert old in self.original
        self.text = self.original.replace(old, new) if old else f"{self.original}\nCHANGED = True\n"

    def __enter__(self) -> None:
        self.path.write_text(self.text, encoding="utf-8")

    def __exit__(self, *_: object) -> None:
        self.path.write_text(self.original, encoding="utf-8")
