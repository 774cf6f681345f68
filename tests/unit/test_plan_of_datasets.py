"""What a run over datasets other than the paper's own means."""

from __future__ import annotations

import pytest

from pairdx.errors import PairDxError
from pairdx.plan import outputs
from pairdx.plan.graph import decides_the_graph
from pairdx.plan.world import PlansWorld
from plans import Of, demo_with

TWO = "datasets: {drawn_2: {like: drawn, enabled: true, splits: [stratified]}}"
OWN = "{own: {like: drawn, enabled: true}, drawn: {enabled: false}}"


def test_null_drops_a_dataset_that_others_are_like() -> None:
    """These are what they were: as it is by default."""
    plan = demo_with("datasets: {multicare: null}")
    assert list(plan.datasets) == ["drawn"]
    assert plan.datasets["drawn"].entry == demo_with().datasets["drawn"].entry


def test_an_entry_that_is_like_a_text_is_refused_in_words() -> None:
    with pytest.raises(PairDxError, match=r"config key datasets\.b"):
        demo_with("datasets: {a: {like: b, reader: drawn}, b: text}")


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
    assert demo_with().published.cell == ("drawn", "stratified")
    assert demo_with("datasets: {drawn: {splits: [grouped]}}").published.cell is None


def test_a_rate_is_not_searched_on_a_dataset_that_the_system_is_kept_from() -> None:
    kept = "systems: {pairdx_clip: {datasets: [drawn]}}\nlearning_rate_search: {dataset: drawn_2}"
    with pytest.raises(PairDxError, match="keeps pairdx_clip from drawn_2"):
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
