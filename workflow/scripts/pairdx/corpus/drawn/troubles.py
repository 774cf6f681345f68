"""Plants the troubles that a curation has to find, each in a file that is otherwise clean.

A planted file has exactly one problem, so that the reason for its rejection is unambiguous. The
planted rows come on top of the plan (except for the ages, which belong to whole cases), and only in
cases of the six classes.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import imagehash
from PIL import Image

from pairdx.corpus.drawn.plan_of_cases import Case, Panel, Plan
from pairdx.corpus.drawn.trouble_texts import BROKEN_LISTS, CAPTIONS, ERROR_PAGE, UNKNOWN_TYPES
from pairdx.errors import PairDxError

# A re-compressed copy stays well inside the 12 of 256 bits that count as a near-duplicate.
MOST_BITS_OF_A_COPY = 6
HASH_SIZE = 16
CASES_PER_TROUBLE = 30
FEWEST_PER_TROUBLE = 2
FEWEST_CASES = 12
ENCODER_EFFORT = 2  # of 0 (fast) to 6 (small)


@dataclass(frozen=True)
class Trouble:
    """A kind of problem and what the curation is expected to do with it.

    Attributes:
        stage: The curation stage that rejects the file; None where the file is kept.
        reason: The reason that this stage gives.
        masked: The kind of identifier that is masked in the caption of a file that is kept.
    """

    problem: str
    stage: str | None = None
    reason: str | None = None
    masked: str | None = None


@dataclass(frozen=True)
class Planted:
    """A planted file, and the file it is a copy of, if it is one."""

    panel: Panel
    trouble: Trouble
    original: Panel | None = None

    def entry(self) -> dict[str, str | None]:
        """Return the manifest's record of this file."""
        return {
            "file": self.panel.file,
            "problem": self.trouble.problem,
            "expected": "kept" if self.trouble.stage is None else "rejected",
            "stage": self.trouble.stage,
            "reason": self.trouble.reason,
            "masked": self.trouble.masked,
            "of": self.original.file if self.original else None,
        }


TROUBLES = {
    trouble.problem: trouble
    for trouble in (
        Trouble("under_age", "age", "under_age"),
        Trouble("unknown_age", "age", "unknown_age"),
        Trouble("white_pixel", "image", "too_small"),
        Trouble("truncated_image", "image", "unreadable"),
        Trouble("not_an_image", "image", "unreadable"),
        Trouble("exact_duplicate", "duplicates", "exact_duplicate"),
        Trouble("near_duplicate", "duplicates", "near_duplicate"),
        Trouble("caption_name", "identifiers", "name"),
        Trouble("caption_date", "identifiers", "date"),
        Trouble("caption_record_number", "identifiers", "record_number"),
        Trouble("caption_phone", "identifiers", "phone"),
        Trouble("caption_email", "identifiers", "email"),
        Trouble("caption_url", masked="url"),
        Trouble("caption_initials", masked="initials"),
        Trouble("caption_markup", "caption", "caption_markup"),
        Trouble("empty_caption", "caption", "empty_caption"),
        Trouble("boilerplate_caption", "caption", "boilerplate_caption"),
        Trouble("uniform_image", "image", "near_uniform"),
        Trouble("absurd_shape", "image", "extreme_shape"),
        Trouble("malformed_list", "ingest", "malformed_list"),
        Trouble("missing_from_archive", "archive", "missing_from_archive"),
        Trouble("unknown_class", "class", "unknown_class"),
        Trouble("emoji_in_caption"),
    )
}
DUPLICATES = ("exact_duplicate", "near_duplicate")
AGES: dict[str, tuple[int | None, ...]] = {
    "under_age": (17, 0, 9, 14, 5, 12),
    "unknown_age": (None,),
}


def plant(plan: Plan) -> list[Planted]:
    """Add the troubles to a plan, in place.

    Args:
        plan: A clean plan of at least ``FEWEST_CASES`` cases. Planted panels are added to it.

    Returns:
        Every planted file: of each kind about one per thirty cases, and never fewer than two.

    Raises:
        PairDxError: The plan has too few cases to hold every trouble in a file of its own.
    """
    if len(plan.cases) < FEWEST_CASES:
        raise PairDxError(
            f"the demo corpus needs at least {FEWEST_CASES} cases to hold its planted troubles",
            where=f"cases: {len(plan.cases)}",
            remedy=f"ask for {FEWEST_CASES} cases or more",
        )
    count = max(FEWEST_PER_TROUBLE, round(len(plan.cases) / CASES_PER_TROUBLE))
    order = plan.rng.permutation(len(plan.cases))
    cases = [plan.cases[one] for one in order if _is_of_the_six(plan.cases[one])]
    planted: list[Planted] = []
    for problem, ages in AGES.items():
        planted += _change_ages(cases, TROUBLES[problem], ages, count)
    turn = 0
    for problem in [problem for problem in TROUBLES if problem not in AGES]:
        for number in range(count):
            case, turn = cases[turn % len(cases)], turn + 1
            if problem in DUPLICATES:
                planted.append(_add_copy(plan, cases, case, TROUBLES[problem]))
            else:
                planted.append(_add_figure(plan, case, TROUBLES[problem], number))
    return planted


def _is_of_the_six(case: Case) -> bool:
    """Say whether a case has nothing to do with pathology, whose pairs are out of distribution."""
    return "pathology" not in {case.image_type, *(panel.kind.image_type for panel in case.panels)}


def _change_ages(
    cases: list[Case], trouble: Trouble, ages: Sequence[int | None], count: int
) -> list[Planted]:
    """Give cases another age until they hold ``count`` images; take these cases off the list."""
    planted: list[Planted] = []
    turn = 0
    while len(planted) < count:
        case = cases.pop()
        adult, case.age = case.person, ages[turn % len(ages)]
        turn += 1
        for panel in case.panels:
            panel.caption = panel.caption.replace(adult, case.person)
            planted.append(Planted(panel, trouble))
    return planted


def _add_copy(plan: Plan, cases: list[Case], first: Case, trouble: Trouble) -> Planted:
    """Add a clean figure to one case and a copy of it to a case of a later article."""
    others = [case for case in cases if case.article is not first.article]
    alike = [case for case in others if case.image_type == first.image_type] or others
    second = alike[int(plan.rng.integers(len(alike)))]
    if second.case_id < first.case_id:
        first, second = second, first
    (original,) = plan.add_figure(first, first.image_type)
    (copy,) = plan.add_figure(second, first.image_type, kind=original.kind)
    return Planted(copy, trouble, original)


def _add_figure(plan: Plan, case: Case, trouble: Trouble, number: int) -> Planted:
    (panel,) = plan.add_figure(case, case.image_type)
    if trouble.problem in CAPTIONS:
        templates = CAPTIONS[trouble.problem]
        panel.caption = templates[number % len(templates)].format(panel.caption)
    elif trouble.problem == "unknown_class":
        panel.stated_type = UNKNOWN_TYPES[number % len(UNKNOWN_TYPES)]
    elif trouble.problem == "malformed_list":
        panel.stated_references = BROKEN_LISTS[number % len(BROKEN_LISTS)]
    return Planted(panel, trouble)


def spoilt(planted: Planted, image: bytes) -> bytes | None:
    """Return the bytes that a planted file holds; None if its archive is to lack it.

    Args:
        planted: What is planted.
        image: A WebP image: the one drawn for this file or, for a copy, the original's.
    """
    problem = planted.trouble.problem
    if problem == "missing_from_archive":
        return None
    if problem == "white_pixel":
        return encoded(Image.new("RGB", (1, 1), (255, 255, 255)))
    if problem == "uniform_image":
        return encoded(Image.new("RGB", (320, 240), (90, 90, 94)))
    if problem == "absurd_shape":
        return encoded(_opened(image).resize((1200, 40)))
    if problem == "truncated_image":
        return image[: len(image) // 2]
    if problem == "not_an_image":
        return ERROR_PAGE.format(planted.panel.file).encode()
    if problem == "near_duplicate":
        return recompressed(image)
    return image


def recompressed(image: bytes) -> bytes:
    """Return other bytes of nearly the same image: the lowest quality whose hash stays close.

    The perceptual hash is ``imagehash.phash`` with 256 bits.
    """
    picture = _opened(image)
    before = imagehash.phash(picture, hash_size=HASH_SIZE)
    for quality in (45, 60, 75, 90):
        again = encoded(picture, quality)
        after = imagehash.phash(_opened(again), hash_size=HASH_SIZE)
        if again != image and before - after <= MOST_BITS_OF_A_COPY:
            return again
    stream = io.BytesIO()
    picture.save(stream, "WEBP", lossless=True)
    return stream.getvalue()


def encoded(image: Image.Image, quality: int = 80) -> bytes:
    """Return an image as WebP."""
    stream = io.BytesIO()
    image.save(stream, "WEBP", quality=quality, method=ENCODER_EFFORT)
    return stream.getvalue()


def _opened(image: bytes) -> Image.Image:
    with Image.open(io.BytesIO(image)) as opened:
        return opened.convert("RGB")
