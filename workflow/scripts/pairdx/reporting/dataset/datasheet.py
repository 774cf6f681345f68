"""A datasheet for the dataset: what is in it, where it is from, what was done, what it is fit for.

The questions are those of Gebru et al., "Datasheets for Datasets" (2018), as far as they apply.
Every number is computed from the tables of this run; what nobody knows is said to be unknown.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from markdown_it import MarkdownIt

from pairdx.reporting.dataset import counts, origins
from pairdx.reporting.dataset.curation_tables import (
    funnel_table,
    identifiers_table,
    leakage_table,
    rejections_table,
    with_own_words,
)
from pairdx.reporting.format.classes import title_of, with_titles
from pairdx.reporting.format.labels import readable
from pairdx.reporting.format.markdown import as_markdown, escape, percent
from pairdx.reporting.format.tables import DRAWN_NOTE, dataset_table
from pairdx.reporting.format.webpage import STYLE

PHOTOGRAPHS = "medical_photograph"  # the class that may show a patient's face
PAGE_STYLE = (
    STYLE + "\nh2 { font-size: 1.1rem; margin-top: 2rem; }\nh3 { font-size: 1rem; }"
    "\np, li { max-width: 50rem; }\npre { overflow-x: auto; }\n"
)


def datasheet(
    pairs: pd.DataFrame,
    out_of_distribution: pd.DataFrame,
    rejected: pd.DataFrame,
    funnel: pd.DataFrame,
    splits: Mapping[str, pd.DataFrame],
    leakage_reports: Sequence[Mapping[str, Any]],
    facts: Mapping[str, Any],
) -> str:
    """Write the datasheet as Markdown.

    Args:
        pairs: curated/pairs.parquet.
        out_of_distribution: curated/out_of_distribution.parquet, with the same columns.
        rejected: stage, reason (curated/rejected.parquet). Its ``detail`` is not read: it may hold
            the very identifier for which a caption was rejected.
        funnel: curated/funnel.csv.
        splits: Per split: pair_id, subset.
        leakage_reports: leakage.json of every split.
        facts: ``title``; ``texts`` and ``drawn`` (what the dataset's reader says: TEXTS, DRAWN of
            :class:`pairdx.plan.descriptions.Reader`); ``articles``, ``grouped_by`` and ``lacks``
            (see :meth:`pairdx.plan.facts.Facts.tells`); ``record`` (number of the downloaded
            record, or None); ``archives`` (names); ``classes`` (display names by label, in order);
            ``min_age`` (years) and ``unknown_age`` (keep or reject); ``identifiers`` (per kind:
            reject, mask or keep); ``tokens`` (words that are read of a caption, None: all) by
            ``tokens_of`` (a system's title); ``versions`` (name to version); ``follows`` (what a
            paper's file says of why the dataset was made, or None).
    """
    sections = {
        "Motivation": [" ".join([origins.motivation(facts), *filter(None, [facts["follows"]])])],
        "Composition": _composition(pairs, out_of_distribution, splits, facts),
        "Sources": _sources(pairs, facts),
        "Licences": _licences(pairs, facts),
        "Patients": _patients(pairs, facts),
        "Captions": _captions(pairs, facts),
        "Labels": _labels(pairs, out_of_distribution, facts),
        "De-identification and review": _review(pairs, rejected, facts),
        "Curation funnel": _funnel(funnel, rejected),
        "Duplicates": _duplicates(pairs, rejected, facts),
        "Splits and leakage": _leakage(leakage_reports, facts),
        "Recommended uses and limits": ["\n".join(f"- {use}" for use in origins.uses(facts))],
        "Versions": _versions(facts),
    }
    parts = [f"# {escape(facts['title'])}: datasheet"]
    if facts["drawn"]:
        parts.append(f"*{DRAWN_NOTE}*")
    for heading, blocks in sections.items():
        parts += [f"## {heading}", *blocks]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def as_page(markdown: str, *, title: str) -> str:
    """Turn a datasheet into a web page. HTML in the Markdown is shown, never interpreted."""
    body = MarkdownIt("commonmark", {"html": False}).enable("table").render(markdown)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{html.escape(title)}</title><style>{PAGE_STYLE}</style></head>\n"
        f"<body>{body}</body></html>\n"
    )


def _table(table: pd.DataFrame, title: str, *notes: str) -> str:
    """Write a table under a heading of the third level."""
    return "##" + as_markdown(table, title=title, notes=notes)


# How a sentence begins that says what is not known; the reason follows.
_LACKING = {
    "captions": "There are no captions, and none were screened or searched for identifiers",
    "ages": "No ages are known, and none were screened",
    "modalities": "Parts of classes are not told apart",
    "licences": "No licences are known",
    "groups": "What belongs together is not known but for copies, and every image counts as one",
}


def _lacking(facts: Mapping[str, Any], what: str) -> str:
    """Say that the data do not tell something, and why; nothing where they do."""
    reason = facts["lacks"].get(what)
    return f"{_LACKING[what]}: {escape(reason)}." if reason else ""


def _of(part: int, whole: int) -> str:
    return f"{part:,} of {whole:,} ({percent(part / max(1, whole))} %)"


def _composition(
    pairs: pd.DataFrame,
    out_of_distribution: pd.DataFrame,
    splits: Mapping[str, pd.DataFrame],
    facts: Mapping[str, Any],
) -> list[str]:
    names = facts["classes"]
    sizes = {"width, pixels": pairs["width"], "height, pixels": pairs["height"]}
    what = "images" if _lacking(facts, "captions") else "pairs of an image and its caption"
    blocks = [
        f"{len(pairs):,} {what} in {pairs['label'].nunique()} classes.",
        _table(
            with_titles(dataset_table(pairs, splits, names), names), "Pairs per class and subset"
        ),
        _lacking(facts, "modalities")
        or _table(
            with_titles(counts.subtypes(pairs, names), names),
            "Pairs per subtype",
            "Shares are of the class.",
        ),
        _table(counts.quantiles(sizes), "Size of the images, upright"),
        f"{len(out_of_distribution):,} further pairs of other classes passed the same screens and "
        "are out of distribution: no system is trained on them.",
    ]
    if len(out_of_distribution):
        others = sorted(out_of_distribution["label"].unique())
        found = counts.subtypes(out_of_distribution, others)
        found = found.assign(**{"class": [title_of(one, {}) for one in found["class"]]})
        blocks.append(_table(found, "Pairs out of distribution"))
    return blocks


def _sources(pairs: pd.DataFrame, facts: Mapping[str, Any]) -> list[str]:
    record = facts["record"]
    place = f", Zenodo record {escape(record)}" if record else ", from files on disk"
    place = "" if facts["drawn"] else place
    archives = escape(", ".join(facts["archives"]))
    return [
        f"{facts['texts']['source']}{place}. Archives: {archives}.",
        _table(counts.sources(pairs), "Articles, cases, figures and pairs")
        if facts["articles"]
        else _table(counts.sources(pairs, facts["grouped_by"]), "What pairs come from"),
        _years(pairs) if facts["articles"] else _years_of_documents(pairs),
    ]


def _years_of_documents(pairs: pd.DataFrame) -> str:
    years = pd.to_numeric(pairs["year"], errors="coerce").dropna().astype("int64")
    if years.empty:
        return "No document's year is known."
    return (
        f"The documents are of {years.min()} to {years.max()}. The year of "
        f"{_of(len(pairs) - len(years), len(pairs))} is not known."
    )


def _years(pairs: pd.DataFrame) -> str:
    articles = pairs.drop_duplicates("article_id")
    years = pd.to_numeric(articles["year"], errors="coerce").dropna().astype("int64")
    if years.empty:
        return "No article's year of publication is known."
    return (
        f"The articles appeared from {years.min()} to {years.max()}, half of them by "
        f"{years.quantile(0.5, interpolation='higher')}. The year of "
        f"{_of(len(articles) - len(years), len(articles))} articles is not known."
    )


def _licences(pairs: pd.DataFrame, facts: Mapping[str, Any]) -> list[str]:
    table = counts.licences(pairs, counts.SEE_ARTICLE if facts["articles"] else counts.UNKNOWN)
    restricted = {
        letters: int(table.loc[table["terms"].str.contains(words), "pairs"].sum())
        for letters, words in (("NC", "no commercial"), ("ND", "no changed"), ("?", "unknown"))
    }
    return [
        " ".join(filter(None, (facts["texts"]["licences"], _lacking(facts, "licences")))),
        _table(table, "Licences", "Terms are read off the letters of the licence's name."),
        f"A licence with NC forbids commercial use: {_of(restricted['NC'], len(pairs))} pairs. "
        f"One with ND forbids passing on changed versions, such as cropped images: "
        f"{_of(restricted['ND'], len(pairs))} pairs. "
        f"The licence of {_of(restricted['?'], len(pairs))} pairs is unknown or none of Creative "
        "Commons: ask before you pass these on.",
    ]


def _patients(pairs: pd.DataFrame, facts: Mapping[str, Any]) -> list[str]:
    patients = pairs.drop_duplicates("case_id")
    unknown = int(patients["age"].isna().sum())
    sexes = patients["sex"].replace("Unknown", "")  # MultiCaRe's own word
    counted = f"{len(patients):,} {_people(facts)}. " if facts["grouped_by"] else ""
    number = f"{counted}{facts['texts']['patients']}"
    ages = _lacking(facts, "ages") or (
        f"The age of {_of(unknown, len(patients))} is not known. {_ages_left_out(facts)}"
    )
    table = _table(counts.quantiles({"age, years": patients["age"]}), "Ages")
    by_sex = _table(counts.counted(sexes, "sex", "patients"), "Sex, as the source states it")
    return [
        " ".join(filter(None, (number, _lacking(facts, "groups"), ages))),
        *([] if _lacking(facts, "ages") else [table]),
        *([] if "sexes" in facts["lacks"] else [by_sex]),
    ]


def _people(facts: Mapping[str, Any]) -> str:
    """Name what counts as a patient: the widest of the user's own groups."""
    if facts["articles"]:
        return "patients"
    names = facts["grouped_by"]
    return f"groups by {escape(names.get('case_id', names['article_id']))}"


def _ages_left_out(facts: Mapping[str, Any]) -> str:
    youngest, rejected = facts["min_age"], facts["unknown_age"] == "reject"
    if not youngest:
        return "Those of unknown age were left out." if rejected else "No age was left out."
    left_out = f"Patients known to be younger than {youngest} years were left out"
    if rejected:
        return f"{left_out}, and so were those of unknown age."
    return f"{left_out}; those of unknown age were kept, and may be younger."


def _longer(words: pd.Series, facts: Mapping[str, Any]) -> str:
    if facts["tokens"] is None:
        return ""
    longer = int((words > facts["tokens"]).sum())
    return (
        f"{_of(longer, len(words))} captions have more than {facts['tokens']} words, the most that "
        f"{facts['tokens_of']} reads. "
    )


def _captions(pairs: pd.DataFrame, facts: Mapping[str, Any]) -> list[str]:
    if lacking := _lacking(facts, "captions"):
        return [lacking]
    words = pairs["caption"].str.split().map(len)
    names = facts["classes"]
    lengths = counts.quantiles({label: words[pairs["label"] == label] for label in names})
    lengths = with_titles(lengths, names, "quantity")
    lengths = pd.concat([counts.quantiles({"All": words}), lengths], ignore_index=True)
    known = pairs.loc[pairs["caption_cluster"] != "", "caption_cluster"]
    same = int(known.duplicated(keep=False).sum())
    masked = counts.masked_kinds(pairs)
    kinds = ", ".join(
        f"{readable(str(kind)).lower()} {number:,}" for kind, number in masked.items()
    )
    return [
        _table(lengths, "Words per caption"),
        f"{_longer(words, facts)}{_of(same, len(pairs))} captions stand in several pairs.",
        f"Identifiers were masked in {_of(int((pairs['masked'] != '').sum()), len(pairs))} "
        f"captions{f': {kinds}' if kinds else ''}.",
    ]


def _labels(
    pairs: pd.DataFrame, out_of_distribution: pd.DataFrame, facts: Mapping[str, Any]
) -> list[str]:
    if {"captions", "caption_labels"} & {*facts["lacks"]}:  # nothing that could be compared
        return [facts["texts"]["labels"]]
    agreement = counts.text_label_agreement(pairs, out_of_distribution, facts["classes"])
    total = agreement.iloc[-1]
    named, agreeing = int(total["captions_naming_a_class"]), int(total["agreeing"])
    return [
        facts["texts"]["labels"],
        f"{facts['texts']['caption_labels']} A caption names a class if one of these labels "
        f"is a class, or a subtype of one: {_of(named, len(pairs))} captions do, and of these "
        f"{_of(agreeing, named)} name that of the image's label.",
        _table(
            with_titles(agreement, facts["classes"]),
            "Labels and captions",
            "A caption that names several classes agrees if the label's is among them.",
        ),
    ]


def _review(pairs: pd.DataFrame, rejected: pd.DataFrame, facts: Mapping[str, Any]) -> list[str]:
    named = PHOTOGRAPHS in facts["classes"]
    photographs = pairs[pairs["label"] == PHOTOGRAPHS] if named else pairs
    what = "medical photographs" if named else "images"
    unseen = int((~photographs["image_reviewed"].astype(bool)).sum())
    found = identifiers_table(rejected, pairs, facts["identifiers"])
    table = _table(found, "Identifiers found in captions, by what was done")
    lacking = _lacking(facts, "captions")
    captions = f"{_of(int(pairs['caption_reviewed'].sum()), len(pairs))} captions and "
    table_of_people = counts.reviewed(pairs, facts["classes"], captions=not lacking)
    return [
        *([lacking] if lacking else [_search(facts["identifiers"]), table]),
        f"A person reviewed {'' if lacking else captions}"
        f"{_of(int(pairs['image_reviewed'].sum()), len(pairs))} images.",
        f"**{unseen:,} of {len(photographs):,} {what} were never reviewed by a "
        "person.** No face detector is used: a face that nobody saw is still there.",
        _table(with_titles(table_of_people, facts["classes"]), "Review by people"),
        *_image_files(pairs),
    ]


def _image_files(pairs: pd.DataFrame) -> list[str]:
    """Say what image files hold beside the pixels, and what the dataset archive does with it."""
    anew = counts.drawn_anew(pairs)
    reasons = ", ".join(f"{number:,} {why}" for why, number in anew.items() if number)
    found = counts.kinds_beside_pixels(pairs)
    return [
        f"The files of {_of(counts.files_with_more(pairs), len(pairs))} images hold more than "
        "the picture: what cameras and programs state (EXIF, XMP, IPTC, comments, texts), small "
        "copies, further pictures. Nothing of it is in the dataset that is handed on: it is taken "
        "out of the files, whose compressed pixels and colour profiles stay as they are.",
        *([_table(found, "Files with something beside the pixels")] if len(found) else []),
        f"{_of(sum(anew.values()), len(pairs))} images are stored anew, as PNG without loss and in "
        f"sRGB{f': {reasons}' if reasons else ''}.",
    ]


def _search(handling: Mapping[str, str]) -> str:
    ignored = [readable(kind).lower() for kind, action in handling.items() if action == "keep"]
    if len(ignored) == len(handling):
        return "Captions were not searched for what may lead to a person."
    rest = f" Not searched for: {escape(', '.join(ignored))}." if ignored else ""
    return (
        "Captions were searched by rules for what may lead to a person. The rules miss some, such "
        f"as names without a title.{rest}"
    )


def _funnel(funnel: pd.DataFrame, rejected: pd.DataFrame) -> list[str]:
    reasons = rejections_table(rejected, list(funnel["stage"].unique()))
    return [
        _table(funnel_table(funnel), "Candidates per stage"),
        _table(reasons, "Reasons of rejection"),
    ]


def _duplicates(pairs: pd.DataFrame, rejected: pd.DataFrame, facts: Mapping[str, Any]) -> list[str]:
    captions = "captions" not in facts["lacks"]
    shared = "an image or a caption" if captions else "an image"
    copies = int((rejected["stage"] == "duplicates").sum())
    return [
        f"Candidates rejected as copies: {copies:,}. What is left in the dataset:",
        _table(
            counts.repetitions(pairs, captions=captions), f"Pairs that share {shared} with another"
        ),
    ]


def _together(facts: Mapping[str, Any]) -> str:
    """Name what the grouped split keeps on one side."""
    captions = [] if "captions" in facts["lacks"] else ["identical captions"]
    if facts["articles"]:
        groups = ["articles", "cases"]
    else:
        columns = [name for key, name in facts["grouped_by"].items() if key != "case_id"]
        groups = [f"what shares a value of {escape(name)}" for name in columns]
    return ", ".join([*groups, "near-duplicate images", *captions])


def _leakage(reports: Sequence[Mapping[str, Any]], facts: Mapping[str, Any]) -> list[str]:
    published = any(report["split"] == "published" for report in reports)
    whose = "the authors' own" if facts["articles"] else "the one that comes with the data"
    theirs = f"`published` is {whose}. " if published else ""
    return [
        "`stratified` gives every class the same shares in each subset. `grouped` also keeps on "
        f"one side what belongs together: {_together(facts)}. {theirs}What two "
        "subsets share lets a system recognise what it was trained on.",
        *(
            f"The split `{report['split']}` {report['validation']}."
            for report in reports
            if "validation" in report
        ),
        _table(
            leakage_table(with_own_words(reports, facts)),
            "What subsets share",
            "Pairs and share are those of the subset named last.",
        ),
    ]


def _versions(facts: Mapping[str, Any]) -> list[str]:
    return [
        "\n".join(
            f"- {escape(name)}: {escape(str(version))}"
            for name, version in facts["versions"].items()
        )
    ]
