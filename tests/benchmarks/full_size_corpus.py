"""A synthetic corpus of MultiCaRe's size and layout, to measure curation at full scale.

    python tests/benchmarks/full_size_corpus.py FOLDER --rows 130791 --seed 1

It writes the three tables and the nine archives that the workflow reads of MultiCaRe 2.x, with the
release's counts of labels, licences, ages and genders. Images are small drawings and texts are
invented: nothing can be learnt from them.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

REPOSITORY = Path(__file__).parents[2]
sys.path[:0] = [str(REPOSITORY / "tests"), str(REPOSITORY / "workflow" / "scripts")]

from benchmarks import full_size_images, full_size_tables, full_size_text  # noqa: E402
from pairdx.corpus.drawn.drawing import CASES_SCHEMA, COLUMNS, METADATA_SCHEMA  # noqa: E402
from pairdx.files import write_json, written_whole  # noqa: E402

MANIFEST_FILE = "full_size.json"
ARTICLES_PER_ROW_GROUP = 2_000
FIRST_YEAR, LAST_YEAR = 1990, 2024


def write_full_size_corpus(folder: Path, rows: int, seed: int) -> None:
    """Write a corpus in MultiCaRe 2.x's raw layout.

    The same arguments give byte-identical files (with the same versions of the libraries). Images
    are drawn on all cores and go into their archives one by one, so memory does not grow with the
    number of images beyond their table. A small manifest is written last.

    Args:
        folder: Where the files go; created if needed.
        rows: Number of images; 130,791 is the release's.
        seed: Seeds every choice.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MANIFEST_FILE).unlink(missing_ok=True)
    rng = np.random.default_rng([seed, 0])
    cases = full_size_tables.plan_cases(rows, rng)
    images = full_size_tables.plan_images(cases, rows, rng)
    images["file"] = (
        images[["article_id", "figure", "component"]].agg("_".join, axis=1)
        + images["order"].map("_{}".format)
        + images["total"].map("_{}.webp".format)
    )
    pool = full_size_text.sentence_pool(rng)
    images["caption"] = full_size_text.captions(images, pool, rng)
    images["file_size"] = _write_archives(folder, images, seed)
    with written_whole(folder / "captions_and_labels.csv") as aside:
        _captions_and_labels(images, rng).to_csv(aside, index=False)
    _write_cases(folder / "cases.parquet", cases, pool, rng)
    _write_metadata(folder / "metadata.parquet", cases, images, rng)
    write_json(folder / MANIFEST_FILE, {"rows": rows, "seed": seed})


def _write_archives(folder: Path, images: pd.DataFrame, seed: int) -> pd.Series:
    """Write all archives, the largest first, and return the size of every image in bytes."""
    kinds = images[["image_type", "subtype"]]
    parts = {
        name: images.loc[images["archive"] == name, ["file", "change", "picture"]].join(
            kinds, on="picture"
        )
        for name in full_size_tables.ARCHIVE_SIZES
    }
    largest_first = sorted(parts, key=lambda name: -len(parts[name]))
    with ProcessPoolExecutor(os.cpu_count()) as workers:
        write = partial(_write_archive, seed=seed)
        paths = [folder / f"{name}.zip" for name in largest_first]
        sizes = workers.map(write, paths, [parts[name] for name in largest_first])
        return pd.concat(list(sizes))


def _write_archive(path: Path, images: pd.DataFrame, seed: int) -> pd.Series:
    sizes = []
    planned: Iterable[Any] = images.itertuples()
    with written_whole(path) as aside, zipfile.ZipFile(aside, "w") as archive:
        for image in planned:
            content = _content(image, seed)
            # A ZipInfo of its own has a fixed time stamp, which keeps the archive reproducible.
            name = zipfile.ZipInfo(f"{image.file[:4]}/{image.file[:5]}/{image.file}")
            archive.writestr(name, content)
            sizes.append(len(content))
    return pd.Series(sizes, index=images.index, dtype="int64")


def _content(image: Any, seed: int) -> bytes:
    if image.change == "unreadable":
        return full_size_images.placeholder()
    # A copy draws its original again, which may lie in another archive.
    rng = np.random.default_rng([seed, 1, image.picture])
    content = full_size_images.encoded(full_size_images.draw(rng, image.image_type, image.subtype))
    return full_size_images.compressed_again(content) if image.change == "compressed" else content


def _captions_and_labels(images: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    named = images[["image_type", "subtype", "region", "view"]].to_numpy().tolist()
    machine = [list(dict.fromkeys(filter(None, labels))) for labels in named]
    stated = (rng.random((len(images), 4)) < 0.4).tolist()
    from_text = [
        [label for label, kept in zip(labels, keep, strict=False) if kept]
        for labels, keep in zip(machine, stated, strict=True)
    ]
    blank = pd.Series("", index=images.index)
    columns = {
        "file_id": [f"file_{number:07d}" for number in range(1, len(images) + 1)],
        "file": images["file"],
        "main_image": images["case_id"] + "_" + images["figure"] + ".jpg",
        "image_component": images["component"],
        "patient_id": images["case_id"],
        "license": images["licence"],
        "file_size": images["file_size"],
        "caption": images["caption"],
        "case_substring": [f"['The {figure} shows it.']" for figure in images["figure"]],
        "image_type": images["image_type"],
        "image_subtype": images["subtype"],
        "radiology_region": images["region"],
        "radiology_region_granular": blank,
        "radiology_view": images["view"],
        "ml_labels_for_supervised_classification": list(map(str, machine)),
        "gt_labels_for_semisupervised_classification": list(map(str, from_text)),
    }
    return pd.DataFrame(columns)[list(COLUMNS)]


def _write_cases(
    path: Path, cases: pd.DataFrame, pool: np.ndarray, rng: np.random.Generator
) -> None:
    def articles(part: pd.DataFrame) -> list[dict[str, Any]]:
        part = part.assign(case_text=full_size_text.case_texts(len(part), pool, rng))
        part["age"] = part["age"].astype(object).where(part["age"].notna(), None)
        fields = part[["case_id", "case_text", "age", "gender"]].to_dict("records")
        listed = pd.Series(fields).groupby(part["article_id"].to_numpy(), sort=False).agg(list)
        return [{"article_id": name, "cases": own} for name, own in listed.items()]

    _write_parquet(path, CASES_SCHEMA, cases, articles)


def _write_metadata(
    path: Path, cases: pd.DataFrame, images: pd.DataFrame, rng: np.random.Generator
) -> None:
    licences = images.groupby("article_id")["licence"].first()

    def articles(part: pd.DataFrame) -> list[dict[str, Any]]:
        amounts = part.groupby("article_id", sort=False).size()
        years = rng.integers(FIRST_YEAR, LAST_YEAR + 1, len(amounts)).tolist()
        return [
            {"article_id": name, "article_metadata": _metadata(name, year, amount, licences)}
            for (name, amount), year in zip(amounts.items(), years, strict=True)
        ]

    _write_parquet(path, METADATA_SCHEMA, cases, articles)


def _metadata(article: Any, year: int, amount: int, licences: pd.Series) -> dict[str, Any]:
    return {
        "pmcid": article,
        "doi": f"10.99999/{article.lower()}",
        "pmid": article.removeprefix("PMC"),
        "title": f"An invented case report with {amount} case(s) and the number {article}",
        "year": str(year),
        "authors": [f"Author {letter}" for letter in "ABCDE"[: 1 + amount % 5]],
        "journal": "Journal of Invented Cases",
        "journal_detail": f"{year};1:1.",
        "link": f"https://example.org/{article}",
        "license": licences.get(article, "CC BY"),
        "case_amount": amount,
        "keywords": ["case report", "invented"],
        "mesh_terms": ["Humans", "Adult"],
        "major_mesh_terms": [],
    }


def _write_parquet(
    path: Path,
    schema: pa.Schema,
    cases: pd.DataFrame,
    articles: Callable[[pd.DataFrame], list[dict[str, Any]]],
) -> None:
    """Write a nested table in portions of whole articles, so that it is never in memory whole."""
    with written_whole(path) as aside, pq.ParquetWriter(aside, schema) as writer:
        for part in _portions(cases):
            writer.write_table(pa.Table.from_pylist(articles(part), schema=schema))


def _portions(cases: pd.DataFrame) -> Iterator[pd.DataFrame]:
    number, _ = pd.factorize(cases["article_id"])
    for _, part in cases.groupby(number // ARTICLES_PER_ROW_GROUP, sort=True):
        yield part


def main() -> None:
    """Read the command line and write the corpus."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=full_size_tables.FULL_SIZE)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    started = time.monotonic()
    write_full_size_corpus(arguments.folder, arguments.rows, arguments.seed)
    seconds = time.monotonic() - started
    print(f"{arguments.rows:,} images in {arguments.folder} in {seconds:.0f} s")


if __name__ == "__main__":
    main()
