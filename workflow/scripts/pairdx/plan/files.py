"""The files of datasets and systems, as rules name them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pairdx.plan.cells import FOLDER, Cell, OfWildcards, Wildcards, folder_of, paths
from pairdx.plan.datasets import Dataset
from pairdx.plan.items import COMPARISON

if TYPE_CHECKING:
    from pairdx.plan.plan import Plan


class Files:
    """Where what is made lies, for one job's wildcards or for all cells."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    def per_split(self, file: str) -> OfWildcards:
        """Return what lists a file of every split of the wildcards' dataset."""
        return lambda wildcards: [
            f"<results>/{wildcards.dataset}/{split}/{file}" for split in self.plan.splits(wildcards)
        ]

    def first_split(self, file: str) -> OfWildcards:
        """Return what names a file of the first split of the wildcards' dataset."""
        return lambda wildcards: (
            f"<results>/{wildcards.dataset}/{self.plan.splits(wildcards)[0]}/{file}"
        )

    def all_splits(self, file: str) -> list[str]:
        """List a file of every split of every dataset."""
        each = self.plan.datasets.values()
        return [f"<results>/{one.name}/{split}/{file}" for one in each for split in one.splits]

    def facts(self, wildcards: Wildcards) -> list[str]:
        """List the facts about the images of every archive of the wildcards' dataset."""
        folder = f"<results>/{wildcards.dataset}/curated/stages/facts"
        return [f"{folder}/{archive}.parquet" for archive in self.plan.archives(wildcards)]

    def images(self, wildcards: Wildcards) -> str:
        """Name the packed images of the dataset: those of the system's size, if there is one."""
        return f"<results>/{wildcards.dataset}/packed/images_{self.size(wildcards)}.npy"

    def size(self, wildcards: Wildcards) -> int:
        """Return the side of the images that the wildcards' system, or else their dataset, has."""
        dataset, system = self.plan.dataset(wildcards), wildcards.get("system")
        if system is not None:
            return self.plan.systems[system].image_size(dataset)
        return int(dataset.key("packing.image_size"))

    def of_cells(self, file: str, *, trained: bool = False, having: str | None = None) -> list[str]:
        """List a file of every cell that is run.

        Or of those of trained systems; or of datasets whose task is ``having`` an analysis.
        """
        every = self.plan.cells if having is None else self.plan.cells_having(having)
        cells = [cell for cell in every if not trained or self.plan.systems[cell.system].trained]
        return paths(f"{FOLDER}/{file}", cells)

    def not_compared(self, file: str, *, trained: bool = False) -> list[str]:
        """List a file of the cells that the comparison of all systems leaves out."""
        left = {*self.of_cells(file, having=COMPARISON)}
        return [path for path in self.of_cells(file, trained=trained) if path not in left]

    def in_dataset(self, file: str) -> OfWildcards:
        """Return what lists a file of every cell of the wildcards' dataset."""
        return lambda wildcards: paths(f"{FOLDER}/{file}", self.plan.cells_of(wildcards.dataset))

    def in_seeds(self, file: str) -> OfWildcards:
        """Return what lists a file of every seed of the wildcards' system on their split."""

        def files(wildcards: Wildcards) -> list[str]:
            seeds = self.plan.system(wildcards).seeds
            return [f"{folder_of(wildcards, seed=seed)}/{file}" for seed in seeds]

        return files

    def timed(self, having: str | None = None) -> list[tuple[str, str]]:
        """List dataset and system of every timing; or of datasets likewise."""
        datasets = self.plan.datasets if having is None else self.plan.having(having)
        return [(name, one.name) for name in datasets for one in self.plan.systems_of(name)]

    def timings(self, having: str | None = None) -> list[str]:
        """List these timings."""
        timed = self.timed(having)
        return [f"<results>/{dataset}/timing/{system}.json" for dataset, system in timed]

    def training_data(self, wildcards: Wildcards) -> dict[str, str]:
        """Return the pairs, their subsets and their packed images."""
        return {
            "pairs": f"<results>/{wildcards.dataset}/curated/pairs.parquet",
            "split": f"<results>/{wildcards.dataset}/{wildcards.split}/split.parquet",
            "images": self.images(wildcards),
        }

    def saved(self, wildcards: Wildcards) -> dict[str, str]:
        """Return what a trained system was saved as: settings and weights."""
        return self._saved(wildcards, wildcards.split, wildcards.seed)

    def saved_first(self, wildcards: Wildcards) -> dict[str, str]:
        """Return those of the first split and seed: timing depends on the architecture alone."""
        first = self.plan.splits(wildcards)[0]
        return self._saved(wildcards, first, str(self.plan.config["seeds"][0]))

    def _saved(self, wildcards: Wildcards, split: str, seed: str) -> dict[str, str]:
        if not self.plan.system(wildcards).trained:
            return {}
        folder = folder_of(wildcards, split=split, seed=seed)
        return {"settings": f"{folder}/settings.json", "weights": f"{folder}/model.safetensors"}

    def built_from(self, wildcards: Wildcards) -> dict[str, Any]:
        """Return what a system is built from besides its own files: weights, words, features."""
        system, packed = self.plan.system(wildcards), f"<results>/{wildcards.dataset}/packed"
        files: dict[str, Any] = {}
        if system.weights_name is not None:
            files["pretrained"] = self.plan.outside.weights_files(system.weights_name)
        if "word_vectors" in system.needs:
            files["word_vectors"] = f"{packed}/word_vectors.safetensors"
            files["vocabulary"] = f"{packed}/vocabulary.json"
        if "features" in system.needs:
            encoder = f"{system.encoder}.safetensors"
            files["features"] = f"<results>/{wildcards.dataset}/features/{encoder}"
        return files

    def encoder_weights(self, wildcards: Wildcards) -> dict[str, list[str]]:
        """Return the pretrained weights of a frozen encoder, unless they are random."""
        weights = self.plan.config["feature_extractors"][wildcards.encoder]["weights"]
        return {"pretrained": self.plan.outside.weights_files(weights)} if weights else {}

    def state_folder(self, wildcards: Wildcards | Cell) -> str:
        """Name where a training job keeps its state: outside its outputs.

        Snakemake deletes these when the job fails.
        """
        run, one = self.plan.config["run"], wildcards
        return f"state/{run}/{one.dataset}/{one.split}/{one.system}/seed{one.seed}"

    def sizes(self, dataset: Dataset) -> list[int]:
        """Return the sides of the packed images that systems see, in pixels; and the dataset's.

        Systems of other datasets that are asked about this one see its images, too.
        """
        seen = {one.image_size(dataset) for one in self.plan.systems_of(dataset.name)}
        seen |= self.plan.tested_on.sizes_seen(dataset)
        return sorted({int(dataset.key("packing.image_size")), *seen})

    def decisions(self, wildcards: Wildcards) -> dict[str, str]:
        """Return the filled-in review sheet as an input, if there is one."""
        sheet = self.plan.dataset(wildcards).key("curation.review.decisions")
        return {"decisions": sheet} if sheet else {}
