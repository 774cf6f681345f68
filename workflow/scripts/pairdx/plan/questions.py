"""What is asked of which systems, beyond their accuracy, and from which files that is answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pairdx.errors import PairDxError
from pairdx.plan import finding_prompts
from pairdx.plan.cells import FOLDER, Cell, Wildcards, paths
from pairdx.plan.items import NOTHING_PROBED
from pairdx.plan.systems import System

if TYPE_CHECKING:
    from pairdx.plan.plan import Plan


@dataclass
class _Named:
    """Wildcards of a job about several systems: those of one of them."""

    dataset: str
    system: str
    split: str = ""
    seed: str = ""
    archive: str = ""
    encoder: str = ""
    size: str = ""
    other: str = ""
    bank: str = ""
    pairing: str = ""
    grid: str = ""
    documents: str = ""
    shard: str = ""

    def get(self, name: str, default: str | None = None) -> str | None:
        return getattr(self, name) or default


class Questions:
    """Whose prompts and inputs are changed, who is compared, explained, and who reads texts."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.config = plan.config

    # ---------------------------------------------------------------- explanations
    def explained(self, dataset: str) -> list[System]:
        """Return the systems whose decisions can be explained, if any are to be."""
        chosen = self.config["explanations"]["pairs"] or self.config["explanations"]["per_class"]
        applies = "explanations" in self.plan.datasets[dataset].analyses
        systems = self.plan.systems_of(dataset) if chosen and applies else []
        return [system for system in systems if system.family.EXPLAINED]

    def explained_names(self, wildcards: Wildcards) -> list[str]:
        """Name them."""
        return [system.name for system in self.explained(wildcards.dataset)]

    def shown_explained(self, wildcards: Wildcards) -> dict[str, dict[str, Any]]:
        """Return what figures need to know of them."""
        return self.plan.shown(self.explained_names(wildcards))

    def explained_families(self, wildcards: Wildcards) -> dict[str, str]:
        """Return the family of each of them."""
        return {one.name: one.entry["family"] for one in self.explained(wildcards.dataset)}

    def explained_files(self, wildcards: Wildcards) -> dict[str, Any]:
        """Return what each is loaded from, its first split's and seed's, as SYSTEM__settings ..."""
        found: dict[str, Any] = {}
        for name in self.explained_names(wildcards):
            one = _Named(wildcards.dataset, name)
            files = self.plan.files.built_from(one) | self.plan.files.saved_first(one)
            files["images"] = self.plan.files.images(one)
            found |= {f"{name}__{kind}": path for kind, path in files.items()}
        return found

    def explained_untrained(self, wildcards: Wildcards) -> dict[str, dict[str, Any]]:
        """Return what those of them that are not trained are built from."""
        return {
            name: self.plan.untrained(_Named(wildcards.dataset, name))
            for name in self.explained_names(wildcards)
        }

    # ---------------------------------------------------------------- prompts
    def prompted(self, dataset: str) -> list[System]:
        """Return the systems whose prompts are varied: zero-shot, and trained if so chosen.

        By templates, if there are any to try; of several labels per pair, by sets of prompts.
        """
        varied = self.config["prompt_sensitivity"]
        tried = varied["templates"] or self.plan.datasets[dataset].several
        systems = self.plan.systems_of(dataset) if tried else []
        return [
            system
            for system in systems
            if system.family.PROMPTED and (varied["trained"] or not system.trained)
        ]

    def prompted_cells_of(self, wildcards: Wildcards) -> list[tuple[str, str, int]]:
        """Return split, system and seed of their cells on the wildcards' dataset."""
        return [cell[1:] for cell in self._prompted_cells(wildcards)]

    def _prompted_cells(self, wildcards: Wildcards) -> list[Cell]:
        names = [system.name for system in self.prompted(wildcards.dataset)]
        return [cell for cell in self.plan.cells_of(wildcards.dataset) if cell.system in names]

    def prompted_files(self, wildcards: Wildcards) -> list[str]:
        """List their predictions by prompt."""
        return paths(f"{FOLDER}/prompts.parquet", self._prompted_cells(wildcards))

    def own_templates(self, wildcards: Wildcards) -> dict[str, list[str]]:
        """Return the templates that each of them has of its own."""
        return {one.name: one.settings["templates"] for one in self.prompted(wildcards.dataset)}

    def classes_with_prompts(self, wildcards: Wildcards) -> list[str]:
        """Name the classes whose prompts are their own, which are never varied."""
        dataset = self.plan.dataset(wildcards)
        return [dataset.class_names[label] for label in dataset.class_prompts]

    def prompts(self, wildcards: Wildcards) -> list[str] | dict[str, Any]:
        """Return what the wildcards' system is asked by beside its own prompts, if by anything.

        Templates; of several labels per pair, sets of positive and negative prompts, by name.
        """
        if wildcards.system not in [one.name for one in self.prompted(wildcards.dataset)]:
            return []
        dataset = self.plan.dataset(wildcards)
        if dataset.several:
            named = self.config[finding_prompts.KEY]
            return {
                name: finding_prompts.prompts_of(self.config, name, dataset.labels)
                for name in named
            }
        chosen: list[str] = self.config["prompt_sensitivity"]["templates"]
        return chosen

    # ---------------------------------------------------------------- changed input
    def input_probed(self, dataset: str) -> list[System]:
        """Return the systems whose input is changed: those chosen that read anything."""
        chosen = self.config["input_probes"]["systems"]
        applies = "input_probes" in self.plan.datasets[dataset].analyses
        return [
            system
            for system in (self.plan.systems_of(dataset) if applies else ())
            if system.reads
            and (
                chosen == "all"
                or (chosen == "trained" and system.trained)
                or system.name in _listed(chosen)
            )
        ]

    def input_probed_cells(self, dataset: str) -> list[Cell]:
        """Return every cell whose input is changed: those of the first seed."""
        made = self.plan.datasets[dataset].splits
        splits = self.config["input_probes"]["splits"] or made
        seed = self.config["seeds"][0]
        return [
            Cell(dataset, split, system.name, seed)
            for split in made
            if split in splits
            for system in self.input_probed(dataset)
        ]

    def input_probed_names(self, dataset: str | None = None) -> list[str]:
        """Name the systems whose input is changed on a dataset, or on any."""
        datasets = self.plan.datasets if dataset is None else [dataset]
        names = [one.name for each in datasets for one in self.input_probed(each)]
        return list(dict.fromkeys(names))

    def input_probed_cells_of(self, wildcards: Wildcards) -> list[tuple[str, str, int]]:
        """Return split, system and seed of the wildcards' dataset's cells with changed input."""
        return [cell[1:] for cell in self.input_probed_cells(wildcards.dataset)]

    def input_probed_size(self, wildcards: Wildcards) -> int:
        """Return the side of the largest images that these systems see, in pixels."""
        dataset = self.plan.dataset(wildcards)
        return max(
            (one.image_size(dataset) for one in self.input_probed(dataset.name)),
            default=int(dataset.key("packing.image_size")),
        )

    def shown_input_probed(self, wildcards: Wildcards) -> dict[str, dict[str, Any]]:
        """Return what a table needs to know of these systems."""
        return self.plan.shown(self.input_probed_names(wildcards.dataset))

    def input_probe_files(self, wildcards: Wildcards) -> list[str]:
        """List the predictions under changed input of a dataset.

        Raises:
            PairDxError: No input is changed.
        """
        cells = self.input_probed_cells(wildcards.dataset)
        if not cells:
            raise PairDxError(
                f"{NOTHING_PROBED} datasets.{wildcards.dataset}.splits",
                remedy="name one there, or ask for another target",
            )
        return paths(f"{FOLDER}/input_probes.parquet", cells)

    def input_probe_settings(self, wildcards: Wildcards) -> dict[str, Any]:
        """Return the part of input_probes that concerns what a system reads."""
        section, dataset = self.config["input_probes"], self.plan.dataset(wildcards)
        known = {*dataset.labels, *dataset.key("out_of_distribution")}
        words = {name: of for name, of in dataset.key("class_words").items() if name in known}
        used = {
            "image": {key: section[key] for key in ("image_corruptions", "blank_image_grey")},
            "caption": {
                "caption_corruptions": section["caption_corruptions"],
                "class_words": words,
            },
        }
        found = {key: section[key] for key in ("pairs", "seed")}
        for name in self.plan.system(wildcards).reads:
            found |= used[name]
        return found

    # ---------------------------------------------------------------- comparisons
    def compared(self, wildcards: Wildcards) -> list[str]:
        """Name the two systems whose disagreements are listed, if named and enabled."""
        named = self.config["mistakes"]["compare"]
        enabled = self.plan.names_of(wildcards)
        return list(named) if named and set(named) <= set(enabled) else []

    # ---------------------------------------------------------------- texts
    def text_readers(self, dataset: str) -> dict[str, dict[str, Any]]:
        """Return what decides how each system that reads texts does so, by system."""
        found = {
            one.name: one.family.text_reader(one.settings, self.config)
            for one in self.plan.systems_of(dataset)
        }
        readers = {name: reader for name, reader in found.items() if reader is not None}
        return {
            name: {
                **reader,
                "trained": self.plan.systems[name].trained,
                "reads": self.plan.systems[name].reads,
            }
            for name, reader in readers.items()
        }

    def text_readers_of(self, wildcards: Wildcards) -> dict[str, dict[str, Any]]:
        """Return the same of the wildcards' dataset."""
        return self.text_readers(wildcards.dataset)

    def shown_text_readers(self, wildcards: Wildcards) -> dict[str, dict[str, Any]]:
        """Return what a table needs to know of these systems."""
        return self.plan.shown([*self.text_readers(wildcards.dataset)])

    def tokeniser_files(self, wildcards: Wildcards) -> dict[str, Any]:
        """Return what tokenisers are made of: small files of model folders, words with vectors.

        No weights.
        """
        files: dict[str, Any] = {}
        for reader in self.text_readers(wildcards.dataset).values():
            weights = reader["weights"]
            if weights and reader["tokeniser_in_folder"]:
                paths_of = self.plan.outside.weights_files(weights)
                small = [path for path in paths_of if path.endswith((".json", ".txt"))]
                files[f"tokeniser_{weights}"] = small
            if reader["vocabulary"]:
                files["vocabulary"] = f"<results>/{wildcards.dataset}/packed/vocabulary.json"
        return files

    # ---------------------------------------------------------------- out of distribution
    def out_of_distribution(self, wildcards: Wildcards) -> dict[str, str]:
        """Return pairs of classes that no system was trained on, and their images, if asked about.

        They have a packing job of their own: a part of the job that packs the curated pairs,
        another number of them would train every system anew.
        """
        if not self.plan.dataset(wildcards).asks_out_of_distribution:
            return {}
        packed = f"<results>/{wildcards.dataset}/packed/out_of_distribution"
        return {
            "out_of_distribution": f"{packed}_{self.plan.files.size(wildcards)}.parquet",
            "out_of_distribution_images": f"{packed}_{self.plan.files.size(wildcards)}.npy",
        }


def _listed(chosen: str | Sequence[str]) -> Sequence[str]:
    return [] if isinstance(chosen, str) else chosen
