"""Which files a job reads and leaves, and which come from outside."""

from __future__ import annotations

import pytest

from pairdx import siblings
from pairdx.errors import PairDxError
from pairdx.plan.cells import WITH_SIBLINGS, WITHOUT_SIBLINGS
from pairdx.plan.outside import keys_instead_of_record
from pairdx.plan.plan import Plan
from plans import Of, demo_with, plan_with

PACKED = "<results>/multicare/packed"
HUB = [
    *("open_clip_pytorch_model.bin", "open_clip_config.json"),
    *("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt"),
    "config.json",
]


def of(system: str, dataset: str = "multicare", **others: str) -> Of:
    return Of(dataset=dataset, system=system, **others)


# ---------------------------------------------------------------- what systems are built from
@pytest.mark.parametrize(
    ("system", "words", "imagenet"),
    [("pairdx_fusion", True, True), ("image_only", False, True), ("text_only", True, False)],
)
def test_a_branch_of_the_fusion_that_is_not_built_needs_no_file(
    system: str, words: bool, imagenet: bool
) -> None:
    files = plan_with().files.built_from(of(system))
    word_files = {
        "word_vectors": f"{PACKED}/word_vectors.safetensors",
        "vocabulary": f"{PACKED}/vocabulary.json",
    }
    weights = {"pretrained": ["<resources>/weights/resnet18/resnet18-f37072fd.pth"]}
    assert files == (word_files if words else {}) | (weights if imagenet else {})


def test_a_probe_is_built_from_features_that_all_probes_of_its_encoder_share() -> None:
    plan = plan_with()
    for system, encoder in (
        ("clip_linear_probe", "clip_vit_b32"),
        ("early_fusion_probe", "clip_vit_b32"),
        ("biomedclip_linear_probe", "biomedclip"),
    ):
        files = plan.files.built_from(of(system))
        assert files["features"] == f"<results>/multicare/features/{encoder}.safetensors"
    weights = plan.files.encoder_weights(Of(dataset="multicare", encoder="biomedclip"))
    assert "<resources>/weights/biomedclip/open_clip_pytorch_model.bin" in weights["pretrained"]
    encoder = plan.encoder_settings(Of(dataset="multicare", encoder="clip_vit_b32"))
    assert (encoder["weights"], encoder["squaring"]) == ("clip_vit_b32_openai", "crop")


def test_without_probes_and_pairings_nothing_is_encoded_and_in_the_demo_without_weights() -> None:
    probes = ("clip_linear_probe", "biomedclip_linear_probe", "early_fusion_probe")
    paired = ("privileged_own", "privileged_retrieved", "privileged_random")
    off = ", ".join(f"{name}: {{enabled: false}}" for name in (*probes, *paired))
    assert plan_with(f"systems: {{{off}}}").encoders("cuda") == []
    demo = demo_with("systems: {early_fusion_probe: {enabled: true}}")
    assert demo.encoders("cpu") == ["biomedclip", "clip_vit_b32"]
    assert demo.files.encoder_weights(Of(dataset="drawn", encoder="clip_vit_b32")) == {}


def test_what_was_trained_is_read_from_its_own_folder_and_what_was_not_is_built() -> None:
    plan = plan_with()
    folder = "<results>/multicare/grouped/pairdx_clip/seed2"
    trained = of("pairdx_clip", split="grouped", seed="2")
    assert plan.files.saved(trained) == {
        "settings": f"{folder}/settings.json",
        "weights": f"{folder}/model.safetensors",
    }
    first = plan.files.saved_first(trained)["weights"]
    assert first == "<results>/multicare/stratified/pairdx_clip/seed1/model.safetensors"
    assert plan.untrained(trained) == {}
    untrained = of("clip_zero_shot", split="grouped", seed="1")
    assert plan.files.saved(untrained) == {}
    built = plan.untrained(untrained)
    assert (built["family"], built["seed"]) == ("clip", 1)
    assert built["settings"]["class_names"]["chart"]
    assert plan.files.state_folder(trained) == "state/pairdx/multicare/grouped/pairdx_clip/seed2"


def test_a_system_with_images_of_another_size_reads_other_packed_images() -> None:
    plan = plan_with("systems: {mean_colour: {image_size: 32}}")
    dataset = plan.datasets["multicare"]
    assert plan.files.sizes(dataset) == [32, 224]
    assert plan.files.images(of("mean_colour")) == f"{PACKED}/images_32.npy"
    assert plan.files.images(of("image_only")) == f"{PACKED}/images_224.npy"
    assert plan.files.images(Of(dataset="multicare")) == f"{PACKED}/images_224.npy"
    asked = plan.questions.out_of_distribution(of("mean_colour"))
    assert asked["out_of_distribution_images"] == f"{PACKED}/out_of_distribution_32.npy"


def test_a_filled_in_review_sheet_is_an_input_of_its_dataset_alone() -> None:
    one = Of(dataset="multicare")
    assert plan_with().files.decisions(one) == {}
    reviewed = plan_with("datasets: {multicare: {curation: {review: {decisions: s.csv}}}}")
    assert reviewed.files.decisions(one) == {"decisions": "s.csv"}


# ---------------------------------------------------------------- from outside
def test_weights_are_one_file_or_the_files_of_a_folder_and_on_disk_the_users_own() -> None:
    outside = plan_with().outside
    assert len(outside.weights_files("resnet18")) == 1
    names = [path.rsplit("/", 1)[1] for path in outside.weights_files("biomedclip")]
    assert sorted(names) == sorted(HUB)
    config = outside.hub_source(Of(name="biomedclip", file="config.json"))
    weights = outside.hub_source(Of(name="biomedclip", file="open_clip_pytorch_model.bin"))
    assert config != weights  # of the text tower's repository
    on_disk = plan_with(
        "downloads: {glove: {path: g.txt}, weights: {resnet18: {path: r.pth}, "
        "clip_vit_b32_openai: {path: c.safetensors}, biomedclip: {path: folder/}}}\n"
        "datasets: {multicare: {source: {path: corpus}}}"
    ).outside
    files = on_disk.files()
    assert files["downloads.weights.resnet18.path"] == ["r.pth"]
    assert files["downloads.weights.biomedclip.path"] == [f"folder/{name}" for name in names]
    assert files["downloads.glove.path"] == ["g.txt"]
    assert {path.split("/")[0] for path in files["datasets.multicare.source.path"]} == {"corpus"}
    assert not any("resources" in path for paths in files.values() for path in paths)


def test_only_files_that_enabled_systems_use_are_looked_for() -> None:
    assert demo_with().outside.files() == {}
    words = demo_with("word_vectors: {source: glove, dimension: 300}").outside.files()
    assert list(words) == ["downloads.glove"]
    names = ("pairdx_fusion", "text_only")
    off = ", ".join(f"{name}: {{enabled: false}}" for name in names)
    assert "downloads.glove" not in plan_with(f"systems: {{{off}}}").outside.files()


def test_drawn_archives_are_where_the_drawing_puts_them() -> None:
    plan = demo_with()
    one = Of(dataset="drawn", archive="PMC2")
    assert plan.outside.store(one) == "<resources>/drawn/seed1_cases360/PMC2.zip"
    assert plan.drawn_archives == plan.archives(one) == ["PMC1", "PMC2", "PMC3"]
    assert plan.outside.tables(one)["metadata"].startswith("<resources>/drawn/seed1_cases360/")
    assert plan_with().drawings() == plan_with().drawn_archives == []
    facts = [f"<results>/drawn/curated/stages/facts/PMC{number}.parquet" for number in (1, 2, 3)]
    assert plan.files.facts(one) == facts


# ---------------------------------------------------------------- the price of leakage
def test_what_is_priced_is_trained_once_more_with_siblings_under_all_its_seeds() -> None:
    plan = plan_with()
    assert plan.pricing.names_of(Of(dataset="multicare")) == [
        *("pairdx_clip", "pairdx_fusion", "clip_linear_probe", "tfidf_logistic"),
    ]
    cells = plan.pricing.cells("multicare")
    assert [cell.seed for cell in cells] == [1, 2, 3, 1, 2, 3, 1, 1]
    assert {cell.split for cell in cells} == {WITH_SIBLINGS}
    assert not {WITH_SIBLINGS} & {cell.split for cell in plan.cells}
    other = plan.pricing.predictions(WITHOUT_SIBLINGS)(Of(dataset="multicare"))
    assert other[0] == "<results>/multicare/grouped/pairdx_clip/seed1/predictions.parquet"
    assert len(other) == len(cells)


def test_a_training_with_siblings_takes_over_what_the_one_without_chose() -> None:
    choice = plan_with().pricing.choice
    chosen = choice(of("tfidf_logistic", split=WITH_SIBLINGS, seed="1"))
    assert chosen == {"choice": "<results>/multicare/grouped/tfidf_logistic/seed1/settings.json"}
    assert choice(of("tfidf_logistic", split="grouped", seed="1")) == {}
    assert choice(of("pairdx_clip", split=WITH_SIBLINGS, seed="1")) == {}


def test_trained_prices_all_that_is_trained_and_nothing_else() -> None:
    plan = plan_with("leakage_price: {systems: trained}")
    names = plan.pricing.names_of(Of(dataset="multicare"))
    assert names == [system.name for system in plan.enabled if system.trained]


@pytest.mark.parametrize(
    ("overlay", "said"),
    [
        ("datasets: {drawn: {splits: [stratified]}}", "needs the split grouped"),
        ("leakage_price: {systems: []}", "leakage_price.systems names no enabled system"),
        (
            "{leakage_price: {systems: [clip_zero_shot, mean_colour]}, "
            "systems: {mean_colour: {enabled: false}}}",
            "names no enabled system that is trained",
        ),
    ],
)
def test_where_nothing_is_priced_nothing_more_is_trained_and_who_asks_is_told(
    overlay: str, said: str
) -> None:
    plan = demo_with(overlay)
    assert plan.pricing.cells("drawn") == []
    with pytest.raises(PairDxError, match=said):
        plan.pricing.predictions(WITH_SIBLINGS)(Of(dataset="drawn"))


def test_the_split_for_the_price_of_leakage_is_called_the_same_where_it_is_made() -> None:
    assert siblings.WITH_SIBLINGS == WITH_SIBLINGS


# ---------------------------------------------------------------- downloads
def test_what_can_be_named_instead_of_a_record_is_the_key_of_the_dataset_that_it_is_of() -> None:
    twice = "datasets: {again: {like: multicare, enabled: true}, release: {enabled: true}}"
    config = plan_with(twice).config
    record = config["datasets"]["multicare"]["source"]["record"]
    assert keys_instead_of_record(plan_with().config, record) == "datasets.multicare.source.path"
    both = "datasets.multicare.source.path` and `datasets.again.source.path"
    assert keys_instead_of_record(config, record) == both
    released = str(config["downloads"]["release"]["record"])
    for one in (config, plan_with().config):  # of what does not run, too
        assert keys_instead_of_record(one, released) == "datasets.release.source.path"
    assert keys_instead_of_record(config, "1") == "datasets.NAME.source.path"


# ---------------------------------------------------------------- the learning-rate search
def searched(plan: Plan) -> list[str]:
    return plan.search.histories(None)


def test_a_search_trains_the_system_once_per_rate_and_reads_no_test_pair() -> None:
    plan = plan_with()
    assert searched(plan) == [
        f"<results>/multicare/stratified/pairdx_clip_lr{rate}/seed1/training.csv"
        for rate in ("1e-06", "3e-06", "1e-05", "3e-05")
    ]
    searching = plan.systems["pairdx_clip_lr3e-05"]
    assert searching.settings == plan.systems["pairdx_clip"].settings | {"learning_rate": 3e-05}
    assert searching.gpus == 1
    assert [path.rsplit("/", 2)[1] for path in plan.search.states(None)] == [
        f"pairdx_clip_lr{rate}" for rate in ("1e-06", "3e-06", "1e-05", "3e-05")
    ]


@pytest.mark.parametrize(
    "search", ["null", "{learning_rates: [0.5, 0.25]}", "{system: pairdx_fusion, split: grouped}"]
)
def test_no_other_part_of_the_plan_knows_of_a_search(search: str) -> None:
    plan, other = plan_with(), plan_with(f"learning_rate_search: {search}")
    assert plan.cells == other.cells
    assert plan.shown() == other.shown()
    assert plan.reads_words("multicare") == plan.systems["pairdx_fusion"]
    assert plan.tokens(Of(dataset="multicare")) == other.tokens(Of(dataset="multicare")) == 32
    assert not any("_lr" in name for name in other.names_of(Of(dataset="multicare")))


@pytest.mark.parametrize("system", ["pairdx_clip_prompts", "pairdx_fusion_gated"])
def test_any_trainable_network_can_be_searched_enabled_or_not(system: str) -> None:
    overlay = f"{{system: {system}, learning_rates: [1.5e-4, 1.0e-3], split: grouped}}"
    plan = plan_with(f"{{learning_rate_search: {overlay}, device: cpu}}")
    names = [f"{system}_lr0.00015", f"{system}_lr0.001"]
    assert [path.split("/")[3] for path in searched(plan)] == names
    assert {*names} < {*plan.trained_on("cpu")}
    assert {path.split("/")[2] for path in searched(plan)} == {"grouped"}


def test_without_a_split_the_first_one_is_searched() -> None:
    plan = plan_with("datasets: {multicare: {splits: [grouped]}}")
    assert {path.split("/")[2] for path in searched(plan)} == {"grouped"}


@pytest.mark.parametrize(
    ("overlay", "said"),
    [
        ("learning_rate_search: null", "learning_rate_search is null"),
        (
            "systems: {pairdx_clip: {enabled: false, settings: {weights: nowhere}}}",
            "systems.pairdx_clip.settings.weights",
        ),
    ],
)
def test_what_only_the_search_needs_is_an_error_of_the_search_alone(
    overlay: str, said: str
) -> None:
    plan = plan_with(overlay)
    with pytest.raises(PairDxError, match=said):
        searched(plan)


def test_the_searched_rate_wins_over_one_that_is_stated_for_the_dataset() -> None:
    stated = "{multicare: {learning_rate: 0.5, epochs: 3}}"
    plan = plan_with(f"systems: {{pairdx_clip: {{for_dataset: {stated}}}}}")
    dataset = plan.datasets["multicare"]
    assert plan.systems["pairdx_clip"].settings_for(dataset)["learning_rate"] == 0.5
    for name, rate in plan.search.rates().items():
        found = plan.systems[name].build_settings(dataset)
        assert (found["learning_rate"], found["epochs"]) == (rate, 3)


def test_texts_of_a_searched_system_are_encoded_though_it_is_not_enabled() -> None:
    off = "\n".join(
        f"  privileged_{name}: {{enabled: false}}" for name in ("own", "retrieved", "random")
    )
    probes = "  biomedclip_linear_probe: {enabled: false}"
    plan = plan_with(
        f"device: cpu\nlearning_rate_search: {{system: privileged_own}}\nsystems:\n{off}\n{probes}"
    )
    assert plan.privileged.pairings_of("multicare") == []
    assert plan.privileged.encoders("cpu") == ["biomedclip"]
    assert "biomedclip" in plan.encoders("cpu")
    assert len(searched(plan)) == 4


def test_files_that_a_searched_system_learns_from_must_be_stated() -> None:
    reports = "pairings: {captions_own: {bank: tcga_breast, choose: nearest}}"
    systems = "systems: {privileged_own: {enabled: false}}"
    plan = plan_with(f"{reports}\n{systems}\nlearning_rate_search: {{system: privileged_own}}")
    with pytest.raises(PairDxError, match=r"text_banks\.tcga_breast\.path: no path is stated"):
        searched(plan)
