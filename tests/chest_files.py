"""Tiny copies of data sets of chest X-rays, laid out as they are given out; all of it is made up.

Every finding is a bright disc at a place of its own on noise, so that a small network can tell
findings apart, and any number of them can be on one image.
"""

from __future__ import annotations

import csv
import gzip
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

SIDE = 64
# Findings that the tiny copies show, in the order of their places; spelled as CheXpert does.
SHOWN = ("Atelectasis", "Cardiomegaly", "Consolidation", "Edema", "Pleural Effusion")
NIH_NAMES = {"Pleural Effusion": "Effusion"}
NIH_HEADER = (
    "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,"
    "OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y]"
)


def film(findings: Iterable[str], draw: np.random.Generator, side: int = SIDE) -> np.ndarray:
    """Draw an image with a disc for each finding: uint8 (side, side), grey."""
    image = draw.normal(90, 25, (side, side))
    rows, columns = np.mgrid[:side, :side] / side
    for name in findings:
        if name in SHOWN:
            angle = 2 * np.pi * SHOWN.index(name) / len(SHOWN)
            row, column = 0.5 + 0.3 * np.sin(angle), 0.5 + 0.3 * np.cos(angle)
            image[(rows - row) ** 2 + (columns - column) ** 2 < 0.012] += 110
    found: np.ndarray = np.clip(image, 0, 255)
    return found.astype(np.uint8)


def drawn_findings(number: int, seed: int = 0) -> list[list[str]]:
    """Draw the findings of so many images: each of :data:`SHOWN` of a third, independently."""
    draws = np.random.default_rng([seed, number]).random((number, len(SHOWN))) < 1 / 3
    return [[name for name, there in zip(SHOWN, row, strict=True) if there] for row in draws]


def write_film(path: Path, findings: Iterable[str], draw: np.random.Generator) -> None:
    """Write one image as PNG or JPEG, by the ending of its name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(film(findings, draw)).save(path)


def write_rows(
    path: Path, header: Sequence[str], rows: Iterable[Sequence[object]], *, gzipped: bool = False
) -> Path:
    """Write a CSV file; gzipped, its name gets a further ending."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
    return packed(path) if gzipped else path


def packed(path: Path) -> Path:
    """Put a gzipped file in the place of a file."""
    target = path.with_name(f"{path.name}.gz")
    target.write_bytes(gzip.compress(path.read_bytes(), 1))
    path.unlink()
    return target


# ---------------------------------------------------------------- ChestX-ray14
def write_chestxray14(
    folder: Path,
    images: Sequence[Sequence[str]] | None = None,
    *,
    in_archives: bool = False,
    seed: int = 0,
) -> Path:
    """Write ChestX-ray14 into a folder, and return it.

    Patients have two visits each; each fifth patient is on the test list.

    Args:
        folder: It is made.
        images: The findings of each image; None draws those of 60.
        in_archives: Images lie in ``images_001/images`` and ``images_002/images``.
        seed: Of noise and findings.
    """
    draw = np.random.default_rng(seed)
    images = drawn_findings(60, seed) if images is None else images
    rows = []
    for at, findings in enumerate(images):
        patient, visit = at // 2 + 1, at % 2
        labels = "|".join(NIH_NAMES.get(name, name) for name in findings) or "No Finding"
        view, sex = ("PA", "AP")[at % 3 == 0], ("M", "F")[patient % 2]
        name = f"{patient:08d}_{visit:03d}.png"
        rows.append([name, labels, visit, patient, 30 + patient, sex, view, SIDE, SIDE, 0.1, 0.1])
        inside = f"images_00{1 + at % 2}/images" if in_archives else "images"
        write_film(folder / inside / name, findings, draw)
    write_nih_tables(folder, rows)
    return folder


def write_nih_tables(folder: Path, rows: Sequence[Sequence[object]], *, every: int = 5) -> None:
    """Write the table and both lists of ChestX-ray14.

    Args:
        folder: It is made.
        rows: Cells of :data:`NIH_HEADER`.
        every: Each N-th patient, N being this, is for the test, and the last where there are fewer.
    """
    write_rows(folder / "Data_Entry_2017_v2020.csv", NIH_HEADER.split(","), rows)
    patients = list(dict.fromkeys(row[3] for row in rows))
    tested = set(patients[every - 1 :: every] or patients[-1:])
    for file, wanted in (("train_val_list.txt", False), ("test_list.txt", True)):
        names = [str(row[0]) for row in rows if (row[3] in tested) == wanted]
        (folder / file).write_text("\n".join([*names, ""]), encoding="utf-8")


def write_real_chestxray14(real_cxr: Path, folder: Path) -> Path:
    """Put the `nih_` images of a folder with facts.csv and images into ChestX-ray14's layout.

    They are real, 64 pixels wide, of 171 patients. Each second patient is on the test list, so that
    some findings have ten test images; the makers' own list is not known here.
    """
    with (real_cxr / "facts.csv").open(newline="", encoding="utf-8") as file:
        facts = [row for row in csv.DictReader(file) if row["file"].startswith("nih_")]
    rows = []
    for fact in facts:
        name = fact["file"].removeprefix("nih_")
        target = folder / "images" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(real_cxr / "images" / fact["file"], target)
        patient = fact["patient_id"].removeprefix("nih_")
        stated = [fact["study_or_article"], patient, fact["age"], fact["sex"], fact["view"]]
        rows.append([name, fact["labels"], *stated, SIDE, SIDE, "", ""])
    write_nih_tables(folder, rows, every=2)
    return folder


def positives(real_cxr: Path) -> Mapping[str, int]:
    """Count how many of these images show each finding."""
    counts: dict[str, int] = {}
    with (real_cxr / "facts.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["file"].startswith("nih_"):
                for name in row["labels"].split("|"):
                    counts[name] = counts.get(name, 0) + 1
    return counts


# ---------------------------------------------------------------- MIMIC-CXR-JPG
CHEXPERT = (
    *("No Finding", "Enlarged Cardiomediastinum", "Cardiomegaly", "Lung Opacity", "Lung Lesion"),
    *("Edema", "Consolidation", "Pneumonia", "Atelectasis", "Pneumothorax", "Pleural Effusion"),
    *("Pleural Other", "Fracture", "Support Devices"),
)
FIRST_PATIENT = 10_000_000
OF_SUBSETS = ("train", "train", "train", "validate", "test")


def report_of(findings: Sequence[str]) -> str:
    """Write a report that names these findings, one a sentence, with others among them."""
    seen = [f"There is {name.lower()}." for name in findings] or ["The lungs are clear."]
    lines = ["Comparison was made with ___.", *seen, "No acute fracture is seen."]
    said = "; ".join(name.lower() for name in findings) or "No acute cardiopulmonary process"
    return (
        "                                 FINAL REPORT\n EXAMINATION:  CHEST (PA AND LAT)\n\n"
        f" INDICATION:  Cough.\n\n FINDINGS:  {' '.join(lines)}\n\n IMPRESSION:  {said}.\n"
    )


def write_mimic_cxr(
    folder: Path,
    studies: Sequence[Sequence[str]] | None = None,
    *,
    laterals: int = 5,
    gzipped: bool = True,
    zipped: bool = True,
    without_report: Iterable[int] = (),
    seed: int = 0,
) -> Path:
    """Write MIMIC-CXR-JPG and the reports of MIMIC-CXR into a folder, and return it.

    Each patient has one study of a frontal image; of five patients three are for training, one for
    validation and one for the test. Labels not named are blank, as a program leaves them.

    Args:
        folder: It is made.
        studies: The findings of each study; None draws those of 50.
        laterals: So many of the studies, the first ones, have a lateral image besides.
        gzipped: Tables are gzipped, as they are given out.
        zipped: Reports are a zip file, or else a folder of that name.
        without_report: Positions of studies without one.
        seed: Of noise and findings.
    """
    draw = np.random.default_rng(seed)
    studies = drawn_findings(50, seed) if studies is None else studies
    images, split, labels = [], [], []
    reports = folder / "mimic-cxr-reports"
    for at, findings in enumerate(studies):
        patient, study = FIRST_PATIENT + at, 50_000_000 + at
        below = f"files/p{str(patient)[:2]}/p{patient}"
        for view in ("PA", "LATERAL")[: 2 if at < laterals else 1]:
            name = f"{at:08x}-{view.lower()}"
            images.append([name, patient, study, "CHEST (PA AND LAT)", view, SIDE, SIDE])
            split.append([name, study, patient, OF_SUBSETS[at % 5]])
            write_film(folder / below / f"s{study}" / f"{name}.jpg", findings, draw)
        cells = ["1.0" if name in findings else "" for name in CHEXPERT]
        cells[0] = "" if findings else "1.0"
        labels.append([patient, study, *cells])
        if at not in set(without_report):
            path = reports / below / f"s{study}.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(report_of(findings), encoding="utf-8")
    header = (
        "dicom_id,subject_id,study_id,PerformedProcedureStepDescription,ViewPosition,Rows,Columns"
    )
    tables: dict[str, tuple[list[str], list[list[object]]]] = {
        "metadata": (header.split(","), images),
        "split": (["dicom_id", "study_id", "subject_id", "split"], split),
        "chexpert": (["subject_id", "study_id", *CHEXPERT], labels),
    }
    for name, (columns, rows) in tables.items():
        write_rows(folder / f"mimic-cxr-2.0.0-{name}.csv", columns, rows, gzipped=gzipped)
    if zipped:
        shutil.make_archive(str(reports), "zip", reports)
        shutil.rmtree(reports)
    return folder


# ---------------------------------------------------------------- CheXpert
def write_chexpert(
    folder: Path,
    subsets: Mapping[str, int] | None = None,
    *,
    name: str = "CheXpert-v1.0-small",
    by_study: bool = False,
    seed: int = 0,
) -> Path:
    """Write CheXpert into a folder, and return what a dataset names as its path.

    Training labels are 1, 0, -1 and blank, those of the others 1 and 0. Each fourth study of the
    training images has a lateral image besides.

    Args:
        folder: It is made.
        subsets: How many patients each of train, valid and test has.
        name: Of the release, with which paths begin.
        by_study: The test's labels are groundtruth.csv, by study; else test.csv, by image.
        seed: Of noise and findings.
    """
    draw = np.random.default_rng(seed)
    top, patient = folder / name, 0
    for subset, number in (subsets or {"train": 20, "valid": 15, "test": 15}).items():
        rows: list[list[object]] = []
        for at, findings in enumerate(drawn_findings(number, seed)):
            patient += 1
            study = f"{subset}/patient{patient:05d}/study1"
            cells = ["1.0" if name in findings else "0.0" for name in CHEXPERT]
            if subset == "train":
                cells = [("", "-1.0", cell)[int(draw.integers(0, 3))] for cell in cells]
            lateral = subset == "train" and at % 4 == 0
            for view in ("view1_frontal", "view2_lateral")[: 2 if lateral else 1]:
                write_film(top / study / f"{view}.jpg", findings, draw)
                if subset == "test" and by_study:
                    rows.append([f"CheXpert-v1.0/{study}", *cells])
                    continue
                path = f"{name}/{study}/{view}.jpg"
                frontal = view.endswith("frontal")
                stated = ["Female", 40 + at, "Frontal" if frontal else "Lateral"]
                about = [] if subset == "test" else [*stated, "AP" if frontal else ""]
                rows.append([path, *about, *cells])
        first = ["Study"] if subset == "test" and by_study else ["Path"]
        about = [] if subset == "test" else ["Sex", "Age", "Frontal/Lateral", "AP/PA"]
        file = "groundtruth" if subset == "test" and by_study else subset
        write_rows(top / f"{file}.csv", [*first, *about, *CHEXPERT], rows)
    return top


# ---------------------------------------------------------------- VinDr-CXR
VINDR_NAMES = (
    *("Aortic enlargement", "Atelectasis", "Calcification", "Cardiomegaly", "Clavicle fracture"),
    *("Consolidation", "Edema", "Emphysema", "Enlarged PA", "ILD", "Infiltration", "Lung Opacity"),
    *("Lung cavity", "Lung cyst", "Mediastinal shift", "Nodule/Mass", "Pleural effusion"),
    *("Pleural thickening", "Pneumothorax", "Pulmonary fibrosis", "Rib fracture", "Other lesion"),
    *("COPD", "Lung tumor", "Pneumonia", "Tuberculosis"),
)


def write_vindr_cxr(
    folder: Path, train: int = 24, test: int = 12, *, ending: str = "png", seed: int = 0
) -> Path:
    """Write VinDr-CXR into a folder, and return it.

    Two of three radiologists of a training image name what is on it; the third names nothing.

    Args:
        folder: It is made.
        train: Number of training images.
        test: The same of the test.
        ending: Of the images' names; ``dicom`` writes files that only seem to be such.
        seed: Of noise and findings.
    """
    draw = np.random.default_rng(seed)
    lower = {name.lower(): name for name in VINDR_NAMES}
    for subset, number, other in (
        ("train", train, "Other diseases"),
        ("test", test, "Other disease"),
    ):
        rows: list[list[object]] = []
        for at, findings in enumerate(drawn_findings(number, seed)):
            image = f"{at:030x}{subset[:2].encode().hex()}"
            named = {lower[name.lower()] for name in findings}
            cells = [float(name in named) for name in VINDR_NAMES]
            whole = [*cells, 0.0, float(not named)]
            silent = [*[0.0] * len(cells), 0.0, 1.0]
            if subset == "train":
                said = (("R1", whole), ("R2", whole), ("R3", silent))
                rows += [[image, reader, *one] for reader, one in said]
            else:
                rows.append([image, *whole])
            path = folder / subset / f"{image}.{ending}"
            if ending == "dicom":
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(b"\0" * 128 + b"DICM")
            else:
                write_film(path, findings, draw)
        reader_column = ["rad_id"] if subset == "train" else []
        header = ["image_id", *reader_column, *VINDR_NAMES, other, "No finding"]
        write_rows(folder / "annotations" / f"image_labels_{subset}.csv", header, rows)
    return folder


# ---------------------------------------------------------------- PadChest
PADCHEST_HEADER = (
    ",ImageID,ImageDir,StudyDate_DICOM,StudyID,PatientID,PatientBirth,PatientSex_DICOM,Projection,"
    "MethodProjection,Pediatric,ReportID,Report,MethodLabel,Labels,Localizations"
)
PADCHEST_NAMES = {"Edema": "pulmonary edema"}


def write_padchest(
    folder: Path, number: int = 60, *, gzipped: bool = True, deep: bool = False, seed: int = 0
) -> Path:
    """Write PadChest into a folder, and return it.

    Patients have two images of one study, of which each tenth is lateral; the last image's labels
    are a network's.

    Args:
        folder: It is made.
        number: Number of images.
        gzipped: The table is gzipped, as it is given out.
        deep: Images have 16 bits, as those given out; else 8.
        seed: Of noise and findings.
    """
    draw = np.random.default_rng(seed)
    rows: list[list[object]] = []
    for at, findings in enumerate(drawn_findings(number, seed)):
        name, directory, patient = f"{at:09d}_02-{at:03d}.png", at % 2, at // 2
        path = folder / str(directory) / name
        write_film(path, findings, draw)
        if deep:
            grey = np.asarray(Image.open(path)).astype(np.uint16) * 257
            Image.fromarray(grey).save(path)
        names = [PADCHEST_NAMES.get(one, one.lower()) for one in findings] or ["normal"]
        view, by = ("PA", "L")[at % 10 == 9], ("Physician", "RNN_model")[at == number - 1]
        who = [20100504, f"S{patient}", f"P{patient}", 1940 + patient % 40, "F", view]
        rest = ["Manual review of DICOM fields", "No", at, "cardiomegali", by, str(names), "[]"]
        rows.append([at, name, directory, *who, *rest])
    stem = "PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv"
    write_rows(folder / stem, PADCHEST_HEADER.split(","), rows, gzipped=gzipped)
    return folder


# ---------------------------------------------------------------- Open-I
MESH = {"Atelectasis": "Pulmonary Atelectasis/base/left", "Edema": "Pulmonary Edema/mild"}


def write_open_i(
    folder: Path, number: int = 40, *, without_sections: Iterable[int] = (), seed: int = 0
) -> Path:
    """Write reports (ecgen-radiology) and images of Open-I into a folder, and return it.

    Args:
        folder: It is made.
        number: Number of reports; each has two images.
        without_sections: Numbers of reports (from 1) that have neither findings nor impression.
        seed: Of noise and findings.
    """
    draw = np.random.default_rng(seed)
    reports = folder / "ecgen-radiology"
    reports.mkdir(parents=True, exist_ok=True)
    for at, findings in enumerate(drawn_findings(number, seed), 1):
        ids = [f"CXR{at}_1_IM-{at:04d}-{one}001" for one in (1, 2)]
        for one in ids:
            write_film(folder / "NLMCXR_png" / f"{one}.png", findings, draw)
        terms = [MESH.get(name, name) for name in findings] or ["normal"]
        seen = " ".join(f"There is {name.lower()}." for name in findings) or "Lungs are clear."
        told = {"COMPARISON": "None.", "INDICATION": "XXXX-year-old with cough"}
        if at not in set(without_sections):
            told |= {"FINDINGS": seen, "IMPRESSION": f"{at}. No acute disease."}
        abstract = "".join(f'<AbstractText Label="{k}">{v}</AbstractText>' for k, v in told.items())
        mesh = "".join(f"<major>{term}</major>" for term in terms)
        images = "".join(
            f'<parentImage id="{one}"><figureId>F1</figureId><caption>Chest</caption></parentImage>'
            for one in ids
        )
        (reports / f"{at}.xml").write_text(
            f'<?xml version="1.0" encoding="utf-8"?><eCitation><uId id="CXR{at}"/><MedlineCitation>'
            f"<Article><Abstract>{abstract}</Abstract></Article></MedlineCitation>"
            f"<MeSH>{mesh}<automatic>lungs</automatic></MeSH>{images}</eCitation>",
            encoding="utf-8",
        )
    return folder
