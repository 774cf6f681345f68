"""Persons in captions: names by their company (title, credit, degree), initials by an age.

A list of given names would find more, and would take eponyms (Virchow node, Sister Mary Joseph
nodule) for persons; names without such company are left to the review by people.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import regex

from pairdx.curation.readings import as_in_a_sentence

_APOSTROPHE = r"'\u2019"
# Every repetition has an end: without one a text of some thousand characters takes seconds.
_SOME, _MORE = "{0,4}", "{1,30}"
# Keller, O'Brien, McDonald, Garcia-Lopez; not CT, MRI or ECG.
_WORD = (
    rf"\p{{Lu}}(?:[{_APOSTROPHE}]\p{{Lu}})?\p{{Ll}}{_MORE}(?:\p{{Lu}}\p{{Ll}}{_MORE})?"
    rf"(?:-\p{{Lu}}[\p{{L}}{_APOSTROPHE}]{{0,30}}\p{{Ll}}){_SOME}"
)
_INITIAL = r"\p{Lu}\.(?:-\p{Lu}\.)?"
_PARTICLE = r"(?:de|del|della|da|di|dos|van|von|der|den|ter|el|al|bin|binti|ibn|la|le)"
_FAMILY = rf"(?:{_PARTICLE}\s+){{0,2}}{_WORD}"
_TITLE = (
    r"(?:(?:Asst|Assoc|Assistant|Associate)\b\.?\s+)?"
    r"(?:Drs?|Dra|Mr|Mrs|Ms|Miss|Mx|Prof|Professor|Doctor|Sir|Madam|Mme|Herr|Frau|Sra?|Se\u00f1ora?|Don|Do\u00f1a"
    r"|Smt|Shri|Sri|Dott|Master|Nurse|Sister|Capt|Rev)\b\.?(?:\s+(?:Dr|Prof|med|h\.c)\b\.?){0,3}"
)
_DEGREE = (
    r"(?:M\.?D\.?|Ph\.?D\.?|D\.?O\.?|M\.?B\.?B\.?S\.?|MBChB|MB\s?BCh|FRCS|FACS|FRCP|FRCR|DDS|DMD"
    r"|DVM|RN|MPH|MSc|MS)"
)
_CREDIT = (
    r"(?:(?i:courtesy(?:\s+(?:of|to)|:)?|credits?\s*(?:to|:)|(?:provided|contributed|photographed|taken|illustrated"
    r"|illustration|drawn|drawing|sketch\w*|performed|reported|interpreted|read(?:ing)?|signed|reviewed"
    r"|operated|acquired|annotated|seen)(?:\s+\w{1,30}){0,4}\s+by|(?:photo(?:graph)?|image|illustration"
    r"|drawing|figure)\s*(?:by|:)|thanks\s+to|permission\s+(?:of|from)|operator:?|surgeon:?"
    r"|radiologist:?|signed(?:\s+\w{1,30}){0,5}))"
)
_NAMED = r"(?:(?i:(?:patient|pt)(?:'s)?(?:\s+name)?(?:\s+(?:is|was))?|named|called|fitted\s+to))"
_FULL_NAME = rf"(?:(?:{_WORD}|{_INITIAL})(?:\s*{_INITIAL}){_SOME}\s+{_FAMILY}(?:\s+{_FAMILY})?)"
_QUOTE = "[\"'\u201c\u2018]?"

_TITLED = regex.compile(
    rf"\b{_TITLE}\s+(?:{_INITIAL}\s*){_SOME}{_FAMILY}(?:\s+(?:{_INITIAL}\s*){_SOME}{_FAMILY}){{0,3}}"
    rf"|\b{_TITLE}\s+(?:{_INITIAL}\s*){_SOME}\p{{Lu}}{{3,30}}(?:\s+\p{{Lu}}{{3,30}})?\b"
    rf"|\b{_TITLE}\s+(?:{_INITIAL}\s?){{1,3}}(?=[\s,;)]|$)"
    # In capitals among other words; "MR. FLAIR" and "MS. MRI" are none.
    rf"|\b(?:DRS?\.|PROF\b\.?|PROFESSOR|MRS\b\.?)\s+(?:{_INITIAL}\s*){_SOME}\p{{Lu}}{{3,30}}"
    rf"(?:[-{_APOSTROPHE}\s]\p{{Lu}}{{3,30}})?\b"
)
# Name: Doe, Jane; as burnt into images also DOE^JANE and "DOE, Jane".
_AFTER_NAME = regex.compile(
    r"(?<!(?i:series|protocol|sequence|brand|generic|trade|file|gene|drug|study|scientific)\s)"
    rf"\b(?i:name)\s*[:=]\s*{_QUOTE}"
    rf"(?P<name>\p{{Lu}}[\w{_APOSTROPHE}-]{_MORE}(?:,\s*\p{{Lu}}[\w{_APOSTROPHE}-]{{0,30}}\.?"
    rf"|(?:\s+\p{{Lu}}[\w{_APOSTROPHE}.-]{{0,30}}){{1,2}}))"
)
_WITH_COMPANY = (
    regex.compile(rf"\b{_CREDIT}\s+{_QUOTE}(?P<name>{_FULL_NAME}(?:,?\s+{_DEGREE}(?!\w)){_SOME})"),
    regex.compile(
        rf"(?<!\w)(?P<name>{_FULL_NAME}(?:,\s*|\s+){_DEGREE}(?:,\s*{_DEGREE}){_SOME})(?!\w)"
    ),
    regex.compile(rf"\b{_NAMED}\s+(?P<name>{_FULL_NAME})"),
    regex.compile(rf"(?<!\w)(?P<name>{_FULL_NAME})(?=,?\s+who\s+(?:consented|agreed|gave))"),
    _AFTER_NAME,
    regex.compile(r"(?P<name>\p{Lu}{2,30}\^\p{Lu}{2,30})"),
    regex.compile(r"[\"\u201c](?P<name>\p{Lu}{3,30},\s+\p{Lu}\p{L}{1,30})[\"\u201d]"),
)
# Where all words are capitals, fewer words make a name of what follows them: "PATIENT UNDERWENT
# SURGERY", "SEEN BY LIGHT MICROSCOPY", "AXIAL VIEW, MS LESION".
_DEGREE_IN_CAPITALS = (
    r"(?i:M\.?D|PH\.?D|M\.?B\.?B\.?S|MBCHB|FRCS|FACS|FRCP|FRCR|DDS|DMD|DVM|MPH)\b\.?"
)
_IN_CAPITALS = (
    _AFTER_NAME,
    regex.compile(
        r"\b(?i:courtesy(?:\s+(?:of|to)|:)?|credits?\s*(?:to|:)|(?:photo(?:graph)?|image|illustration"
        r"|drawing)\s+by|(?:provided|contributed|photographed|drawn)\s+by|thanks\s+to"
        r"|permission\s+(?:of|from)|(?:operator|surgeon|radiologist):"
        r"|patient(?:'s)?\s+name(?:\s+(?:is|was))?|patient\s+named)"
        rf"\s+{_QUOTE}(?P<name>{_FULL_NAME})"
    ),
    regex.compile(rf"(?<!\w)(?P<name>{_FULL_NAME}(?:,\s*|\s+){_DEGREE_IN_CAPITALS})(?!\w)"),
    regex.compile(
        rf"\b{_CREDIT}\s+{_QUOTE}(?P<name>{_INITIAL}(?:\s*{_INITIAL}){_SOME}\s+{_FAMILY})"
    ),
    regex.compile(rf"(?<!\w)(?P<name>{_FULL_NAME})(?=,?\s+who\s+(?:consented|agreed|gave))"),
)
# Words that begin with a capital and belong to no person's name.
_NO_NAME = regex.compile(
    r"\b(?:Hospitals?|Universit\w+|Department|Division|Clinics?|Institut\w*|Centers?|Centres?|College"
    r"|School|Foundation|Societ\w+|Journal|Press|Elsevier|Springer|Nature|Wiley|Oxford|Cambridge"
    r"|Lippincott|Publish\w+|Verlag|Karger|Thieme|Radiology|Radiopaedia|Pathology|Surgery|Medicine"
    r"|Medical|Health|Imaging|Figure|Fig|Panel|Table|Image|Axial|Coronal|Sagittal|Before|After|Left"
    r"|Right|The|This|These|Note|Microsoft|Adobe|Siemens|Philips|Canon|Olympus|Zeiss|Da\sVinci"
    r"|Questionnaire|Global|Assessment|Scale|Score|Index|Reported|Outcomes?|Safety|Survival|Flow"
    r"|Management|Mean|Deviation|Diagnosis|Syndrome|Disease|Dystrophy|Degeneration|Group|Team"
    r"|Laborator\w+|Library|Creative|Commons|Duchenne|Becker|Dreifuss)\b"
)
_EPONYM_OR_COMPANY = regex.compile(
    r"(?:['\u2019]s)?\s{1,4}(?:stain\w*|signs?|syndrome|disease|method|technique|tests?|scores?|classification"
    r"|procedure|criteria|system|robot\w*|tumou?rs?|nodul\w+|bod(?:y|ies)|cells?|reaction|operation"
    r"|anomaly|phenomenon|scale|index|maneuver|manoeuvre|catheter|lines?|AG|GmbH|Ltd|Inc|LLC|et\sal)\b"
)

_AGE = (
    r"(?:an?\s+|the\s+)?(?:aged?\s+(?:of\s+)?\d{1,3}\b|\d{1,3}\s*[-\u2013]?\s*"
    r"(?:years?\b|yrs?\b|months?\b|y\.?o\.?\b|y/o\b|y\b|/\s*[MF]\b|[MF]\b))"
)
_SEX = r"(?:(?:an?\s+)?(?:fe)?male|(?:wo)?man|boy|girl|[MF])\b"
_DOTTED = r"\p{Lu}\.(?:-\p{Lu}\.)?\s?\p{Lu}(?:\.\s?\p{Lu})?(?:\.|(?=,))"
_PERSON = (
    r"(?i:patient|pt\.?|child|baby|infant|proband|index\s+case|(?:wo)?man|boy|girl|mother|father"
    r"|twins?)"
)
_INITIALS = (
    regex.compile(
        rf"(?<![\w.])(?P<initials>{_DOTTED})(?:,\s*|\s+|\s*\(\s*)(?:{_SEX}[,\s]\s*)?{_AGE}"
    ),
    regex.compile(rf"\b{_PERSON}(?:,?\s+|\s*\()(?P<initials>{_DOTTED})(?!\s*\d+/\d)"),
    regex.compile(rf"(?<![\w.])(?P<initials>{_DOTTED}),\s+{_SEX}"),
    regex.compile(r"\b(?i:patient|pt\.?)\s+\(?(?P<initials>\p{Lu}{2})(?![\w-])"),
    regex.compile(
        rf"\b(?i:patient|pt\.?)\s+(?P<initials>\p{{Lu}}{{2,3}})(?=\s*(?:,|\()\s*(?:{_SEX}[,\s]\s*)?{_AGE})"
    ),
    regex.compile(
        r"\b[Cc]ase\s+\d+\s*[:,.\u2013-]\s*(?P<initials>\p{Lu}{2,3})(?=,?\s+\d{1,3}\s*/\s*[MF]\b)"
    ),
    regex.compile(
        rf"(?<![\w.-])(?P<initials>\p{{Lu}}{{2}})(?=,\s*{_AGE}(?:[-\s]old)?\s*{_SEX}|\s*\({_AGE})"
    ),
    regex.compile(r"\b[Ii]nitials\s*:?\s+(?P<initials>\p{Lu}{2,3}|\p{Lu}\.\s?\p{Lu}\.)(?!\w)"),
)
_NO_INITIALS = {
    *("US", "UK", "AP", "PA", "IV", "IM", "OD", "OS", "OU", "ER", "IQ", "ID", "BP", "EUA", "OPG"),
    *(
        "CT",
        "MR",
        "MRI",
        "ECG",
        "EKG",
        "EEG",
        "EMG",
        "PET",
        "OCT",
        "HIV",
        "ICU",
        "XR",
        "CXR",
        "USG",
    ),
    *("CTA", "MRA", "TB", "MS", "ALS", "SLE", "RA", "HCV", "HBV", "IDH", "NF", "TS", "DM", "CKD"),
    *("LV", "RV", "BMI", "AD", "PD", "AML", "CML", "ALL", "CLL", "NHL", "HCC", "GCS", "BCC", "SCC"),
}


def find_names(caption: str) -> Iterator[tuple[int, int]]:
    """Yield start and end of every stretch that names a person, its title included."""
    yield from _found_names(caption, _WITH_COMPANY)
    lowered = as_in_a_sentence(caption)
    if lowered != caption:
        yield from _found_names(lowered, _IN_CAPITALS)


def _found_names(
    caption: str, with_company: Iterable[regex.Pattern[str]]
) -> Iterator[tuple[int, int]]:
    for match in _TITLED.finditer(caption):
        is_eponym = _EPONYM_OR_COMPANY.match(caption, match.end())
        if not _NO_NAME.search(match.group()) and not is_eponym:
            yield match.span()
    for pattern in with_company:
        for match in pattern.finditer(caption):
            end = match.end("name")
            name = as_in_a_sentence(match["name"])  # _NO_NAME knows words as they stand there
            if not _NO_NAME.search(name) and not _EPONYM_OR_COMPANY.match(caption, end):
                yield match.span("name")


def find_initials(caption: str) -> Iterator[tuple[int, int]]:
    """Yield start and end of initials that stand for a person: by an age, or after "patient"."""
    caption = as_in_a_sentence(caption)
    for pattern in _INITIALS:
        for match in pattern.finditer(caption):
            if regex.sub(r"[\s.-]", "", match["initials"]) not in _NO_INITIALS:
                yield match.span("initials")
