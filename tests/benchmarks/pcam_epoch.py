"""One epoch on patches of PCAM's size and number: images per second, and the share of waiting.

    python tests/benchmarks/pcam_epoch.py --device cuda --table pcam_epoch.md
    python tests/benchmarks/pcam_epoch.py --patches 64 --name test_vit --resize-to 160

Random patches of 96 pixels are packed as the workflow packs them, and a ViT-B/16 with LoRA of the
family clip_it, its weights random, is trained on them for an epoch by the workflow's own loop, with
texts as well: what is drawn tells nothing, and time does not depend on it. Patches are written to a
temporary folder (7.2 GB for all 262,144). It is no test.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

REPOSITORY = Path(__file__).parents[2]
sys.path[:0] = [str(REPOSITORY / "tests"), str(REPOSITORY / "workflow" / "scripts")]

from pairdx.models.base import FitJob, Pairs  # noqa: E402
from pairdx.models.clip_it import system as clip_it  # noqa: E402
from pairdx.models.text_features import TextFeatures, write_text_features  # noqa: E402
from pairdx.packed_images import open_packed, packed_file  # noqa: E402
from pairdx.pairing.bank import bank_of, write_bank  # noqa: E402
from pairdx.pairing.matches import matches_of, write_matches  # noqa: E402
from pairdx.reporting.format.markdown import as_markdown  # noqa: E402
from pairdx.training.passport import device_description  # noqa: E402

CLASSES = ("normal", "tumour")
PCAM, SIDE = 262_144, 96
AT_ONCE = 4096  # patches drawn at a time
TEXTS, DIMENSION = 1000, 512


def settings_of(options: argparse.Namespace) -> dict[str, Any]:
    """Return those of CLIP-IT with a ViT and LoRA of all linear layers, as its authors train."""
    return {
        "backbone": {"library": "timm", "name": options.name, "weights": None, "arguments": {}},
        **{"resize_to": options.resize_to, "trains": "adapters"},
        "lora": {"rank": 16, "alpha": 8, "dropout": 0.0, "targets": ["linear"]},
        "pairing": {"name": "random", "bank": "drawn", "encoder": {}},
        "text_branch": {
            **{"layers": 1, "hidden": 512, "negative_slope": 0.1, "dimension": DIMENSION}
        },
        **{"fusion": "late", "distil_into": "text_branch", "distillation_weight": 1.0},
        "text_encoder": {"trains": "nothing", "lora": None, "detach": True},
        **{"word_dropout": 0.0, "softmax": "single", "epochs": 1},
        **{"batch_size": options.batch_size, "optimiser": "adam", "learning_rate": 0.001},
        **{"weight_decay": 0.0001, "weight_decay_on": "all", "schedule": "constant"},
        **{"max_grad_norm": 0.5, "augmentation": None, "precision": options.precision},
        **{"channels_last": False, "compile": False, "early_stopping_patience": None},
        **{"keep_epoch": "last", "gpus": 1},
    }


def draw_patches(folder: Path, count: int) -> Pairs:
    """Pack random patches with random labels."""
    generator = np.random.default_rng(0)
    names = [f"patch_{at}" for at in range(count)]
    with packed_file(folder / "images.npy", names, SIDE) as pixels:
        for start in range(0, count, AT_ONCE):
            shape = (min(AT_ONCE, count - start), SIDE, SIDE, 3)
            pixels[start : start + shape[0]] = generator.integers(0, 256, shape, dtype=np.uint8)
    table = pd.DataFrame(
        {
            **{"pair_id": names, "case_id": names, "caption": ""},
            "label": [CLASSES[one] for one in generator.integers(0, 2, count)],
        }
    )
    return Pairs(table, open_packed(folder / "images.npy").of_pairs(names), CLASSES)


def draw_texts(folder: Path, pair_ids: Sequence[str]) -> dict[str, Path]:
    """Write a bank of texts with random features, one of which goes to each patch."""
    generator = np.random.default_rng(1)
    features = generator.normal(size=(TEXTS, DIMENSION)).astype(np.float32)
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    ids = [f"text_{at}" for at in range(TEXTS)]
    texts = {"text_id": ids, "text": ids, "label": "", "row": range(1, TEXTS + 1)}
    found = pd.DataFrame({**texts, "pair_ids": [[] for _ in ids]})
    files = {
        "texts": folder / "texts.parquet",
        "text_features": folder / "features.safetensors",
        "matches": folder / "matches.parquet",
    }
    others = (folder / "rejected.parquet", folder / "bank.json")
    write_bank(bank_of(found, where="drawn"), *map(str, (files["texts"], *others)))
    write_text_features(
        files["text_features"], TextFeatures(tuple(ids), features, {}, 0.0, 0.0, "cpu")
    )
    chosen = generator.integers(0, TEXTS, (len(pair_ids), 1))
    cosines = np.zeros(chosen.shape, dtype=np.float32)
    write_matches(files["matches"], matches_of(pair_ids, ids, chosen, cosines, 1))
    return files


def measure(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Draw, train one epoch, and return what it took."""
    started = time.perf_counter()
    pairs = draw_patches(folder, options.patches)
    drawn = time.perf_counter() - started
    resources = draw_texts(folder, pairs.table["pair_id"].tolist())
    classifier = clip_it.build(settings_of(options), CLASSES, resources, 1)
    few = pairs.at(np.arange(min(len(pairs), 2 * options.batch_size)))
    job = FitJob(
        seed=1, device=options.device, threads=options.threads, loader_workers=options.workers
    )
    row = clip_it.fit(classifier, pairs, few, job).iloc[0]
    return {
        "network": options.name,
        "device": device_description(options.device)["name"],
        "patches": len(pairs),
        "batch size": options.batch_size,
        "precision": options.precision,
        "seconds of the epoch": round(float(row["seconds"]), 1),
        "images per second": round(float(row["samples_per_second"]), 1),
        "waiting for data, %": round(100 * float(row["data_seconds"] / row["seconds"]), 2),
        "seconds to draw and pack": round(drawn, 1),
    }


def parsed(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--patches", type=int, default=PCAM)
    parser.add_argument("--name", default="vit_base_patch16_224", help="a network of timm")
    parser.add_argument("--resize-to", type=int, default=224)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--precision", choices=("float32", "bfloat16"), default="bfloat16")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--workers", type=int, default=2, help="processes that gather batches")
    parser.add_argument("--table", type=Path, help="where to write the table")
    return parser.parse_args(arguments)


def main() -> None:
    """Measure, print, and write the table if asked to."""
    options = parsed()
    with tempfile.TemporaryDirectory() as folder:
        table = pd.DataFrame([measure(options, Path(folder))])
    found = as_markdown(table, title="One epoch on patches of PCAM's size")
    print(found)
    if options.table:
        options.table.write_text(found, encoding="utf-8")


if __name__ == "__main__":
    main()
