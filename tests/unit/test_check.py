"""The check before training finds planted troubles, counts them right, and says so in words."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from pairdx.corpus.table.groups import groups_of
from pairdx.plan.documents_check import facts_of_check, made_as
from pairdx.plan.world import PlansWorld
from pairdx.reporting.dataset.check import Documents, check
from pairdx.reporting.dataset.check_classes import as_yaml, counts_section, half_width
from pairdx.reporting.dataset.check_pairs import rejections_section
from pairdx.reporting.dataset.check_reading import reading_section
from pairdx.reporting.dataset.estimate import Range, duration, estimate, in_words
from pairdx.reporting.dataset.past_jobs import Past, PastJob, past_jobs
from pairdx.reporting.format.page import as_page
from pairdx.reporting.format.sections import doubts, sections_as_markdown, sections_as_text
from pairdx.subsets import SUBSETS
from plans import Of, demo_with

CLASSES = {"letter": "letter", "form": "filled-in form", "ecg": "ECG", "none": "never seen"}
HOSTILE = [
    "a: b",
    "yes",
    "#x",
    "- dash",
    "🩺 note",
    'quo"te|{}',
    "12",
    "null",
    "עברית",
    "a\u202eb",
    "x" * 190,
]


def pairs_table() -> pd.DataFrame:
    """36 letters, 3 forms and 1 ECG of four patients, P2 with two kinds; two copies are kept."""
    labels = ["letter"] * 36 + ["form"] * 3 + ["ecg"]
    ids = [f"d{number:02}" for number in range(40)]
    cases = ["P1"] * 20 + ["P2"] * 17 + ["P3"] * 2 + ["P4"]
    captions = (
        ["A letter to the doctor"] * 10 + ["Seen today"] * 26 + ["Filled in  form", "", "x", "y"]
    )
    table = pd.DataFrame({"pair_id": ids, "label": labels, "case_id": cases, "caption": captions})
    clusters = [*ids[:38], "d37", "d37"]  # an ECG among them that copies a form
    return table.assign(
        member=[f"sub/{name}.png" for name in ids],
        article_id="",
        figure_id=ids,
        duplicate_cluster=clusters,
        caption_cluster=ids,
    )


def rejected_table() -> pd.DataFrame:
    rows = [
        *[("class", "unknown_class", f"u{at}", "x-ray: chest", "x-ray: chest") for at in range(5)],
        ("class", "unknown_class", "u8", "rare", "rare"),
        ("class", "unknown_class", "u9", "", ""),
        ("identifiers", "name", "s1", "letter", "Dr. Jane Secret"),
        ("archive", "missing_from_archive", "m1", "form", "scans/m1.png"),
        ("ingest", "repeated_row", "d03", "form", ""),
        ("ingest", "repeated_row", "d04", "letter", ""),
        *[("caption", "empty_caption", f"e{at}", "letter", "") for at in range(3)],
        ("image", "unreadable", "r1", "letter", "it is damaged"),
        ("duplicates", "exact_duplicate", "c1", "form", "of d00"),
        ("duplicates", "near_duplicate", "c2", "letter", "of d01"),
    ]
    table = pd.DataFrame(rows, columns=["stage", "reason", "pair_id", "label", "detail"])
    return table.assign(member="sub/" + table["pair_id"] + ".png")


def split_table() -> pd.DataFrame:
    subsets = (
        ["train"] * 20 + ["validation"] * 7 + ["test"] * 9 + ["train", "train", "test", "train"]
    )
    return pd.DataFrame({"pair_id": pairs_table()["pair_id"], "subset": subsets})


def leakage_of(split: str) -> dict[str, Any]:
    nothing = {"groups": 0, "pairs": 0}
    shared = {"train-validation": nothing, "train-test": nothing, "validation-test": nothing}
    found = {**shared, "train-test": {"groups": 2, "pairs": 9}}
    return {"split": split, "kinds": {"case": found, "article": shared}}


FACTS: dict[str, Any] = {
    "title": "Ours",
    "drawn": False,
    "classes": CLASSES,
    "class_words": {},
    "out_of_distribution": [],
    "lacks": {"ages": "its table names no column of ages"},
    "min_age": 18,
    "unknown_age": "keep",
    "grouped_by": {"case_id": "patient"},
    "splits": ["published"],
    "systems": {
        "net": {
            "title": "Net <b>",
            "trained": True,
            "stand_in": True,
            "reads": ["image"],
            "device": "cuda",
            "seeds": 2,
        }
    },
    "left_out": {"fusion": "it reads captions, and there are none"},
    "not_enabled": 3,
    "tested_on": {
        "theirs": {"title": "Theirs", "matched": 3, "here": ["never seen"], "there": []},
    },
    "asked_by": [],
    "pairings": {},
    "sizes": [10, 20],
    "jobs": [
        {
            "rule": "train_on_gpu",
            "about": "net",
            "made_as": "same",
            "grows": True,
            "gpus": 2,
            "wildcards": [{"seed": 1}, {"seed": 2}],
        },
        {
            "rule": "time_system",
            "about": "net",
            "made_as": "same",
            "grows": False,
            "gpus": 0,
            "wildcards": [{"system": "net"}],
        },
    ],
    "describing": 4,
}
SPELLINGS = pd.DataFrame(
    {"label": ["letter", "letter", "no class"], "stated": ["letter", " Letter", "no class"]}
).assign(rows=[30, 4, 5])
AS_READ = {"other_columns": ["Finding text", "Patient no"], "rows_in_cells": 2, "untold_ages": 3}
NOTHING = Past([[], []], [0, 0])


def texts(past: Past = NOTHING, **facts: Any) -> tuple[str, str]:
    """The page as Markdown without its escapes, and the text with its lines joined."""
    funnel = pd.DataFrame(
        {
            "stage": ["ingest", "ingest", "class"],
            "candidates": [40, 10, 50],
            "label": ["a", "b", "a"],
        }
    )
    pairs = pairs_table()
    documents = Documents(
        pairs,
        pairs.iloc[:0],
        rejected_table(),
        funnel,
        SPELLINGS,
        AS_READ,
        {"published": split_table()},
        [leakage_of("published")],
    )
    sections = check(documents, FACTS | facts, past, "ours")
    page, text = sections_as_markdown("Check", sections), sections_as_text("Check", sections)
    assert page.count("**Look at this:**") == len(re.findall("^! ", text, re.M)) == doubts(sections)
    return page.replace("\\", ""), " ".join(text.split())


def test_planted_troubles_are_counted_and_told() -> None:
    page, text = texts()
    for sentence in (
        "Rows that were read: 50. Kept as pairs: 40. Rejected: 17.",
        "Ages are not known: nobody is screened by them. The reason: its table names",
        "Columns of the table that are not read: Finding text, Patient no.",
        "Cells that hold what looks like further rows: 2.",
        "Cells of the column of ages that tell no age: 3.",
        "Rows that are rejected for an empty caption: 3 of 50, also for systems that read images",
        "The largest group of one patient has 20 of 40 images; sub/d00.png is one of them.",
        "No pair is left of never seen:",
        "Split published: there are no test pairs of ECG. Nothing can be said of it",
        "fewer than 10 test pairs of letter, filled-in form.",
        "letter has 36 times the pairs of ECG",
        "Rows without a label: 1.",
        "of its letters: 4, in 1 spellings. So ' Letter' for 'letter'.",
        "classes does not name: 6, of 2 such labels. They are rejected.",
        "Groups of one patient with several images: 3. Of these, with images of several classes: "
        "1.",
        "which no class can be made of, are not among these lines: 1.",
        "Rows that cannot be used, or whose image cannot: 4.",
        "Your own subsets (split published) share groups",
        "Copies taken out: 1 of the same bytes, 1 that look nearly the same. Copies kept among the "
        "pairs: 2",
        "Copies with another label than their original: 2.",
        "Rows that name the image, or have the identifier, of an earlier row and state another "
        "label: 1.",
        "class_words of their own class: 11 of 40.",
        "Systems that run: 1, on the splits published.",
        "Asked about the test pairs of Theirs, too (tested_on). Classes that match: 3; without a "
        "counterpart there, of ours: never seen.",
        "Not enabled: 3 further systems of the registry.",
        "Jobs for this dataset: about 7. Of these, 3 compute, and 4 make tables",
        "Trainings (systems, splits and seeds): 2, on a GPU.",
        "No estimate of time: no job of this kind was measured in this folder yet",
    ):
        assert sentence in text, sentence
        assert sentence in page, sentence
    assert re.search(r"\| letter +\| +36 \| +20 / 7 / 9 \| ±24 points", page)
    assert re.search(r"\| sub/d\d\d.png +\| +17 \| letter \(16\), filled-in form \(1\)", page)
    assert re.search(r"\| sub/c1.png +\| filled-in form +\| sub/d00.png +\| letter", page)
    assert re.search(r"\| sub/d39.png +\| ECG +\| sub/d37.png +\| filled-in form", page)
    assert re.search(r"\| fusion +\| it reads captions, and there are none", page)
    assert "| published | patient" in page
    assert "'x-ray: chest': 'x-ray: chest'" in page
    assert "rare: rare" not in page
    assert re.search(
        r"\| its label is no class +\| +7 \| sub/u0.png \(x-ray: chest\) +\| classes ", page
    )
    assert "9 of test" in page
    assert re.search(r"\| sub/d03.png +\| filled-in form +\| sub/d03.png +\| letter", page)
    assert "sub/c1.png (of sub/d00.png)" in text
    assert re.search(r"cannot be read +\| +1 \| sub/r1.png \(it is damaged\) +\|  *\|", page)


def test_privileged_texts_are_named_with_bank_file_encoder_and_who_learns_from_them() -> None:
    """As the plan has them; a dataset whose systems learn from none says nothing of them."""
    assert "Privileged texts" not in texts()[0]
    overlay = """
      text_banks: {ours: {reader: table, path: our/reports.csv, text: report}}
      pairings: {second: {bank: ours, encoder: biomedclip, rank: 2}}
      systems:
        one: {like: privileged_own, settings: {pairing: second}}
        two: {like: privileged_own, settings: {pairing: second}}
    """
    found = facts_of_check(PlansWorld(demo_with(overlay)))(Of(dataset="drawn"))["pairings"]
    page, _ = texts(pairings=found)
    for row in (
        ["captions_own", "captions", "", "its own caption", "biomedclip", "1"],
        ["second", "ours", "our/reports.csv", "the nearest but 1", "biomedclip", "2"],
    ):
        assert re.search(r"\| " + r" +\| +".join(map(re.escape, row)) + r" +\|", page), row


def test_images_that_state_no_group_are_counted_apart() -> None:
    """By the names that the reader gives them."""
    pairs = pairs_table()
    stated = pd.DataFrame({"patient": pairs["case_id"].where(pairs.index < 37, "")})
    pairs["case_id"] = groups_of(stated, pairs["member"])["case_id"]
    funnel = pd.DataFrame({"stage": ["ingest"], "candidates": [40]})
    section = reading_section(pairs, pairs[:0], rejected_table(), funnel, {}, FACTS)
    said = "2 by patient (and 3 images that state none)."
    assert f"Images of pairs: 40. Groups of what belongs together: {said}" in section.blocks


def test_a_split_that_cannot_be_used_is_told_with_what_helps() -> None:
    split = split_table().assign(subset="train")
    unusable = {"what": "it has no pairs in test", "remedy": "correct the table"}
    report = leakage_of("published") | {"unusable": unusable}
    section = counts_section(pairs_table(), {"published": split}, CLASSES, [report])
    text = " ".join(sections_as_text("Check", [section]).split())
    assert "The split published has no test pairs." in text
    assert (
        "! A run stops at the split published: it has no pairs in test. What to do: correct the "
        "table."
    ) in text
    alone = counts_section(pairs_table().head(9), {"published": split}, CLASSES, [])
    assert "Fewer than two classes have pairs" in sections_as_text("Check", [alone])


def test_rows_without_a_subset_are_no_matter_of_paths() -> None:
    rejected = rejected_table().head(1).assign(stage="ingest", reason="no_subset")
    text = " ".join(sections_as_text("Check", [rejections_section(rejected, {})]).split())
    assert "! Rows that state no subset of your own split: 1." in text
    assert "source.columns.subset" in text
    assert "folder of images" not in text


def test_what_identified_a_person_is_not_repeated_and_markup_is_shown() -> None:
    page, text = texts()
    assert "s1.png" in page
    assert "Secret" not in page + text
    html = as_page(page, title="Check")
    assert "Net &lt;b&gt;" in html
    assert '<code class="language-yaml">datasets:' in html


def test_datasets_without_captions_or_groups_are_told_so_and_asked_no_further() -> None:
    lacks = {"captions": "its table names no column of captions", "groups": "no column is named"}
    _, text = texts(lacks=lacks, grouped_by={})
    assert "CAPTIONS THAT" not in text
    assert "every document stands alone" in text
    assert "! Columns of the table that are not read: Finding text, Patient no." in text
    assert "name patients or cases (`group`), or hold text (`caption`)?" in text
    assert "Images of pairs: 40. There are no captions" in text
    assert "No split puts a known group" in text


def test_labels_become_lines_that_load_back_to_the_same() -> None:
    block = as_yaml("yes", CLASSES, HOSTILE)
    read = yaml.safe_load(block)["datasets"]["yes"]["classes"]
    assert read == {**CLASSES, **{label: label for label in HOSTILE}}
    assert list(read) == [*CLASSES, *HOSTILE]
    assert "\u202e" not in block
    assert "🩺 note" in block


def test_what_few_test_pairs_can_tell_is_wilsons_half_width() -> None:
    # By hand, n = 40: sqrt(1.96^2 (0.16 / 40 + 1.96^2 / 6400)) / (1 + 1.96^2 / 40) = 0.1213.
    assert half_width(40) == pytest.approx(0.1213, abs=1e-4)


# ---------------------------------------------------------------- the estimate
def test_work_that_grows_is_between_no_growth_and_proportion() -> None:
    group = FACTS["jobs"][0]
    past = [PastJob("a", 10, 20, 100), PastJob("b", 40, 60, 400), PastJob("c", 1, 1, None)]
    found = estimate(group, past, 200)
    # 10 s at 100 pairs: 10 to 20; 40 s at 400 pairs: 20 to 40; of the third nobody knows.
    assert found is not None
    assert (found.wall, found.measured) == (Range(15, 30), 2)
    assert found.cpu == Range((20 + 30) / 2, (40 + 60) / 2)
    assert found.runs == ("a", "b")
    fixed = estimate({**group, "grows": False}, past, 200)
    assert fixed is not None
    assert fixed.wall == Range(17, 17)
    assert estimate(group, past[2:], 200) is None


def test_sums_count_every_job_and_every_gpu() -> None:
    past = Past([[PastJob("a", 1800, 1800, 40)], []], [1, 0], machines=["H200, 16 CPU cores"])
    _, text = texts(past)
    assert "on GPUs: 2. 2 of them, which are like measured ones, take about 2 hours of GPU" in text
    assert "Computing jobs on CPUs: 1. How long they take cannot be estimated" in text
    assert "measured in the run a (trained on: H200, 16 CPU cores)" in text
    _, text = texts(Past([[], [PastJob("a", 8, 6, None)]], [0, 0], skipped=2))
    assert "The time of 2 of 2 trainings, mostly the larger part of a run, cannot be" in text
    assert "about 6 seconds of CPU time, one after the other about 8 seconds." in text
    assert "Benchmark files that could not be read: 2." in text


def test_times_are_written_in_the_unit_that_suits_them() -> None:
    written = [duration(value) for value in (0.44, 1, 89, 90, 5400, 47 * 3600, 50 * 3600)]
    assert written == [
        *("0.4 seconds", "1 second", "89 seconds", "1.5 minutes", "1.5 hours", "47 hours"),
        "2.1 days",
    ]
    assert in_words(Range(60 * 12, 60 * 40)) == "12 to 40 minutes"
    assert in_words(Range(60, 60 * 40)) == "60 seconds to 40 minutes"


def write_run(folder: Path, run: str, content: object, pairs: int | None, seconds: str) -> None:
    """Leave what a run leaves: a configuration, its number of pairs, and what two jobs took."""
    data = folder / "results" / run / "old"
    (data / "curated").mkdir(parents=True)
    (data.parent / "config.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    if pairs:
        pd.DataFrame({"pair_id": range(pairs)}).to_parquet(data / "curated/pairs.parquet")
    for tail in ("grouped/mean_colour/seed1/train.tsv", "curated/curate_pairs.tsv"):
        path = folder / "benchmarks" / run / "old" / tail
        path.parent.mkdir(parents=True, exist_ok=True)
        row = f"{seconds}\t0:00:01\t-\t-\t-\t-\t-\t-\t-\t{seconds}\n"
        path.write_text(f"s\th:m:s\tm\tv\tu\tp\ti\to\tmean_load\tcpu_time\n{row}", encoding="utf-8")


def test_jobs_that_are_alike_are_found_in_other_runs_and_damage_is_skipped(tmp_path: Path) -> None:
    config = json.loads(json.dumps(demo_with().config))
    config["datasets"]["old"] = config["datasets"]["drawn"]
    other = json.loads(json.dumps(config))
    other["systems"]["mean_colour"]["settings"] = {"something": "else"}
    write_run(tmp_path, "one", config, 30, "4.5")
    write_run(tmp_path, "two", other, None, "7")
    write_run(tmp_path, "bad", "no mapping", 5, "much")
    (tmp_path / "benchmarks/one/old/unknown.tsv").write_text("x", encoding="utf-8")
    groups = [
        group
        for group in facts_of_check(PlansWorld(demo_with()))(Of(dataset="drawn"))["jobs"]
        if (group["rule"], group["about"])
        in {("train_on_cpu", "mean_colour"), ("curate_pairs", "")}
    ]
    cell = "{dataset}/{split}/{system}/seed{seed}/train.tsv"
    patterns = {
        "train_on_cpu": f"{tmp_path}/benchmarks/mine/{cell}",
        "train_on_gpu": f"{tmp_path}/benchmarks/mine/{cell}",
        "curate_pairs": f"{tmp_path}/benchmarks/mine/{{dataset}}/curated/curate_pairs.tsv",
    }
    past = past_jobs(groups, patterns, tmp_path / "results", "mine")
    found = dict(zip([group["rule"] for group in groups], past.like, strict=True))
    assert found["train_on_cpu"] == [PastJob("one", 4.5, 4.5, 30)]
    assert found["curate_pairs"] == [PastJob("one", 4.5, 4.5, 30), PastJob("two", 7, 7, None)]
    assert (past.skipped, past.done) == (2, [0, 0])
    assert past_jobs(groups, patterns, tmp_path, "mine").like[1] == []
    of_own = [{**group, "wildcards": [{"dataset": "old"}]} for group in groups]
    patterns = {rule: path.replace("/mine/", "/one/") for rule, path in patterns.items()}
    done = past_jobs(of_own, patterns, tmp_path / "results", "one").done
    assert dict(zip(found, done, strict=True)) == {"curate_pairs": 1, "train_on_cpu": 0}


def test_the_page_depends_on_what_it_tells_and_on_nothing_else() -> None:
    of = Of(dataset="drawn")
    before = facts_of_check(PlansWorld(demo_with()))(of)
    same = "{mistakes: {shown: 3}, evaluation: {bootstrap_resamples: 77}, timing: {images: 50}}"
    assert facts_of_check(PlansWorld(demo_with(same)))(of) == before
    assert facts_of_check(PlansWorld(demo_with("seeds: [1, 2]")))(of) != before
    trained = sum(len(one["wildcards"]) for one in before["jobs"] if one["rule"] == "train_on_cpu")
    assert trained == 13  # six systems on two splits, and one with siblings
    assert before["systems"]["pairdx_clip"]["stand_in"]
    names = {"dataset": "drawn", "split": "grouped", "system": "pairdx_clip", "seed": 1}
    cuda = demo_with("device: cuda").config
    assert made_as(demo_with().config, names) != made_as(cuda, names)
    words = names | {"system": "tfidf_logistic"}  # no network: trained on the CPU anyway
    assert made_as(demo_with().config, words) == made_as(cuda, words)
    assert tuple(SUBSETS) == ("train", "validation", "test")
