"""What a browser sends: image files and captions, read in memory and never written to disk."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import IO

from flask import Request

from pairdx.deployment.page.limits import Limits

NAMELESS = "(no name)"


class RequestInMemory(Request):
    """A request whose files stay in memory; Werkzeug's own are put into temporary files."""

    def _get_file_stream(
        self,
        total_content_length: int | None,  # noqa: ARG002 - all four are Werkzeug's
        content_type: str | None,  # noqa: ARG002
        filename: str | None = None,  # noqa: ARG002
        content_length: int | None = None,  # noqa: ARG002
    ) -> IO[bytes]:
        return io.BytesIO()


@dataclass(frozen=True)
class Upload:
    """One thing to classify.

    Attributes:
        name: Of the file, as the browser says; of a caption alone, a number.
        content: The file's bytes; empty where none is sent.
        caption: Without blanks around it; empty where none is sent.
    """

    name: str
    content: bytes
    caption: str


def uploads_of(request: Request, limits: Limits, *, images: bool) -> list[Upload] | str:
    """Return what a request wants to be classified, in order; or a sentence, if that cannot be.

    The fields ``image`` and ``caption`` may be there several times; the first caption is of the
    first image and so on. A form sends empty ones for what was not filled in: these are left out.

    Args:
        request: What was sent.
        limits: The most that may be.
        images: Whether the system reads images; else every caption is to be classified.
    """
    captions = [caption.strip() for caption in request.form.getlist("caption")]
    files = request.files.getlist("image")
    if not images:
        found = [Upload(f"caption {at}", b"", text) for at, text in enumerate(captions, 1) if text]
        nothing = "There is no caption: write one, and send it again."
    else:
        if captions and len(captions) != len(files):
            return f"Images: {len(files)}, captions: {len(captions)}. Send one with each image."
        captions = captions or [""] * len(files)
        read = [Upload(_name(file.filename), file.read(), "") for file in files]
        found = [
            Upload(upload.name, upload.content, caption)
            for upload, caption in zip(read, captions, strict=True)
            if upload.content or upload.name != NAMELESS
        ]
        nothing = "There is no image: choose one, and send it again."
    if len(found) > limits.files:
        return limits.too_much
    return found or nothing


def _name(stated: str | None) -> str:
    """Return a file's name as it can be shown: of one line, without a folder."""
    last = (stated or "").replace("\\", "/").rpartition("/")[2]
    shown = "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in last
    )
    return shown.strip() or NAMELESS
