"""Of a model card: the data, the training, and what is known of licences."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pandas as pd

from pairdx.deployment.export.card_facts import CardFacts
from pairdx.deployment.export.card_use import BEFORE, cut
from pairdx.reporting.dataset import counts
from pairdx.reporting.dataset.sentences import lacking_sentence, part_of
from pairdx.reporting.format.classes import free, name_of, title_of
from pairdx.reporting.format.markdown import escape, laid_out
from pairdx.subsets import SUBSETS

LONGEST_VALUE = 160
MOST_KINDS = 20  # within a class
# Settings that stand elsewhere in the card, and may be of a thousand classes.
ELSEWHERE = ("class_names", "class_prompts", "finding_prompts", "encoder")
# Of versions, those that decide a result.
VERSIONS = ("python", "torch", "cuda", "open_clip_torch", "timm", "torchvision", "transformers")


def data(facts: CardFacts) -> list[str]:
    """Say what the pairs are, how many, and how they were chosen."""
    told, deployment = facts.told, facts.deployment
    texts = told["texts"]
    table = subsets_table(facts)
    sizes = ", ".join(
        f"{int((facts.subsets['subset'] == name).sum()):,} {name}" for name in SUBSETS
    )
    counted = (
        "A pair counts once, as the rarest finding that is true of it." if facts.several else ""
    )
    return [
        f"{escape(deployment['dataset_title'])}. {escape(texts['source'])}.",
        f"{escape(texts['labels'])} {escape(texts['patients'])}",
        f"{len(facts.subsets):,} pairs passed the screens; the split is "
        f"{escape(deployment['split'])}: {sizes}. {counted}",
        laid_out(table, "pipe", escape),
        *_kinds(facts),
        *filter(None, [lacking_sentence(told, what) for what in ("captions", "ages", "groups")]),
        "How pairs were screened (the run's datasheet says how many were left out by what):",
        laid_out(_as_table(told["curation"]), "pipe", escape),
    ]


def subsets_table(facts: CardFacts) -> pd.DataFrame:
    """Count the pairs of each class in each subset; the last row is the total."""
    strata = facts.told["classes"]
    found = pd.crosstab(facts.subsets["label"], facts.subsets["subset"])
    found = found.reindex(index=list(strata), columns=list(SUBSETS), fill_value=0)
    titles = [cut(title_of(label, strata)) for label in strata]
    table = found.reset_index(drop=True)
    table.insert(0, "class", titles)
    total: dict[str, Any] = {
        "class": free("Total", titles),
        **{name: int(found[name].sum()) for name in SUBSETS},
    }
    return pd.concat([table, pd.DataFrame([total])], ignore_index=True)


def _kinds(facts: CardFacts) -> list[str]:
    """List the kinds of images within each class that training showed, the frequent ones first."""
    if lacking := lacking_sentence(facts.told, "modalities"):
        return [lacking]
    strata = facts.told["classes"]
    shown = facts.subsets[(facts.subsets["subset"] == "train") & (facts.subsets["subtype"] != "")]
    of_label = dict([*shown.groupby("label")["subtype"]])
    rows = []
    for label in filter(of_label.__contains__, strata):
        found = of_label[label].value_counts()
        if [*found.index] != [label]:
            named = [f"{cut(name_of(str(one), {}))} {number:,}" for one, number in found.items()]
            more = f", and {len(named) - MOST_KINDS:,} more" if len(named) > MOST_KINDS else ""
            listed = ", ".join(named[:MOST_KINDS]) + more
            rows.append({"class": cut(title_of(label, strata)), "training pairs of": listed})
    if not rows or not facts.trained:
        return []
    others = BEFORE if facts.began_elsewhere else "it was shown no others"
    return [
        f"Kinds of images within classes, by this run's training pairs; {others}:",
        laid_out(pd.DataFrame(rows), "pipe", escape),
    ]


def training(facts: CardFacts) -> list[str]:
    """Say how it came to be: settings, seed, machine, time."""
    passport = facts.passport
    versions = [
        f"{name} {version}"
        for name in VERSIONS
        if (version := passport["versions"].get(name)) is not None
    ]
    git = passport["git"]["revision"]
    state = "with changes that are not in it" if passport["git"]["dirty"] else "as it is there"
    made = [f"Versions: {escape(', '.join(versions))}."]
    if git:
        made.append(f"Code: revision `{git[:12]}`, {state}.")
    return [
        _start(facts),
        _course(facts) if facts.trained else "",
        laid_out(_as_table(passport["settings"]), "pipe", escape),
        " ".join(made),
    ]


def _start(facts: CardFacts) -> str:
    pretrained = facts.told["pretrained"]
    if pretrained is None:
        start = "It started from random numbers."
    else:
        source = escape(pretrained["source"] or "a file that the run's configuration names")
        start = f"It started from the weights {escape(pretrained['name'])} ({source})."
    start += _words(facts)
    if facts.trained:
        learned = " and ".join(f"{kind}s" for kind in facts.told["learns_from"])
        bank = facts.told["bank"]
        texts = f", and texts of the bank {escape(bank)}, which it no longer needs" if bank else ""
        return f"{start} It was trained here, on {learned} of the training pairs{texts}."
    return (
        f"{start} It was not trained here. Of this data set, the validation pairs alone decided "
        "anything: from which probability on it answers, and how sure it says it is."
    )


def _words(facts: CardFacts) -> str:
    vectors = facts.told["word_vectors"]
    if vectors is None:
        return ""
    kind = {"glove": "those of GloVe", "random": "random, in place of learned ones"}
    return (
        f" The vectors of words ({vectors['dimension']} numbers each) are "
        f"{kind[vectors['source']]}, and training left them as they were."
    )


def _course(facts: CardFacts) -> str:
    passport = facts.passport
    device = passport["device"]
    several = f", {passport['processes']} processes" if passport["processes"] > 1 else ""
    joules = passport["energy_joules"]
    energy = (
        "Energy was not measured" if joules is None else f"The GPU used {joules / 3600:,.1f} Wh"
    )
    return (
        f"{passport['parameters']:,} parameters, {passport['trained_parameters']:,} of them "
        f"trained. Seed {passport['seed']}. Device: {escape(device['name'])} ({device['kind']})"
        f"{several}. The job took {passport['wall_seconds']:,.0f} s, without earlier attempts that "
        f"were interrupted. {energy}."
    )


def _as_table(settings: Mapping[str, Any]) -> pd.DataFrame:
    """Return settings as a table of texts: setting, value."""
    rows = [(name, _written(value)) for name, value in settings.items() if name not in ELSEWHERE]
    return pd.DataFrame(rows, columns=["setting", "value"])


def _written(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]} …"


def licences(facts: CardFacts) -> list[str]:
    """Say what is known of licences, of the weights and of the data, and what is not."""
    told = facts.told
    pretrained = told["pretrained"]
    source = (
        ""
        if pretrained is None
        else (f"They began as {escape(pretrained['name'])}, whose own terms hold for them, too. ")
    )
    unknown = counts.SEE_ARTICLE if told["articles"] else counts.UNKNOWN
    used = facts.subsets if facts.trained else facts.subsets[facts.subsets["subset"] != "train"]
    table = counts.licences(used, unknown)
    restricted = int(table.loc[table["terms"].str.contains("no commercial"), "pairs"].sum())
    return [
        f"Of these weights: not known, hence `other` in the head of this card. {source}Whether the "
        "terms of training data hold for what was trained on them is not settled: ask before you "
        "pass it on or use it commercially.",
        " ".join(
            filter(
                None,
                (
                    f"Of the data: {escape(told['texts']['licences'])}",
                    lacking_sentence(told, "licences"),
                    f"{part_of(restricted, len(used))} pairs are under a licence that forbids "
                    "commercial use.",
                ),
            )
        ),
        laid_out(table, "pipe", escape),
        "Terms are read off the letters of the licence's name.",
    ]
