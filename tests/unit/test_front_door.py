"""The README is one page, its picture stands on its own, and no link of a page leads nowhere."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

REPOSITORY = Path(__file__).parents[2]
README = REPOSITORY / "README.md"
PAGES = [README, REPOSITORY / "config/README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
PICTURE = REPOSITORY / "docs/way.svg"


def links(page: Path) -> set[str]:
    """Return the files of the repository that a page links to, as it names them."""
    found = re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8"))
    return {link.partition("#")[0] for link in found if "://" not in link} - {""}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_files_that_a_page_links_to_are_there(page: Path) -> None:
    for link in links(page):
        assert (page.parent / link).is_file(), link


def test_the_readme_is_short_and_leads_to_every_page() -> None:
    assert len(README.read_text(encoding="utf-8").split()) <= 980
    pages = {str(page.relative_to(REPOSITORY)) for page in PAGES if page != README}
    assert pages <= links(README)


def test_the_picture_needs_nothing_from_elsewhere() -> None:
    """GitHub shows an SVG as an image: without scripts, web fonts and other files."""
    content = PICTURE.read_text(encoding="utf-8")
    assert len(content) < 30_000
    picture = ElementTree.fromstring(content)  # noqa: S314
    names = [element.tag.rpartition("}")[2] for element in picture.iter()]
    assert {"title", "desc"} <= set(names)
    assert not {"script", "image", "foreignObject"} & set(names)
    assert not re.search(r"@import|@font-face|href", content)
