"""MultiCaRe's chest X-rays: which images stay, and what is said of the others."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from pairdx.corpus.multicare.reading import CAPTION_COLUMNS
from pairdx.corpus.multicare_chest.reading import read
from pairdx.errors import PairDxError

CHEST = {"image_subtype": "x_ray", "radiology_region": "thorax", "radiology_view": "frontal"}


def write(folder: Path, *kinds: dict[str, str]) -> dict[str, Path]:
    """Write MultiCaRe's tables with one image per kind, each of a case and article of its own."""
    paths = {name: folder / name for name in ("captions", "cases", "metadata")}
    articles = [f"PMC1000000{number}" for number in range(len(kinds))]
    rows = [
        dict.fromkeys(CAPTION_COLUMNS, "")
        | {"image_type": "radiology", "patient_id": f"{article}_01", "caption": f"Film {article}."}
        | {"file": f"{article}_fig1_undivided_1_1.webp", "license": "CC BY"}
        | kind
        for article, kind in zip(articles, kinds, strict=True)
    ]
    pd.DataFrame(rows).to_csv(paths["captions"], index=False)
    cases = [[{"case_id": f"{article}_01", "age": 50, "gender": "Male"}] for article in articles]
    pd.DataFrame({"article_id": articles, "cases": cases}).to_parquet(paths["cases"])
    facts = [{"year": "2020", "license": "CC BY"}] * len(articles)
    pd.DataFrame({"article_id": articles, "article_metadata": facts}).to_parquet(paths["metadata"])
    return paths


def test_x_rays_of_the_thorax_stay_and_others_are_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    kinds = (CHEST, CHEST | {"image_subtype": "ct"}, CHEST | {"radiology_region": "abdomen"}, {})
    with caplog.at_level("INFO", logger="pairdx"):
        found = read(write(tmp_path, *kinds), {"views": None})
    assert found["left_out"].tolist() == ["", "other_image", "other_image", "other_image"]
    assert "1 of 4 images are X-rays of the thorax (views: frontal (1)); 1 of them" in caplog.text


def test_nothing_is_known_of_findings_and_captions_are_the_texts(tmp_path: Path) -> None:
    found = read(write(tmp_path, CHEST), {"views": None}).iloc[0]
    assert (found["findings"], found["label"], found["text_labels"]) == ("?", "", "")
    assert found["caption"] == "Film PMC10000000."
    assert (found["case_id"], found["age"], found["archive"]) == ("PMC10000000_01", 50, "PMC1")


def test_views_are_kept_as_the_column_names_them(tmp_path: Path) -> None:
    tables = write(tmp_path, CHEST, CHEST | {"radiology_view": "sagittal"}, {})
    found = read(tables, {"views": ["frontal"]})
    assert found["left_out"].tolist() == ["", "other_view", "other_image"]


def test_views_that_there_are_not_are_named_with_those_that_there_are(tmp_path: Path) -> None:
    with pytest.raises(PairDxError, match=r"none of 1 chest X-rays .* there are: frontal \(1\)"):
        read(write(tmp_path, CHEST, {}), {"views": ["PA"]})


def test_a_table_without_chest_x_rays_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PairDxError, match="not one of 2 images has the image_subtype x_ray"):
        read(write(tmp_path, {}, CHEST | {"image_subtype": "mri"}), {"views": None})
