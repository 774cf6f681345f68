"""A datasheet for the dataset: what is in it, where it is from, what was done, what it is fit for.

The questions are those of Gebru et al., "Datasheets for Datasets" (2018), as far as they apply.
Every number is computed from the tables of this run; what nobody knows is said to be unknown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from pairdx.reporting.dataset import counts, datasheet_process, origins
from pairdx.reporting.dataset.finding_tables import COUNTED_ONCE
from pairdx.reporting.dataset.sentences import lacking_sentence, part_of, subtable
from pairdx.reporting.format.classes import title_of, with_titles
from pairdx.reporting.format.labels import readable
from pairdx.reporting.format.markdown import escape
from pairdx.reporting.format.tables import DRAWN_NOTE, dataset_table


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
        "Labels": datasheet_process.labels_of(pairs, out_of_distribution, facts),
        "De-identification and review": datasheet_process.review(pairs, rejected, facts),
        "Curation funnel": datasheet_process.funnel_of(funnel, rejected),
        "Duplicates": datasheet_process.duplicates(pairs, rejected, facts),
        "Splits and leakage": datasheet_process.leakage(leakage_reports, facts),
        "Recommended uses and limits": ["\n".join(f"- {use}" for use in origins.uses(facts))],
        "Versions": _versions(facts),
    }
    parts = [f"# {escape(facts['title'])}: datasheet"]
    if facts["drawn"]:
        parts.append(f"*{DRAWN_NOTE}*")
    for heading, blocks in sections.items():
        parts += [f"## {heading}", *blocks]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _composition(
    pairs: pd.DataFrame,
    out_of_distribution: pd.DataFrame,
    splits: Mapping[str, pd.DataFrame],
    facts: Mapping[str, Any],
) -> list[str]:
    names = facts["classes"]
    sizes = {"width, pixels": pairs["width"], "height, pixels": pairs["height"]}
    what = "images" if lacking_sentence(facts, "captions") else "pairs of an image and its caption"
    blocks = [
        f"{len(pairs):,} {what} in {pairs['label'].nunique()} classes.",
        subtable(
            with_titles(dataset_table(pairs, splits, names), names),
            "Pairs per class and subset",
            *([COUNTED_ONCE] if facts.get("several") else []),
        ),
        lacking_sentence(facts, "modalities")
        or subtable(
            with_titles(counts.subtypes(pairs, names), names),
            "Pairs per subtype",
            "Shares are of the class.",
        ),
        subtable(counts.quantiles(sizes), "Size of the images, upright"),
        f"{len(out_of_distribution):,} further pairs of other classes passed the same screens and "
        "are out of distribution: no system is trained on them.",
    ]
    if len(out_of_distribution):
        others = sorted(out_of_distribution["label"].unique())
        found = counts.subtypes(out_of_distribution, others)
        found = found.assign(**{"class": [title_of(one, {}) for one in found["class"]]})
        blocks.append(subtable(found, "Pairs out of distribution"))
    return blocks


def _sources(pairs: pd.DataFrame, facts: Mapping[str, Any]) -> list[str]:
    record = facts["record"]
    place = f", Zenodo record {escape(record)}" if record else ", from files on disk"
    place = "" if facts["drawn"] else place
    archives = escape(", ".join(facts["archives"]))
    return [
        f"{facts['texts']['source']}{place}. Archives: {archives}.",
        subtable(counts.sources(pairs), "Articles, cases, figures and pairs")
        if facts["articles"]
        else subtable(counts.sources(pairs, facts["grouped_by"]), "What pairs come from"),
        _years(pairs) if facts["articles"] else _years_of_documents(pairs),
    ]


def _years_of_documents(pairs: pd.DataFrame) -> str:
    years = pd.to_numeric(pairs["year"], errors="coerce").dropna().astype("int64")
    if years.empty:
        return "No document's year is known."
    return (
        f"The documents are of {years.min()} to {years.max()}. The year of "
        f"{part_of(len(pairs) - len(years), len(pairs))} is not known."
    )


def _years(pairs: pd.DataFrame) -> str:
    articles = pairs.drop_duplicates("article_id")
    years = pd.to_numeric(articles["year"], errors="coerce").dropna().astype("int64")
    if years.empty:
        return "No article's year of publication is known."
    return (
        f"The articles appeared from {years.min()} to {years.max()}, half of them by "
        f"{years.quantile(0.5, interpolation='higher')}. The year of "
        f"{part_of(len(articles) - len(years), len(articles))} articles is not known."
    )


def _licences(pairs: pd.DataFrame, facts: Mapping[str, Any]) -> list[str]:
    table = counts.licences(pairs, counts.SEE_ARTICLE if facts["articles"] else counts.UNKNOWN)
    restricted = {
        letters: int(table.loc[table["terms"].str.contains(words), "pairs"].sum())
        for letters, words in (("NC", "no commercial"), ("ND", "no changed"), ("?", "unknown"))
    }
    return [
        " ".join(filter(None, (facts["texts"]["licences"], lacking_sentence(facts, "licences")))),
        subtable(table, "Licences", "Terms are read off the letters of the licence's name."),
        f"A licence with NC forbids commercial use: {part_of(restricted['NC'], len(pairs))} pairs. "
        f"One with ND forbids passing on changed versions, such as cropped images: "
        f"{part_of(restricted['ND'], len(pairs))} pairs. "
        f"The licence of {part_of(restricted['?'], len(pairs))} pairs is unknown or none of "
        "Creative Commons: ask before you pass these on.",
    ]


def _patients(pairs: pd.DataFrame, facts: Mapping[str, Any]) -> list[str]:
    patients = pairs.drop_duplicates("case_id")
    unknown = int(patients["age"].isna().sum())
    sexes = patients["sex"].replace("Unknown", "")  # MultiCaRe's own word
    counted = f"{len(patients):,} {_people(facts)}. " if facts["grouped_by"] else ""
    number = f"{counted}{facts['texts']['patients']}"
    ages = lacking_sentence(facts, "ages") or (
        f"The age of {part_of(unknown, len(patients))} is not known. {_ages_left_out(facts)}"
    )
    table = subtable(counts.quantiles({"age, years": patients["age"]}), "Ages")
    by_sex = subtable(counts.counted(sexes, "sex", "patients"), "Sex, as the source states it")
    return [
        " ".join(filter(None, (number, lacking_sentence(facts, "groups"), ages))),
        *([] if lacking_sentence(facts, "ages") else [table]),
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
        f"{part_of(longer, len(words))} captions have more than {facts['tokens']} words, the most "
        f"that {facts['tokens_of']} reads. "
    )


def _captions(pairs: pd.DataFrame, facts: Mapping[str, Any]) -> list[str]:
    if lacking := lacking_sentence(facts, "captions"):
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
        subtable(lengths, "Words per caption"),
        f"{_longer(words, facts)}{part_of(same, len(pairs))} captions stand in several pairs.",
        f"Identifiers were masked in {part_of(int((pairs['masked'] != '').sum()), len(pairs))} "
        f"captions{f': {kinds}' if kinds else ''}.",
    ]


def _versions(facts: Mapping[str, Any]) -> list[str]:
    return [
        "\n".join(
            f"- {escape(name)}: {escape(str(version))}"
            for name, version in facts["versions"].items()
        )
    ]
