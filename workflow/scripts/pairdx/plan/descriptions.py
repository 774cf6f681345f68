"""What families of systems and readers of datasets say of themselves, for planning.

A family is a folder of pairdx/models, a reader one of pairdx/corpus. Each has a module
``description`` that offers what the protocols below list, and a schema of its keys in YAML beside
it. Descriptions import nothing but the standard library: they are read in every dry run and job.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Protocol, cast

from pairdx.plan.code import SCRIPTS

Settings = Mapping[str, Any]
# Sides of images in pixels, each with the config keys that decide it.
ImageSizes = Mapping[int, Sequence[str]]


class Family(Protocol):
    """A way of building and fitting systems: models/<family>/description.py.

    ``settings`` are those of a registry entry, ``config`` is the whole configuration.

    Attributes:
        NETWORK: It is trained where the key ``device`` says; otherwise on the CPU.
        CAN_BE_UNTRAINED: Its systems classify without any training, too.
        EXPLAINED: Its module ``explanation`` says what single decisions rest on.
        EXPORTED: Its module ``graph`` is what ONNX Runtime can be given.
        PROMPTED: It classifies by class prompts, which its module ``prompting`` varies.
        SEVERAL: Its systems can be asked about several labels per pair; of trained ones, those
            that captions teach.
        RUNTIME: What computes, for the timing table.
    """

    NETWORK: bool
    CAN_BE_UNTRAINED: bool
    EXPLAINED: bool
    EXPORTED: bool
    PROMPTED: bool
    SEVERAL: bool
    RUNTIME: str

    def reads(self, settings: Settings) -> list[str]:
        """Name what a system reads when it classifies: of ``image`` and ``caption``."""

    def learns_from(self, settings: Settings) -> list[str]:
        """Name what a system is trained on: of ``image`` and ``caption``; mostly what it reads."""

    def weights_name(self, settings: Settings, config: Settings) -> str | None:
        """Name the pretrained weights (a key of downloads.weights) that it is built from, if any.

        One entry of downloads.weights: a job gets its files as the one input ``pretrained``.
        """

    def needs(self, settings: Settings) -> list[str]:
        """Name what made of the dataset it is built from: of ``word_vectors``, ``features``.

        And ``text_encoder``, if that of its pairing runs in training.
        """

    def encoder(self, settings: Settings) -> str | None:
        """Name the frozen encoder whose features it needs (a key of feature_extractors)."""

    def pairing(self, settings: Settings) -> str | None:
        """Name the pairing whose texts it is trained with (a key of pairings); mostly None.

        Only training sees them: what is saved classifies images alone.
        """

    def build_settings(self, settings: Settings, config: Settings, dataset: Settings) -> Settings:
        """Return what the family's ``build`` gets.

        ``dataset`` holds ``squaring``, ``class_names`` (display names by label) and
        ``class_prompts`` (whole prompts of those classes that have any, by label), ``several``
        (whether any number of classes can be true of a pair), and ``bank``, the one that its
        pairing chooses from there, or None.
        """

    def text_reader(self, settings: Settings, config: Settings) -> Settings | None:
        """Return what decides how it reads texts; None for a system that reads none.

        ``tokeniser`` is one that :mod:`pairdx.models.texts` counts by (open_clip, words), or None;
        ``settings`` what it takes of them; ``weights`` its pretrained weights, or None;
        ``tokeniser_in_folder`` whether the tokeniser lies in their folder; ``vocabulary`` whether
        words are those that have vectors.
        """

    def problems(
        self, key: str, entry: Settings, config: Settings, image_sizes: ImageSizes
    ) -> Iterator[str]:
        """Say what no schema can about an entry: sentences that begin with ``config key``.

        ``key`` is where it stands, such as systems.clip_zero_shot; ``image_sizes`` are the sides
        of the images that it is given.
        """


class Reader(Protocol):
    """What turns one raw layout into candidates: corpus/<reader>/description.py.

    ``source`` is a dataset's section of that name, ``config`` the whole configuration. Paths may
    begin with ``<resources>``.

    Attributes:
        TEXTS: What datasheet and Croissant say of such data, by name: source, labels,
            caption_labels, licences, patients, citation, classes (why they are not for diagnosis),
            persons (what is told of them), and, where that is known, frequencies (whom they do not
            stand for). A dataset may say otherwise (`texts`).
        DRAWN: The data are synthetic, and notes say so.
        SCREENED: Nobody has filtered them before: the funnel begins with all there is.
        ARTICLES: Its column article_id names publications, with which pictures are shown.
        PUBLISHED_SPLIT: They come with a split, ``published``.
        SEVERAL: Any number of classes can be true of an image: candidates have ``findings``.
        PATHS: Keys of ``source`` that are paths on this machine; null downloads, where it may be.
        TO_ASK_FOR: Where to get data that nobody downloads here, in a clause; "" for others.

    Some have more: see :func:`findings_of` and :func:`paths_of`.
    """

    TEXTS: Mapping[str, str]
    DRAWN: bool
    SCREENED: bool
    ARTICLES: bool
    PUBLISHED_SPLIT: bool
    SEVERAL: bool
    PATHS: tuple[str, ...]
    TO_ASK_FOR: str

    def lacks(self, source: Settings) -> Mapping[str, str]:
        """Say what such data do not tell, each with the reason, as in "its table names no column".

        Of ``captions``, ``ages``, ``modalities``, ``licences``, ``groups`` (what belongs together,
        such as a patient), ``subsets`` (of a split, if PUBLISHED_SPLIT), ``caption_labels`` (labels
        derived from captions), ``labels`` and ``sexes``. Systems that need it are left out, and
        screens that do say so.
        """

    def archives(self, source: Settings) -> list[str]:
        """Name what holds the images; each is inspected by a job of its own."""

    def store(self, source: Settings, config: Settings, archive: str) -> str:
        """Say where one of these lies, or will lie once it is fetched."""

    def tables(self, source: Settings, config: Settings) -> dict[str, str]:
        """Return the files that are read for candidates, by the names that ``read`` takes."""

    def unpacked(self, source: Settings, config: Settings) -> dict[str, str]:
        """Return the gzipped files of which a file is made first, by where that will lie."""

    def settings(self, source: Settings) -> Settings:
        """Return what of ``source`` decides how these are read: not where they lie."""

    def record(self, source: Settings, config: Settings) -> str | None:
        """Name the record that is downloaded; None for files on disk or drawn ones."""

    def from_outside(self, name: str, source: Settings, config: Settings) -> dict[str, list[str]]:
        """List the files that are not made here, by the config key that says where they are."""

    def problems(self, key: str, source: Settings) -> Iterator[str]:
        """Say what no schema can about ``source``: sentences that begin with ``config key``."""


def families() -> dict[str, Family]:
    """Import the descriptions of all families, by name."""
    return {name: cast(Family, found) for name, found in _descriptions("models").items()}


def readers() -> dict[str, Reader]:
    """Import the descriptions of all readers, by name."""
    return {name: cast(Reader, found) for name, found in _descriptions("corpus").items()}


def analyses_of(task: str) -> tuple[str, ...]:
    """Name the analyses that apply to a task: pairdx/tasks/<task>/analyses.py."""
    found: tuple[str, ...] = importlib.import_module(f"pairdx.tasks.{task}.analyses").ANALYSES
    return found


def has_several(task: str) -> bool:
    """Say whether any number of a task's classes can be true of a pair, likewise."""
    found: bool = importlib.import_module(f"pairdx.tasks.{task}.analyses").SEVERAL
    return found


def metrics_of(task: str) -> tuple[str, ...]:
    """Name the metrics of a task, in the order of its tables: pairdx/tasks/<task>/analyses.py."""
    found: tuple[str, ...] = importlib.import_module(f"pairdx.tasks.{task}.analyses").METRICS
    return found


def findings_of(reader: Reader) -> tuple[str, ...]:
    """Name all findings that a reader's data can state, in its ``FINDINGS``; none where any may."""
    found: tuple[str, ...] = getattr(reader, "FINDINGS", ())
    return found


def paths_of(reader: Reader) -> tuple[str, ...]:
    """Name its ``PATHS``, and its ``FURTHER_PATHS``: of files that may lie in those as well."""
    further: tuple[str, ...] = getattr(reader, "FURTHER_PATHS", ())
    return (*reader.PATHS, *further)


def schema_file(room: str, name: str) -> Path:
    """Say where the schema of a family's settings, or a reader's source, is: by its room."""
    kind = {"models": "settings", "corpus": "source"}[room]
    return SCRIPTS / "pairdx" / room / name / f"{kind}.schema.yaml"


@cache
def _descriptions(room: str) -> dict[str, Any]:
    files = sorted((SCRIPTS / "pairdx" / room).glob("*/description.py"))
    names = [path.parent.name for path in files]
    return {name: importlib.import_module(f"pairdx.{room}.{name}.description") for name in names}
