"""The embedded demo corpus: drawn from a seed, in MultiCaRe 2.0's raw layout.

It needs no download, is drawn in seconds, and holds every trouble that the curation must find, with
a manifest of what was planted. The images are drawings: what is learnt from them applies to no
patient.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pairdx.corpus.drawn.images import draw_image
from pairdx.corpus.drawn.plan_of_cases import ADULT_AGE, Article, Case, Panel, Plan
from pairdx.corpus.drawn.troubles import Planted, encoded, plant, spoilt
from pairdx.errors import PairDxError
from pairdx.files import write_json, written_whole
from pairdx.logs import progress

CAPTIONS_FILE = "captions_and_labels.csv"
CASES_FILE = "cases.parquet"
METADATA_FILE = "metadata.parquet"
MANIFEST_FILE = "manifest.json"

# The 16 columns of the MultiCaRe 2.x release, in its order.
COLUMNS = (
    "file_id",
    "file",
    "main_image",
    "image_component",
    "patient_id",
    "license",
    "file_size",
    "caption",
    "case_substring",
    "image_type",
    "image_subtype",
    "radiology_region",
    "radiology_region_granular",
    "radiology_view",
    "ml_labels_for_supervised_classification",
    "gt_labels_for_semisupervised_classification",
)
CASE_TYPE = pa.struct(
    [
        ("case_id", pa.string()),
        ("case_text", pa.string()),
        ("age", pa.int64()),
        ("gender", pa.string()),
    ]
)
CASES_SCHEMA = pa.schema([("article_id", pa.string()), ("cases", pa.list_(CASE_TYPE))])
METADATA_TYPE = pa.struct(
    [(name, pa.string()) for name in ("pmcid", "doi", "pmid", "title", "year")]
    + [("authors", pa.list_(pa.string()))]
    + [(name, pa.string()) for name in ("journal", "journal_detail", "link", "license")]
    + [("case_amount", pa.int64())]
    + [(name, pa.list_(pa.string())) for name in ("keywords", "mesh_terms", "major_mesh_terms")]
)
METADATA_SCHEMA = pa.schema([("article_id", pa.string()), ("article_metadata", METADATA_TYPE)])

SPECIALTIES = ("dermatology", "cardiology", "neurology", "surgery", "ophthalmology", "medicine")
AUTHORS = ("Author A", "Author B", "Author C", "Author D")
EXTRA_MEMBER = "{0}/{0}0/README.txt"
EXTRA_TEXT = "This entry is named by no row of captions_and_labels.csv.\n"


def draw_corpus(folder: Path, *, seed: int, cases: int, archives: Sequence[str]) -> None:
    """Draw the demo corpus into a folder: three tables, one archive of images per name, a manifest.

    The same arguments give byte-identical files (with the same versions of the libraries). Each
    file is written whole or not at all, the manifest last.

    Args:
        folder: Where the files go; created if needed.
        seed: Seeds every choice.
        cases: Number of patients; each has about four images.
        archives: Archive names without suffix (``PMC1`` to ``PMC9``); articles are spread evenly.

    Raises:
        PairDxError: An archive name is not one of MultiCaRe's, or there are too few cases to hold
            the planted troubles.
    """
    _check_archives(archives)
    plan = Plan(seed, cases, archives)
    planted = {one.panel.file: one for one in plant(plan)}
    panels = sorted(plan.panels(), key=lambda panel: panel.file)
    images = _draw(panels, planted, seed)
    folder = Path(folder)
    extras = _write_archives(folder, archives, panels, images)
    with written_whole(folder / CAPTIONS_FILE) as aside:  # as MultiCaRe, not as files for people
        _captions_and_labels(panels, images, seed).to_csv(aside, index=False)
    _write_parquet(folder / CASES_FILE, _cases(plan), CASES_SCHEMA)
    _write_parquet(folder / METADATA_FILE, _metadata(plan), METADATA_SCHEMA)
    entries = [planted[file].entry() for file in sorted(planted)]
    write_json(folder / MANIFEST_FILE, {"seed": seed, "planted": entries, "archive_extras": extras})


def _check_archives(archives: Sequence[str]) -> None:
    wrong = [name for name in archives if not re.fullmatch(r"PMC[1-9]", name)]
    if wrong or not archives or len(set(archives)) < len(archives):
        raise PairDxError(
            "the demo corpus needs distinct archive names of the form PMC1 to PMC9",
            where=f"archives: {list(archives)}",
            remedy="list each archive once, for example [PMC1, PMC2]",
        )


def _draw(
    panels: Sequence[Panel], planted: Mapping[str, Planted], seed: int
) -> dict[str, bytes | None]:
    """Return the bytes of every file, by name; None for one that its archive lacks.

    ``panels`` are in the order of their file names, so that an original comes before its copy.
    """
    images: dict[str, bytes | None] = {}
    for panel in progress(panels, "drawing the demo corpus"):
        trouble = planted.get(panel.file)
        if trouble and trouble.original:
            image = images[trouble.original.file] or b""
        else:
            rng = np.random.default_rng([seed, 1, panel.number])
            image = encoded(draw_image(rng, panel.kind))
        images[panel.file] = spoilt(trouble, image) if trouble else image
    return images


def _write_archives(
    folder: Path,
    archives: Sequence[str],
    panels: Sequence[Panel],
    images: Mapping[str, bytes | None],
) -> list[dict[str, str]]:
    """Write the archives, and return the members that no row names."""
    extra = EXTRA_MEMBER.format(archives[0])
    for archive in archives:
        members = {
            panel.member: image
            for panel in panels
            if panel.case.article.archive == archive and (image := images[panel.file]) is not None
        }
        if archive == archives[0]:
            members[extra] = EXTRA_TEXT.encode()
        with (
            written_whole(folder / f"{archive}.zip") as aside,
            zipfile.ZipFile(aside, "w", zipfile.ZIP_STORED) as opened,
        ):
            for member in sorted(members):
                # A ZipInfo of its own has a fixed time stamp, which keeps the archive reproducible.
                information = zipfile.ZipInfo(member)
                information.create_system, information.external_attr = 3, 0o644 << 16
                opened.writestr(information, members[member])
    return [{"archive": archives[0], "member": extra}]


def _captions_and_labels(
    panels: Sequence[Panel], images: Mapping[str, bytes | None], seed: int
) -> pd.DataFrame:
    rng = np.random.default_rng([seed, 2])
    rows = []
    for number, panel in enumerate(panels, start=1):
        image = images[panel.file]
        # A row whose image was lost still states the size that it had.
        size = len(image) if image is not None else int(rng.integers(4_000, 20_000))
        rows.append(_row(f"file_{number:07d}", panel, size, rng))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _row(file_id: str, panel: Panel, size: int, rng: np.random.Generator) -> dict[str, Any]:
    kind, case = panel.kind, panel.case
    labels = [kind.image_type, kind.image_subtype, kind.region, kind.region_granular, kind.view]
    if panel.stated_type:
        labels = [panel.stated_type, None, None, None, None]
    machine = list(dict.fromkeys(label for label in labels if label))
    from_text = [label for label in machine[-2:] if rng.random() < 0.6]
    number = re.sub(r".*?(\d+)$", r"\1", panel.figure).lstrip("0")
    letter = "" if panel.component == "undivided" else panel.component.upper()
    references = [f"Fig. {number}{letter}"] if rng.random() < 0.7 else []
    values = (
        file_id,
        panel.file,
        f"{case.case_id}_{panel.figure}.jpg",
        panel.component,
        case.case_id,
        case.article.licence,
        size,
        panel.caption,
        panel.stated_references or str(references),
        *labels,
        str(machine),
        str(from_text),
    )
    return dict(zip(COLUMNS, values, strict=True))


def _cases(plan: Plan) -> list[dict[str, Any]]:
    return [
        {
            "article_id": article.article_id,
            "cases": [
                {
                    "case_id": case.case_id,
                    "case_text": _case_text(case),
                    "age": case.age,
                    "gender": case.gender,
                }
                for case in plan.cases
                if case.article is article
            ],
        }
        for article in plan.articles
    ]


def _case_text(case: Case) -> str:
    age = "of unstated age" if case.age is None else f"aged {case.age} years"
    words = {"Male": "man", "Female": "woman"}
    if case.age is not None and case.age < ADULT_AGE:
        words = {"Male": "boy", "Female": "girl"}
    person = words.get(case.gender, "patient")
    figures = ", ".join(dict.fromkeys(panel.figure for panel in case.panels))
    return (
        f"We report a {person} {age}. The findings are shown in the figures ({figures}). "
        "This is an invented case: its images are drawings."
    )


def _metadata(plan: Plan) -> list[dict[str, Any]]:
    return [_article(plan, number, article) for number, article in enumerate(plan.articles, 1)]


def _article(plan: Plan, number: int, article: Article) -> dict[str, Any]:
    specialty = SPECIALTIES[number % len(SPECIALTIES)]
    metadata = {
        "pmcid": article.article_id,
        "doi": f"10.99999/demo.{number:04d}",
        "pmid": f"{10_000_000 + number}",
        "title": f"A drawn case report in {specialty}",
        "year": str(article.year),
        "authors": list(AUTHORS[: 1 + number % len(AUTHORS)]),
        "journal": "Journal of Drawn Cases",
        "journal_detail": f"{article.year};1:{number}.",
        "link": f"https://example.org/{article.article_id}",
        "license": article.licence,
        "case_amount": sum(case.article is article for case in plan.cases),
        "keywords": [specialty] if number % 3 else None,
        "mesh_terms": ["Humans", "Case Reports"],
        "major_mesh_terms": [],
    }
    return {"article_id": article.article_id, "article_metadata": metadata}


def _write_parquet(path: Path, rows: list[dict[str, Any]], schema: pa.Schema) -> None:
    with written_whole(path) as aside:
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), aside)
