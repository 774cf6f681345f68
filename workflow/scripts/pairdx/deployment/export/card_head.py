"""The head of a model card: YAML with the fields that Hugging Face reads.

Fields: huggingface_hub's ModelCardData. Not among them is ``datasets``: it names data sets of the
hub, and a name of this run could be that of somebody else's there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

# What the hub calls a metric, where it knows one.
HUB_METRICS = {
    "macro_f1": "f1",
    "weighted_f1": "f1",
    "macro_auroc": "roc_auc",
    "macro_mcc": "matthews_correlation",
    "macro_average_precision": "average_precision",
}


def card_head(
    deployment: Mapping[str, Any],
    told: Mapping[str, Any],
    metrics: Mapping[str, Any],
    titles: Mapping[str, str],
) -> str:
    """Write the head, between its two lines of three hyphens.

    Args:
        deployment: deployment.json.
        told: ``language``, and ``drawn``, as :meth:`pairdx.plan.facts.Facts.card` has them.
        metrics: The content of metrics.json, of the probabilities that the folder answers with.
        titles: Titles of the metrics that are listed, by name.
    """
    reads_images = "image" in deployment["reads"]
    task = "image-classification" if reads_images else "text-classification"
    stand_in = ["stand-in"] if deployment["stand_in"] or told["drawn"] else []
    found = {
        "hub": [HUB_METRICS.get(name, name) for name in titles],
        "results": _results(deployment, metrics, titles, task),
    }
    language = {"language": [told["language"]]} if told["language"] else {}
    head = {
        **language,
        # What is known of it stands in the text.
        "license": "other",
        "license_name": "unknown",
        "library_name": "onnx",
        "pipeline_tag": task,
        "tags": ["onnx", deployment["family"], *stand_in],
        "metrics": list(dict.fromkeys(found["hub"])),
        "model-index": [
            {"name": in_one_line(deployment["title"]), "results": [found["results"]]},
        ],
    }
    # As wide as it comes: a folded line could begin with hyphens.
    text = yaml.safe_dump(head, sort_keys=False, allow_unicode=True, width=float("inf"))
    return f"---\n{text}---\n"


def _results(
    deployment: Mapping[str, Any],
    metrics: Mapping[str, Any],
    titles: Mapping[str, str],
    task: str,
) -> dict[str, Any]:
    shown = []
    for name, title in titles.items():
        value = metrics[name]["value"]
        if value is not None:
            hub = HUB_METRICS.get(name, name)
            shown.append({"type": hub, "value": round(value, 4), "name": title})
    return {
        "task": {"type": task},
        "dataset": {
            "type": in_one_line(deployment["dataset"]),
            "name": in_one_line(deployment["dataset_title"]),
            "config": in_one_line(deployment["split"]),
            "split": "test",
        },
        "metrics": shown,
    }


def in_one_line(text: str) -> str:
    """Return a text without line breaks and other characters that do not print."""
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())
