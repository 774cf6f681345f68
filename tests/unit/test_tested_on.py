"""Systems of one dataset asked about another's test pairs: what is planned, and what is refused."""

from __future__ import annotations

import pytest

from pairdx.errors import PairDxError
from pairdx.plan import outputs
from pairdx.plan.checks.place import doubts
from pairdx.plan.documents_check import facts_of_check
from pairdx.plan.matching import matched_classes
from pairdx.plan.measured import measured_wildcards
from pairdx.plan.plan import Plan
from pairdx.plan.world import PlansWorld
from plans import DEMO, Of, demo_with


def two(tested_on: str, *, systems: str = "{}", **of_other: str) -> Plan:
    """The demo and a second dataset, `there`, which differs in what is named."""
    differs = "".join(f", {key}: {value}" for key, value in of_other.items())
    return demo_with(
        f"datasets: {{there: {{like: drawn, enabled: true{differs}}}, "
        f"drawn: {{tested_on: {tested_on}}}}}\nsystems: {systems}"
    )


@pytest.mark.parametrize(
    ("mapping", "found"),
    [
        ({}, {"a": "a", "b": "b"}),
        ({"c": "d"}, {"a": "a", "b": "b", "c": "d"}),
        ({"b": "d"}, {"a": "a", "b": "d"}),  # overrides the name here ...
        ({"c": "b"}, {"a": "a", "c": "b"}),  # ... and there: no two are one
    ],
)
def test_classes_match_by_name_unless_the_mapping_says_otherwise(
    mapping: dict[str, str], found: dict[str, str]
) -> None:
    assert matched_classes(["a", "b", "c"], ["d", "b", "a"], mapping) == found


@pytest.mark.parametrize(
    ("named", "differs", "said"),
    [
        ("{nowhere: {}}", {}, "tested_on.nowhere: there is no such dataset"),
        ("{multicare: {}}", {}, "tested_on.multicare: this dataset is not enabled"),
        ("{drawn: {}}", {}, "tested_on.drawn: a dataset is tested on itself anyway"),
        ("{there: {}}", {"packing": "{squaring: pad}"}, "square by pad there and by crop here"),
        ("{there: {classes: {chat: chart}}}", {}, "classes: chat is no class of this dataset; did"),
        ("{there: {classes: {chart: x}}}", {}, "classes: x is no class of the other dataset"),
        (
            "{there: {classes: {chart: chart, radiology: chart}}}",
            {},
            "chart, radiology all mean chart",
        ),
        ("{there: {class: {}}}", {}, "unknown class"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_its_key(
    named: str, differs: dict[str, str], said: str
) -> None:
    with pytest.raises(PairDxError) as caught:
        two(named, **differs)
    assert "config key datasets.drawn.tested_on" in str(caught.value)
    assert said in str(caught.value)
    assert len(str(caught.value).splitlines()) == 2  # and of nobody who is like it


def test_labels_of_the_mapping_are_text_in_one_spelling() -> None:
    overlay = (
        "datasets: {here: {like: drawn, enabled: true, curation: {modalities: null}, "
        "classes: [1, 'caf\u00e9', chart], out_of_distribution: [], class_words: {}, "
        "tested_on: {there: {classes: {1: 7, 'cafe\u0301': 8}}}}, "
        "there: {like: here, classes: [7, 8, chart]}}"
    )
    matched = demo_with(overlay).tested_on.matched("here", "there")
    assert matched == {"1": "7", "caf\u00e9": "8", "chart": "chart"}
    with pytest.raises(PairDxError, match=r"tested_on.there.classes: 1 stands there twice"):
        demo_with(overlay.replace("'cafe\u0301'", "'1'"))


def test_classes_that_are_written_nearly_alike_are_doubted_unless_they_are_mapped() -> None:
    here = "{like: drawn, enabled: true, curation: {modalities: null}, out_of_distribution: []"
    overlay = (
        f"datasets: {{here: {here}, class_words: {{}}, classes: [a_b, chart, letter, "
        "x], tested_on: {there: {}}}, there: {like: here, classes: [A  B, Chart, letter, x]}}"
    )
    said = [*doubts(demo_with(overlay))]
    [told] = [one for one in said if "tested_on" in one]
    assert 'classes: {"chart": "Chart", "a_b": "A  B"}' in told
    plan = demo_with(overlay.replace("{there: {}}", "{there: {classes: {a_b: A  B, chart: x}}}"))
    assert not [one for one in doubts(plan) if "tested_on" in one]


def test_two_classes_at_least_must_be_the_same() -> None:
    gone = ["radiology", "endoscopy", "medical_photograph", "ophthalmic_imaging", "electrography"]
    classes = ", ".join(f"{name}: null" for name in gone)
    new = f"{{{classes}, ekg: EKG}}"
    how = {"classes": new, "curation": "{modalities: null}"}
    with pytest.raises(PairDxError, match=r"1 of the classes .* is among chart, ekg, and two are"):
        two("{there: {}}", **how)
    plan = two("{there: {classes: {electrography: ekg}}}", **how)
    assert plan.tested_on.matched("drawn", "there") == {"electrography": "ekg", "chart": "chart"}


def test_the_key_is_an_entrys_own_and_null_drops_what_it_names() -> None:
    plan = two("{there: null}")
    assert plan.datasets["drawn"].tested_on == {}
    assert not PlansWorld(plan).asks_elsewhere
    assert outputs.reasons(PlansWorld(plan))["tested_on"].startswith("no system is asked about an")
    plan = two("{there: {}}")
    assert plan.datasets["there"].tested_on == {}
    assert plan.tested_on.directions == [("drawn", "there")]
    assert outputs.shapes(PlansWorld(plan), "compare_tested_on") == [("", [])]


def test_every_cell_is_asked_and_the_other_is_packed_at_the_size_that_is_seen_at_home() -> None:
    seen_at_home = "{mean_colour: {image_size: 96, datasets: [drawn]}}"
    plan = two("{there: {}}", systems=seen_at_home, splits="[grouped]")
    asked = plan.tested_on.asked
    assert [one[:4] for one in asked] == [tuple(cell) for cell in plan.cells_of("drawn")]
    assert measured_wildcards(plan)["predict_elsewhere"] == [one._asdict() for one in asked]
    assert plan.files.sizes(plan.datasets["there"]) == [64, 96]
    one = Of(dataset="drawn", split="stratified", system="mean_colour", other="there", seed="1")
    assert plan.tested_on.data(one) == {
        "pairs": "<results>/there/curated/pairs.parquet",
        "split": "<results>/there/grouped/split.parquet",
        "images": "<results>/there/packed/images_96.npy",
    }
    one = Of(dataset="drawn", split="grouped", system="pairdx_fusion", other="there", seed="1")
    assert plan.tested_on.data(one)["vocabulary_there"] == "<results>/there/packed/vocabulary.json"
    assert "word_vectors_there" in plan.tested_on.data(one)
    assert plan.tested_on.there_files()[0].endswith("/seed1/tested_on/there/predictions.parquet")
    back = Of(dataset="there", split="grouped", system="majority", other="drawn", seed="1")
    with pytest.raises(PairDxError, match="no system of the dataset there is asked about drawn"):
        plan.tested_on.data(back)


def test_a_dataset_may_be_asked_about_without_systems_of_its_own() -> None:
    kept = ", ".join(f"{name}: {{datasets: [drawn]}}" for name in DEMO["systems"])
    with pytest.raises(PairDxError, match=r"no enabled system runs on datasets\.there"):
        two("{}", systems=f"{{{kept}}}")
    plan = two("{there: {}}", systems=f"{{{kept}}}", splits="[grouped]")
    world = PlansWorld(plan)
    assert {cell.dataset for cell in plan.cells} == {"drawn"}
    assert {one.other for one in plan.tested_on.asked} == {"there"}
    told = {name: facts_of_check(world)(Of(dataset=name)) for name in plan.datasets}
    assert told["there"]["asked_by"] == [plan.datasets["drawn"].entry["title"]]
    assert told["there"]["systems"] == {}
    assert [*told["drawn"]["tested_on"]] == ["there"]
    left_out = outputs.reasons(world)
    for name in ("calibration", "system_tests", "out_of_distribution"):
        assert left_out[f"{name}_there"].startswith("no system runs on the dataset there")
        assert f"{name}_drawn" not in left_out
    for rule in ("compare_predictions", "assess_confidence", "explain_systems"):
        assert [names for _, names in outputs.shapes(world, rule)] == [["drawn"]]
    made = outputs.files(world, "table")
    assert "<results>/tables/dataset_there.csv" in made
    assert not [path for path in made if "per_class_there" in path]
    jobs = measured_wildcards(plan)
    assert {"dataset": "there"} in jobs["build_word_vectors"]
    assert "there" not in {one["dataset"] for one in jobs["train_on_cpu"] + jobs["time_system"]}


def test_naming_another_dataset_changes_nothing_of_the_jobs_at_home() -> None:
    named, without = two("{there: {}}"), two("{}")
    for plan_of_job in ("saved", "built_from", "training_data"):
        for cell in without.cells:
            one = Of(**{key: str(value) for key, value in cell._asdict().items()})
            before, now = (getattr(plan.files, plan_of_job)(one) for plan in (without, named))
            assert before == now
            assert without.build_settings(one) == named.build_settings(one)


def test_systems_that_read_captions_are_left_out_where_there_are_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plan = two("{there: {}}", source="{seed: 2}")
    none = {"captions": "these data have none"}
    reader = plan.datasets["there"].reader
    monkeypatch.setattr(reader, "lacks", lambda source: none if source["seed"] == 2 else {})
    left = plan.tested_on.left_out("drawn", "there")
    assert left["tfidf_logistic"] == "it reads captions, and these data have none"
    assert "clip_zero_shot" not in left
