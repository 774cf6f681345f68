"""What the check of a dataset's documents is told of the configuration: slices, never all of it."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from pairdx.plan import curation
from pairdx.plan.cells import OfWildcards, Wildcards
from pairdx.plan.datasets import Dataset
from pairdx.plan.declared import ITEMS
from pairdx.plan.descriptions import families
from pairdx.plan.measured import measured_wildcards
from pairdx.plan.outputs import RULE_WILDCARDS, outputs
from pairdx.plan.world import PlansWorld

# Rules whose jobs take longer the more pairs there are. The others read a bounded number (timing,
# input probes, pairs out of distribution).
GROWING = frozenset(
    {
        *("ingest_tables", "inspect_archive", "curate_pairs", "make_split", "pack_images"),
        *("build_word_vectors", "extract_features_on_gpu", "extract_features_on_cpu"),
        *("pair_texts", "train_text_classifier"),
        *("train_on_gpu", "train_on_cpu", "predict", "predict_untrained", "predict_elsewhere"),
    }
)
ON_GPU = frozenset({"train_on_gpu", "extract_features_on_gpu", "encode_text_bank_on_gpu"})
# What of a registry entry decides how long its jobs take.
OF_SYSTEM = ("family", "settings", "stand_in")


def facts_of_check(world: PlansWorld) -> OfWildcards:
    """Return what tells the check of the wildcards' dataset what is planned for it.

    That is, ``title`` and ``drawn``; ``classes`` (display names by label), ``class_words``,
    ``out_of_distribution``; ``lacks``; ``min_age``, ``unknown_age``; ``grouped_by`` (what columns
    of the pairs tell what belongs together, and how these are called); ``splits``; ``systems`` that
    run (``title``, ``trained``, ``stand_in``, ``reads``, ``device``, ``seeds``: how many), those
    ``left_out`` with the reason, the number that is ``not_enabled``; ``tested_on`` (by dataset:
    ``title``, classes that match, those of each that do not; of several labels per pair the number
    of ``findings`` that are asked about); ``asked_by`` (titles of the datasets
    whose systems are asked about this one); ``pairings`` that systems learn from (``bank``, its
    ``file`` or None, ``encoder``, ``choose``, ``rank``, ``systems``: how many); ``sizes`` of
    packed images in pixels; ``jobs`` (see :func:`jobs_of`), and how many more describe
    (``describing``).
    """
    plan = world.plan

    def facts(wildcards: Wildcards) -> dict[str, Any]:
        dataset = plan.dataset(wildcards)
        return {
            "title": dataset.entry["title"],
            "drawn": dataset.reader.DRAWN,
            "classes": dataset.strata,
            **({"several": True} if dataset.several else {}),
            "class_words": dict(dataset.key("class_words")),
            "out_of_distribution": list(dataset.key("out_of_distribution")),
            "lacks": dict(dataset.lacks),
            "min_age": _curation(dataset)["min_age"],
            "unknown_age": _curation(dataset)["unknown_age"],
            "grouped_by": dataset.grouped_by,
            "splits": dataset.splits,
            "systems": _systems(world, dataset),
            "pairings": _pairings(world, wildcards),
            "left_out": plan.left_out(dataset.name),
            "not_enabled": sum(not one["enabled"] for one in plan.config["systems"].values()),
            "tested_on": {
                name: _matching(world, dataset, name)
                for name in plan.tested_on.others(dataset.name)
            },
            "asked_by": [world.title_of_dataset(one) for one in plan.tested_on.by(dataset.name)],
            "sizes": plan.files.sizes(dataset),
            "jobs": jobs_of(world, dataset),
            "describing": _describing(world, dataset.name),
        }

    return facts


def _curation(dataset: Dataset) -> Mapping[str, Any]:
    return curation.settings(dataset.entry["curation"])


def _matching(world: PlansWorld, dataset: Dataset, name: str) -> dict[str, Any]:
    """Say which classes of a dataset, and of another that its systems are asked about, match."""
    same, there = world.plan.tested_on.matched(dataset.name, name), world.plan.datasets[name]
    meant = set(same.values())
    if there.several:
        return {"title": world.title_of_dataset(name), "findings": len(there.labels)}
    return {
        "title": world.title_of_dataset(name),
        "matched": len(same),
        "here": [shown for label, shown in dataset.class_names.items() if label not in same],
        "there": [shown for label, shown in there.class_names.items() if label not in meant],
    }


def _systems(world: PlansWorld, dataset: Dataset) -> dict[str, dict[str, Any]]:
    return {
        one.name: {
            **{key: one.entry[key] for key in ("title", "trained", "stand_in")},
            "reads": one.reads,
            "device": one.device,
            "seeds": len(one.seeds),
        }
        for one in world.plan.systems_of(dataset.name)
    }


def _pairings(world: PlansWorld, wildcards: Wildcards) -> dict[str, dict[str, Any]]:
    privileged = world.plan.privileged
    learning = Counter(one.pairing for one in privileged.taught(wildcards.dataset))
    return {
        name: {
            **shown,
            "file": privileged.banks[shown["bank"]].get("path"),
            "systems": learning[name],
        }
        for name, shown in privileged.shown_pairings(wildcards).items()
    }


def jobs_of(world: PlansWorld, dataset: Dataset) -> list[dict[str, Any]]:
    """List the measured jobs of one dataset, those that are alike together.

    Returns:
        ``rule``; ``about``, the system or encoder, empty for none; ``made_as`` (:func:`made_as`);
        ``grows`` with the number of pairs; ``gpus``; ``wildcards`` of each job.
    """
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for rule, each in measured_wildcards(world.plan).items():
        for names in each:
            if names.get("dataset") != dataset.name:
                continue
            about = names.get("system") or names.get("encoder") or ""
            group: dict[str, Any] = {
                "rule": rule,
                "about": about,
                "made_as": made_as(world.plan.config, names),
                "grows": rule in GROWING,
                "gpus": _gpus(world, rule, names),
                "wildcards": [],
            }
            found.setdefault((rule, about), group)["wildcards"].append(dict(names))
    return list(found.values())


def _gpus(world: PlansWorld, rule: str, names: Mapping[str, Any]) -> int:
    if rule not in ON_GPU:
        return 0
    return world.plan.systems[names["system"]].gpus if "system" in names else 1


def made_as(config: Mapping[str, Any], names: Mapping[str, Any]) -> str:
    """Return what two jobs share that take equally long for equally many pairs: twenty digits.

    Of a system: its family and settings, the side of its images, and where it is trained. Of a
    frozen encoder: its entry, and the device. Nothing of other jobs.

    Args:
        config: A completed configuration, of this run or an earlier one.
        names: The job's wildcards.

    Raises:
        KeyError: The configuration has no such system, encoder or dataset.
    """
    if "system" in names:
        entry = config["systems"][names["system"]]
        packing = config["datasets"][names["dataset"]]["packing"]
        network = families()[entry["family"]].NETWORK
        parts: list[Any] = [
            [entry[key] for key in OF_SYSTEM],
            entry.get("image_size") or packing["image_size"],
            config["device"] if network else "cpu",
        ]
    elif "encoder" in names:
        parts = [config["feature_extractors"][names["encoder"]], config["device"]]
    else:
        return ""
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def _describing(world: PlansWorld, dataset: str) -> int:
    """Count the jobs that make tables, figures and pages of one dataset."""
    numbers = {"split": len(world.splits_of(dataset)), "system": len(world.systems_of(dataset))}
    total = 0
    for rule in dict.fromkeys(item.rule for item in ITEMS):
        names = RULE_WILDCARDS.get(rule, ())
        if "dataset" in names and outputs(world, rule, dataset):
            jobs = 1
            for name in names:
                jobs *= numbers.get(name, 1)
            total += jobs
    return total
