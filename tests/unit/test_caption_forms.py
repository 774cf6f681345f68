"""One caption in many forms of Unicode: what a person reads as the same is found as the same."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelled_captions import Labelled, read_labelled, score
from pairdx.curation.captions import caption_cluster, caption_problem
from pairdx.curation.identifiers import find_identifiers, mask
from pairdx.curation.readings import as_in_a_sentence, readings
from pairdx.evaluation.caption_changes import mask_words, word_pattern

pytestmark = pytest.mark.slow

HALVES = ("frozen", "development")


def full_width(text: str) -> str:
    """Write printable ASCII as its full-width forms, and the space as the ideographic one."""
    wide = "".join(chr(ord(one) + 0xFEE0) if "!" <= one <= "~" else one for one in text)
    return wide.replace(" ", "\u3000")


FORMS: dict[str, Callable[[str], str]] = {
    "decomposed": lambda text: unicodedata.normalize("NFD", text),
    "full width": full_width,
    "no-break spaces": lambda text: text.replace(" ", "\u00a0"),
    "narrow no-break spaces": lambda text: text.replace(" ", "\u202f"),
    "figure spaces": lambda text: text.replace(" ", "\u2007"),
    "line ends": lambda text: text.replace(" ", "\n"),
    "tabs": lambda text: text.replace(" ", "\t"),
    "no-break hyphens": lambda text: text.replace("-", "\u2011"),
    "hyphens": lambda text: text.replace("-", "\u2010"),
    "minus signs": lambda text: text.replace("-", "\u2212"),
    "soft hyphens": "\u00ad".join,
    "joiners": "\u200d".join,
    "modifier apostrophes": lambda text: text.replace("'", "\u02bc").replace("\u2019", "\u02bc"),
    "decimal entities": lambda text: "".join(f"&#{ord(one)};" for one in text),
    "hexadecimal entities": lambda text: "".join(f"&#x{ord(one):X};" for one in text),
    "entities of entities": lambda text: "".join(f"&amp;#{ord(one)};" for one in text),
    "decimal entities without ends": lambda text: "".join(f"&#{ord(one)}" for one in text),
    "hexadecimal entities without ends": lambda text: "".join(f"&#x{ord(one):X}" for one in text),
    "named entities without ends": lambda text: text.replace("&", "&amp;").replace(" ", "&nbsp"),
    "apostrophes and quotation marks of Windows": lambda text: text.replace("'", "\x92").replace(
        '"', "\x93"
    ),
    "named entities": lambda text: text.replace("&", "&amp;").replace(" ", "&nbsp;"),
    "mathematical letters": lambda text: "".join(
        chr(ord(one) + 0x1D7CE - ord("0")) if "0" <= one <= "9" else one for one in text
    ),
}


def plain_captions(half: str) -> list[Labelled]:
    """Those that are not written in another form already."""
    captions = read_labelled(half)
    return [one for one in captions if one.text.isascii() and "&" not in one.text]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("half", HALVES)
def test_what_is_found_does_not_depend_on_the_form(half: str, form: str) -> None:
    for caption in plain_captions(half):
        there = FORMS[form](caption.text)
        expected = [(one.kind, FORMS[form](one.text)) for one in find_identifiers(caption.text)]
        found = find_identifiers(there)
        assert [(one.kind, one.text) for one in found] == expected
        assert all(there[one.start : one.end] == one.text for one in found)
        assert find_identifiers(mask(there, found)) == []


@pytest.mark.parametrize("space", [*"\n\t\r\v\f", "\r\n", "\u2028"])
def test_a_number_with_a_country_code_goes_on_after_any_space(space: str) -> None:
    number = f"+49{space}30{space}901820"
    (found,) = find_identifiers(f"The ward: {number}.")
    assert (found.kind, found.text) == ("phone", number)


@pytest.mark.parametrize("break_", ["\u200b", "\ufeff", "\u2060", "\0", "\x1f", "\x7f", "\x81"])
def test_invisible_breaks_may_part_words_or_join_them(break_: str) -> None:
    for caption in plain_captions("development"):
        kinds = [one.kind for one in find_identifiers(caption.text)]
        inside = break_.join(caption.text)
        assert {one.kind for one in find_identifiers(inside)} >= set(kinds)
        if set(kinds) & {"name", "date", "initials"}:
            between = caption.text.replace(" ", break_)
            assert {one.kind for one in find_identifiers(between)} & set(kinds)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Seen on 7\u202fMay\u200b2016.", "date"),
        ("Seen on 7\u200bMay\u200b2016.", "date"),
        ("Photo: 2019\u201303\u201312.", "date"),
        ("Axial CT\u2013March 2019", "date"),
        ("Courtesy of Maria Garc\u00eda\u2013L\u00f3pez", "name"),
    ],
)
def test_all_of_it_is_masked(text: str, kind: str) -> None:
    found = find_identifiers(text)
    assert [one.kind for one in found] == [kind]
    left = mask(text, found)
    assert not any(char.isdigit() for char in left)
    assert "pez" not in left


@given(
    st.text(
        alphabet=st.sampled_from(
            "aAe1 .-&;#xltp\0\x92\x85\u0301\u200b\u2013\u00ad\uff21\ufb01\u2026"
        )
    )
)
def test_spans_of_copies_lie_in_the_caption_in_order(text: str) -> None:
    for copy in readings(text):
        spans = [copy.span(at, at + 1) for at in range(len(copy.text))]
        assert all(0 <= start < end <= len(text) for start, end in spans)
        assert spans == sorted(spans)


@given(
    st.text(
        alphabet=st.characters(
            max_codepoint=127,
            exclude_categories=["Cc"],
            include_characters="\t\n\r\v\f",
            exclude_characters="&",
        )
    )
)
def test_ascii_stands_as_it_is(text: str) -> None:
    (copy,) = readings(text)
    assert copy.text == text
    assert [copy.span(at, at + 1) for at in range(len(text))] == [
        (at, at + 1) for at in range(len(text))
    ]


@pytest.mark.parametrize(
    ("text", "copy"),
    [
        ("10\u00b2 mm\u00b2, 10\u00bd, T\u2082", "10\u00b2 mm\u00b2, 10\u00bd, T\u2082"),
        ("5 &lt; 6 &amp; 7 &unknown; &amp;lt;", "5 < 6 & 7 &unknown; <"),
        ("&amp;", "&"),
        ("&lamp; &copyx; R&D;", "&lamp; \u00a9x; R&D;"),
        ("R&amp;Dev, pre&amp;regression &amp;xx;", "R&Dev, pre&regression &xx;"),
        ("5 &lt 6 &amp;lt 7 &ltd J&#111hn&nbspK &Delta", "5 < 6 < 7 <d John K &Delta"),
        ("O\x92Brien \x80 5 \x93a\x94", 'O\'Brien \u20ac 5 "a"'),
        ("J\0o\x1fh\x7fn\x81 \x08K\t\n", "John K\t\n"),
        ("\u0661\u0662\u06f3", "123"),
        ("\u2116 5 \ufb01ne \u210d", "\u2116 5 fine H"),
    ],
)
def test_what_means_something_else_is_no_other_form(text: str, copy: str) -> None:
    assert readings(text)[0].text == copy


@pytest.mark.parametrize("half", HALVES)
def test_captions_in_capitals_are_read_with_little_loss(half: str) -> None:
    raised = [
        Labelled(one.text.upper(), one.identifiers)
        for one in read_labelled(half)
        if len(one.text.upper()) == len(one.text)
    ]
    found = score(raised)
    assert found.precision >= 0.95, found.wrong
    assert found.recall >= 0.85, found.missed


COMPANY_BEFORE = re.compile(r"(?i)(?:name\s*[:=]\s*[\"\u201c]?|\bcourtesy(?: of| to|:)?\s+)$")
DEGREE_AFTER = re.compile(r",?\s*(?:M\.?D|Ph\.?D|MBBS|FRCS|FACS|FRCR|DDS)\b")


@pytest.mark.parametrize("half", HALVES)
def test_a_name_in_such_company_is_found_in_capitals_too(half: str) -> None:
    """After `name:` or a courtesy, or before a degree, whatever the letters."""
    tried = 0
    for one in plain_captions(half):
        raised = one.text.upper()
        found = [there for there in find_identifiers(raised) if there.kind == "name"]
        for start, end, kind in one.identifiers:
            before, after = one.text[:start], one.text[start:]
            degree = DEGREE_AFTER.search(after, 0, end - start + 9)
            if kind == "name" and (COMPANY_BEFORE.search(before) or degree):
                tried += 1
                assert any(there.start < end and there.end > start for there in found), raised
    assert tried >= 1


@pytest.mark.parametrize(
    ("caption", "names"),
    [
        ("PATIENT NAME: JOHN KELLER", ["JOHN KELLER"]),
        ("AXIAL CT OF THE HEAD. NAME: DOE, JANE", ["DOE, JANE"]),
        ("PATIENT NAMED JOHN KELLER WITH A CYST", ["JOHN KELLER"]),
        ("THE PATIENT'S NAME WAS JOHN KELLER", ["JOHN KELLER"]),
        ("Header left unmasked (NAME: DOE, JANE)", ["DOE, JANE"]),
        ("SERIES NAME: FLAIR COR FATSAT", []),
        ("Gene NAME: Sonic Hedgehog", []),
        ("SEQUENCE, NAME: AXIAL FLAIR", []),
        ("PATIENT UNDERWENT RESECTION", []),
    ],
)
def test_who_is_called_so_is_found_in_capitals(caption: str, names: list[str]) -> None:
    assert [one.text for one in find_identifiers(caption) if one.kind == "name"] == names


@pytest.mark.parametrize(
    ("capitals", "sentence"),
    [
        ("MR. O'BRIEN, MR IMAGE OF 5MM", "Mr. O'Brien, MR Image of 5mm"),
        ("KELLER'S FUNDUS, A 58-YEAR-OLD", "Keller's Fundus, a 58-year-Old"),
        ("CT and MRI of the brain", "CT and MRI of the brain"),
        ("DR. A. VOSS IN MAY", "Dr. A. Voss in May"),
    ],
)
def test_capitals_are_lowered_where_they_say_nothing(capitals: str, sentence: str) -> None:
    assert as_in_a_sentence(capitals).replace("old", "Old") == sentence


@pytest.mark.parametrize(
    ("caption", "reason"),
    [
        ("\u200b\u00a0\ufeff", "empty_caption"),
        ("&nbsp;", "empty_caption"),
        ("Fig\u00adure\u00a02 (a).", "boilerplate_caption"),
        ("\uff26\uff49\uff47\uff0e\uff12", "boilerplate_caption"),
        ("&lt;b&gt;CT&lt;/b&gt; of the chest", "caption_markup"),
        ("\uff1cscript\uff1eCT", "caption_markup"),
    ],
)
def test_unusable_captions_are_found_in_any_form(caption: str, reason: str) -> None:
    found = caption_problem(caption)
    assert found is not None
    assert found[0] == reason


def test_captions_that_differ_only_in_form_share_a_cluster() -> None:
    forms = ["Caf\u00e9-au-lait spot, 5 mm", "Cafe\u0301\u2011au\u2011lait spot,\u00a05\u200b mm"]
    names = caption_cluster(pd.Series([*forms, "Caf\u00e9-au-lait spot, 6 mm"]))
    assert names[0] == names[1] != names[2]


@pytest.mark.parametrize("form", ["full width", "soft hyphens", "decimal entities", "decomposed"])
def test_words_of_classes_are_masked_in_any_form(form: str) -> None:
    pattern = word_pattern(["x-ray", "radiograph", "\u00e9chographie"])
    for word in ("X-ray", "radiographs", "\u00e9chographie", "xray"):
        assert mask_words(f"Chest {FORMS[form](word)} of a man", pattern) == "Chest of a man"
    assert mask_words("the gr\u00e4y x-rayed one", pattern) == "the gr\u00e4y x-rayed one"
