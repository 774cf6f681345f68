"""Real histology from files to a table: 150 images, 152 reports, weights that can be had.

    python tests/real_histology.py DATA WEIGHTS FOLDER
    snakemake --profile profiles/local --configfile FOLDER/real_histology.yaml -- TABLE

TABLE is results/real_histology/tables/grid_organs.csv. DATA holds facts.csv, images and
reports.csv, itself or in a folder real_histology; WEIGHTS is described in real_weights.py. Written
into FOLDER, again if it is there: a table for each of two datasets (breast: benign or malignant,
grouped by patient; colon: eight tissues), the weights in forms that the project reads, and the
configuration.

It shows that the code runs on real files, and nothing about the method: images are far too few, the
backbone has seen no histology, and the encoder that pairs is two halves that were never aligned, so
that the texts it chooses are chosen by chance.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

import real_weights

NAME = "real_histology"
PARTS = ("facts.csv", "images", "reports.csv")
SIDE = 64
BREAST, COLON = "breast", "colon"
MALIGNANCY = {"0": "benign", "1": "malignant"}
TISSUES = {
    "tumour_epithelium": "tumour epithelium",
    "simple_stroma": "simple stroma",
    "complex_stroma": "complex stroma",
    "immune_cells": "immune cell conglomerates",
    "debris_and_mucus": "debris and mucus",
    "mucosal_glands": "mucosal glands",
    "adipose_tissue": "adipose tissue",
    "background": "background",
}
TRAINING = {
    **{"epochs": 1, "batch_size": 16, "optimiser": "adam", "learning_rate": 0.001},
    **{"weight_decay": 0.0001, "weight_decay_on": "all", "schedule": "constant"},
    **{"max_grad_norm": 0.5, "augmentation": None, "precision": "float32"},
    **{"channels_last": False, "compile": False, "early_stopping_patience": None},
    **{"keep_epoch": "last", "gpus": 1},
}
UNIMODAL: dict[str, Any] = {
    "backbone": {
        **{"library": "timm", "name": real_weights.BACKBONE, "weights": "lite0"},
        "arguments": {"pretrained_cfg_overlay": {"mean": [0.5] * 3, "std": [0.5] * 3}},
    },
    "trains": "adapters",
    "lora": {"rank": 4, "alpha": 8, "dropout": 0.0, "targets": ["conv_pw", "conv_pwl"]},
    **{"pairing": None, "text_branch": None, "fusion": "none", "resize_to": None},
    **{"distil_into": "text_branch", "distillation_weight": 1.0},
    "text_encoder": {"trains": "nothing", "lora": None, "detach": True},
    **{"word_dropout": 0.0, "softmax": "single", **TRAINING},
}
BRANCH = {"layers": 1, "hidden": 64, "negative_slope": 0.1, "dimension": real_weights.DIMENSION}


def data_in(folder: Path) -> Path:
    """Return where the data lie: the folder itself, or real_histology in it.

    Raises:
        FileNotFoundError: Neither has all parts; the text says what is missing where.
    """
    places = (folder, folder / NAME)
    lacking = [[part for part in PARTS if not (place / part).exists()] for place in places]
    for place, parts in zip(places, lacking, strict=True):
        if not parts:
            return place
    said = [f"{at} has no {', '.join(parts)}" for at, parts in zip(places, lacking, strict=True)]
    raise FileNotFoundError(f"DATA: {'; '.join(said)}")


def write_tables(data: Path, folder: Path) -> dict[str, Path]:
    """Write the table of each dataset."""
    facts = pd.read_csv(data / "facts.csv", dtype=str, keep_default_na=False)
    chosen = {
        BREAST: facts[facts["organ"] == "breast"],
        COLON: facts[facts["dataset"] == "kather2016"],
    }
    files = {name: folder / f"{name}.csv" for name in chosen}
    for name, table in chosen.items():
        table.to_csv(files[name], index=False, encoding="utf-8")
    return files


def datasets(data: Path, tables: dict[str, Path]) -> dict[str, Any]:
    """Return the section of datasets: those of the default are off."""
    shared: dict[str, Any] = {
        "enabled": True,
        "like": "documents",
        "packing": {"image_size": SIDE},
    }
    source = {"images": str(data / "images"), "columns": {"file": "file", "licence": "licence"}}
    of_breast = {
        **shared,
        "title": "Breast",
        "classes": {name: name for name in MALIGNANCY.values()},
        "source": {
            **{**source, "table": str(tables[BREAST]), "labels": MALIGNANCY},
            "columns": {**source["columns"], "label": "malignant", "group": ["patient_id"]},
        },
        "splits": ["grouped"],
    }
    of_colon = {
        **shared,
        "title": "Colon",
        "classes": TISSUES,
        "source": {
            **{**source, "table": str(tables[COLON])},
            "labels": {title: name for name, title in TISSUES.items()},
            "columns": {**source["columns"], "label": "label"},
        },
        "splits": ["stratified"],
    }
    return {"multicare": {"enabled": False}, BREAST: of_breast, COLON: of_colon}


def texts(data: Path) -> dict[str, Any]:
    """Return banks of each organ's reports, and pairings with the own and with the other organ."""
    bank = {
        **{"reader": "table", "path": str(data / "reports.csv"), "where": "real_histology"},
        **{"text": "text", "id": "report_id", "join": None, "cleaning": True},
    }
    organs = {BREAST: ["breast"], COLON: ["colon", "rectum"]}
    pairing = {
        **{"encoder": "halves", "choose": "nearest", "rank": 1, "keep": 5, "seed": 0},
        "classifier": {
            **{"hidden": 64, "negative_slope": 0.1, "epochs": 5, "batch_size": 16},
            **{"learning_rate": 0.001, "weight_decay": 0.0001},
        },
    }
    own, other = (
        {name: f"reports_of_{of}" for name, of in zip((BREAST, COLON), order, strict=True)}
        for order in ((BREAST, COLON), (COLON, BREAST))
    )
    return {
        "text_banks": {
            f"reports_of_{name}": {**bank, "keep": {"organ": organ}}
            for name, organ in organs.items()
        },
        "pairings": {
            "own_organ": {**pairing, "bank": own},
            "other_organ": {**pairing, "bank": other},
        },
    }


def systems(known: dict[str, Any]) -> dict[str, Any]:
    """Return the section of systems: those of the default are off."""
    entry = {
        **{"family": "clip_it", "enabled": True, "trained": True, "random": True},
        **{"stand_in": False, "paper": None},
    }
    taught = {**UNIMODAL, "text_branch": BRANCH, "fusion": "late"}
    return {
        **{name: {"enabled": False} for name in known},
        "unimodal": {**entry, "title": "EfficientNet-Lite0", "settings": UNIMODAL},
        "own_organ": {
            **{**entry, "title": "With reports of the organ"},
            "settings": {**taught, "pairing": "own_organ"},
        },
        "other_organ": {
            # On one dataset: each further system is a quarter of the minute that all may take.
            **{**entry, "title": "With reports of another organ", "datasets": [BREAST]},
            "settings": {**taught, "pairing": "other_organ"},
        },
    }


def configuration(data: Path, folder: Path, known: dict[str, Any]) -> dict[str, Any]:
    """Return the overlay.

    Args:
        data: The folder real_histology.
        folder: Where tables and weights are written.
        known: The systems of the default configuration.
    """
    weights = {
        "lite0": {"where": "write_backbone", "path": str(folder / "lite0.safetensors")},
        "halves": {
            **{"where": "write_halves", "path": str(folder / "halves")},
            "files": sorted(path.name for path in (folder / "halves").iterdir()),
        },
    }
    encoder = {"architecture": None, "quick_gelu": False, "weights": "halves"}
    return {
        **{"run": "real_histology", "paper": None, "seeds": [1], "device": "cpu"},
        "datasets": datasets(data, write_tables(data, folder)),
        "downloads": {"weights": weights},
        "feature_extractors": {"halves": {**encoder, "context_length": real_weights.CONTEXT}},
        **texts(data),
        "systems": systems(known),
        "grids": {
            "organs": {
                **{"title": "Reports of the own and of another organ", "baseline": "unimodal"},
                "metric": "balanced_accuracy",
                "columns": {
                    "unimodal": "Unimodal",
                    "own_organ": "Own organ",
                    "other_organ": "Other organ",
                },
                "rows": {
                    "lite0": {
                        "title": "EfficientNet-Lite0",
                        "systems": {
                            name: name for name in ("unimodal", "own_organ", "other_organ")
                        },
                    }
                },
            }
        },
        "timing": {"images": 20, "warm_up": 2},
        "evaluation": {"bootstrap_resamples": 200},
    }


def write_all(data: Path, weights: Path, folder: Path, known: dict[str, Any]) -> Path:
    """Write everything; return the configuration's file."""
    real_weights.write_backbone(weights, folder / "lite0.safetensors")
    real_weights.write_halves(weights, folder / "halves", SIDE)
    path = folder / "real_histology.yaml"
    content = configuration(data, folder, known)
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return path


def main() -> None:
    """Write what the command line names: data, weights, and the folder to write into."""
    if len(sys.argv) != 4:
        sys.exit("python tests/real_histology.py DATA WEIGHTS FOLDER")
    data, weights, folder = (Path(named).resolve() for named in sys.argv[1:])
    # All that is needed is looked for before anything is written.
    try:
        data, weights = data_in(data), real_weights.weights_in(weights)
    except FileNotFoundError as error:
        sys.exit(str(error))
    folder.mkdir(parents=True, exist_ok=True)
    sys.path.insert(0, str(Path(__file__).parents[1] / "workflow/scripts"))
    from plans import DEFAULTS

    print(write_all(data, weights, folder, DEFAULTS["systems"]))


if __name__ == "__main__":
    main()
