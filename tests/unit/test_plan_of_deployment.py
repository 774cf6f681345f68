"""Which systems are deployed, of which cells, and what a wrong key is told."""

from __future__ import annotations

import pytest
import yaml

from pairdx.errors import PairDxError
from pairdx.plan.cells import Cell
from pairdx.plan.measured import measured_wildcards
from pairdx.plan.plan import Plan
from plans import DEFAULTS, Of, demo_with, plan_with

EXPORTED = ("clip", "fusion", "clip_it")
CELL = {"dataset": "drawn", "split": "grouped", "system": "pairdx_fusion", "seed": "1"}


def deployed(plan: Plan) -> dict[str, Cell]:
    return {cell.system: cell for cell in plan.deployment.cells}


def reasons(plan: Plan, dataset: str = "multicare") -> dict[str, str]:
    return plan.deployment.left_out(plan.datasets[dataset])


def of_section(**keys: object) -> str:
    return yaml.safe_dump({"deployment": keys})


def test_trained_systems_with_a_network_are_deployed_of_the_split_that_shares_no_case() -> None:
    plan = plan_with()
    found = deployed(plan)
    assert {*found} == {
        one.name for one in plan.enabled if one.trained and one.entry["family"] in EXPORTED
    }
    assert {(cell.dataset, cell.split, cell.seed) for cell in found.values()} == {
        ("multicare", "grouped", 1)
    }
    folder = "<results>/multicare/grouped/pairdx_fusion/seed1/deployed"
    assert folder in plan.deployment.folders()


def test_who_is_left_out_is_told_why() -> None:
    found = reasons(plan_with())
    assert found["tfidf_logistic"] == "systems of the family linear have no network to export"
    assert found["clip_zero_shot"] == "config key deployment.systems takes those that are trained"
    plan = plan_with()
    running = {system.name for system in plan.systems_of("multicare")}
    assert {*found} | {*deployed(plan)} == running
    assert not {*found} & {*deployed(plan)}
    rows = {row["system"]: row for row in plan.deployment.listed()}
    assert {*rows} == running
    assert rows["pairdx_clip"]["folder"] == "multicare/grouped/pairdx_clip/seed1/deployed"
    assert all(bool(row["folder"]) != bool(row["left_out"]) for row in rows.values())


def test_all_are_those_that_are_not_trained_too_and_a_list_is_what_it_names() -> None:
    everybody = deployed(demo_with(of_section(systems="all")))
    assert {"clip_zero_shot", "biomedclip_zero_shot"} < {*everybody}
    plan = plan_with(of_section(systems=["clip_zero_shot"]))
    assert [*deployed(plan)] == ["clip_zero_shot"]
    assert reasons(plan)["pairdx_fusion"] == "config key deployment.systems does not name it"
    assert deployed(plan_with(of_section(systems=[]))) == {}


def test_split_and_seed_are_those_that_are_stated_and_others_the_first() -> None:
    cells = deployed(plan_with(of_section(split="stratified", seed=2)))
    assert {cell.split for cell in cells.values()} == {"stratified"}
    assert cells["pairdx_fusion"].seed == 2
    one_split = plan_with("datasets: {multicare: {splits: [stratified]}}")
    assert deployed(one_split)["pairdx_fusion"].split == "stratified"
    # Without randomness there is one seed, whatever is stated.
    zero_shot = plan_with(of_section(systems="all", seed=2))
    assert deployed(zero_shot)["clip_zero_shot"].seed == 1


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"systems": ["pairdx_fusoin"]}, "deployment.systems: pairdx_fusoin .* did you mean pair"),
        ({"systems": ["tfidf_logistic"]}, "deployment.systems: tfidf_logistic cannot be deployed"),
        ({"systems": ["image_only_off"]}, "deployment.systems: image_only_off is not enabled"),
        ({"systems": "some"}, "deployment.systems: "),
        ({"split": "published"}, "deployment.split: no dataset has published; there are strat"),
        ({"split": "mine"}, "deployment.split: "),
        ({"seed": 17}, "deployment.seed: 17 is not among the seeds"),
        ({"pairs": 0}, "deployment.pairs: "),
        ({"systemes": "all"}, "deployment: unknown systemes"),
    ],
)
def test_what_there_is_not_is_named_with_its_key(keys: dict, said: str) -> None:
    off = {**DEFAULTS["systems"]["image_only"], "enabled": False}
    overlay = {"deployment": keys, "systems": {"image_only_off": off}}
    with pytest.raises(PairDxError, match=f"config key {said}"):
        plan_with(yaml.safe_dump(overlay))


def test_a_folder_needs_its_own_cell_and_nothing_of_other_systems_or_seeds() -> None:
    files = demo_with().deployment.files(Of(**CELL))
    folder = "<results>/drawn/grouped/pairdx_fusion/seed1"
    assert files["predictions"] == f"{folder}/predictions.parquet"
    assert files["others"] == f"{folder}/out_of_distribution.parquet"
    assert files["passport"] == f"{folder}/passport.json"
    assert files["settings"] == f"{folder}/settings.json"
    named = [
        one for value in files.values() for one in ([value] if isinstance(value, str) else value)
    ]
    assert not [path for path in named if "seed" in path and folder not in path]
    untrained = demo_with().deployment.files(Of(**CELL | {"system": "clip_zero_shot"}))
    assert not {"settings", "weights"} & {*untrained}
    assert untrained["passport"].endswith("clip_zero_shot/seed1/passport.json")


def test_a_system_without_a_network_is_refused_in_words_when_its_folder_is_asked_for() -> None:
    with pytest.raises(PairDxError, match="tfidf_logistic cannot be deployed on drawn: systems of"):
        demo_with().deployment.files(Of(**CELL | {"system": "tfidf_logistic"}))


def test_a_folder_is_told_what_the_configuration_knows() -> None:
    facts = demo_with().deployment.stated(Of(**CELL))
    assert facts["image"] == {"size": 64, "squaring": "crop"}
    assert facts["text"] == {"tokeniser": "words", "tokens": 32}
    assert facts["reads"] == ["image", "caption"]
    assert facts["classes"][2] == ["medical_photograph", "medical photograph"]
    assert (facts["seed"], facts["stand_in"], facts["risk"]) == (1, True, 0.05)
    assert demo_with().deployment.stated(Of(**CELL | {"system": "pairdx_clip"}))["text"] is None


def test_images_that_are_not_read_are_not_told() -> None:
    plan = demo_with("systems: {text_only: {enabled: true}}")
    facts = plan.deployment.stated(Of(**CELL | {"system": "text_only"}))
    assert (facts["reads"], facts["image"]) == (["caption"], None)


def test_what_is_deployed_is_no_part_of_the_cost_that_tables_show() -> None:
    """Otherwise `all` would deploy every system, because the table of cost reads benchmarks."""
    assert not [rule for rule in measured_wildcards(plan_with()) if "deploy" in rule]
