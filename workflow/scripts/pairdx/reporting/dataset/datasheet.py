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
)
from pairdx.reporting.format.labels import readable
from pairdx.reporting.format.markdown import as_markdown, escape, percent
from pairdx.reporting.format.tables import DRAWN_NOTE, dataset_table
from pairdx.reporting.format.webpage import STYLE

PHOTOGRAPHS = "medical_photograph"  # the class that may show a patient's face
PAGE_STYLE = (
    STYLE + "\nh2 { font-size: 1.1rem; margin-top: 2rem; }\nh3 { font-size: 1rem; }"
    "\np, li { max-width: 50rem; }\n"
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
            :class:`pairdx.plan.descriptions.Reader`); ``record`` (number of the downloaded record,
            or None); ``archives`` (names); ``classes`` (in table order);
            ``min_age`` (years) and ``unknown_age`` (keep or reject); ``identifiers`` (per kind:
            reject, mask or keep); ``tokens`` (words that are read of a caption, None: all) by
            ``tokens_of`` (a system's title); ``versions`` (name to version).
    """
    sections = {
        "Motivation": [origins.MOTIVATION],
        "Composition": _composition(pairs, out_of_distribution, splits, facts),
        "Sources": _sources(pairs, facts),
        "Licences": _licences(pairs, facts),
        "Patients": _patients(pairs, facts),
        "Captions": _captions(pairs, facts),
        "Labels": _labels(pairs, out_of_distribution, facts),
        "De-identification and review": _review(pairs, rejected, facts),
        "Curation funnel": _funnel(funnel, rejected),
        "Duplicates": _duplicates(pairs, rejected),
        "Splits and leakage": _leakage(leakage_reports),
        "Recommended uses and limits": ["\n".join(f"- {use}" for use in origins.USES)],
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


def _of(part: int, whole: int) -> str:
    return f"{part:,} of {whole:,} ({percent(part / max(1, whole))} %)"


def _composition(
    pairs: pd.DataFrame,
    out_of_distribution: pd.DataFrame,
    splits: Mapping[str, pd.DataFrame],
    facts: Mapping[str, Any],
) -> list[str]:
    sizes = {"width, pixels": pairs["width"], "height, pixels": pairs["height"]}
    blocks = [
        f"{len(pairs):,} pairs of an image and its caption in {pairs['label'].nunique()} classes.",
        _table(dataset_table(pairs, splits, facts["classes"]), "Pairs per class and subset"),
        _table(
            counts.subtypes(pairs, facts["classes"]),
            "Pairs per subtype",
            "Shares are of the class.",
        ),
        _table(counts.quantiles(sizes), "Size of the images, upright"),
        f"{len(out_of_distribution):,} further pairs of other classes passed the same screens and "
        "are out of distribution: no system is trained on them.",
    ]
    if len(out_of_distribution):
        others = sorted(out_of_distribution["label"].unique())
        blocks.append(
            _table(counts.subtypes(out_of_distribution, others), "Pairs out of distribution")
        )
    return blocks


def _sources(pairs: pd.DataFrame, facts: Mapping[str, Any]) -> list[str]:
    record = facts["record"]
    place = f", Zenodo record {escape(record)}" if record else ", from files on disk"
    place = "" if facts["drawn"] else place
    archives = escape(", ".join(facts["archives"]))
    return [
        f"{facts['texts']['source']}{place}. Archives: {archives}.",
        _table(counts.sources(pairs), "Articles, cases, figures and pairs"),
        _years(pairs),
    ]


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
    table = counts.licences(pairs)
    restricted = {
        letters: int(table.loc[table["terms"].str.contains(words), "pairs"].sum())
        for letters, words in (("NC", "no commercial"), ("ND", "no changed"), ("?", "unknown"))
    }
    return [
        facts["texts"]["licences"],
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
    return [
        f"{len(patients):,} patients. {facts['texts']['patients']} The age of "
        f"{_of(unknown, len(patients))} is not known. {_ages_left_out(facts)}",
        _table(counts.quantiles({"age, years": patients["age"]}), "Ages"),
        _table(counts.counted(sexes, "sex", "patients"), "Sex, as the source states it"),
    ]


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
    words = pairs["caption"].str.split().map(len)
    lengths = {readable(name): words[pairs["label"] == name] for name in facts["classes"]}
    same = int(pairs["caption_cluster"].duplicated(keep=False).sum())
    masked = counts.masked_kinds(pairs)
    kinds = ", ".join(
        f"{readable(str(kind)).lower()} {number:,}" for kind, number in masked.items()
    )
    return [
        _table(counts.quantiles({"All": words, **lengths}), "Words per caption"),
        f"{_longer(words, facts)}{_of(same, len(pairs))} captions stand in several pairs.",
        f"Identifiers were masked in {_of(int((pairs['masked'] != '').sum()), len(pairs))} "
        f"captions{f': {kinds}' if kinds else ''}.",
    ]


def _labels(
    pairs: pd.DataFrame, out_of_distribution: pd.DataFrame, facts: Mapping[str, Any]
) -> list[str]:
    agreement = counts.text_label_agreement(pairs, out_of_distribution, facts["classes"])
    total = agreement.iloc[-1]
    named, agreeing = int(total["captions_naming_a_class"]), int(total["agreeing"])
    return [
        facts["texts"]["labels"],
        f"{facts['texts']['caption_labels']} A caption names a class if one of these labels "
        f"is a class, or a subtype of one: {_of(named, len(pairs))} captions do, and of these "
        f"{_of(agreeing, named)} name that of the image's label.",
        _table(
            agreement,
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
    return [
        _search(facts["identifiers"]),
        _table(found, "Identifiers found in captions, by what was done"),
        f"A person reviewed {_of(int(pairs['caption_reviewed'].sum()), len(pairs))} captions and "
        f"{_of(int(pairs['image_reviewed'].sum()), len(pairs))} images.",
        f"**{unseen:,} of {len(photographs):,} {what} were never reviewed by a "
        "person.** No face detector is used: a face that nobody saw is still there.",
        _table(counts.reviewed(pairs, facts["classes"]), "Review by people"),
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


def _duplicates(pairs: pd.DataFrame, rejected: pd.DataFrame) -> list[str]:
    copies = int((rejected["stage"] == "duplicates").sum())
    return [
        f"Candidates rejected as copies: {copies:,}. What is left in the dataset:",
        _table(counts.repetitions(pairs), "Pairs that share an image or a caption with another"),
    ]


def _leakage(reports: Sequence[Mapping[str, Any]]) -> list[str]:
    return [
        "`stratified` gives every class the same shares in each subset. `grouped` also keeps on "
        "one side what belongs together: articles, cases, near-duplicate images, identical "
        "captions. `published` is the authors' own. What two subsets share lets a system recognise "
        "what it was trained on.",
        _table(
            leakage_table(reports),
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
