"""Every table and figure, declared once.

From a declaration follow the outputs of the rule that makes it (:mod:`pairdx.plan.outputs`), its
place in the report, its part in `all`, and why a configuration leaves it out. Within a subcategory
of the report the order here is the reading order: Snakemake sorts by text, hence the numbers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from pairdx.plan.cells import COMPARED_SPLITS, WITHOUT_SIBLINGS

# What some systems have and others have not, or are asked and others are not.
Asked = Literal["curves", "explanations", "input_probes", "leakage_price", "prompts", "texts"]
Kind = Literal["table", "figure", "page"]
# Analyses that the plan asks for by name: the comparison of all systems by their accuracy, and
# those of tasks with several labels per pair.
COMPARISON = "comparison"
FINDINGS, FINDINGS_COMPARISON = "findings", "findings_comparison"
# Reasons that the plan gives, too, where such a thing is asked for.
NO_PAPER = "there is no paper to compare with: config key paper is null"
NO_SPLIT_TO_PRICE = f"the price of leakage needs the split {WITHOUT_SIBLINGS}"
NOTHING_PRICED = (
    "nothing is priced: config key leakage_price.systems names no enabled system that is trained"
)
NOTHING_PROBED = (
    "no input is changed: config key input_probes names no enabled system that reads anything, or "
    "no split of"
)
NO_GRIDS = (
    "there is no table by backbone and way of adapting: config key grids names none of which a "
    "system runs besides the baseline"
)
NOTHING_SEARCHED = "there is nothing to search: config key learning_rate_search is null"


@dataclass(frozen=True)
class Search:
    """What the learning-rate search is about: one system on one split of one dataset."""

    dataset: str
    split: str
    system: str


class World(Protocol):
    """What tables and figures ask of a configuration."""

    @property
    def datasets(self) -> Sequence[str]:
        """Names of those that run, in table order."""

    @property
    def search(self) -> Search | None:
        """The learning-rate search; None where there is none."""

    @property
    def paper(self) -> str | None:
        """Name of the paper's file (the key ``paper``), or None."""

    @property
    def paper_dataset(self) -> str | None:
        """The dataset that stands beside the paper: the first of its file's that is compared.

        None where none of them runs with a task that has the comparison, or there is no paper.
        """

    def title_of_dataset(self, dataset: str) -> str:
        """Return how a dataset is called in tables and figures."""

    def title_of_system(self, system: str) -> str:
        """Return how a system is called in tables and figures."""

    def splits_of(self, dataset: str) -> Sequence[str]:
        """Name the splits of a dataset, in its order."""

    def systems_of(self, dataset: str, asked: Asked | None = None) -> Sequence[str]:
        """Name the enabled systems that run on a dataset, or those of them that are ``asked``.

        ``input_probes`` are none where no split of the dataset is probed; ``leakage_price`` are the
        chosen ones, whether or not the dataset has the splits that it takes.
        """

    def analyses_of(self, dataset: str) -> Sequence[str]:
        """Name the analyses that apply to a dataset's task: keys of items about its systems."""

    def lacks(self, dataset: str) -> Mapping[str, str]:
        """Say what a dataset's data do not tell, each with the reason (``Reader.lacks``)."""

    def asks_out_of_distribution(self, dataset: str) -> bool:
        """Say whether systems are asked about pairs of classes that none was trained on."""

    @property
    def competition(self) -> str | None:
        """Why there is no table of a competition; None where there is one."""

    @property
    def asks_elsewhere(self) -> bool:
        """Whether any system is asked about another dataset than its own, class by class."""

    @property
    def grids(self) -> Mapping[str, str]:
        """The titles of tables by backbone and way of adapting, by name."""

    def pairings_of(self, dataset: str) -> Sequence[str]:
        """Name the pairings whose texts systems on a dataset are trained with."""

    def image_only_of(self, dataset: str) -> Sequence[str]:
        """Name the trained systems on a dataset that read images alone and learn from no text."""

    def priced_of(self, dataset: str) -> Sequence[str]:
        """Name what the cost of classifying one image is compared of."""

    def paper_label(self, kind: Kind, key: str, dataset: str | None) -> str | None:
        """Say which item of the paper (``Table 8``) this one is; None where it is none.

        Items about one system are not asked for: their labels are the same on every split.
        """


# Why a dataset (None: all of them together) has nothing for an item; None where it has.
Reason = Callable[[World, str | None], str | None]


@dataclass(frozen=True)
class Item:
    """A table or figure.

    Attributes:
        kind: A page is text and tables, of one dataset.
        stem: File name without its end, with {dataset}, {split}, {system} or {grid} where it has
            them.
        rule: The rule that makes it.
        label: How the report calls it; empty: by its system.
        caption: Its file in workflow/report, without its end; empty: called after the item.
        when: Why it is left out, if it is.
        systems: Of the systems that it is made for, one by one; None: of all.
        asked: Made on request only.
        analysis: Of those of a task (:mod:`pairdx.tasks`), the one that it is part of; None: it is
            made for every task.
        folder: Of a page, the dataset's folder that it is written into.
        category: The report's category.
        subcategory: None, or SYSTEM: the title of the system.
    """

    kind: Kind
    stem: str
    rule: str
    label: str
    caption: str = ""
    when: Reason | None = None
    systems: Asked | None = None
    asked: bool = False
    analysis: str | None = None
    folder: str = "archive"
    category: str = ""
    subcategory: str | None = None

    @property
    def key(self) -> str:
        """Its name without wildcards, which a table and a figure may share."""
        return re.sub(r"_?\{\w+\}", "", self.stem)

    @property
    def wildcards(self) -> tuple[str, ...]:
        """What its file name depends on: of dataset, split and system."""
        return tuple(re.findall(r"\{(\w+)\}", self.stem))

    @property
    def caption_file(self) -> str:
        """Its caption's file in workflow/report."""
        return f"{self.caption or self.key}.rst"


def no_system_runs(dataset: str) -> str:
    """Say why what is about systems is left out of a dataset that others' are asked about alone."""
    return (
        f"no system runs on the dataset {dataset}: those of others are asked about it (datasets' "
        "key tested_on)"
    )


def no_dataset_for(analysis: str) -> str:
    """Say why what is about all datasets of a task is left out where none of them runs."""
    return (
        f"{analysis} applies to the task of no dataset that runs with a system: config key "
        "datasets.NAME.task"
    )


# ------------------------------------------------------------ what only some configurations have
def splits_are_compared(world: World, dataset: str | None) -> str | None:
    """Say why the effect of the split is left out."""
    if dataset is None or set(COMPARED_SPLITS) <= set(world.splits_of(dataset)):
        return None
    return (
        f"this compares the splits {' and '.join(COMPARED_SPLITS)}; config key "
        f"datasets.{dataset}.splits lacks one"
    )


def leakage_is_priced(world: World, dataset: str | None) -> str | None:
    """Say why the price of leakage is left out."""
    if dataset is None:
        return None
    if WITHOUT_SIBLINGS not in world.splits_of(dataset):
        return f"{NO_SPLIT_TO_PRICE}; add it to config key datasets.{dataset}.splits"
    if not world.systems_of(dataset, "leakage_price"):
        return NOTHING_PRICED
    return None


def prompts_are_varied(world: World, dataset: str | None) -> str | None:
    """Say why accuracy by prompt is left out."""
    if dataset is None or world.systems_of(dataset, "prompts"):
        return None
    return (
        "no prompts are varied: config key prompt_sensitivity.templates is empty, or no zero-shot "
        "system that classifies by prompts is enabled"
    )


def finding_prompts_are_varied(world: World, dataset: str | None) -> str | None:
    """Say why findings by prompts are left out."""
    if reason := findings_are_known(world, dataset):
        return reason
    if dataset is None or world.systems_of(dataset, "prompts"):
        return None
    return (
        "no prompts of findings are varied: no system that classifies by prompts is asked, or all "
        "are trained and config key prompt_sensitivity.trained is false"
    )


def inputs_are_probed(world: World, dataset: str | None) -> str | None:
    """Say why accuracy under changed input is left out."""
    if dataset is None or world.systems_of(dataset, "input_probes"):
        return None
    return f"{NOTHING_PROBED} datasets.{dataset}.splits"


def texts_are_probed(world: World, dataset: str | None) -> str | None:
    """Say why accuracy without captions is left out."""
    return inputs_are_probed(world, dataset) or captions_are_there(world, dataset)


def texts_are_read(world: World, dataset: str | None) -> str | None:
    """Say why the table of texts is left out."""
    if reason := captions_are_there(world, dataset):
        return reason
    if dataset is None or world.systems_of(dataset, "texts"):
        return None
    return "nobody reads texts: config key systems enables no system that reads captions or prompts"


def others_are_asked_about(world: World, dataset: str | None) -> str | None:
    """Say why detection of other classes is left out."""
    if dataset is None or world.asks_out_of_distribution(dataset):
        return None
    return (
        f"no system is asked about other classes: config key datasets.{dataset}.out_of_distribution"
        " names none, or evaluation.out_of_distribution_pairs is 0"
    )


def others_are_tested_on(world: World, _: str | None) -> str | None:
    """Say why nothing is tested on another dataset."""
    if world.asks_elsewhere:
        return None
    return (
        "no system is asked about another dataset: no config key datasets.NAME.tested_on names one "
        "that a system can be asked about"
    )


def findings_are_stated(world: World, dataset: str | None) -> str | None:
    """Say why findings are not counted: every pair has one label, which other tables count."""
    if dataset is None or "findings" in world.analyses_of(dataset):
        return None
    return f"config key datasets.{dataset}.task: every pair has one label"


def captions_are_there(world: World, dataset: str | None) -> str | None:
    """Say why what is about captions is left out."""
    return _lacking(world, dataset, "captions")


def findings_are_known(world: World, dataset: str | None) -> str | None:
    """Say why what needs to know any finding is left out."""
    return _lacking(world, dataset, "labels")


def ages_are_known(world: World, dataset: str | None) -> str | None:
    """Say why ages are left out."""
    return _lacking(world, dataset, "ages")


def _lacking(world: World, dataset: str | None, what: str) -> str | None:
    reason = world.lacks(dataset).get(what) if dataset is not None else None
    return f"the dataset {dataset} has no {what}: {reason}" if reason else None


def texts_are_paired(world: World, dataset: str | None) -> str | None:
    """Say why what is about pairings is left out."""
    if dataset is None or world.pairings_of(dataset):
        return None
    return (
        "no system learns from paired texts: config key systems enables none with a pairing that "
        f"runs on the dataset {dataset}"
    )


def texts_meet_images(world: World, dataset: str | None) -> str | None:
    """Say why nobody compares what texts tell with what images tell."""
    if dataset is None or (reason := texts_are_paired(world, dataset)):
        return reason if dataset else None
    if world.image_only_of(dataset):
        return None
    return (
        "no system tells what images alone do: config key systems enables none that reads images "
        f"alone and is trained without texts on the dataset {dataset}"
    )


def inference_is_priced(world: World, dataset: str | None) -> str | None:
    """Say why the cost of classifying one image is left out."""
    if dataset is None or world.priced_of(dataset):
        return None
    return (
        "nothing is priced: no table of config key grids has an enabled network that reads images "
        f"alone on the dataset {dataset}, and none learns from paired texts there"
    )


def competition_is_stated(world: World, _: str | None) -> str | None:
    """Say why there is no table of a competition."""
    return world.competition


def grids_are_stated(world: World, _: str | None) -> str | None:
    """Say why there is no table by backbone."""
    return None if world.grids else NO_GRIDS


def two_systems_run(world: World, dataset: str | None) -> str | None:
    """Say why disagreements are left out."""
    if dataset is None or len(world.systems_of(dataset)) > 1:
        return None
    return "two systems are compared here; config key systems enables one only"


def paper_is_reproduced(world: World, _: str | None) -> str | None:
    """Say why the paper's numbers are left out."""
    if world.paper_dataset is not None:
        return None
    if world.paper is None:
        return NO_PAPER
    return (
        f"config key paper: config/papers/{world.paper}.yaml is about none of the datasets that run"
        " and are compared by accuracy"
    )


def something_is_searched(world: World, _: str | None) -> str | None:
    """Say why there is no learning-rate search."""
    if world.search is not None:
        return None
    return NOTHING_SEARCHED
