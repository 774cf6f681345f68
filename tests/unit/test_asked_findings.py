"""Several labels per pair: who can be asked about them, by which prompts, and what is refused."""

from __future__ import annotations

import pytest

from pairdx.errors import PairDxError
from pairdx.plan.documents_check import facts_of_check
from pairdx.plan.plan import Plan
from pairdx.plan.world import PlansWorld
from plans import Of, demo_with, plan_with

CHEST = "like: chestxray14, enabled: true, source: {path: anywhere}"
OTHER = "{like: chest, title: Other, classes: [Edema, Nodule]}"
CELL = {"split": "published", "seed": "1"}


def several(of_chest: str = "", *, datasets: str = "", more: str = "") -> Plan:
    """The demo's systems on a dataset of several labels per pair without captions."""
    return demo_with(
        f"datasets: {{drawn: {{enabled: false}}, chest: {{{CHEST}{of_chest}}}{datasets}}}\n{more}"
    )


def settings(plan: Plan, system: str, dataset: str = "chest") -> dict:
    return plan.build_settings(Of(dataset=dataset, system=system, **CELL))


def test_a_system_is_told_the_positive_and_negative_prompts_of_its_set() -> None:
    more = (
        "finding_prompts: {mine: {positive: ['{} here'], negative: ['{} gone'], own: "
        "{Edema: {positive: [wet], negative: [dry]}, "
        "'7': {positive: [seven], negative: [none]}}}}\n"
        "systems: {biomedclip_zero_shot: {settings: {finding_prompts: mine}}}"
    )
    plan = several(datasets=", more: {like: documents, classes: [7, x]}", more=more)
    usual, chosen = (settings(plan, f"{name}_zero_shot") for name in ("clip", "biomedclip"))
    assert usual["finding_prompts"] == {"positive": ["{}"], "negative": ["no {}"]}
    assert usual["several"] is True
    assert "class_prompts" not in usual
    # Of what is no class of this dataset nothing is said, so that nothing is made anew by it.
    assert chosen["finding_prompts"] == {
        "positive": ["{} here"],
        "negative": ["{} gone"],
        "own": {"Edema": {"positive": ["wet"], "negative": ["dry"]}},
    }


def test_of_one_label_per_pair_settings_say_nothing_of_findings() -> None:
    plan = plan_with("systems: {clip_zero_shot: {settings: {finding_prompts: sentences}}}")
    before = plan_with()
    for cell in before.cells:
        one = Of(**{key: str(value) for key, value in cell._asdict().items()})
        assert plan.build_settings(one) == before.build_settings(one)
        assert not {"several", "finding_prompts"} & {*before.build_settings(one)}


def test_those_are_asked_that_need_no_labels_in_training(monkeypatch: pytest.MonkeyPatch) -> None:
    more = (
        "systems: {tuned: {like: pairdx_clip, settings: {objective: contrastive}}, "
        "pairdx_clip: {settings: {objective: prompts}}}"
    )
    plan = several(more=more)
    assert [one.name for one in plan.systems_of("chest")] == [
        *("clip_zero_shot", "biomedclip_zero_shot")
    ]
    why, chest = plan.left_out("chest"), plan.datasets["chest"]
    assert why["pairdx_clip"] == "it is trained on one label per pair"
    assert why["pairdx_fusion"].endswith("family fusion knows one label per pair")
    assert why["tfidf_logistic"].endswith("family linear knows one label per pair")
    assert why["tuned"].startswith("it is trained on captions, and")
    monkeypatch.setattr(chest.reader, "lacks", lambda _: {})
    assert plan.systems["tuned"].runs_on(chest)
    assert not plan.systems["pairdx_clip"].runs_on(chest)


def test_another_dataset_is_asked_about_in_its_own_words() -> None:
    words = "{positive: [wet lungs], negative: [dry lungs]}"
    more = f"finding_prompts: {{chexzero: {{own: {{Edema: {words}, Hernia: {words}}}}}}}"
    plan = several(", tested_on: {there: {}}", datasets=f", there: {OTHER}", more=more)
    one = Of(dataset="chest", system="clip_zero_shot", other="there", **CELL)
    assert plan.tested_on.matched_of(one) == {}
    assert plan.tested_on.labels_there(one) == ["Edema", "Nodule"]
    about = plan.tested_on.about(one)
    assert about["class_names"] == {"Edema": "Edema", "Nodule": "Nodule"}
    assert about["finding_prompts"]["own"] == {
        "Edema": {"positive": ["wet lungs"], "negative": ["dry lungs"]}
    }
    at_home = settings(plan, "clip_zero_shot")["finding_prompts"]["own"]
    assert [*at_home] == ["Edema", "Hernia"]
    assert plan.tested_on.data(one)["pairs"] == "<results>/there/curated/pairs.parquet"
    # Compared finding by finding, and not class by class.
    assert {one.other for one in plan.tested_on.asked} == {"there"}
    assert plan.tested_on.compared == []
    assert not PlansWorld(plan).asks_elsewhere
    told = facts_of_check(PlansWorld(plan))(Of(dataset="chest"))["tested_on"]
    assert told == {"there": {"title": "Other", "findings": 2}}


def test_of_one_label_per_pair_systems_are_asked_for_their_own_classes() -> None:
    plan = demo_with(
        "datasets: {there: {like: drawn, enabled: true}, drawn: {tested_on: {there: {}}}}"
    )
    one = Of(dataset="drawn", system="clip_zero_shot", other="there", split="grouped", seed="1")
    assert plan.tested_on.about(one) == {}
    assert plan.tested_on.compared == plan.tested_on.asked


def test_sets_of_prompts_are_tried_whether_or_not_there_are_templates() -> None:
    plan = several(more="prompt_sensitivity: {templates: []}")
    tried = plan.questions.prompts(Of(dataset="chest", system="clip_zero_shot"))
    assert [*tried] == ["chexzero", "sentences"]
    assert tried["chexzero"] == {"positive": ["{}"], "negative": ["no {}"]}


def test_what_is_made_of_one_label_per_pair_is_asked_of_nobody() -> None:
    plan = several(more="input_probes: {systems: all}\nleakage_price: {systems: trained}")
    assert plan.systems_of("chest")
    assert plan.questions.explained("chest") == []
    assert plan.questions.input_probed_cells("chest") == []
    assert plan.pricing.cells("chest") == []
    assert plan.inference_cost.names("chest") == []
    assert not plan.datasets["chest"].asks_out_of_distribution


def test_what_cannot_be_asked_is_refused_by_its_key() -> None:
    whole = "own: {edemas: {positive: [a], negative: [b]}, Edema: {positive: [a], negative: [a]}}"
    more = (
        f"finding_prompts: {{chexzero: null, s: {{positive: ['No {{}}'], negative: ['no {{}}'], "
        f"{whole}}}}}\n"
        "systems: {clip_zero_shot: {settings: {finding_prompts: sentence}}}"
    )
    with pytest.raises(PairDxError) as caught:
        several(", out_of_distribution: [letter], class_prompts: {Edema: [a plot]}", more=more)
    for said in (
        "datasets.chest.out_of_distribution: out_of_distribution does not apply to the task",
        "datasets.chest.class_prompts: a finding has positive and negative prompts",
        "finding_prompts.s.own: edemas is no class of any dataset; did you mean Edema",
        "finding_prompts.s: 'No {}' stands there as a positive and as a negative prompt",
        "finding_prompts.s.own.Edema: 'a' stands there as a positive and as a negative",
        "finding_prompts: chexzero is dropped, and systems.biomedclip_zero_shot names no other",
        "settings.finding_prompts: sentence is not among finding_prompts (sentences, s)",
    ):
        assert said in str(caught.value)


def test_a_set_has_both_kinds_of_prompts_and_a_place_for_the_finding() -> None:
    more = "finding_prompts: {one: {positive: ['{}']}, two: {positive: [x], negative: ['no {}']}}"
    with pytest.raises(PairDxError) as caught:
        several(more=more)
    assert "finding_prompts.one" in str(caught.value)
    assert "finding_prompts.two.positive" in str(caught.value)
    with pytest.raises(PairDxError, match="finding_prompts: unknown nothing"):
        several(more="finding_prompts: {nothing: null}")


def test_a_set_that_nobody_needs_may_be_dropped() -> None:
    plan = demo_with("finding_prompts: {chexzero: null}")
    assert [*plan.config["finding_prompts"]] == ["sentences"]


@pytest.mark.parametrize(
    ("named", "there", "said"),
    [
        ("{there: {classes: {Mass: Edema}}}", OTHER, "none need match: leave it out"),
        (
            "{there: {}}",
            "{like: drawn, enabled: true}",
            "its task is single_label, that of chest multi_label",
        ),
    ],
)
def test_what_is_tested_on_must_be_of_the_same_kind(named: str, there: str, said: str) -> None:
    with pytest.raises(PairDxError, match=r"datasets\.chest\.tested_on\.there") as caught:
        several(f", tested_on: {named}", datasets=f", there: {there}")
    assert said in str(caught.value)
