"""Which banks are read and encoded, who is paired with what, and what is described of it."""

from __future__ import annotations

import json

import pytest
import yaml

from pairdx.errors import PairDxError
from pairdx.plan import outputs
from pairdx.plan.checks.place import doubts
from pairdx.plan.configuration import as_overlay, complete, defaults, merged
from pairdx.plan.measured import measured_wildcards
from pairdx.plan.plan import Plan
from pairdx.plan.world import PlansWorld
from plans import REPOSITORY, Of, demo_with, plan_with

DATASET = Of(dataset="drawn")
PAIRINGS = ["captions_own", "captions_retrieved", "captions_random"]
SYSTEMS = [f"privileged_{name}" for name in ("own", "retrieved", "random")]


def demo(*, enabled: bool = True, **others: object) -> Plan:
    """The demo with all systems that learn from captions, or with none."""
    systems = {name: {"enabled": enabled} for name in SYSTEMS}
    return demo_with(yaml.safe_dump({"systems": systems, **others}))


def test_a_bank_is_encoded_once_for_all_pairings_that_compare_by_one_encoder() -> None:
    plan = demo()
    assert plan.privileged.pairings_of("drawn") == PAIRINGS
    one = {"dataset": "drawn", "bank": "captions", "encoder": "biomedclip"}
    assert (plan.privileged.encoded("cpu"), plan.privileged.encoded("cuda")) == ([one], [])
    jobs = measured_wildcards(plan)
    assert jobs["read_text_bank"] == [{"dataset": "drawn", "bank": "captions"}]
    assert (jobs["encode_text_bank_on_cpu"], jobs["encode_text_bank_on_gpu"]) == ([one], [])


def test_texts_are_classified_on_splits_that_are_compared_and_paired_also_for_the_price() -> None:
    plan = demo(leakage_price={"systems": ["privileged_own"]}, seeds=[1, 2])
    jobs = measured_wildcards(plan)
    paired = {(one["split"], one["pairing"]) for one in jobs["pair_texts"]}
    assert ("with_siblings", "captions_own") in paired
    splits = {one["split"] for one in jobs["train_text_classifier"]}
    assert splits == {"stratified", "grouped"}
    assert len(jobs["train_text_classifier"]) == 2 * 2 * len(PAIRINGS)


def test_what_is_described_stands_in_the_order_that_its_script_reads_it_in() -> None:
    plan = demo(seeds=[1, 2])
    files, described = plan.privileged.described_files(DATASET), plan.privileged.described(DATASET)
    assert len(described) == 2 * len(PAIRINGS)
    for at, (split, name) in enumerate(described):
        folder = f"<results>/drawn/{split}/pairings/{name}"
        assert files["matches"][at] == f"{folder}/matches.parquet"
        assert files["summaries"][at] == f"{folder}/summary.json"
        said = files["said"][2 * at : 2 * at + 2]
        assert said == [f"{folder}/seed{seed}/predictions.parquet" for seed in (1, 2)]
    assert len(files["texts"]) == len(files["banks"]) == len(plan.privileged.pairings_of("drawn"))
    for (split, system, seed), path in zip(
        plan.privileged.seen(DATASET), files["seen"], strict=True
    ):
        assert path == f"<results>/drawn/{split}/{system}/seed{seed}/predictions.parquet"
    names = {system for _, system, _ in plan.privileged.seen(DATASET)}
    assert "mean_colour" in names
    assert not names & {"privileged_own", "tfidf_logistic", "clip_zero_shot"}


def test_without_systems_that_learn_from_texts_none_is_read() -> None:
    plan = demo(enabled=False)
    jobs = measured_wildcards(plan)
    rules = ("read_text_bank", "encode_text_bank_on_cpu", "pair_texts", "train_text_classifier")
    assert [jobs[rule] for rule in rules] == [[], [], [], []]
    assert PlansWorld(plan).pairings_of("drawn") == []


def test_reports_from_outside_say_where_to_get_them() -> None:
    bank = demo_with().config["text_banks"]["tcga_breast"]
    assert bank["path"] is None
    assert "TCGA_Reports.csv" in bank["where"]
    assert bank["join"]["on"] == {"patient_filename": "patient_id"}


REPORTS = """
pairings: {captions_own: {bank: tcga_breast, choose: nearest}}
text_banks: {tcga_breast: {path: reports.csv, join: {path: patients.csv}}}
"""


def test_a_file_of_texts_that_is_not_there_is_named_by_its_key() -> None:
    plan = demo_with(f"{REPORTS}\nsystems: {{privileged_own: {{enabled: true}}}}")
    files = plan.outside.files()
    assert files["text_banks.tcga_breast.path"] == ["reports.csv"]
    assert files["text_banks.tcga_breast.join.path"] == ["patients.csv"]
    found = "\n".join(doubts(plan))
    assert "config key text_banks.tcga_breast.path: reports.csv is not there" in found
    assert "config key text_banks.tcga_breast.join.path: patients.csv is not there" in found


def test_a_dataset_without_a_bank_of_a_pairing_says_whom_it_leaves_out() -> None:
    banks = {"mine": {"bank": {"drawn_2": "captions"}}}
    own = {name: {"enabled": True, "settings": {"pairing": "mine"}} for name in SYSTEMS[:2]}
    pairing = {**demo_with().config["pairings"]["captions_own"], **banks["mine"]}
    two = {"drawn_2": {"like": "drawn", "enabled": True}}
    overlay = {"datasets": two, "pairings": {"mine": pairing}, "systems": own}
    (said,) = (one for one in doubts(demo_with(yaml.safe_dump(overlay))) if "left out" in one)
    reason = "config key pairings.mine.bank names no bank for drawn"
    assert said == f"dataset drawn: {SYSTEMS[0]}, {SYSTEMS[1]} left out: {reason}"


def test_weights_of_a_pairings_encoder_are_files_from_outside() -> None:
    others = [name for name in plan_with().systems if name != "privileged_own"]
    alone = {"systems": {name: {"enabled": False} for name in others if "_lr" not in name}}
    assert "downloads.weights.biomedclip" in plan_with(yaml.safe_dump(alone)).outside.files()


def test_a_path_of_texts_is_checked_as_others_are() -> None:
    wrong = "text_banks: {tcga_breast: {path: 'a{b}.csv', join: {path: 'c '}}}"
    with pytest.raises(PairDxError, match=r"tcga_breast\.path: a\{b\}\.csv has braces") as caught:
        demo_with(wrong)
    assert "text_banks.tcga_breast.join.path: 'c ' begins or ends" in str(caught.value)


@pytest.mark.parametrize("section", ["text_banks", "pairings", "grids"])
def test_null_drops_what_the_defaults_have_and_what_another_file_states(section: str) -> None:
    plan = demo_with()
    known = next(iter(plan.config[section]))
    stated = {section: {"second": plan.config[section][known]}}
    overlay = merged(stated, {section: {"second": None}})
    dropped = demo_with(yaml.safe_dump(overlay))
    assert dropped.config[section] == plan.config[section]


# ---------------------------------------------------------------- grids
GRID = """
title: Mine
metric: accuracy
baseline: plain
columns: {plain: Images, texts: With texts}
rows: {small: {title: ResNet-18, systems: {plain: resnet18_image_only, texts: privileged_own}}}
"""


def with_grid(**changes: object) -> str:
    return yaml.safe_dump({"grids": {"mine": {**yaml.safe_load(GRID), **changes}}})


def test_a_grid_of_datasets_that_do_not_run_is_left_out() -> None:
    there = [PlansWorld(demo_with(with_grid(datasets=[one]))) for one in ("drawn", "multicare")]
    assert ["mine" in world.grids for world in there] == [True, False]
    made = [outputs.files(world, "table") for world in there]
    assert ["<results>/tables/grid_mine.csv" in files for files in made] == [True, False]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"metric": "balanced_acuracy"}, r"grids\.mine\.metric: [^\n]*mean balanced_accuracy\?"),
        (
            {"columns": {"plain": "Images", "texts": "Images"}},
            r"grids\.mine\.columns: plain, texts have the title Images",
        ),
    ],
)
def test_what_a_grid_cannot_be_is_refused_before_anything_is_trained(
    changes: dict[str, object], said: str
) -> None:
    with pytest.raises(PairDxError, match=said):
        demo_with(with_grid(**changes))


# ---------------------------------------------------------------- settings of one dataset
def refusal(overlay: str) -> list[str]:
    """What is wrong with the demo under an overlay."""
    with pytest.raises(PairDxError) as caught:
        demo_with(overlay)
    return str(caught.value).splitlines()[1:]


def test_settings_of_one_dataset_are_those_that_the_system_has() -> None:
    key = "config key systems.tfidf_logistic.for_dataset.drawn"
    (said,) = refusal("systems: {tfidf_logistic: {for_dataset: {drawn: {epochs: 2}}}}")
    assert said.strip().startswith(f"{key}: epochs is none of the settings")


def test_what_contradicts_itself_on_one_dataset_alone_is_said_once() -> None:
    weight = "{distillation_weight: 0}"
    own = f"for_dataset: {{drawn: {weight}, multicare: {weight}}}"
    encoder = "text_encoder: {trains: adapters, detach: false, lora: {rank: 2, alpha: 2, "
    encoder += "dropout: 0.0, targets: [linear]}}"
    change = f"{{enabled: true, {own}, settings: {{{encoder}}}}}"
    (said,) = refusal(f"systems: {{privileged_own: {change}}}")
    assert "because distillation_weight is 0" in said
    assert said.endswith("(as systems.privileged_own.for_dataset has it for drawn, multicare)")


def test_null_drops_the_settings_of_one_dataset() -> None:
    stated = "pairdx_fusion: {for_dataset: {drawn: {epochs: 2}, multicare: {epochs: 3}}}"
    like = "mine: {like: pairdx_fusion, for_dataset: {drawn: null}}"
    plan = demo_with(f"systems: {{{stated}, {like}}}")
    drawn, mine = plan.datasets["drawn"], plan.systems["mine"]
    assert plan.systems["pairdx_fusion"].settings_for(drawn)["epochs"] == 2
    assert mine.settings_for(drawn) == mine.settings
    assert mine.entry["for_dataset"] == {"multicare": {"epochs": 3}}


def test_banks_and_pairings_need_not_state_what_is_usual() -> None:
    """And what was completed is the same again, its order included."""
    known = demo_with().config["pairings"]["captions_retrieved"]
    plan = demo_with(
        """
        text_banks:
          lines: {reader: lines, path: a.txt}
          rows: {reader: table, path: b.csv, text: report, cleaning: false}
        pairings:
          usual: {bank: rows, encoder: biomedclip}
          own: {bank: rows, encoder: biomedclip, rank: 2, classifier: {epochs: 7}}
        """
    )
    banks, pairings = plan.config["text_banks"], plan.config["pairings"]
    assert banks["lines"] == {"reader": "lines", "path": "a.txt", "where": "", "cleaning": True}
    unstated = [banks["rows"][key] for key in ("where", "id", "keep", "join", "cleaning")]
    assert unstated == ["", None, {}, None, False]
    assert pairings["usual"] == {**known, "bank": "rows"}
    assert pairings["own"]["classifier"] == {**known["classifier"], "epochs": 7}
    assert (known["choose"], pairings["own"]["choose"], pairings["own"]["rank"]) == (
        *("nearest", "nearest", 2),
    )
    model = defaults(REPOSITORY)
    again = complete(model, as_overlay(model, plan.config))
    assert json.dumps(again) == json.dumps(plan.config)


def test_the_example_of_own_reports_that_the_page_shows_can_be_run() -> None:
    """The grid compares its systems, the bank is the file, and nothing else has to be stated."""
    page = (REPOSITORY / "config/README.md").read_text(encoding="utf-8")
    example = page.split("What your own reports are worth")[1].split("```yaml\n")[1].split("```")[0]
    plan = demo_with(example)
    assert plan.grids.compares("our_reports")
    of = Of(dataset="drawn", bank="our_reports")
    assert plan.privileged.bank_files(of) == {"source": "my_documents/reports.csv"}
    assert "nearest_report" in plan.privileged.pairings_of("drawn")
