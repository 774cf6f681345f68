"""The datasheet counts what the tables hold, names what is unknown, and never makes markup."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd
import pytest
from markdown_it import MarkdownIt

from dataset_samples import CLASSES, FACTS, pairs_table, split_table
from pairdx.corpus.drawn.description import TEXTS as DRAWN_TEXTS
from pairdx.corpus.release.description import TEXTS as RELEASE_TEXTS
from pairdx.corpus.table import description as TABLE
from pairdx.reporting.dataset import counts
from pairdx.reporting.dataset.datasheet import datasheet
from pairdx.reporting.format.page import as_page

FUNNEL = pd.DataFrame(
    {
        "stage": ["identifiers", "identifiers", "balance", "balance"],
        "label": ["chart", "radiology"] * 2,
        "candidates": [10, 30, 8, 22],
        "rejected": [2, 8, 0, 12],
        "out_of_distribution": [0, 0, 0, 1],
        "kept": [8, 22, 8, 9],
    }
)
REJECTED = pd.DataFrame(
    {
        "stage": ["identifiers", "identifiers", "duplicates"],
        "reason": ["name", "date", "exact_duplicate"],
        "detail": ["Dr. Jane Secret", "3 March 2019", "of x"],
    }
)
LEAKAGE = {
    "split": "stratified",
    "kinds": {"case": {"train-test": {"groups": 1, "pairs": 2, "share": 0.5}}},
}


@pytest.fixture(name="pairs")
def fixture_pairs() -> pd.DataFrame:
    return pairs_table()


def sheet(pairs: pd.DataFrame, **facts: Any) -> str:
    others = pairs.iloc[:2].assign(label="pathology", subtype=["h&e", ""])
    splits = {"stratified": split_table(pairs_table())}
    return datasheet(pairs, others, REJECTED, FUNNEL, splits, [LEAKAGE], FACTS | facts)


def section(text: str, heading: str) -> str:
    found = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    assert found, heading
    return found[1]


def test_sections_stand_in_the_order_of_a_datasheet(pairs: pd.DataFrame) -> None:
    headings = re.findall(r"^## (.+)$", sheet(pairs), re.M)
    assert headings == [
        *("Motivation", "Composition", "Sources", "Licences", "Patients", "Captions", "Labels"),
        *("De-identification and review", "Curation funnel", "Duplicates", "Splits and leakage"),
        *("Recommended uses and limits", "Versions"),
    ]


def test_what_nobody_looked_at_is_said_plainly(pairs: pd.DataFrame) -> None:
    text = section(sheet(pairs), "De-identification and review")
    assert "1 of 2 medical photographs were never reviewed by a person." in text
    assert "No face detector is used" in text
    assert "A person reviewed 1 of 8 (12.5 %) captions and 1 of 8 (12.5 %) images." in text
    assert "Not searched for: url." in text
    nobody = section(sheet(pairs.assign(image_reviewed=False)), "De-identification and review")
    assert "2 of 2 medical photographs were never reviewed by a person." in nobody
    as_released = section(
        sheet(pairs, identifiers={"name": "keep"}), "De-identification and review"
    )
    assert "Captions were not searched" in as_released


def test_what_files_held_beside_the_pixels_is_counted_and_what_became_of_it(
    pairs: pd.DataFrame,
) -> None:
    text = section(sheet(pairs), "De-identification and review")
    assert "The files of 0 of 8 (0.0 %) images hold more" in text
    assert "1 of 8 (12.5 %) images are stored anew" in text
    kinds = ["exif", "", "exif;iptc;orientation", "exif;orientation", "structure", "", "", ""]
    text = section(sheet(pairs.assign(beside_pixels=kinds)), "De-identification and review")
    assert "The files of 3 of 8 (37.5 %) images hold more" in text
    counted = counts.kinds_beside_pixels(pairs.assign(beside_pixels=kinds))
    assert dict(zip(counted["beside_pixels"], counted["files"], strict=True)) == {
        "exif": 3,
        "iptc": 1,
        "orientation": 2,
    }
    assert (
        "3 of 8 (37.5 %) images are stored anew, as PNG without loss and in sRGB: 1 edited by a "
        "person, 1 turned upright, 1 because their files cannot be cleared otherwise." in text
    )


def test_identifiers_of_rejected_captions_are_not_repeated(pairs: pd.DataFrame) -> None:
    """The table of rejections holds what identified a person; the datasheet is passed on."""
    text = sheet(pairs)
    assert "Secret" not in text
    assert "3 March" not in text


def test_restrictions_of_licences_are_counted_and_unknown_ones_named(pairs: pd.DataFrame) -> None:
    text = section(sheet(pairs), "Licences")
    assert "NC forbids commercial use: 2 of 8 (25.0 %) pairs" in text
    assert "cropped images: 1 of 8 (12.5 %) pairs" in text
    assert "The licence of 1 of 8 (12.5 %) pairs is unknown" in text


@pytest.mark.parametrize(
    ("licence", "terms"),
    [
        ("CC BY", "attribution"),
        ("CC0", "none"),
        ("CC BY-NC-SA", "no commercial use, share alike"),
        ("cc by-nc-nd 4.0", "no commercial use, no changed versions"),
        ("NO-CC CODE", "unknown; see the article"),
        ("Elsevier NC terms", "unknown; see the article"),
        ("", "unknown; see the article"),
    ],
)
def test_terms_are_read_off_licences_of_creative_commons_only(licence: str, terms: str) -> None:
    assert counts.licence_terms(licence) == terms


def test_patients_are_counted_once_and_unknown_ages_with_their_rule(pairs: pd.DataFrame) -> None:
    text = section(sheet(pairs), "Patients")
    assert "7 patients" in text
    assert "The age of 1 of 7 (14.3 %) is not known." in text
    assert "those of unknown age were kept" in text
    refused = section(sheet(pairs, unknown_age="reject", min_age=21), "Patients")
    assert "younger than 21 years were left out, and so were those of unknown age" in refused
    assert "No age was left out." in section(sheet(pairs, min_age=0), "Patients")
    ages = counts.quantiles({"age": pairs.drop_duplicates("case_id")["age"]}).iloc[0]
    assert (ages["known"], ages["minimum"], ages["median"], ages["maximum"]) == (6, 18, 46, 77)


def test_captions_longer_than_what_is_read_and_masked_ones_are_counted(
    pairs: pd.DataFrame,
) -> None:
    text = section(sheet(pairs), "Captions")
    longer = sum(len(caption.split()) > FACTS["tokens"] for caption in pairs["caption"])
    assert 0 < longer < len(pairs)
    assert f"{longer} of 8 ({100 * longer / 8:.1f} %) captions have more than 4 words" in text
    assert "2 of 8 (25.0 %) captions stand in several pairs" in text
    assert "masked in 2 of 8 (25.0 %) captions: date 2, url 1." in text


def test_labels_are_held_against_the_classes_that_captions_name(pairs: pd.DataFrame) -> None:
    """A word names a class by itself, or by a subtype that occurs in the class; `arm` names none.

    By row: ct in radiology; chart in radiology (no); nothing; a photograph that also names an MRI;
    nothing; pathology in a chart (no); chart; h&e, a subtype out of distribution, in a chart (no).
    """
    others = pairs.iloc[:1].assign(label="pathology", subtype="h&e")
    table = counts.text_label_agreement(pairs, others, CLASSES).set_index("class")
    assert table.index.tolist() == [*CLASSES, "total"]
    assert table["captions_naming_a_class"].tolist() == [2, 1, 3, 6]
    assert table["agreeing"].tolist() == [1, 1, 1, 3]
    assert table.loc["total", "agreeing_share"] == pytest.approx(0.5)
    silent = counts.text_label_agreement(pairs.assign(text_labels=""), others, CLASSES)
    assert silent["agreeing_share"].isna().all()


def test_sources_count_each_article_case_and_figure_once(pairs: pd.DataFrame) -> None:
    table = counts.sources(pairs.assign(figure_id=["", "f", "f", "g", "h", "i", "j", "k"]))
    total = table.set_index("archive").loc["total"]
    assert total.to_dict() == {"articles": 7, "cases": 7, "figures": 6, "pairs": 8}
    assert table["pairs"].iloc[:-1].sum() == 8
    text = section(sheet(pairs), "Sources")
    assert "Zenodo record 14994046" in text
    assert "from 1999 to 2024" in text
    assert "The year of 2 of 7 (28.6 %) articles is not known." in text
    assert "from files on disk" in section(sheet(pairs, record=None), "Sources")


def test_repetitions_count_pairs_that_share_with_another(pairs: pd.DataFrame) -> None:
    table = counts.repetitions(pairs).set_index("shared")
    assert table.loc["identical image file"].tolist() == [0, 0, 0.0]
    assert table.loc["near-duplicate image"].tolist() == [1, 2, 0.25]


def test_tables_of_counts_add_up_to_the_dataset(pairs: pd.DataFrame) -> None:
    assert counts.subtypes(pairs, CLASSES)["pairs"].sum() == len(pairs)
    assert counts.licences(pairs)["pairs"].sum() == len(pairs)
    table = counts.reviewed(pairs, CLASSES).set_index("class")
    assert table.loc["total", "pairs"] == len(pairs)
    assert (table["images_reviewed"] + table["images_never_reviewed"] == table["pairs"]).all()


def test_a_demo_says_that_no_patient_is_shown(pairs: pd.DataFrame) -> None:
    assert "no patient is shown" not in sheet(pairs)
    demo = sheet(pairs, texts=DRAWN_TEXTS, drawn=True, record=None)
    assert "no patient is shown" in demo.split("## ")[0]
    assert "classifier" not in section(demo, "Labels")


def test_text_from_outside_never_becomes_markup(pairs: pd.DataFrame) -> None:
    pairs.loc[0, "licence"] = "<img src=x onerror=alert(1)> | [a](javascript:b)"
    pairs.loc[1, "subtype"] = "<b>bold</b>\n\n# Heading"
    page = as_page(sheet(pairs, title="PairDx <i>run</i>"), title="PairDx <i>run</i>")
    body = page.split("<body>")[1]
    assert not re.search(r"<(img|b|i|a|script)\b", page)
    assert "&lt;img src=x onerror=alert(1)&gt; | [a](javascript:b)" in body
    assert "<h1>PairDx &lt;i&gt;run&lt;/i&gt;: datasheet</h1>" in body
    assert "\n# Heading" not in sheet(pairs)


def test_the_page_has_every_table_of_the_text(pairs: pd.DataFrame) -> None:
    text = sheet(pairs)
    titles = re.findall(r"^### (.+)$", text, re.M)
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    assert len(titles) == sum(token.type == "table_open" for token in tokens) > 10
    assert as_page(text, title="t").count("<table>") == len(titles)


def test_a_dataset_of_which_little_is_known_is_described_too(pairs: pd.DataFrame) -> None:
    """The published archive states no age, sex, year, subtype or labels of captions."""
    bare = pairs.assign(
        age=pd.array([pd.NA] * len(pairs), dtype="Int64"), sex="", year="", subtype="",
        text_labels="", masked="", archive="release", licence="CC BY",
    )  # fmt: skip
    empty = REJECTED.iloc[:0]
    text = datasheet(
        bare, bare.iloc[:0], empty, FUNNEL, {"published": split_table(pairs)}, [],
        FACTS | {"texts": RELEASE_TEXTS, "archives": ["release"]},
    )  # fmt: skip
    assert "No article's year of publication is known." in text
    assert "0 of 8 (0.0 %) captions do, and of these 0 of 0" in text
    assert not re.search(r"\b(nan|<NA>|None)\b", text)


def test_what_the_data_do_not_tell_is_said_with_the_reason_and_not_counted() -> None:
    pairs = pairs_table().assign(caption="", caption_cluster="", masked="")
    told = ("captions", "ages", "modalities", "licences", "groups", "subsets")
    text = sheet(pairs, lacks={what: f"no column of {what}" for what in told})
    for heading, what in {
        "Composition": "modalities",
        "Licences": "licences",
        "Captions": "captions",
        "De-identification and review": "captions",
    }.items():
        assert f": no column of {what}." in section(text, heading)
    patients = section(text, "Patients")
    assert ": no column of groups." in patients
    assert ": no column of ages." in patients
    for absent in ("### Ages", "### Pairs per subtype", "### Words per caption", "were searched"):
        assert absent not in text
    assert "dentical caption" not in text


def test_own_documents_are_described_in_their_owners_words() -> None:
    """Nothing of case reports is said of them, nor of captions that there are not."""
    kinds = ("article", "case", "figure", "caption", "near_duplicate_image")
    leakage = {
        "split": "published",
        "pairs": {"train": 4, "validation": 2, "test": 2},
        "kinds": {kind: {"train-test": {"groups": 1, "pairs": 2, "share": 0.5}} for kind in kinds},
    }
    source = {"columns": dict.fromkeys(("caption", "age", "subtype", "subset", "licence"))}
    source = {"columns": source["columns"] | {"group": ["bed|no"]}, "licence": ""}
    facts = FACTS | {
        **{"texts": TABLE.TEXTS, "lacks": TABLE.lacks(source), "articles": False, "record": None},
        **{"grouped_by": {"article_id": "bed|no"}, "follows": None, "archives": ["images"]},
    }
    pairs = pairs_table().assign(caption="", caption_cluster="", masked="", sex="", year="2021")
    splits = {"published": split_table(pairs)}
    text = datasheet(pairs, pairs.iloc[:0], REJECTED, FUNNEL, splits, [leakage], facts)
    said = text.split("## Curation funnel")[0] + text.split("## Duplicates")[1]
    assert not re.search(r"\b([Aa]rticles?|[Cc]ases?|[Ff]igures?|authors'|[Ss]ex|diseases)\b", said)
    why = facts["lacks"]["captions"]
    assert {line for line in text.splitlines() if "aption" in line} == {
        "## Captions",
        f"There are no captions, and none were screened or searched for identifiers: {why}.",
    }
    assert "groups by bed\\|no. Patients are counted as groups" in section(text, "Patients")
    rows = re.findall(r"^\| published \| (.+?) \| train", text, re.M)
    assert [row.strip() for row in rows] == ["bed\\|no", "near_duplicate_image"]
    with_captions = sheet(pairs_table(), lacks={"caption_labels": "none"}, texts=TABLE.TEXTS)
    assert "states no labels derived" not in with_captions
    assert "### Labels and captions" not in with_captions
