"""Files from outside: pretrained weights, word vectors, what datasets and texts are read from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pairdx.plan.cells import Wildcards
from pairdx.plan.contents import contents
from pairdx.plan.descriptions import readers

if TYPE_CHECKING:
    from pairdx.plan.plan import Plan


class Outside:
    """Where files lie that this workflow does not compute, or will lie once they are fetched."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.downloads = plan.config["downloads"]
        self._contents: dict[str, str] = {}  # a folder is gone through once

    def weights_by(self, kind: str) -> list[str]:
        """Name the weights that are described by an address (``url``), or a hub's ``repo``."""
        return [name for name, source in self.downloads["weights"].items() if kind in source]

    def weights_files(self, name: str) -> list[str]:
        """Say where pretrained weights lie: one file, or all files of a folder."""
        source = self.downloads["weights"][name]
        if "where" in source:  # nothing is downloaded: a check asks for the path
            stated = (source["path"] or f"<resources>/weights/{name}").rstrip("/")
            return [f"{stated}/{file}" for file in source.get("files", ())] or [stated]
        if "files" in source:
            folder = (source["path"] or f"<resources>/weights/{name}").rstrip("/")
            return [
                f"{folder}/{file}" for file in (*source["files"], *source["text_tower"]["files"])
            ]
        file = source["file"] if "file" in source else source["url"].rsplit("/", 1)[-1]
        return [source["path"] or f"<resources>/weights/{name}/{file}"]

    def hub_source(self, wildcards: Any) -> dict[str, str]:
        """Return the repository and revision that hold one file of pretrained weights."""
        source = self.downloads["weights"][wildcards.name]
        own = [source["file"]] if "file" in source else source["files"]
        holder = source if wildcards.file in own else source["text_tower"]
        return {"repo": holder["repo"], "revision": holder["revision"]}

    def glove(self, _: Wildcards | None = None) -> dict[str, str]:
        """Return the GloVe text file as an input, unless word vectors are random."""
        if self.plan.config["word_vectors"]["source"] == "random":
            return {}
        glove = self.downloads["glove"]
        return {"glove": glove["path"] or f"<resources>/glove/{glove['member']}"}

    def tables(self, wildcards: Wildcards) -> dict[str, str]:
        """Return the tables that the wildcards' dataset is read from, as inputs."""
        return self.plan.dataset(wildcards).tables

    def store(self, wildcards: Wildcards) -> str:
        """Say where the wildcards' archive of their dataset lies."""
        return self.plan.dataset(wildcards).store(wildcards.archive)

    def gzipped(self, wanted: str) -> str:
        """Say of which gzipped file another is unpacked; of what no dataset asks, ValueError."""
        for dataset in self.plan.datasets.values():
            found = dataset.reader.unpacked(dataset.source, self.plan.config)
            if wanted in found:
                return found[wanted]
        raise ValueError(f"no dataset that runs is read from {wanted}")

    def stored(self, wildcards: Wildcards) -> str:
        """Say what the wildcards' archive of their dataset holds, where that is a folder."""
        return self._contents_of(self.store(wildcards))

    def tables_stored(self, wildcards: Wildcards) -> dict[str, str]:
        """Say what the folder holds in which the dataset's table is looked for, if there is one.

        A table that is a file of its own is read anew when that changes, and not for its images.
        """
        paths = self.tables(wildcards)
        if not all(Path(path).is_dir() for path in paths.values()):
            return {}
        return {name: self._contents_of(path) for name, path in paths.items()}

    def _contents_of(self, path: str) -> str:
        if path not in self._contents:
            self._contents[path] = contents(path)
        return self._contents[path]

    def files(self) -> dict[str, list[str]]:
        """List what is read, by the config key that says where it is, or whence it comes."""
        found: dict[str, list[str]] = {}
        extractors = self.plan.config["feature_extractors"]
        weights = [system.weights_name for system in self.plan.enabled]
        weights += [extractors[one]["weights"] for one in self.plan.privileged.encoders_needed()]
        for name in dict.fromkeys(weights):
            if name is None:
                continue
            stated = self.downloads["weights"][name]["path"]
            found[_key(f"downloads.weights.{name}", stated)] = self.weights_files(name)
        if self.glove() and any("word_vectors" in one.needs for one in self.plan.enabled):
            key = _key("downloads.glove", self.downloads["glove"]["path"])
            found[key] = [*self.glove().values()]
        for dataset in self.plan.datasets.values():
            found |= dataset.reader.from_outside(dataset.name, dataset.source, self.plan.config)
        found |= self.plan.privileged.from_outside()
        found |= self.plan.classifying.from_outside()
        return {
            key: [path.replace("<resources>", "resources") for path in paths]
            for key, paths in found.items()
        }

    def addresses(self) -> list[str]:
        """List where files are downloaded from."""
        sources = self.downloads["weights"].values()
        urls = [source["url"] for source in sources if "url" in source]
        return [
            *(self.downloads[key] for key in ("zenodo", "hub")),
            self.downloads["glove"]["url"],
            *urls,
        ]


def keys_instead_of_record(config: Mapping[str, Any], record: str) -> str:
    """Name the config keys that take a folder on this machine in place of a downloaded record.

    Args:
        config: The whole configuration.
        record: Its number. Of several datasets that are read from it, those that run are named.
    """
    known = readers()
    entries = {
        name: entry
        for name, entry in config["datasets"].items()
        if known[entry["reader"]].record(entry["source"], config) == record
    }
    running = [name for name, entry in entries.items() if entry["enabled"]]
    keys = [f"datasets.{name}.source.path" for name in running or entries or ["NAME"]]
    return "` and `".join(keys)


def _key(section: str, stated: str | None) -> str:
    return f"{section}.path" if stated else section
