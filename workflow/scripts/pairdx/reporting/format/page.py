"""Whole texts as web pages: datasheets, and what is checked before training."""

from __future__ import annotations

import html

from markdown_it import MarkdownIt

from pairdx.reporting.format.webpage import STYLE

PAGE_STYLE = (
    STYLE + "\nh2 { font-size: 1.1rem; margin-top: 2rem; }\nh3 { font-size: 1rem; }"
    "\np, li { max-width: 50rem; }\npre { overflow-x: auto; }\n"
)


def as_page(markdown: str, *, title: str) -> str:
    """Turn Markdown into a web page. HTML in the Markdown is shown, never interpreted."""
    body = MarkdownIt("commonmark", {"html": False}).enable("table").render(markdown)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{html.escape(title)}</title><style>{PAGE_STYLE}</style></head>\n"
        f"<body>{body}</body></html>\n"
    )
