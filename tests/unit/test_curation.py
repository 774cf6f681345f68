"""Curation: nobody is lost, every rejection has a reason, and the choice is repeatable."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation_samples import SETTINGS, candidates, curated, facts_of
from pairdx.curation.balancing import chosen, class_sizes, water_fill
from pairdx.curation.duplicates import clusters, copies, near_duplicates, same_value_links
from pairdx.curation.identifiers import KINDS
from pairdx.curation.outcomes import STAGES
from pairdx.curation.pairs import curate
from pairdx.curation.review import read_decisions
from pairdx.curation.tables import screen_tables
from pairdx.errors import PairDxError
from properties import examples

LABELS = st.sampled_from(["radiology", "chart", "pathology", "hologram"])
AGES = st.sampled_from([None, 3, 17, 18, 60])


@pytest.mark.slow
@examples(5)
@given(st.lists(st.tuples(LABELS, AGES), min_size=1, max_size=60), st.randoms())
def test_every_candidate_has_one_outcome_whatever_the_order_of_the_rows(rows, random) -> None:
    table = candidates([*(label for label, _ in rows), "chart"], [*(age for _, age in rows), 40])
    result = curated(table)
    outcomes = [*result.pairs["file"], *result.out_of_distribution["file"]]
    outcomes += list(result.rejected["file"])
    assert sorted(outcomes) == sorted(table["file"])
    assert (result.rejected["reason"] != "").all()

    shuffled = table.sample(frac=1, random_state=random.randrange(2**31))
    assert curated(shuffled, facts_of(table)).pairs.equals(result.pairs)


@examples(5)
@given(st.lists(st.tuples(LABELS, AGES), min_size=1, max_size=60))
def test_the_funnel_adds_up_class_by_class(rows) -> None:
    table = candidates([*(label for label, _ in rows), "chart"], [*(age for _, age in rows), 40])
    result = curated(table)
    funnel = result.funnel.set_index(["stage", "label"])
    parts = funnel["rejected"] + funnel["out_of_distribution"] + funnel["kept"]
    assert (funnel["candidates"] == parts).all()
    assert funnel.loc["ingest", "candidates"].to_dict() == table["label"].value_counts().to_dict()
    for before, after in pairwise(STAGES):
        assert (funnel.loc[before, "kept"] == funnel.loc[after, "candidates"]).all()
    kept = funnel.loc[STAGES[-1], "kept"]
    assert kept[kept > 0].to_dict() == result.pairs["label"].value_counts().to_dict()


def test_unknown_ages_are_kept_or_rejected_as_the_key_says() -> None:
    table = candidates(["chart", "chart"], [None, 40])
    assert len(curated(table, unknown_age="keep").pairs) == 2
    rejected = curated(table, unknown_age="reject").rejected
    assert rejected[["stage", "reason"]].to_numpy().tolist() == [["age", "unknown_age"]]


def test_only_allowed_licences_pass() -> None:
    table = candidates(["chart", "chart"], [40, 40])
    table.loc[0, "licence"] = "CC BY-NC"
    result = curated(table, licences=["CC BY"])
    assert result.rejected[["file", "reason", "detail"]].to_numpy().tolist() == [
        [table.loc[0, "file"], "licence_not_allowed", "CC BY-NC"]
    ]


def test_a_repeated_row_is_rejected_once() -> None:
    table = candidates(["chart", "chart"], [40, 40])
    table.loc[1, ["file", "pair_id"]] = table.loc[0, ["file", "pair_id"]]
    assert curated(table).rejected["reason"].tolist() == ["repeated_row"]


def test_a_subset_keeps_so_many_per_class_and_the_same_ones_in_any_order() -> None:
    table = candidates(["chart"] * 30 + ["radiology"] * 5, [40] * 35)
    screening = screen_tables(table, SETTINGS, subset=10, seed=1)
    assert screening.candidates["label"].value_counts().to_dict() == {"chart": 10, "radiology": 5}
    assert set(screening.rejected["reason"]) == {"outside_subset"}
    shuffled = screen_tables(table.iloc[::-1], SETTINGS, subset=10, seed=1)
    assert set(shuffled.candidates["pair_id"]) == set(screening.candidates["pair_id"])


def test_an_archive_that_config_does_not_list_is_a_reason() -> None:
    table = candidates(["chart", "chart"], [40, 40])
    result = curated(table, facts_of(table).iloc[:1])
    assert result.rejected["reason"].tolist() == ["missing_from_archive"]
    assert "not among the dataset's archives" in result.rejected["detail"][0]


def test_nothing_left_is_an_error_that_says_where_to_look() -> None:
    with pytest.raises(PairDxError, match="no pair is left"):
        curated(candidates(["hologram"], [40]))


@pytest.mark.parametrize("kind", ["object", "float64"])
def test_so_is_nothing_read_whatever_an_empty_column_is_kept_as(kind: str) -> None:
    nothing = candidates(["chart"], [40]).iloc[:0].astype({"archive": kind})
    with pytest.raises(PairDxError, match="no pair is left"):
        curated(nothing)


def test_of_copies_the_first_name_is_kept_and_named_in_the_detail() -> None:
    table = candidates(["chart"] * 4, [40] * 4)
    facts = facts_of(table)
    facts.loc[2, ["sha256", "perceptual_hash"]] = facts.loc[0, ["sha256", "perceptual_hash"]]
    flipped = int(facts.loc[1, "perceptual_hash"], 16) ^ 0b111
    facts.loc[3, "perceptual_hash"] = f"{flipped:064x}"
    rejected = curated(table, facts).rejected.set_index("row")
    assert rejected["reason"].to_dict() == {2: "exact_duplicate", 3: "near_duplicate"}
    assert rejected["detail"].to_dict() == {2: "of PMC10000_f_a_1_1", 3: "of PMC10001_f_a_1_1"}

    only_clustered = {"exact": "cluster", "near": "cluster", "max_distance_bits": 10}
    pairs = curated(table, facts, duplicates=only_clustered).pairs.set_index("pair_id")
    assert len(pairs) == 4
    assert pairs["duplicate_cluster"].nunique() == 2


@examples(30)
@given(st.integers(0, 12), st.integers(2, 30), st.integers(0, 2**31))
def test_near_duplicates_equal_a_comparison_of_all_with_all(distance, size, seed) -> None:
    generator = np.random.default_rng(seed)
    originals = generator.integers(0, 2, (size, 256))
    bits = np.concatenate([originals, originals ^ (generator.random((size, 256)) < 0.03)])
    hashes = pd.Series([np.packbits(row).tobytes().hex() for row in bits])
    all_distances = (bits[:, None, :] != bits[None, :, :]).sum(axis=2)
    expected = np.argwhere(np.triu(all_distances <= distance, k=1))
    assert near_duplicates(hashes, distance).tolist() == expected.tolist()


def test_a_chain_of_near_duplicates_is_not_removed_whole() -> None:
    chain = np.array([[0, 1], [1, 2], [2, 3]])
    assert copies({"near": chain}, 4) == {1: ("near", 0), 3: ("near", 2)}
    assert copies({"exact": np.array([[0, 1]]), "near": chain}, 2) == {1: ("exact", 0)}


def test_exact_copies_stay_where_only_near_ones_are_removed() -> None:
    table = candidates(["chart"] * 3, [40] * 3)
    facts = facts_of(table)
    facts.loc[1, ["sha256", "perceptual_hash"]] = facts.loc[0, ["sha256", "perceptual_hash"]]
    facts.loc[2, "perceptual_hash"] = facts.loc[0, "perceptual_hash"]
    duplicates = {"exact": "cluster", "near": "remove", "max_distance_bits": 10}
    result = curated(table, facts, duplicates=duplicates)
    assert result.pairs["pair_id"].tolist() == table["pair_id"].tolist()[:2]
    assert result.pairs["duplicate_cluster"].nunique() == 1


def test_a_pair_is_preferred_to_its_out_of_distribution_copy() -> None:
    table = candidates(["pathology", "chart"], [40, 40])
    facts = facts_of(table)
    facts.loc[1, ["sha256", "perceptual_hash"]] = facts.loc[0, ["sha256", "perceptual_hash"]]
    assert curated(table, facts).pairs["label"].tolist() == ["chart"]


def test_a_row_lost_before_curation_is_noticed() -> None:
    table = candidates(["chart"] * 3, [40] * 3)
    screening = screen_tables(table.iloc[:2], SETTINGS, subset=None, seed=1)
    with pytest.raises(PairDxError, match="does not add up"):
        curate(
            screening.candidates,
            screening.rejected,
            facts_of(table).iloc[:2],
            SETTINGS,
            decisions=read_decisions(None),
            counts=table["label"].value_counts(),
            seed=1,
        )


def test_clusters_are_connected_groups_named_after_their_first_member() -> None:
    names = pd.Series(["d", "b", "c", "a"])
    assert clusters(np.array([[0, 1], [1, 2]]), names).tolist() == ["b", "b", "b", "a"]
    assert same_value_links(pd.Series(["x", "y", "x", "x"])).tolist() == [[0, 2], [0, 3]]


@given(
    st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 500), min_size=1),
    st.integers(0, 2000),
)
def test_water_filling_reaches_the_total_and_is_as_even_as_sizes_allow(available, total) -> None:
    shares = water_fill(available, total)
    assert sum(shares.values()) == min(total, sum(available.values()))
    assert all(0 <= shares[name] <= size for name, size in available.items())
    cut = [shares[name] for name, size in available.items() if shares[name] < size]
    if cut:
        assert max(cut) - min(cut) <= 1
        assert max(shares.values()) <= max(cut) + 1


def test_the_default_total_is_met_exactly_with_multicares_class_counts() -> None:
    counts = {
        "radiology": 65640,
        "endoscopy": 3356,
        "medical_photograph": 24822,
        "ophthalmic_imaging": 3818,
        "electrography": 1974,
        "chart": 4877,
    }
    sizes = class_sizes(counts, total=22665, per_class_cap=None)
    assert sum(sizes.values()) == 22665
    assert sizes["electrography"] == 1974
    assert sizes["radiology"] == sizes["medical_photograph"] == 4506
    assert sizes["chart"] == 4505
    assert sum(class_sizes(counts, total=None, per_class_cap=1000).values()) == 6000


def test_adding_a_candidate_changes_at_most_one_of_the_chosen() -> None:
    table = candidates(["chart"] * 50, [40] * 50)
    sizes = {"chart": 20}
    before = set(table.loc[chosen(table[:49], sizes, 1).reindex(table.index) == True, "pair_id"])  # noqa: E712
    after = set(table.loc[chosen(table, sizes, 1), "pair_id"])
    assert len(before) == len(after) == 20
    assert len(before - after) <= 1


def test_a_modality_that_is_switched_off_is_left_out_by_class_and_subtype() -> None:
    table = candidates(["radiology", "radiology", "chart"], [40] * 3)
    table.loc[1, "subtype"] = "ultrasound"
    modalities = SETTINGS["modalities"] | {
        "radiology": None,
        "ultrasound": {"label": "radiology", "subtypes": ["ultrasound"]},
    }
    result = curated(table, modalities=modalities)
    assert result.pairs["pair_id"].tolist() == table.loc[[1, 2], "pair_id"].tolist()
    assert result.rejected["reason"].tolist() == ["modality_not_selected"]


@pytest.mark.parametrize("file", ["../../etc/x.webp", "a/b.webp", "a\\b.webp", ".hidden.webp"])
def test_a_file_name_that_leaves_its_folder_is_rejected(file: str) -> None:
    table = candidates(["chart", "chart"], [40, 40])
    table.loc[0, "file"] = file
    assert curated(table).rejected["reason"].tolist() == ["unsafe_file_name"]


def test_identifiers_are_rejected_masked_or_left_kind_by_kind() -> None:
    table = candidates(["chart"] * 4, [40] * 4)
    table["caption"] = [
        "Seen by Dr. Maria Keller.",
        "Taken on 12 March 2019, see www.clinic.example.org.",
        "Mail a@clinic.example.org.",
        "Nothing to hide.",
    ]
    handling = dict.fromkeys(KINDS, "mask") | {"name": "reject", "email": "keep"}
    result = curated(table, identifiers=handling)
    assert result.rejected[["stage", "reason", "detail"]].to_numpy().tolist() == [
        ["identifiers", "name", "Dr. Maria Keller"]
    ]
    assert result.pairs["caption"].tolist() == [
        "Taken on [date], see [url].",
        "Mail a@clinic.example.org.",
        "Nothing to hide.",
    ]
    assert result.pairs["masked"].tolist() == ["date;url", "", ""]


def test_a_copy_of_a_near_duplicate_leaves_with_it() -> None:
    """Of an image, a recompressed copy, and the same bytes as that copy, only the first stays."""
    table = candidates(["chart"] * 3, [40] * 3)
    facts = facts_of(table)
    flipped = f"{int(facts.loc[0, 'perceptual_hash'], 16) ^ 0b11:064x}"
    facts.loc[1, "perceptual_hash"] = flipped
    facts.loc[2, ["sha256", "perceptual_hash"]] = facts.loc[1, ["sha256", "perceptual_hash"]]
    for exact in ("remove", "cluster"):
        duplicates = {"exact": exact, "near": "remove", "max_distance_bits": 10}
        pairs = curated(table, facts, duplicates=duplicates).pairs
        assert pairs["pair_id"].tolist() == table.loc[:0, "pair_id"].tolist()
