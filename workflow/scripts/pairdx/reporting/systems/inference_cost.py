"""What classifying one image costs, with and without privileged texts, beside the paper's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from pairdx.reporting.format.labels import encoder_title, system_title, systems_note
from pairdx.reporting.format.markdown import MINUS, significant
from pairdx.reporting.paper.stated import conditions

TITLE = "Cost of classifying one image, with and without privileged texts"
# What the paper's file calls the ways, below `across.cost`.
IN_PAPER = {"unimodal": "unimodal", "taught": "clip_it", "both_towers": "conch"}
Registry = Mapping[str, Mapping[str, Any]]
Described = Sequence[Mapping[str, Any]]


def inference_table(
    found: Mapping[str, Any], described: Described, paper: Mapping[str, Any]
) -> pd.DataFrame:
    """Build tables/inference_cost_{dataset}.csv: one row for each that was asked.

    Args:
        found: What :func:`pairdx.evaluation.inference_cost.price` returned.
        described: name, way (``unimodal``, ``taught`` or ``both_towers``) and against of each.
        paper: The content of the paper's file; empty where there is none. Its ``across.cost`` may
            have by way ``gflops`` or ``further_gflops`` (multiply-adds) and ``milliseconds``.

    Returns:
        system, way, parameters, gflops (a multiply-add is two operations), gmacs (it is one),
        added_gmacs (more than the one that it is compared with), milliseconds (median),
        compared_with, ratio, ratio_low and ratio_high; where the paper states any, also
        paper_gmacs, paper_added_gmacs, paper_milliseconds and paper_ratio.
    """
    stated = paper.get("across", {}).get("cost", {})
    systems = found["systems"]
    rows = []
    for one in described:
        own, against = systems[one["name"]], one["against"]
        flops = own["flops"]
        added = None if against is None else (flops - systems[against]["flops"]) / 2e9
        rows.append(
            {
                "system": one["name"],
                "way": one["way"],
                "parameters": own["parameters"],
                "gflops": flops / 1e9,
                "gmacs": flops / 2e9,
                "added_gmacs": added,
                "milliseconds": 1e3 * float(np.median(own["seconds"])),
                "compared_with": against,
                **{name: own[name] for name in ("ratio", "ratio_low", "ratio_high")},
                **_of_paper(stated, one["way"]),
            }
        )
    numbers = ("added_gmacs", "ratio", "ratio_low", "ratio_high")
    return pd.DataFrame(rows).astype(dict.fromkeys(numbers, "float64"))


def _of_paper(stated: Mapping[str, Any], way: str) -> dict[str, float | None]:
    if IN_PAPER["unimodal"] not in stated:
        return {}
    own = {name: one["value"] for name, one in stated.get(IN_PAPER[way], {}).items()}
    time, plain = own.get("milliseconds"), stated[IN_PAPER["unimodal"]]["milliseconds"]["value"]
    return {
        "paper_gmacs": own.get("gflops"),
        "paper_added_gmacs": own.get("further_gflops"),
        "paper_milliseconds": time,
        "paper_ratio": time / plain if time is not None and way != "unimodal" else None,
    }


def inference_for_reading(
    table: pd.DataFrame, described: Described, registry: Registry
) -> pd.DataFrame:
    """Write the numbers as text, with the titles of systems.

    Args:
        table: What :func:`inference_table` returned.
        described: As there; of whole models also ``encoder`` and ``random_weights``.
        registry: title, trained and stand_in of every system.
    """
    titles = {
        one["name"]: f"{encoder_title(one)}, both towers"
        if "encoder" in one
        else system_title(one["name"], registry)
        for one in described
    }
    shown = pd.DataFrame(
        {
            "System": [titles[name] for name in table["system"]],
            "Parameters": table["parameters"],
            "GFLOPs, a multiply-add as two": [significant(one, 4) for one in table["gflops"]],
            "GFLOPs, a multiply-add as one": [significant(one, 4) for one in table["gmacs"]],
            "Milliseconds per image": [significant(one, 4) for one in table["milliseconds"]],
            "Compared with": [titles.get(name, "") for name in table["compared_with"]],
            "Difference to it, GFLOPs, a multiply-add as one": [
                "" if pd.isna(added) else _signed(added) for added in table["added_gmacs"]
            ],
            "Ratio of times (95 % interval)": [
                "" if pd.isna(ratio) else f"{ratio:.2f} ({low:.2f} to {high:.2f})"
                for ratio, low, high in table[["ratio", "ratio_low", "ratio_high"]].to_numpy()
            ],
        }
    )
    for name, heading in (
        ("paper_gmacs", "Paper: GFLOPs, a multiply-add as one"),
        ("paper_added_gmacs", "Paper: difference to unimodal, GFLOPs"),
        ("paper_milliseconds", "Paper: milliseconds"),
        ("paper_ratio", "Paper: ratio of times"),
    ):
        if name in table:
            shown[heading] = _texts(table, name, "{:.4g}")
    return shown


def _signed(gmacs: float) -> str:
    """Write a difference with its sign, so that the smallest can be told from none."""
    sign = "+" if gmacs > 0 else MINUS if gmacs < 0 else ""
    return f"{sign}{significant(abs(gmacs), 3)}"


def _texts(table: pd.DataFrame, name: str, pattern: str) -> list[str]:
    return ["" if pd.isna(value) else pattern.format(value) for value in table[name]]


def inference_notes(
    found: Mapping[str, Any],
    table: pd.DataFrame,
    described: Described,
    registry: Registry,
    paper: Mapping[str, Any],
) -> list[str]:
    """State the conditions of the table's numbers.

    Args:
        found: What :func:`pairdx.evaluation.inference_cost.price` returned.
        table: What :func:`inference_table` returned.
        described: As there; of whole models also ``encoder`` and ``random_weights``.
        registry: title, trained and stand_in of every system.
        paper: The content of the paper's file, or nothing.
    """
    demo = systems_note(registry.values())
    notes = [
        *([demo] if demo else []),
        *_random_encoders(described),
        "GFLOPs: thousands of millions of floating-point operations of matrix products and "
        "convolutions for one image, as PyTorch's counter sees them: a multiplication and the "
        "addition of its product are two. fvcore and the CLIP-IT paper count them as one: so do "
        "the column beside it and the difference to the system that is compared with.",
        "Milliseconds: median of one image at a time, from its square of pixels to probabilities "
        "(decoding and resizing not included). Of a backbone all were asked in turn, in an order "
        f"drawn anew in each of {found['rounds']} rounds after {found['warm_up']} that are not "
        f"counted; CPU: {found['cpu_model']}, threads: {found['threads']}.",
        "Ratio: of the medians; interval: 95 %, from resampled rounds of both. It is about this "
        "machine in this run, not about others.",
        "Systems that differ only in how they were trained are the same network when they "
        "classify, and cost the same: only the first of them has a row.",
        "Both towers: one image and one text of the encoder's full context are encoded and "
        "compared.",
    ]
    if "paper_gmacs" in table:
        notes.append(
            f"{conditions(paper, 'cost').strip()} Of its times only ratios compare with ours."
        )
    return notes


def _random_encoders(described: Described) -> list[str]:
    names = [one["encoder"] for one in described if one.get("random_weights")]
    if not names:
        return []
    return [
        f"Random weights: {', '.join(names)} (weights: null in feature_extractors). The cost is "
        "that of the architecture that the configuration states, whatever the name says."
    ]
