"""A dataset of the configuration, as rules ask for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

from pairdx.plan.descriptions import Reader, analyses_of, has_several

# Of several classes, what a pair counts as in curation and splits of which none is true; no class
# can be called so, and this is how it is shown.
NO_FINDING = "(none)"
NO_FINDING_SHOWN = "none of the findings"


@dataclass(frozen=True)
class Dataset:
    """A named source of examples.

    Attributes:
        name: Its key in the section ``datasets``.
        entry: What stands there; curation settled (see :mod:`pairdx.plan.curation`).
        reader: What its reader says of itself.
        config: The whole configuration.
    """

    name: str
    entry: Mapping[str, Any]
    reader: Reader
    config: Mapping[str, Any]

    def key(self, path: str) -> Any:
        """Return the value at a dotted path, such as ``curation.images``."""
        return reduce(lambda value, part: value[part], path.split("."), self.entry)

    @property
    def labels(self) -> list[str]:
        """The classes, in the order of every table and figure."""
        return list(self.entry["classes"])

    @property
    def class_names(self) -> dict[str, str]:
        """The display name of every class, by label."""
        return dict(self.entry["classes"])

    @property
    def several(self) -> bool:
        """Whether any number of classes can be true of a pair."""
        return has_several(self.entry["task"])

    @property
    def strata(self) -> dict[str, str]:
        """What each pair counts as once in curation and splits (column ``label``), with its name.

        The classes; of several, a pair counts as the rarest that is true of it, or as none.
        """
        return {**self.class_names, **({NO_FINDING: NO_FINDING_SHOWN} if self.several else {})}

    @property
    def class_prompts(self) -> dict[str, list[str]]:
        """The whole prompts of those classes that have any, by label, in the order of classes."""
        of = self.entry.get("class_prompts", {})
        return {label: list(of[label]) for label in self.entry["classes"] if label in of}

    @property
    def analyses(self) -> tuple[str, ...]:
        """The analyses that apply to its task."""
        return analyses_of(self.entry["task"])

    @property
    def splits(self) -> list[str]:
        """The splits that are made; the first is that of what is asked once."""
        return list(self.entry["splits"])

    @property
    def source(self) -> Mapping[str, Any]:
        """What its reader needs."""
        found: Mapping[str, Any] = self.entry["source"]
        return found

    @property
    def lacks(self) -> Mapping[str, str]:
        """What its data do not tell, each with the reason (see :class:`Reader`)."""
        return self.reader.lacks(self.source)

    @property
    def grouped_by(self) -> dict[str, str]:
        """What tells what belongs together, by column of the pairs: in the user's own words.

        These are the names of columns that the source states, or else patient and study, or of
        publications article, case and figure; none where groups are not known.
        """
        if "groups" in self.lacks:
            return {}
        stated = (self.source.get("columns") or {}).get("group") or []
        names = [stated] if isinstance(stated, str) else list(stated)
        if not names and not self.reader.ARTICLES:  # a clinic's
            return {"article_id": "patient", "figure_id": "study"}
        if not names:
            return {"article_id": "article", "case_id": "case", "figure_id": "figure"}
        if len(names) == 1:
            return {"article_id": names[0]}
        return {"article_id": names[0], "figure_id": names[1], "case_id": " or ".join(names)}

    @property
    def archives(self) -> list[str]:
        """What holds its images."""
        return self.reader.archives(self.source)

    def store(self, archive: str) -> str:
        """Say where one of its archives lies, or will lie."""
        return self.reader.store(self.source, self.config, archive)

    @property
    def stores(self) -> list[str]:
        """Where all of them lie."""
        return [self.store(archive) for archive in self.archives]

    @property
    def tables(self) -> dict[str, str]:
        """The files that candidates are read from, by name."""
        return self.reader.tables(self.source, self.config)

    @property
    def tested_on(self) -> Mapping[str, Mapping[str, Any]]:
        """The datasets whose test pairs its systems are asked about, and how classes match."""
        found: Mapping[str, Mapping[str, Any]] = self.entry.get("tested_on", {})
        return found

    @property
    def asks_out_of_distribution(self) -> bool:
        """Whether systems are asked about pairs of classes that none was trained on."""
        most = self.config["evaluation"]["out_of_distribution_pairs"]
        return bool(self.entry["out_of_distribution"]) and most != 0
