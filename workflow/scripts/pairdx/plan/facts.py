"""What the datasheet and the Croissant file of a dataset say besides what can be counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pairdx.plan.cells import Wildcards

if TYPE_CHECKING:
    from pairdx.plan.plan import Plan

# What decides about pairs, of the section `curation`, in the order in which it does.
SCREENS = (
    *("min_age", "unknown_age", "licences", "caption_problems", "identifiers", "images"),
    *("duplicates", "balance"),
)


class Facts:
    """Facts about the datasets to hand on."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    def tells(self, wildcards: Wildcards) -> dict[str, Any]:
        """Return what notes and captions must know of the wildcards' dataset.

        That is, ``articles`` (it is made of publications); ``grouped_by`` (what columns of the
        pairs tell what belongs together, and how these are called); ``lacks``.
        """
        dataset = self.plan.dataset(wildcards)
        return {
            "articles": dataset.reader.ARTICLES,
            "grouped_by": dataset.grouped_by,
            "lacks": dict(dataset.lacks),
        }

    def archive(self, wildcards: Wildcards) -> dict[str, Any]:
        """Return what the description of the dataset archive for machines says besides counts."""
        dataset = self.plan.dataset(wildcards)
        record = dataset.reader.record(dataset.source, self.plan.config)
        texts = dict(dataset.reader.TEXTS)
        papers = self.plan.published.about(dataset.name).get("citation", "")
        if papers not in texts["citation"]:
            texts["citation"] = f"{papers} {texts['citation']}"
        zenodo = self.plan.config["downloads"]["zenodo"].rstrip("/")
        return {
            "title": f"{dataset.entry['title']} (run {self.plan.config['run']})",
            "texts": {**texts, **dataset.entry.get("texts", {})},
            "drawn": dataset.reader.DRAWN,
            **self.tells(wildcards),
            "classes": dataset.strata,
            **({"several": True} if dataset.several else {}),
            # The subset that the archived table names for each pair is that of the first split.
            "split": dataset.splits[0],
            "url": record and f"{zenodo}/records/{record}",
        }

    def datasheet(self, wildcards: Wildcards) -> dict[str, Any]:
        """Return what the datasheet says besides counts."""
        dataset = self.plan.dataset(wildcards)
        facts = self.archive(wildcards)
        keys = ("min_age", "unknown_age", "identifiers")
        system = self.plan.reads_words(dataset.name)
        return {
            **{key: facts[key] for key in ("title", "texts", "drawn", "classes")},
            **({"several": True} if dataset.several else {}),
            **self.tells(wildcards),
            **{key: dataset.key(f"curation.{key}") for key in keys},
            "follows": self.plan.published.about(dataset.name).get("follows"),
            "record": dataset.reader.record(dataset.source, self.plan.config),
            "archives": dataset.archives,
            "tokens": self.plan.tokens(wildcards),
            "tokens_of": system and system.entry["title"],
        }

    def card(self, wildcards: Wildcards) -> dict[str, Any]:
        """Return what the model card of the wildcards' system says besides what files tell."""
        dataset, system = self.plan.dataset(wildcards), self.plan.system(wildcards)
        facts = self.archive(wildcards)
        keys = ("texts", "drawn", "articles", "grouped_by", "lacks", "classes")
        evaluation = self.plan.config["evaluation"]
        return {
            **{key: facts[key] for key in keys},
            **({"several": True} if dataset.several else {}),
            # What publications say is in English; of others' captions nothing is known.
            "language": "en" if dataset.reader.ARTICLES else None,
            "system": system.shown(),
            "learns_from": system.family.learns_from(system.settings) if system.trained else [],
            "bank": system.bank(dataset) if system.trained else None,
            "pretrained": self._pretrained(system.weights_name),
            "word_vectors": self._word_vectors(system.needs),
            "out_of_distribution": list(dataset.key("out_of_distribution")),
            "min_age": dataset.key("curation.min_age"),
            "curation": {key: dataset.key(f"curation.{key}") for key in SCREENS},
            "resamples": evaluation["bootstrap_resamples"],
            "seed": evaluation["bootstrap_seed"],
        }

    def _pretrained(self, name: str | None) -> dict[str, str | None] | None:
        """Say what weights are called that a system starts from, and where they are from.

        None where they are random; no place on this machine is told.
        """
        if name is None:
            return None
        stated = self.plan.config["downloads"]["weights"].get(name) or {}
        places = (stated.get(key) for key in ("repo", "url", "where"))
        return {"name": name, "source": next(filter(None, places), None)}

    def _word_vectors(self, needs: list[str]) -> dict[str, Any] | None:
        """Say where the vectors of words are from, and how long they are; None where none read."""
        stated = self.plan.config["word_vectors"]
        if "word_vectors" not in needs:
            return None
        return {"source": stated["source"], "dimension": stated["dimension"]}
