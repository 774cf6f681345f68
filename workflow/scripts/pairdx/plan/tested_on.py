"""Systems trained on one dataset, asked about the test pairs of another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from pairdx.errors import PairDxError
from pairdx.plan.cells import FOLDER, Cell, Wildcards
from pairdx.plan.datasets import Dataset
from pairdx.plan.matching import matched_classes
from pairdx.plan.systems import System

if TYPE_CHECKING:
    from pairdx.plan.plan import Plan


WORD_VECTORS = "word_vectors"  # what systems need (Family.needs)


class Asked(NamedTuple):
    """A cell, and the dataset whose test pairs it is asked about."""

    dataset: str
    split: str
    system: str
    seed: int
    other: str


class Elsewhere:
    """What the key ``tested_on`` of datasets means."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    def others(self, dataset: str) -> list[str]:
        """Name the datasets whose test pairs a dataset's systems are asked about, in plan order."""
        named = self.plan.datasets[dataset].tested_on
        return [name for name in self.plan.datasets if name in named]

    def by(self, dataset: str) -> list[str]:
        """Name the datasets whose systems are asked about a dataset, in plan order."""
        return [name for name, other in self.directions if other == dataset]

    @property
    def directions(self) -> list[tuple[str, str]]:
        """Every dataset that names another, with that one."""
        return [(name, other) for name in self.plan.datasets for other in self.others(name)]

    @property
    def tested(self) -> list[str]:
        """The datasets that any other's systems are asked about, in plan order."""
        named = {other for _, other in self.directions}
        return [name for name in self.plan.datasets if name in named]

    @property
    def by_classes(self) -> list[tuple[str, str]]:
        """Those of one label per pair, whose classes must match."""
        return [both for both in self.directions if not self.plan.datasets[both[0]].several]

    def matched(self, dataset: str, other: str) -> dict[str, str]:
        """Return the label there of every class of a dataset that the other has, too.

        Of several labels per pair none: all of the other's are asked about, in its own words.
        """
        here, there = self.plan.datasets[dataset], self.plan.datasets[other]
        if here.several:
            return {}
        stated = here.tested_on[other].get("classes", {})
        return matched_classes(here.labels, there.labels, stated)

    def left_out(self, dataset: str, other: str) -> dict[str, str]:
        """Say of every system of a dataset that cannot be asked about the other, why not."""
        lacks = self.plan.datasets[other].lacks
        if "captions" not in lacks:
            return {}
        return {
            one.name: f"it reads captions, and {lacks['captions']}"
            for one in self.plan.systems_of(dataset)
            if "caption" in one.reads
        }

    def systems(self, dataset: str, other: str) -> list[System]:
        """Return the systems of a dataset that are asked about the other."""
        without = self.left_out(dataset, other)
        return [one for one in self.plan.systems_of(dataset) if one.name not in without]

    def split_there(self, split: str, other: str) -> str:
        """Name the split whose test pairs are asked about: of the same name, or else the first."""
        there = self.plan.datasets[other].splits
        return split if split in there else there[0]

    @property
    def asked(self) -> list[Asked]:
        """Every cell with every dataset that it is asked about, in the order of tables."""
        return [
            Asked(*cell, other)
            for name, other in self.directions
            for cell in self.cells(name, other)
        ]

    @property
    def compared(self) -> list[Asked]:
        """Those of them whose answers at home and elsewhere are compared class by class."""
        both = self.by_classes
        return [one for one in self.asked if (one.dataset, one.other) in both]

    def cells(self, dataset: str, other: str) -> list[Cell]:
        """Return the cells of a dataset that are asked about the other."""
        names = {one.name for one in self.systems(dataset, other)}
        return [cell for cell in self.plan.cells_of(dataset) if cell.system in names]

    def sizes_seen(self, other: Dataset) -> set[int]:
        """Return the sides of the other's images that the systems of further datasets see."""
        return {
            one.image_size(self.plan.datasets[name])
            for name, named in self.directions
            if named == other.name
            for one in self.systems(name, named)
        }

    def read_by_words(self, other: str) -> bool:
        """Say whether systems of further datasets read the other's captions by word vectors."""
        return any(
            WORD_VECTORS in one.needs
            for name, named in self.directions
            if named == other
            for one in self.systems(name, named)
        )

    # ---------------------------------------------------------------- one job
    def data(self, wildcards: Wildcards) -> dict[str, str]:
        """Return the other's pairs, their subsets, and its images at the size that is seen here.

        Of systems that read words with vectors, those of the other's words, too.

        Raises:
            PairDxError: Nobody wants the wildcards' system to be asked about the other.
        """
        name, other = wildcards.dataset, wildcards.other
        self._require_asked(wildcards)
        split = self.split_there(wildcards.split, other)
        system = self.plan.system(wildcards)
        packed = f"<results>/{other}/packed"
        files = {
            "pairs": f"<results>/{other}/curated/pairs.parquet",
            "split": f"<results>/{other}/{split}/split.parquet",
            "images": f"{packed}/images_{system.image_size(self.plan.datasets[name])}.npy",
        }
        if WORD_VECTORS in system.needs:
            files["word_vectors_there"] = f"{packed}/word_vectors.safetensors"
            files["vocabulary_there"] = f"{packed}/vocabulary.json"
        return files

    def _require_asked(self, wildcards: Wildcards) -> None:
        name, other = wildcards.dataset, wildcards.other
        if other not in self.others(name):
            raise PairDxError(
                f"no system of the dataset {name} is asked about {other}",
                remedy=f"name it: config key datasets.{name}.tested_on",
            )
        if reason := self.left_out(name, other).get(wildcards.system):
            raise PairDxError(
                f"{wildcards.system} is not asked about {other}: {reason}",
                remedy="ask for a system that reads images alone",
            )

    def matched_of(self, wildcards: Wildcards) -> dict[str, str]:
        """Return the matched classes of the wildcards' two datasets."""
        return self.matched(wildcards.dataset, wildcards.other)

    def about(self, wildcards: Wildcards) -> dict[str, Any]:
        """Return what the wildcards' system would be built from on the other dataset.

        Of several labels per pair; {} of one: it is asked about its own classes.
        """
        here, there = (self.plan.datasets[name] for name in (wildcards.dataset, wildcards.other))
        return self.plan.system(wildcards).build_settings(there, here) if here.several else {}

    def labels_there(self, wildcards: Wildcards) -> list[str]:
        """Return the classes of the wildcards' other dataset."""
        return self.plan.datasets[wildcards.other].labels

    # ---------------------------------------------------------------- the comparison
    def home_files(self) -> list[str]:
        """List the predictions at home, one file per asked cell."""
        return [f"{FOLDER}/predictions.parquet".format(**one._asdict()) for one in self.compared]

    def there_files(self) -> list[str]:
        """List those about the other dataset, in the same order."""
        path = f"{FOLDER}/tested_on/{{other}}/predictions.parquet"
        return [path.format(**one._asdict()) for one in self.compared]

    @property
    def involved(self) -> list[str]:
        """The datasets that are trained or tested on, in plan order."""
        named = {name for both in self.by_classes for name in both}
        return [name for name in self.plan.datasets if name in named]

    def pairs_files(self) -> list[str]:
        """List the pairs of these datasets."""
        return [f"<results>/{name}/curated/pairs.parquet" for name in self.involved]

    @property
    def splits(self) -> list[tuple[str, str]]:
        """Dataset and split of all subsets that are asked about or were trained on."""
        found: dict[tuple[str, str], None] = {}
        for one in self.compared:
            found[one.dataset, one.split] = None
            found[one.other, self.split_there(one.split, one.other)] = None
        return list(found)

    def split_files(self) -> list[str]:
        """List the subsets of these."""
        return [f"<results>/{name}/{split}/split.parquet" for name, split in self.splits]

    @property
    def words_of(self) -> list[str]:
        """The datasets whose words are read with vectors, at home or elsewhere, in plan order."""
        asked = [one for one in self.compared if self._reads_words(one.system)]
        named = {name for one in asked for name in (one.dataset, one.other)}
        return [name for name in self.plan.datasets if name in named]

    def _reads_words(self, system: str) -> bool:
        return WORD_VECTORS in self.plan.systems[system].needs

    def vocabulary_files(self) -> list[str]:
        """List their vocabularies."""
        return [f"<results>/{name}/packed/vocabulary.json" for name in self.words_of]

    def facts(self) -> dict[str, Any]:
        """Return what the comparison needs to know of datasets and of what is compared."""
        return {
            "datasets": {
                name: {
                    "title": one.entry["title"],
                    "classes": one.class_names,
                    # Whose names of cases mean the same; None where cases have no names.
                    "cases": None if "groups" in one.lacks else one.entry["reader"],
                    "bits": one.key("curation.duplicates.max_distance_bits"),
                }
                for name, one in self.plan.datasets.items()
                if name in self.involved
            },
            "directions": [
                {
                    "dataset": name,
                    "other": other,
                    "matched": self.matched(name, other),
                    "left_out": self.left_out(name, other),
                    "splits": {
                        split: self.split_there(split, other)
                        for split in self.plan.datasets[name].splits
                    },
                }
                for name, other in self.by_classes
            ],
            "by_words": sorted(filter(self._reads_words, {one.system for one in self.compared})),
        }

    def shown(self) -> dict[str, dict[str, Any]]:
        """Return what the table needs to know of the systems that it is about."""
        names = {one.system for one in self.compared}
        left = {name for pair in self.by_classes for name in self.left_out(*pair)}
        return self.plan.shown([name for name in self.plan.systems if name in names | left])
