"""The model card: true to the run, valid for Hugging Face, and text from outside stays text."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from markdown_it import MarkdownIt

import card_samples as samples
import finding_samples
from pairdx.deployment.export.card import card_facts, model_card
from pairdx.evaluation.metrics import evaluate
from pairdx.models.library_weights import LibraryWeights
from pairdx.plan.start import plan_of
from pairdx.tasks import task

REPOSITORY = Path(__file__).parents[2]
TABLES = MarkdownIt("commonmark", {"html": False}).enable("table")
# Names that would be markup, another cell, another document or another head.
ODD = {
    "*x*": "*x* _y_ `z`", "a|b": "| a", "<script>": "<script>alert(1)</script>", "---": "---",
    "# h": "# heading\n\n---\nlicense: mit", "[l](u)": "[link](javascript:alert(1)) ![i](u)",
    "long": "wide " * 200, "unbroken": "w" * 300, "null": "null", "- item": "- item: {a: &b}",
    "\u202e": "\u202eright to left", "$x$": "$x$ \\",
}  # fmt: skip


@cache
def usual() -> str:
    """The card of the samples as they are."""
    return model_card(samples.facts())


def body(text: str) -> str:
    """What follows the head."""
    return text.split("---\n", 2)[2]


def head(text: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(text.split("---\n", 2)[1])
    return found


def section(text: str, heading: str) -> str:
    found = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    assert found, heading
    return found[1]


def cells(text: str) -> list[list[str]]:
    """The cells of all tables as they are shown."""
    page = TABLES.render(body(text))
    rows = re.findall(r"<tr>(.*?)</tr>", page, re.S)
    return [re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row, re.S) for row in rows]


@pytest.mark.parametrize("names", [samples.CLASSES, ODD])
def test_hugging_face_reads_the_head_and_gives_it_back(names: dict[str, str]) -> None:
    huggingface_hub = pytest.importorskip("huggingface_hub")
    title = "Ours: *best* of --- 'all'\n---\nlicense: mit"
    text = model_card(samples.facts(names=names, title=title, dataset_title="---"))
    card = huggingface_hub.ModelCard(text)
    assert card.data.license == "other"
    assert card.data.pipeline_tag == "image-classification"
    assert card.data.library_name == "onnx"
    assert card.data.model_name == "Ours: *best* of --- 'all' --- license: mit"
    results = {one.metric_name: one for one in card.data.eval_results}
    assert results["Accuracy"].metric_type == "accuracy"
    assert results["Accuracy"].dataset_name == "---"
    assert results["Accuracy"].dataset_split == "test"
    again = huggingface_hub.ModelCard(f"---\n{card.data.to_yaml()}\n---\n{card.text}")
    assert again.data.to_dict() == card.data.to_dict()
    assert card.data.to_dict() == head(text)


def test_numbers_are_those_of_the_workflow_with_their_intervals() -> None:
    pairs, split = samples.pairs_of(list(samples.CLASSES))
    table = samples.predictions_of(pairs, split, list(samples.CLASSES))
    how: Any = {"resamples": 20, "seed": 1}
    expected = evaluate(task("single_label"), table, list(samples.CLASSES), **how)
    low, high = (100 * expected["accuracy"][key] for key in ("low", "high"))
    written = f"{100 * expected['accuracy']['value']:.1f} ({low:.1f} to {high:.1f})"
    text = usual()
    assert ["Accuracy, %", written, written] in cells(text)
    assert in_head(text)["Accuracy"] == round(expected["accuracy"]["value"], 4)
    recall = expected["per_class"]["ct"]["recall"]
    assert f"{100 * recall:.1f} (" in section(text, "Results per class")
    assert "50 test pairs of 50 cases" in section(text, "Results")


def in_head(text: str) -> dict[str, float]:
    """The metrics of the head, by their titles."""
    metrics = head(text)["model-index"][0]["results"][0]["metrics"]
    return {one["name"]: one["value"] for one in metrics}


def test_calibration_changes_the_error_and_no_accuracy() -> None:
    text = model_card(samples.facts(temperature=3.0))
    rows = {row[0]: row[1:] for row in cells(text) if len(row) == 3}
    assert rows["Accuracy, %"][0] == rows["Accuracy, %"][1]
    own, calibrated = rows["Expected calibration error"]
    assert own != calibrated
    assert "divided by 3.000" in text
    assert "makes it less sure" in text
    assert "makes it surer" in model_card(samples.facts(temperature=0.5))
    assert "That changes nothing; the class" in model_card(samples.facts(temperature=1.0))


def test_the_head_has_the_metrics_of_what_the_folder_answers() -> None:
    facts = samples.facts(temperature=3.0)
    error = "expected_calibration_error"
    assert facts.numbers.calibrated is not None
    own, answered = (
        one[error]["value"] for one in (facts.numbers.metrics, facts.numbers.calibrated)
    )
    assert abs(own - answered) > 0.01
    assert in_head(model_card(facts))["Expected calibration error"] == round(answered, 4)


def confidences(temperature: float) -> tuple[pd.DataFrame, np.ndarray]:
    """The samples' test pairs, and how sure they are of them when calibrated."""
    labels = list(samples.CLASSES)
    table = samples.predictions_of(*samples.pairs_of(labels), labels)
    test = table[table["subset"] == "test"]
    powers = test[[f"p_{label}" for label in labels]].to_numpy(dtype=np.float64) ** (
        1 / temperature
    )
    return test, (powers / powers.sum(axis=1, keepdims=True)).max(axis=1)


def test_the_interval_of_the_risk_is_of_as_many_pairs_as_are_answered() -> None:
    """Where none of n answers is wrong, it ends at z^2 / (n + z^2)."""
    test, sure = confidences(1.5)
    wrong = (test["label"] != test["predicted"]).to_numpy()
    threshold = float(sure[wrong].max()) + 1e-6
    answered = int((sure >= threshold).sum())
    assert 3 < answered < len(test) / 2
    numbers = samples.facts(threshold=threshold, temperature=1.5).numbers
    assert numbers.risk is not None
    squared = 1.959964**2
    assert (numbers.risk["value"], numbers.risk["low"]) == (0.0, 0.0)
    assert numbers.risk["high"] == pytest.approx(squared / (answered + squared), abs=1e-5)


@pytest.mark.parametrize("temperature", [1.0, 2.5])
def test_abstention_is_measured_on_test_pairs_at_the_threshold_that_is_deployed(
    temperature: float,
) -> None:
    """By calibrated confidences, with which fewer are answered than with the network's own."""
    facts = samples.facts(threshold=0.55, temperature=temperature)
    test, confidence = confidences(temperature)
    sure = confidence >= 0.55
    assert (sure.sum() < (confidences(1.0)[1] >= 0.55).sum()) == (temperature > 1)
    wrong = (test["label"] != test["predicted"])[sure].mean()
    assert facts.numbers.coverage is not None
    assert facts.numbers.risk is not None
    assert facts.numbers.coverage["value"] == pytest.approx(sure.mean())
    assert facts.numbers.risk["value"] == pytest.approx(wrong)
    told = section(model_card(facts), "Calibration and abstention")
    assert f"answers {100 * sure.mean():.1f} % (" in told
    assert ("more than 5.0 %" in told) == (wrong > 0.05)


def test_a_threshold_promises_no_risk_on_new_documents() -> None:
    """It answers as many validation pairs as the risk allows, and is optimistic by that."""
    told = " ".join(section(usual(), "Limits").split())
    assert "was chosen on 40 validation pairs, which also chose the temperature" in told
    assert "on average somewhat higher than on these pairs; what it came to on test pairs" in told
    assert "keeps its risk" not in told
    assert "threshold" not in section(model_card(samples.facts(threshold=None)), "Limits")
    calibration = section(usual(), "Calibration and abstention")
    assert "`tables/calibration_*.csv` may have other coverages and risks" in calibration


def test_a_system_that_is_never_sure_enough_says_so() -> None:
    text = model_card(samples.facts(threshold=None, coverage=0.0))
    assert "**It abstains from every image**" in text


def test_names_of_classes_stay_text_in_every_table() -> None:
    text = model_card(samples.facts(names=ODD))
    page = TABLES.render(body(text))
    assert "<script>" not in page
    assert "<a " not in page
    assert "<img" not in page
    assert "<em>" not in page
    assert page.count("<h1>") == 1
    # No name makes a cell more or less.
    per_class = [row for row in cells(text) if len(row) == 5 and "Class" not in row]
    assert len(per_class) == len(ODD)
    assert per_class[1][0] == "| a"
    shown = [row[0] for row in per_class]
    assert [len(shown[list(ODD).index(name)]) for name in ("long", "unbroken")] == [80, 80]
    assert len({*shown}) == len(ODD)
    assert len(head(text)) == 8


def test_three_hundred_classes_are_all_in_the_tables() -> None:
    names = {f"class_{at}": f"class {at}" for at in range(300)}
    text = model_card(samples.facts(names=names, told={"resamples": 2}))
    assert len([row for row in cells(text) if len(row) == 5]) == 301
    assert "and 280 more" in text
    assert len(text.splitlines()) < 900


def test_kinds_within_classes_are_those_of_training() -> None:
    pairs, split = samples.pairs_of(list(samples.CLASSES))
    pairs.loc[split["subset"] == "test", "subtype"] = "seen in the test alone"
    pairs.loc[pairs["label"] == "chart", "subtype"] = "chart"
    text = model_card(samples.facts(pairs=pairs))
    assert "seen in the test alone" not in text
    rows = {row[0]: row[1] for row in cells(text) if len(row) == 2}
    assert rows["X-ray"] == "*other*_kind 20"
    assert "Chart" not in rows
    untold = {"lacks": {"modalities": "no column"}}
    assert "a kind" not in model_card(samples.facts(told=untold))


def test_stand_ins_and_drawn_data_are_said_before_anything_else() -> None:
    loud = model_card(samples.facts(stand_in=True, told={"drawn": True}))
    opening = body(loud).split("## ", 1)[0]
    assert "> **Stand-ins:" in opening
    assert "> **Demo: images and captions are drawn" in opening
    assert "stand-in" in head(loud)["tags"]
    plain = usual()
    assert "Stand-in" not in plain
    assert "stand-in" not in head(plain)["tags"]


def test_of_pretraining_nothing_is_claimed() -> None:
    """Weights from elsewhere may have been shown what this run kept from them."""
    random = {"pretrained": None, "word_vectors": {"source": "random", "dimension": 50}}
    learned = {"pretrained": None, "word_vectors": {"source": "glove", "dimension": 50}}
    untrained = {"system": {**samples.TOLD["system"], "trained": False}}
    unknown = "what its pretraining showed it is not known here"
    for told in ({}, learned, untrained):
        text = model_card(samples.facts(told=told))
        limits = section(text, "Limits")
        assert f"Not among this run's training pairs: Pathology; {unknown}." in limits
        assert f"All of this run's data are of one data set; {unknown}." in limits
        assert "Never shown" not in text
        assert "shown no others" not in text
    text = model_card(samples.facts(told=random))
    assert "Never shown in training: Pathology." in section(text, "Limits")
    assert "All of its data are of one data set." in text
    assert "it was shown no others:" in section(text, "Data")
    assert unknown not in text


def test_what_it_was_never_shown_and_what_leaks_is_said() -> None:
    told = section(usual(), "Limits")
    none = "test pairs share no patient, study, caption, near-duplicate image with training"
    assert none in told
    pairs, _ = samples.pairs_of(list(samples.CLASSES))
    test = pairs["pair_id"].str.startswith("test")
    shared = pairs.assign(article_id=pairs["article_id"].mask(test & (pairs.index % 2 == 0), "a"))
    shared.loc[0, "article_id"] = "a"
    told = section(model_card(samples.facts(pairs=shared)), "Limits")
    assert "**Test pairs share something with training pairs (patient: 25; of 50).**" in told
    unknown = pairs.assign(caption_cluster="")
    assert none in section(model_card(samples.facts(pairs=unknown)), "Limits")
    mine = {"lacks": {"captions": "no column", "groups": "no column"}, "grouped_by": {}}
    told = section(model_card(samples.facts(told=mine)), "Limits")
    assert "test pairs share no near-duplicate image with training pairs" in told


def test_how_far_it_notices_other_classes_is_measured() -> None:
    names = [f"pair_{at}" for at in range(90)]
    sure = [0.9] * 30 + [0.8] * 30 + [0.3] * 29 + [0.9]
    table = pd.DataFrame({"pair_id": names, "case_id": names, "label": "x", "predicted": "ct"})
    subsets = ["validation"] * 30 + ["test"] * 30 + ["out_of_distribution"] * 30
    table = table.assign(subset=subsets, max_probability=sure, energy=np.nan)
    told = section(model_card(samples.facts(others=table)), "Limits")
    assert "Asked about 30 such pairs" in told
    assert "an AUROC of 0.97 (" in told
    assert "of 3.3 % (" in told
    assert "the network's own highest probability, before calibration" in told
    unasked = "How sure it is of such pairs is not known here."
    assert unasked not in told
    assert unasked in section(usual(), "Limits")
    nobody = model_card(samples.facts(others=table[:0]))
    assert unasked in section(nobody, "Limits")


def test_what_was_compared_is_told() -> None:
    told = " ".join(section(usual(), "Verification").split())
    assert (
        "From the run's predictions of the same pairs its probabilities differ by 3.0e-07" in told
    )
    assert "Calibrated, they differ by 4.0e-07 at most (allowed: 1e-04), and of 100.0 % of" in told
    assert "2 pairs, within 1e-05 of the threshold, aside" in told
    assert "pixel by pixel" in told


def test_training_is_told_without_the_machines_name() -> None:
    text = usual()
    told = section(text, "Training")
    assert "1,234,567 parameters, 4,321 of them trained. Seed 1. Device: A chip (cuda)" in told
    assert "The job took 61 s" in told
    assert "The GPU used 2.0 Wh" in told
    assert "resnet18 (somewhere/resnet)" in told
    assert "a-machine-of-ours" not in text
    assert "class_names" not in told
    assert "x" * 300 not in told


def test_an_untrained_system_claims_no_training() -> None:
    system = {**samples.TOLD["system"], "trained": False}
    untrained = {"system": system, "pretrained": None, "learns_from": []}
    text = model_card(samples.facts(told=untrained))
    assert "It was not trained here." in text
    assert "4,321 of them trained" not in text
    assert "trained on" not in text.split("## ", 1)[0]
    assert "it was shown" not in text


def test_licences_are_counted_and_that_of_the_weights_is_not_made_up() -> None:
    told = section(usual(), "Licences")
    assert "not known" in told
    assert "75 of 150 (50.0 %) pairs" in told
    lacking = {"lacks": {"licences": "its table names no column"}}
    told = section(model_card(samples.facts(told=lacking)), "Licences")
    assert "No licences are known: its table names no column." in told


def test_the_lines_that_load_the_weights_stand_there_as_they_are() -> None:
    weights = LibraryWeights("timm", "All of it.", 'a = "*x*"\nb = a[0] | 1\n', "probabilities")
    text = model_card(samples.facts(weights=weights))
    assert f"```python\n{weights.lines}```" in text
    assert "(probabilities.log() / 1.5).softmax(dim=1)" in text
    assert "no library's" in section(usual(), "Weights in other libraries")


def test_who_reads_captions_is_told_to_give_a_table() -> None:
    text = model_card(samples.facts(reads=["image", "caption"]))
    assert "--caption-column" in section(text, "How to use it")
    assert "an image and its caption" in text.split("## ", 1)[0]
    assert head(model_card(samples.facts(reads=["caption"])))["pipeline_tag"] == (
        "text-classification"
    )


def test_several_findings_have_thresholds_and_no_abstention() -> None:
    names = {"edema": "edema", "effusion": "pleural effusion", "fracture": "fracture"}
    table = finding_samples.random_findings(3)
    pairs = table[["pair_id", "case_id"]].assign(label="edema", subtype="edema", licence="CC0")
    pairs = pairs.assign(
        article_id=pairs["case_id"], figure_id="", duplicate_cluster="", caption_cluster=""
    )
    facts = card_facts(
        deployment={
            **samples.DEPLOYMENT, "task": "multi_label", "classes": [*map(list, names.items())],
            "temperature": None, "threshold": None,
            "thresholds": {"edema": 0.4125, "effusion": 0.2, "fracture": None},
        },
        passport=samples.PASSPORT,
        verification=samples.VERIFICATION,
        predictions=table,
        pairs=pairs,
        split=table[["pair_id", "subset"]],
        told={**samples.TOLD, "classes": {**names, "(none)": "none of the findings"},
              "several": True},
        weights=None,
        files={},
    )  # fmt: skip
    text = model_card(facts)
    rows = {row[0]: row for row in cells(text) if len(row) > 5}
    assert rows["Class"][-2:] == ["Counts from", "Test pairs"]
    assert rows["Edema"][-2] == "0.412"
    assert rows["Fracture"][-2] == ""
    assert "it does not abstain" in text
    assert "This folder (calibrated)" not in text
    assert all(np.isfinite(value) for value in in_head(text).values())


def test_the_plan_tells_the_card_without_a_place_on_this_machine() -> None:
    plan, _ = plan_of({"datasets": {"multicare": {"source": {"path": "/a/place"}}}}, REPOSITORY, [])

    class Of:
        dataset, system = "multicare", "pairdx_fusion"

    told = plan.facts.card(Of())
    assert told["pretrained"] == {
        "name": "resnet18", "source": plan.config["downloads"]["weights"]["resnet18"]["url"],
    }  # fmt: skip
    assert told["word_vectors"] == {"source": "glove", "dimension": 300}
    assert told["out_of_distribution"] == ["pathology"]
    assert "/a/place" not in repr(told)
    assert told["learns_from"] == ["image", "caption"]
    text = model_card(samples.facts(told={**told, "classes": samples.CLASSES, "resamples": 2}))
    assert "It started from the weights resnet18 (https://" in text
    assert "those of GloVe" in text
    assert "| identifiers" in section(text, "Data")
