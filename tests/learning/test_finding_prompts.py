"""Several labels per pair, asked about by positive and negative prompts: CheXzero's way."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import tiny_models as tiny
from pairdx.errors import PairDxError
from pairdx.image_rows import Images
from pairdx.models.answers import ask
from pairdx.models.base import FitJob, Pairs, predict
from pairdx.models.clip.objectives import finding_scores
from pairdx.models.clip.prompting import findings_by_prompts
from pairdx.models.clip.prompts import finding_texts
from pairdx.models.clip.system import ClipClassifier, fit, load
from pairdx.models.elsewhere import findings_elsewhere
from pairdx.models.exported import export_classifier
from pairdx.models.prompt_sets import OWN_PROMPTS, finding_prompt_sets
from pairdx.models.prompt_sets import PROMPTS as COLUMN
from pairdx.tasks import rows_of, task
from tiny_clip import build

SEED = 31
PROMPTS: dict[str, Any] = {"positive": ["{}", "signs of {}"], "negative": ["no {}"]}


def asking(prompts: dict[str, Any] = PROMPTS, **changes: Any) -> ClipClassifier:
    """A tiny CLIP that is asked about findings."""
    changes = {"temperature": 1.0, "several": True, "finding_prompts": prompts} | changes
    return build(seed=SEED, **changes)


def with_findings(count: int, classes: tuple[str, ...] = tiny.CLASSES) -> Pairs:
    """Tiny pairs, of which one finding, two or none is true; of one nothing is known."""
    pairs = tiny.make_pairs(count)
    texts = ["", classes[0], "|".join(classes[:2]), f"{classes[0]}|{classes[1]}?"]
    findings = [texts[at % len(texts)] for at in range(count)]
    images: Images = pairs.images
    return Pairs(pairs.table.assign(findings=findings), images, classes)


def by_prompts(
    classifier: ClipClassifier, pairs: Pairs, sets: dict[str, dict[str, Any]]
) -> pd.DataFrame:
    """Ask as the workflow does: the images first, whose features serve all sets."""
    of_images = ask(classifier, pairs.images, pairs.captions, 3, 4, features=True)
    assert of_images.image_features is not None
    rows = rows_of("multi_label")
    return findings_by_prompts(classifier, pairs, of_images.image_features, sets, rows, 4)


def test_a_probability_is_the_softmax_of_the_two_kinds_of_prompts() -> None:
    """By hand, with open_clip's own functions: exp(s+) / (exp(s+) + exp(s-)), cosines unscaled."""
    classifier, pairs = asking(), tiny.make_pairs(6)
    clip, tokenise = classifier.parts.clip, classifier.parts.tokenise

    def unit(features: torch.Tensor) -> torch.Tensor:
        return features / features.norm(dim=-1, keepdim=True)

    with torch.no_grad():
        images = classifier.image_features(np.asarray(pairs.images[:]))
        expected = np.zeros((len(pairs), len(tiny.CLASSES)))
        for at, name in enumerate(tiny.CLASSES):
            present = unit(clip.encode_text(tokenise([name, f"signs of {name}"])))
            present = unit(present.mean(dim=0))
            absent = unit(clip.encode_text(tokenise([f"no {name}"])))[0]
            both = torch.stack([images @ present, images @ absent]).exp().numpy()
            expected[:, at] = both[0] / both.sum(axis=0)
    found = predict(classifier, pairs, 4)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert np.ptp(found, axis=0).min() > 0  # images differ
    assert np.abs(found.sum(axis=1) - 1).min() > 0.1  # no distribution over the classes


def test_equal_prompts_on_both_sides_say_nothing() -> None:
    found = predict(asking({"positive": ["{}"], "negative": ["{}"]}), tiny.make_pairs(6), 4)
    np.testing.assert_allclose(found, 0.5, atol=1e-6)


def test_sides_exchanged_give_the_other_probability() -> None:
    exchanged = {"positive": PROMPTS["negative"], "negative": PROMPTS["positive"]}
    pairs = tiny.make_pairs(6)
    one, other = (predict(asking(prompts), pairs, 4) for prompts in (PROMPTS, exchanged))
    np.testing.assert_allclose(one, 1 - other, atol=1e-6)


@pytest.mark.parametrize("temperature", [None, 0.2])
def test_a_temperature_moves_probabilities_and_orders_images_likewise(
    temperature: float | None,
) -> None:
    pairs = tiny.make_pairs(20)
    plain, moved = (
        predict(asking(temperature=one), pairs, 7).astype(float) for one in (1.0, temperature)
    )
    factor = asking().network.scale().item() if temperature is None else 1 / temperature
    scores = [np.log(found / (1 - found)) for found in (plain, moved)]
    np.testing.assert_allclose(scores[1], factor * scores[0], rtol=1e-3, atol=1e-4)


def test_the_surest_stay_apart_under_a_learned_temperature() -> None:
    """Single precision would round them to 1, and ties would cost AUROC."""
    cosines = torch.tensor([[0.31], [0.32], [0.33], [0.34]])
    images = torch.cat([cosines, (1 - cosines**2).sqrt(), torch.zeros(4, 1)], dim=1)
    prompts = torch.tensor([[1.0, 0, 0], [0, 0, 1]])
    found = asking(temperature=0.01).compare(images, prompts)[:, 0]
    assert (np.diff(found) > 0).all()
    assert len(np.unique(found.astype(np.float32))) == 1


def test_whole_prompts_of_a_finding_stand_in_place_of_templates() -> None:
    own = {"chart": {"positive": ["a {} that stays"], "negative": ["nothing", "not a thing"]}}
    names = {"chart": "chart", "polyp": "a polyp"}
    assert finding_texts({**PROMPTS, "own": own}, names, ["chart", "polyp"]) == [
        *(["a {} that stays"], ["a polyp", "signs of a polyp"]),
        *(["nothing", "not a thing"], ["no a polyp"]),
    ]


@pytest.mark.parametrize(
    ("names", "prompts", "said"),
    [
        ({"chart": "chart"}, PROMPTS, "no phrase stands for the class 'polyp'"),
        ({"chart": "c", "polyp": "p"}, {**PROMPTS, "negative": []}, "no prompt template with {}"),
        ({"chart": "c", "polyp": "p"}, {**PROMPTS, "positive": ["x"]}, "no prompt template with"),
    ],
)
def test_prompts_without_a_phrase_or_a_place_for_it_are_refused(
    names: dict[str, str], prompts: dict[str, Any], said: str
) -> None:
    with pytest.raises(PairDxError, match=said):
        finding_texts(prompts, names, ["chart", "polyp"])


def test_the_score_of_a_finding_is_a_difference_of_cosines() -> None:
    images = torch.eye(4)[:2]
    prompts = torch.tensor([[1.0, 0, 0, 0], [0.6, 0.8, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    found = finding_scores(images, prompts)
    assert torch.allclose(found, torch.tensor([[1.0, 0.6], [0.0, 0.8]]))


def test_a_saved_system_asks_the_same(tmp_path) -> None:  # type: ignore[no-untyped-def]
    classifier, pairs = asking(), tiny.make_pairs(6)
    classifier.save(tmp_path)
    again = load(tmp_path, {})
    assert again.network.several
    np.testing.assert_array_equal(predict(again, pairs, 4), predict(classifier, pairs, 4))
    assert (
        again.answers(np.asarray(pairs.images[:2]), None).scores is None
    )  # no softmax over classes


@pytest.mark.slow
def test_the_exported_network_asks_the_same() -> None:
    classifier, pairs = asking(), tiny.make_pairs(6)
    images = np.asarray(pairs.images[:])
    exported = export_classifier(
        classifier, "clip", images=images, captions=pairs.captions, threads=1
    )
    assert exported is not None
    np.testing.assert_allclose(
        exported.probabilities(images, None), classifier.probabilities(images, None), atol=1e-5
    )


# ---------------------------------------------------------------- prompt after prompt
SETS: dict[str, dict[str, Any]] = {
    "plain": {"positive": ["{}"], "negative": ["no {}"]},
    "spoken": {
        "positive": ["there is {}", "{} is seen"],
        "negative": ["there is no {}", "no {} is seen", "all clear"],
        "own": {"chart": {"positive": ["a plot"], "negative": ["a text", "a scan"]}},
    },
}


def test_sets_are_named_and_several_templates_give_their_pairs() -> None:
    """The set of one pair is that pair; a template without a partner makes none."""
    found = finding_prompt_sets(PROMPTS, SETS)
    first, second = "spoken: there is {} | there is no {}", "spoken: {} is seen | no {} is seen"
    assert [*found] == [OWN_PROMPTS, "plain", "spoken", first, second]
    assert found[OWN_PROMPTS] == PROMPTS
    assert found[second] == {
        **SETS["spoken"],
        "positive": ["{} is seen"],
        "negative": ["no {} is seen"],
    }


def test_what_a_system_asks_by_anyway_is_not_asked_again() -> None:
    """Neither the set that it names nor a pair of another that is the same; its own pairs are."""
    pair = {"positive": ["{} is seen"], "negative": ["no {} is seen"]}
    wide = {"positive": ["there is {}", "{} is seen"], "negative": ["no {}", "no {} is seen"]}
    sets = {"plain": SETS["plain"], "short": pair, "wide": wide}
    tried = "wide: there is {} | no {}", "wide: {} is seen | no {} is seen"
    assert [*finding_prompt_sets(pair, sets)] == [OWN_PROMPTS, "plain", "wide", tried[0]]
    assert [*finding_prompt_sets(wide, sets)] == [OWN_PROMPTS, "plain", "short", *tried]
    pairs = with_findings(4)
    table = by_prompts(asking(SETS["plain"]), pairs, {"plain": SETS["plain"]})
    assert set(table[COLUMN]) == {OWN_PROMPTS}


def test_each_set_gives_what_a_system_gives_that_has_it() -> None:
    sets = {**SETS, "spoken": {**SETS["spoken"], "negative": ["there is no {}", "no {} is seen"]}}
    pairs, rows = with_findings(9), rows_of("multi_label")
    table = by_prompts(asking(), pairs, sets)
    columns = rows.columns(pairs.classes)
    assert [*table.columns] == [*columns[:4], COLUMN, *columns[4:]]
    named = finding_prompt_sets(PROMPTS, sets)
    assert [*table[COLUMN].unique()] == [*named]
    for name, prompts in named.items():
        of_set = table[table[COLUMN] == name]
        expected = predict(asking(prompts), pairs, 4)
        np.testing.assert_allclose(of_set[columns[4:]].to_numpy(), expected, atol=1e-6)
        assert of_set["findings"].tolist() == pairs.table["findings"].tolist()
    spread = table.groupby(COLUMN)["p_radiology"].mean()
    assert spread.nunique() == len(named)  # every set says something else


# ---------------------------------------------------------------- another dataset's findings
THERE = {
    "class_names": {"edema": "edema", "pleural effusion": "fluid"},
    "finding_prompts": {"positive": ["some {}"], "negative": ["no {}"]},
}


def test_another_datasets_findings_are_asked_about_in_its_own_words() -> None:
    """As by a system that was built for it; what the system knows at home stays as it is."""
    classifier, home = asking(), with_findings(6)
    before = predict(classifier, home, 4)
    there = with_findings(7, tuple(THERE["class_names"]))
    test, validation = there.at(np.arange(4)), there.at(np.arange(4, 7))
    rows = rows_of("multi_label")
    table = findings_elsewhere(classifier, validation, test, THERE, rows, 4)
    assert table["subset"].tolist() == ["validation"] * 3 + ["test"] * 4
    built = build(
        seed=SEED, temperature=1.0, several=True, classes=tuple(THERE["class_names"]), **THERE
    )
    for subset, pairs in (("validation", validation), ("test", test)):
        of_subset = table[table["subset"] == subset]
        found = of_subset[["p_edema", "p_pleural effusion"]].to_numpy()
        np.testing.assert_allclose(found, predict(built, pairs, 4), atol=1e-6)
        read = task("multi_label").rows.read_predictions(table, pairs.classes, subset=subset)
        np.testing.assert_array_equal(read.truth[:, 0] == 1, pairs.findings[:, 0] == 1)
    np.testing.assert_array_equal(predict(classifier, home, 4), before)


def test_without_test_pairs_there_nothing_can_be_asked() -> None:
    there = with_findings(3, tuple(THERE["class_names"]))
    nobody = there.at(np.arange(0))
    with pytest.raises(PairDxError, match="no test pairs"):
        findings_elsewhere(asking(), there, nobody, THERE, rows_of("multi_label"), 4)
    table = findings_elsewhere(asking(), nobody, there, THERE, rows_of("multi_label"), 4)
    assert table["subset"].tolist() == ["test"] * 3  # thresholds are then not chosen
    read = task("multi_label").rows.read_predictions(table, there.classes, subset="test")
    assert np.isnan(read.thresholds).all()


class Stubborn:
    """A system that knows its own classes alone."""


def test_a_system_that_knows_its_own_classes_alone_is_refused() -> None:
    there = with_findings(3, tuple(THERE["class_names"]))
    stubborn: Any = Stubborn()
    with pytest.raises(PairDxError, match="Stubborn cannot be asked about findings"):
        findings_elsewhere(stubborn, there, there, THERE, rows_of("multi_label"), 4)


def test_what_the_log_is_told_counts_pairs_of_which_a_finding_is_true() -> None:
    table = pd.DataFrame({"findings": ["", "a", "a?|b?", "a?|b", "?"]})
    assert rows_of("multi_label").told(table) == "2 of them with a finding"
    single = pd.DataFrame({"label": ["a", "b", "b"], "predicted": ["a", "a", "b"]})
    assert rows_of("single_label").told(single) == "accuracy 0.6667"


def test_what_was_tuned_is_what_is_asked_elsewhere(tmp_path) -> None:  # type: ignore[no-untyped-def]
    """Tuned on images and captions, saved and loaded: other answers than before, at both places."""
    rows, pairs = rows_of("multi_label"), with_findings(12)
    there = with_findings(5, tuple(THERE["class_names"]))
    classifier = asking(epochs=1, augmentation=None)
    before = findings_elsewhere(classifier, there, there, THERE, rows, 4)
    at_home = predict(classifier, pairs, 4)
    fit(classifier, pairs, pairs, FitJob(seed=1))
    classifier.save(tmp_path)
    after = findings_elsewhere(load(tmp_path, {}), there, there, THERE, rows, 4)
    column = "p_pleural effusion"
    assert np.abs(after[column] - before[column]).min() > 1e-4
    assert np.abs(predict(classifier, pairs, 4) - at_home).min() > 0
    expected = findings_elsewhere(classifier, there, there, THERE, rows, 4)
    np.testing.assert_allclose(after[column], expected[column], atol=1e-6)
