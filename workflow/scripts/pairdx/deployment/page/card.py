"""The model card of a deployed folder as a page."""

from __future__ import annotations

import re
from collections.abc import MutableMapping, Sequence
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

from pairdx.deployment.folder import CARD

_HEAD = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)


def card_of(folder: Path) -> str:
    """Return the HTML of a folder's model card; empty where there is none.

    Markup of its own in the card is shown as text, and of pictures what stands in their place,
    because they would be fetched from elsewhere. Links are followed only where somebody does.
    """
    try:
        text = (folder / CARD).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    markdown.add_render_rule("link_open", _link)
    for kind in ("th_open", "td_open"):
        markdown.add_render_rule(kind, _cell)
    markdown.add_render_rule("image", _instead_of_image)
    html: str = markdown.render(_HEAD.sub("", text.replace("\r\n", "\n"), count=1))
    return html.replace("<table>", '<div class="wide"><table>').replace(
        "</table>", "</table></div>"
    )


def _link(
    renderer: RendererHTML,
    tokens: Sequence[Token],
    at: int,
    options: Any,
    _: MutableMapping[str, Any],
) -> str:
    tokens[at].attrSet("rel", "noopener noreferrer")
    return renderer.renderToken(tokens, at, options, {})


def _cell(
    renderer: RendererHTML,
    tokens: Sequence[Token],
    at: int,
    options: Any,
    _: MutableMapping[str, Any],
) -> str:
    """Say by a class on which side a column stands: the page's policy has no style in a tag."""
    style = tokens[at].attrs.pop("style", None)
    if style == "text-align:right":
        tokens[at].attrSet("class", "right")
    return renderer.renderToken(tokens, at, options, {})


def _instead_of_image(_: RendererHTML, tokens: Sequence[Token], at: int, *__: Any) -> str:
    return escapeHtml(tokens[at].content)
