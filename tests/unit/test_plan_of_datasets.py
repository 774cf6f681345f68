"""What a run over datasets other than the paper's own means."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from pairdx.errors import PairDxError
from pairdx.plan import outputs
from pairdx.plan.graph import decides_the_graph
from pairdx.plan.start import plan_of
from pairdx.plan.world import PlansWorld
from plans import REPOSITORY, Of, demo_with, plan_with

TWO = "datasets: {drawn_2: {like: drawn, enabled: true, splits: [stratified]}}"
OWN = "{own: {like: drawn, enabled: true}, drawn: {enabled: false}}"


@pytest.mark.parametrize(
    ("like", "splits", "needed"),
    [
        ("documents", "published", True),
        ("documents", "grouped, published", False),
        ("documents", "grouped", False),
        ("release", "published", False),  # nothing is taken out of it
    ],
)
def test_a_row_needs_a_subset_where_no_other_split_takes_it(
    like: str, splits: str, *, needed: bool
) -> None:
    source = "{table: t, images: i, columns: {file: f, label: l, subset: s}}"
    own = f"source: {source}, classes: [a, b]" if like == "documents" else "title: Ours"
    overlay = f"datasets: {{mine: {{like: {like}, enabled: true, splits: [{splits}], {own}}}}}"
    assert plan_with(overlay).needs_subset(Of(dataset="mine")) is needed


def test_null_drops_a_dataset_that_others_are_like() -> None:
    """These are what they were: as it is by default."""
    plan = demo_with("datasets: {multicare: null}")
    assert list(plan.datasets) == ["drawn"]
    assert plan.datasets["drawn"].entry == demo_with().datasets["drawn"].entry


def test_an_entry_that_is_like_a_text_is_refused_in_words() -> None:
    with pytest.raises(PairDxError, match=r"config key datasets\.b"):
        demo_with("datasets: {a: {like: b, reader: drawn}, b: text}")


def test_the_template_of_own_documents_plans_over_the_demo_and_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # where nobody has put documents yet
    template = (REPOSITORY / "config/my_documents.yaml").read_text(encoding="utf-8")
    small, whole = demo_with(template), plan_with(template)
    for plan in (small, whole):
        assert list(plan.datasets) == ["my_documents"]
        assert PlansWorld(plan).paper_dataset is None
        left_out = plan.left_out("my_documents")
        running = {system.name for system in plan.systems_of("my_documents")}
        assert {"pairdx_fusion", "tfidf_logistic"} <= set(left_out)
        assert {"clip_zero_shot", "mean_colour"} <= running
    assert "pairdx_clip" in whole.left_out("my_documents")  # trained on captions there
    with_captions = template.replace("# caption: text ", "caption: text")
    assert demo_with(with_captions).left_out("my_documents") == {}
    _, doubts = plan_of(yaml.safe_load(template), REPOSITORY, [])
    found = [*doubts()]
    assert sum("source.table: my_documents/documents.csv is not there" in one for one in found) == 1
    assert sum("pairdx_fusion, text_only" in one for one in found) == 1


def test_a_split_of_ones_own_that_is_not_used_is_said() -> None:
    for splits, number in (("[grouped]", 1), ("[published, grouped]", 0)):
        overlay = yaml.safe_load(f"""
            datasets:
              mine: {{like: documents, enabled: true, classes: {{a: a, b: b}}, splits: {splits},
                source: {{table: t, images: i, columns: {{subset: part}}}}}}
        """)
        _, doubts = plan_of(overlay, REPOSITORY, [])
        assert sum("datasets.mine.splits: the data come with" in one for one in doubts()) == number


def test_classes_of_own_documents_stand_as_they_were_written() -> None:
    names = ["eye", "chart", "letter", "radiology"]
    classes = ", ".join(f"{name}: {name} image" for name in names)
    source = "source: {table: t, images: i}"
    mine = f"{{like: documents, enabled: true, classes: {{{classes}}}, {source}}}"
    plan = demo_with(f"datasets: {{mine: {mine}}}")
    assert plan.labels(Of(dataset="mine")) == names
    assert plan.of("class_words")(Of(dataset="mine")) == {}


def test_a_dataset_that_every_system_is_left_out_of_is_refused_with_the_reasons() -> None:
    mine = "{like: documents, enabled: true, classes: {a: a, b: b}, source: {table: t, images: i}}"
    names = (
        *("clip_zero_shot", "biomedclip_zero_shot", "pairdx_clip", "mean_colour"),
        "resnet18_image_only",
    )
    off = ", ".join(f"{name}: {{enabled: false}}" for name in names)
    message = (
        r"runs on datasets\.mine \(pairdx_fusion: it reads captions, [\s\S]*; tfidf_logistic: "
    )
    with pytest.raises(PairDxError, match=message):
        demo_with(f"datasets: {{mine: {mine}}}\nsystems: {{{off}}}")


def test_leakage_is_priced_where_it_can_be() -> None:
    assert demo_with(TWO).pricing.datasets == ["drawn"]
    everywhere = demo_with(f"{TWO}\nleakage_price: {{systems: []}}")
    assert everywhere.pricing.datasets == ["drawn", "drawn_2"]  # and each says why not


def test_only_the_papers_dataset_has_items_of_the_paper() -> None:
    two, own = PlansWorld(demo_with(TWO)), PlansWorld(demo_with(f"datasets: {OWN}"))
    labels = [two.paper_label("table", "dataset", name) for name in ("drawn", "drawn_2")]
    assert labels == ["Table 3", None]
    assert two.paper_label("table", "comparison", None) == "Table 8"
    assert own.paper_label("table", "comparison", None) is None
    assert "discrepancies" in outputs.reasons(own)


def test_nothing_stands_beside_the_paper_without_its_split() -> None:
    assert demo_with().published.places == [("drawn", "stratified")]
    assert demo_with("datasets: {drawn: {splits: [grouped]}}").published.places == []


def test_a_rate_is_not_searched_on_a_dataset_that_the_system_is_kept_from() -> None:
    kept = "systems: {pairdx_clip: {datasets: [drawn]}}\nlearning_rate_search: {dataset: drawn_2}"
    with pytest.raises(PairDxError, match="keeps it from drawn_2"):
        demo_with(f"{TWO}\n{kept}").search.histories(None)


def test_words_are_counted_for_systems_that_run_on_the_dataset() -> None:
    assert demo_with().tokens(Of(dataset="drawn")) == 32
    assert (
        demo_with("systems: {pairdx_fusion: {enabled: false}}").tokens(Of(dataset="drawn")) is None
    )


def test_the_datasheet_says_of_own_data_what_the_dataset_says() -> None:
    own = demo_with("datasets: {drawn: {texts: {source: Letters, citation: nobody}}}")
    texts = own.facts.archive(Of(dataset="drawn"))["texts"]
    assert (texts["source"], texts["citation"]) == ("Letters", "nobody")
    assert texts["patients"] == demo_with().facts.archive(Of(dataset="drawn"))["texts"]["patients"]


@pytest.mark.parametrize(
    "overlay",
    [
        "leakage_price: {systems: [majority]}",
        "evaluation: {out_of_distribution_pairs: 0}",
        "paper: null",
    ],
)
def test_what_changes_the_graph_redraws_it(overlay: str) -> None:
    assert decides_the_graph(demo_with(overlay)) != decides_the_graph(demo_with())


def test_only_words_of_the_datasets_own_classes_are_taken_out_of_captions() -> None:
    wildcards = Of(dataset="drawn", system="tfidf_logistic")
    whole = demo_with().questions.input_probe_settings(wildcards)["class_words"]
    fewer = demo_with("datasets: {drawn: {classes: {chart: null}}}")
    assert set(whole) - set(fewer.questions.input_probe_settings(wildcards)["class_words"]) == {
        "chart"
    }


@pytest.mark.parametrize(
    ("overlay", "sentence"),
    [
        ("datasets: {2: {enabled: true, like: drawn}}", "the name 2 is no text"),
        ("datasets: {drawn: {classes: {chart: radiology}}}", "are called radiology"),
    ],
)
def test_what_could_not_be_told_apart_or_named_is_refused(overlay: str, sentence: str) -> None:
    with pytest.raises(PairDxError, match=sentence):
        demo_with(overlay)


def test_a_spelling_that_stands_for_no_class_is_said() -> None:
    overlay = yaml.safe_load("""
        datasets:
          mine: {like: documents, enabled: true, classes: {form: a, letter: b},
            source: {table: t, images: i, labels: {Brief: Letter, CXR: fomr}}}
    """)
    _, doubts = plan_of(overlay, REPOSITORY, [])
    (found,) = (one for one in doubts() if "source.labels" in one)
    assert "datasets.mine.source.labels: fomr, for which CXR is said to stand, is no class" in found
    assert "did you mean form?" in found


def test_what_an_official_data_set_takes_no_notice_of_is_said_where_a_user_states_it() -> None:
    overlay = yaml.safe_load("""
        datasets:
          release: {enabled: true, curation: {licences: null, min_age: 0, unknown_age: reject,
            balance: {total: 20, per_class_cap: null}, duplicates: {exact: remove}}}
          multicare: {curation: {balance: {total: 30}}}
    """)
    _, doubts = plan_of(overlay, REPOSITORY, [])
    place = "config key datasets.release.curation"
    assert [one.split(":")[0] for one in doubts() if "not read" in one] == [
        f"{place}.{key}" for key in ("unknown_age", "duplicates.exact", "balance.total")
    ]
    # Inherited by `like`, a total is nobody's wish.
    _, doubts = plan_of({"datasets": {"release": {"enabled": True}}}, REPOSITORY, [])
    assert not [one for one in doubts() if "not read" in one]
