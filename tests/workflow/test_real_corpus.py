"""The workflow on images that nobody drew: the corpus in the folder that PAIRDX_REAL_DATA names."""

from __future__ import annotations

import json
from collections.abc import Collection
from itertools import product
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pandas as pd
import pytest
import yaml

from deployed_shell import classify
from pairdx.evaluation.metrics import evaluate
from pairdx.models.base import predict
from pairdx.models.inputs import read_subset, resources
from pairdx.models.registry import load_or_build
from pairdx.models.training_job import TrainingJob, run_training
from pairdx.plan.plan import Plan
from pairdx.tasks.single_label.rows import predicted_rows
from pairdx.tasks.single_label.task import TASK
from plans import DEFAULTS, Of, demo_with

from .conftest import DEMO, REAL_CORPUS, Workflow, copy_of_workflow

# With the SLURM tests, after which it starts: on two workers they take as long as the demo.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("beside the demo")]

REGISTRY = DEFAULTS["systems"]
SPLITS = ("stratified", "grouped")
DATASET = {
    "enabled": True,
    "source": {"path": REAL_CORPUS},
    # As many pixels as the demo's networks read.
    "packing": {"image_size": 64},
}

# A new entry of an existing family: the caption branch of PairDxFusion under another name.
NEW, TITLE, TWIN = "one_more", "One more", "pairdx_fusion"
# One reads images and captions, one captions: what is tabulated and drawn of them is looked at.
SYSTEMS = ("pairdx_fusion", NEW)

# What lists no systems, or rightly not all of them.
OF_PAIRS = {"dataset", "example_captions", "funnel", "funnel_by_class", "rejections"}
OF_PAIRS |= {"identifiers", "masked_captions", "leakage"}
OF_PAIRS |= {"examples", "class_counts", "caption_lengths", "ages"}  # figures
OF_TWO_SYSTEMS = {f"disagreements_multicare_{split}" for split in SPLITS}
OF_ZERO_SHOT_SYSTEMS = {"prompt_sensitivity_multicare"}
WITHOUT_IT = {f"{name}_multicare" for name in OF_PAIRS} | OF_TWO_SYSTEMS | OF_ZERO_SHOT_SYSTEMS
WITHOUT_IT |= {"discrepancies", "rule_graph"}


def overlay(enabled: Collection[str], splits: Collection[str] = SPLITS, **content: Any) -> str:
    """The configuration of a run of these systems; networks are trained for two epochs."""
    systems: dict[str, Any] = {name: {"enabled": name in enabled} for name in REGISTRY}
    for name, system in demo_with().systems.items():
        if name in systems and system.has_curves:
            systems[name]["settings"] = {"epochs": 2}
    if NEW in enabled:
        systems[NEW] = {"like": "text_only", "enabled": True, "title": TITLE}
    datasets = {"drawn": {"enabled": False}, "multicare": DATASET | {"splits": list(splits)}}
    return yaml.safe_dump({"run": "real", "datasets": datasets, "systems": systems, **content})


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Workflow:
    """A copy in which everything was made of SYSTEMS."""
    if not REAL_CORPUS:
        pytest.skip("PAIRDX_REAL_DATA names no folder")
    workflow = copy_of_workflow(tmp_path_factory.mktemp("real"), forks_jobs=True)
    # The demo names the systems whose input it changes; the experiment takes all trained ones.
    content = overlay(SYSTEMS, input_probes={"systems": "trained"})
    (workflow.folder / "config/real.yaml").write_text(content, encoding="utf-8")
    workflow.snakemake("all", *DEMO, "config/real.yaml")
    return workflow


def test_a_corpus_of_ones_own_runs_to_the_end(run: Workflow) -> None:
    """Curation, splits and comparison hold together on real images."""
    results, tables = run.folder / "results/real/multicare", run.folder / "results/real/tables"
    raw = pd.read_csv(Path(str(REAL_CORPUS), "captions_and_labels.csv"))
    funnel = pd.read_csv(results / "curated/funnel.csv")
    counted = funnel[funnel["stage"] == "ingest"].set_index("label")["candidates"]
    assert counted.to_dict() == raw["image_type"].value_counts().to_dict()
    pairs = pd.read_parquet(results / "curated/pairs.parquet")
    assert not (pairs["age"] < 18).any()
    comparison = pd.read_csv(tables / "comparison.csv")
    rows = set(zip(comparison["system"], comparison["split"], strict=True))
    assert rows == set(product(SYSTEMS, SPLITS))
    for split in SPLITS:
        subsets = pd.read_parquet(results / split / "split.parquet")
        assert sorted(subsets["pair_id"]) == sorted(pairs["pair_id"])
        shared = _articles_in_both(pairs, subsets, "train", "test")
        report = json.loads((results / split / "leakage.json").read_text(encoding="utf-8"))
        assert report["kinds"]["article"]["train-test"]["groups"] == len(shared)
        assert (split == "stratified") == bool(shared)
    assert (results / "archive/datasheet.md").is_file()


def test_a_new_registry_entry_appears_in_every_table_and_figure(run: Workflow) -> None:
    """With no other edit: by name or title wherever systems are listed, and in files of its own."""
    missing = []
    for folder, suffix in (("tables", ".csv"), ("figures", ".svg")):
        for file in (run.folder / "results/real" / folder).glob(f"*{suffix}"):
            if file.stem.endswith(f"_{TWIN}"):
                own = file.with_stem(file.stem.removesuffix(TWIN) + NEW)
                others = {".csv": (".md", ".tex", ".html"), ".svg": (".png",)}[suffix]
                wanted = [own.with_suffix(ending) for ending in (suffix, *others)]
                missing += [path.name for path in wanted if not path.is_file()]
            elif file.stem not in WITHOUT_IT and not file.stem.endswith(SYSTEMS):
                text = file.read_text(encoding="utf-8")  # an SVG repeats its texts as comments
                missing += [file.name] if NEW not in text and TITLE not in text else []
    assert missing == []


def test_a_system_of_real_images_classifies_their_files_from_a_shell(
    run: Workflow, tmp_path: Path
) -> None:
    """Images and captions of test pairs, and one without a caption: as the run itself did."""
    cell = run.folder / "results/real/multicare/grouped/pairdx_fusion/seed1"
    run.snakemake(str((cell / "deployed").relative_to(run.folder)), *DEMO, "config/real.yaml")
    predictions = pd.read_parquet(cell / "predictions.parquet")
    pairs = pd.read_parquet(run.folder / "results/real/multicare/curated/pairs.parquet")
    test = predictions[predictions["subset"] == "test"].merge(
        pairs[["pair_id", "archive", "member", "caption"]], on="pair_id"
    )
    for archive, members in test.groupby("archive")["member"]:
        with ZipFile(Path(str(REAL_CORPUS), f"{archive}.zip")) as stored:
            stored.extractall(tmp_path, members=list(members))
    table = test[["member", "caption"]].rename(columns={"member": "image"})
    table.loc[len(table)] = [table["image"][0], ""]
    table.to_csv(tmp_path / "new.csv", index=False)
    said = classify(cell / "deployed", "new.csv", "-o", "answers.csv", folder=tmp_path)
    assert "1 without a class: no caption" in said
    answers = pd.read_csv(tmp_path / "answers.csv", encoding="utf-8-sig")
    assert answers["predicted"][:-1].tolist() == test["predicted"].tolist()
    assert answers["predicted"].isna().tolist() == [False] * len(test) + [True]


def test_every_system_of_the_registry_is_trained_and_evaluated(
    run: Workflow, tmp_path: Path
) -> None:
    """Those too that are switched off; what is reported of predictions is the same for all.

    What they are built from Snakemake makes; they themselves are made here, in one process.
    """
    content = overlay(REGISTRY, ["stratified"])
    (run.folder / "config/all.yaml").write_text(content, encoding="utf-8")
    plan = demo_with(content)
    inputs = {name: _inputs(plan, name) for name in REGISTRY}
    made = {path for each in inputs.values() for path in each.values() if isinstance(path, str)}
    run.snakemake(*sorted(made), *DEMO, "config/all.yaml")
    test = _test_pairs(run.folder / "results/real/multicare")
    for name, files in inputs.items():
        given = {key: str(run.folder / path) for key, path in files.items()}
        predictions = _predictions(plan, name, given, tmp_path / name)
        metrics = evaluate(TASK, predictions, plan.labels(_of(name)), resamples=0, seed=1)
        assert metrics["pairs"] == sum(map(sum, metrics["confusion"])) == test, name
        weights = tmp_path / name / "model.safetensors"
        assert weights.is_file() == REGISTRY[name]["trained"], name


def _of(system: str) -> Any:
    return Of(dataset="multicare", split="stratified", system=system, seed="1")


def _inputs(plan: Plan, system: str) -> dict[str, Any]:
    """What the jobs of a system are given, below the folder of the run."""
    files, of = plan.files, _of(system)
    found = files.built_from(of) | files.training_data(of) | plan.privileged.taught_by(of)
    return {key: path.replace("<results>", "results/real") for key, path in found.items()}


def _predictions(plan: Plan, name: str, files: dict[str, str], folder: Path) -> pd.DataFrame:
    """Train a system, if it is trained, and ask it about the test pairs."""
    of, data = _of(name), [files[key] for key in ("pairs", "split", "images")]
    built_from = {key: str(path) for key, path in resources(files).items()}
    folder.mkdir()
    if plan.systems[name].trained:
        run_training(
            TrainingJob(
                family=plan.family_name(of),
                settings=plan.build_settings(of),
                classes=plan.labels(of),
                stand_in=plan.stand_in(of),
                seed=1,
                device="cpu",
                processes=1,
                threads=1,
                loader_workers=0,
                checkpoint_minutes=None,
                **dict(zip(("pairs", "split", "images"), data, strict=True)),
                resources=built_from,
                state_folder=str(folder / "state"),
                folder=str(folder),
            )
        )
    trained = str(folder / "settings.json") if plan.systems[name].trained else None
    known = {key: Path(path) for key, path in built_from.items()}
    classifier = load_or_build(trained, plan.untrained(of), plan.labels(of), known)
    test = read_subset(*data, plan.labels(of), "test")
    found = predict(classifier, test, 64)
    return predicted_rows(test.table, found, test.classes, subset="test")


def _test_pairs(results: Path) -> int:
    return int((pd.read_parquet(results / "stratified/split.parquet")["subset"] == "test").sum())


def _articles_in_both(pairs: pd.DataFrame, split: pd.DataFrame, one: str, other: str) -> set[str]:
    subset = pairs["pair_id"].map(split.set_index("pair_id")["subset"])
    articles = pairs["file"].str.split("_").str[0]  # not the column that the report reads
    return set(articles[subset == one]) & set(articles[subset == other])
