"""The dataset archive described for machines, in the Croissant format.

Croissant (MLCommons) is JSON-LD: what the files are, how they are checked, and how they join to
records. Written and validated with its reference library, mlcroissant; nothing is downloaded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any
from zipfile import ZipFile

import mlcroissant as mlc
import pandas as pd

from pairdx.dataset_archive import column_names
from pairdx.errors import PairDxError
from pairdx.files import sha256_of
from pairdx.reporting.format.tables import DRAWN_NOTE
from pairdx.subsets import SUBSETS

CONFORMS_TO = ["http://mlcommons.org/croissant/1.0", "http://mlcommons.org/croissant/RAI/1.0"]
ENUMERATION = "https://schema.org/Enumeration"
FORMATS = {
    ".webp": "image/webp",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
}
UNKNOWN_FORMAT = "application/octet-stream"
TEXT, WHOLE_NUMBER = mlc.DataType.TEXT, mlc.DataType.INTEGER
# Per field of the archive's table, except for the file name: type and meaning.
FIELDS = {
    "pair_id": (TEXT, "Identifier of the pair; the image file is named by it."),
    "label": (TEXT, "Class of the image."),
    "caption": (
        TEXT,
        "Caption; what was found to identify a person is replaced by its kind, as in [date].",
    ),
    "subset": (TEXT, "Training, validation or test."),
    "article_id": (TEXT, "Article that the figure is from."),
    "case_id": (TEXT, "Case report of one patient within the article."),
    "subtype": (TEXT, "Finer class of the image; empty where the source states none."),
    "age": (WHOLE_NUMBER, "Age of the patient in years; empty where it is not known."),
    "sex": (TEXT, "Sex of the patient; empty where it is not known."),
    "licence": (TEXT, "Licence of this image and caption."),
    "year": (WHOLE_NUMBER, "Year of the article; empty where it is not known."),
}
# Where any number of classes can be true of a pair.
OF_SEVERAL = {
    "label": (TEXT, "The rarest finding that is true of the image, or (none)."),
    "findings": (TEXT, "Findings that are true; with a question mark, those not known."),
}


def croissant(
    pairs: pd.DataFrame,
    archive: str | Path,
    layout: Mapping[str, Any],
    facts: Mapping[str, Any],
) -> dict[str, Any]:
    """Describe a dataset archive.

    Args:
        pairs: curated/pairs.parquet, of which the archive was made.
        archive: What :func:`pairdx.dataset_archive.archive_dataset` wrote from them.
        layout: The same as for the archive.
        facts: ``title``; ``texts``, ``drawn``, ``articles``, ``grouped_by`` and ``lacks`` (as for
            the datasheet); ``classes`` (their
            labels); ``split`` (that the table names); ``version`` (major.minor.patch); ``url``
            (page of the source, or None).

    Returns:
        Croissant 1.0 as JSON, with the fields of its extension on responsible AI that can be
        stated. It has no date of publication: the dataset is made, not published.

    Raises:
        PairDxError: mlcroissant finds an error in the description, as it was made or read back.
    """
    archive = Path(archive)
    context = mlc.Context()
    try:
        metadata = mlc.Metadata(
            ctx=context,
            conforms_to=CONFORMS_TO,
            name=facts["title"],
            description=_description(pairs, facts),
            license=sorted(licence or "unknown" for licence in pairs["licence"].unique()),
            url=facts["url"],
            version=facts["version"],
            cite_as=facts["texts"]["citation"],
            in_language=["en"],
            distribution=_files(context, archive, layout),
            record_sets=_record_sets(context, layout, facts),
            **_responsible_use(pairs, facts),
        )
        described: dict[str, Any] = metadata.to_json()
        # Read back as a user does: only this checks that the records can be joined.
        mlc.Dataset(jsonld=described)
    except mlc.ValidationError as error:
        raise PairDxError(
            f"mlcroissant finds errors in the description of the dataset:\n{error}",
            where=archive,
            remedy="check titles, classes and licences of the dataset for what JSON-LD cannot hold",
        ) from error
    return described


def _description(pairs: pd.DataFrame, facts: Mapping[str, Any]) -> str:
    drawn = f" {DRAWN_NOTE}" if facts["drawn"] else ""
    lacks = facts["lacks"]
    what = "images without captions" if "captions" in lacks else "pairs of an image and its caption"
    unit = "articles" if facts["articles"] else f"groups by {facts['grouped_by'].get('article_id')}"
    groups = "" if "groups" in lacks else f", from {pairs['article_id'].nunique():,} {unit}"
    licence = "No licences are known" if "licences" in lacks else "Each has a licence of its own"
    return (
        f"{len(pairs):,} {what} in {len(facts['classes'])} classes{groups}. The subsets are those "
        f"of the {facts['split']} split. {licence}.{drawn}"
    )


def _meanings(facts: Mapping[str, Any]) -> dict[str, str]:
    """Say what columns hold where data are not of articles, or lack something: by column."""
    found = {}
    if "captions" in facts["lacks"]:
        found["caption"] = "Empty: there are no captions."
        found["licence"] = "Licence of this image."
    if not facts["articles"]:
        names = facts["grouped_by"]
        checksum = "a checksum in place of the value; an image without one stands alone."
        if facts.get("several"):
            checksum = "the number that the data give."
        alone = "The image itself: what belongs together is not known."
        first = names.get("article_id")
        widest = names.get("case_id", first)
        found["article_id"] = f"Group by {first}: {checksum}" if first else alone
        found["case_id"] = f"What is connected by {widest}: {checksum}" if first else alone
        found["year"] = "Year of the document; empty where it is not known."
    return found


def _responsible_use(pairs: pd.DataFrame, facts: Mapping[str, Any]) -> dict[str, Any]:
    masked = int((pairs["masked"] != "").sum())
    unknown = int(pairs["age"].isna().sum())
    if facts["drawn"]:
        return {"data_collection": DRAWN_NOTE}
    lacks = facts["lacks"]
    masking = f"Identifiers are masked in {masked:,} captions. "
    return {
        "data_collection": f"{facts['texts']['source']}.",
        "data_collection_missing_data": "Ages are not known."
        if "ages" in lacks and not facts["articles"]
        else f"The age is not known for {unknown:,} pairs.",
        "data_annotation_protocol": [facts["texts"]["labels"]],
        "personal_sensitive_information": [
            facts["texts"]["persons"],
            f"{'' if 'captions' in lacks else masking}A person reviewed {_reviewed(pairs, facts)} "
            f"of {len(pairs):,}. No face detector was used. Image files hold nothing beside the "
            "pixels but colour profiles.",
        ],
        "data_limitations": [
            f"Not for diagnosis: {facts['texts']['classes']}.",
            *_divided(facts),
        ],
    }


def _reviewed(pairs: pd.DataFrame, facts: Mapping[str, Any]) -> str:
    captions, images = (int(pairs[f"{what}_reviewed"].sum()) for what in ("caption", "image"))
    if "captions" in facts["lacks"]:
        return f"{images:,} images"
    return f"{captions:,} captions and {images:,} images"


def _divided(facts: Mapping[str, Any]) -> list[str]:
    """Name what may stand on two sides of a split: a sentence, or none."""
    found = [] if "captions" in facts["lacks"] else ["identical captions"]
    if facts["articles"]:
        found.append("panels of one figure")
    elif facts["grouped_by"]:
        found.append("images of one group")
    if not found:
        return []
    text = " and ".join(found)
    return [f"{text[0].upper()}{text[1:]} may stand on two sides of a split."]


def _files(context: mlc.Context, archive: Path, layout: Mapping[str, Any]) -> list[Any]:
    """Describe the zip file, the table in it and the images in it."""
    with ZipFile(archive) as opened:
        suffixes = {PurePosixPath(name).suffix.lower() for name in opened.namelist()}
    formats = sorted({FORMATS[suffix] for suffix in suffixes & set(FORMATS)})
    return [
        mlc.FileObject(
            ctx=context,
            id="archive",
            name=archive.name,
            content_url=archive.name,
            content_size=f"{archive.stat().st_size} B",
            encoding_formats=[mlc.EncodingFormat.ZIP],
            sha256=sha256_of(archive),
        ),
        mlc.FileObject(
            ctx=context,
            id="table",
            name=layout["metadata"],
            content_url=layout["metadata"],
            contained_in=["archive"],
            encoding_formats=[mlc.EncodingFormat.CSV],
        ),
        mlc.FileSet(
            ctx=context,
            id="images",
            name=layout["images"],
            includes=[f"{layout['images']}/*"],
            contained_in=["archive"],
            encoding_formats=formats or [UNKNOWN_FORMAT],
        ),
    ]


def _record_sets(
    context: mlc.Context, layout: Mapping[str, Any], facts: Mapping[str, Any]
) -> list[Any]:
    names = column_names(layout, several=facts.get("several", False))
    referenced = {"label": "classes/name", "subset": "subsets/name"}
    fields = [*_image_fields(context, names["file"])]
    own = _meanings(facts)
    several = facts.get("several", False)
    for name, (kind, usual) in (FIELDS | (OF_SEVERAL if several else {})).items():
        meaning = own.get(name, usual)
        references = {}
        if name in referenced:
            references["references"] = mlc.Source(ctx=context, field=referenced[name])
        source = _column(context, names[name])
        fields.append(_field(context, f"pairs/{name}", kind, meaning, source=source, **references))
    pairs = mlc.RecordSet(
        ctx=context, id="pairs", name="pairs", key=["pairs/pair_id"], fields=fields
    )
    return [
        _listed(context, "classes", [ENUMERATION], facts["classes"]),
        _listed(context, "subsets", [mlc.DataType.SPLIT, ENUMERATION], SUBSETS),
        pairs,
    ]


def _listed(context: mlc.Context, name: str, kinds: list[Any], values: Sequence[str]) -> Any:
    """Describe a closed list of values, written into the description itself."""
    key = f"{name}/name"
    return mlc.RecordSet(
        ctx=context,
        id=name,
        name=name,
        data_types=kinds,
        key=[key],
        fields=[_field(context, key, TEXT, "One of the possible values.")],
        data=[{key: value} for value in values],
    )


def _image_fields(context: mlc.Context, file_column: str) -> list[Any]:
    """Describe file name and image. The file name joins images to the rows of the table."""
    name, content = (
        mlc.Source(
            ctx=context, file_set="images", extract=mlc.Extract(ctx=context, file_property=what)
        )
        for what in ("filename", "content")
    )
    return [
        _field(
            context,
            "pairs/file",
            TEXT,
            "Name of the image file.",
            source=name,
            references=_column(context, file_column),
        ),
        _field(context, "pairs/image", mlc.DataType.IMAGE_OBJECT, "The image.", source=content),
    ]


def _column(context: mlc.Context, name: str) -> Any:
    return mlc.Source(
        ctx=context, file_object="table", extract=mlc.Extract(ctx=context, column=name)
    )


def _field(context: mlc.Context, key: str, kind: Any, meaning: str, **more: Any) -> Any:
    name = key.split("/")[1]
    return mlc.Field(ctx=context, id=key, name=name, description=meaning, data_types=kind, **more)
