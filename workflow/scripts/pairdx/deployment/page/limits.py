"""What one upload may hold, and the sentences for what is more."""

from __future__ import annotations

from dataclasses import dataclass

MEGABYTE = 1_000_000
LEAST_FORM_BYTES = 500_000


@dataclass(frozen=True)
class Limits:
    """The most that is taken at once; the pixels of one image are limited where it is decoded.

    Attributes:
        files: Images of one request.
        file_bytes: Of one image file.
        request_bytes: Of all that is sent at once.
        caption_letters: Of one caption.
        pixels: Of the images of one request: after so many, no other is decoded.
    """

    files: int = 20
    file_bytes: int = 30 * MEGABYTE
    request_bytes: int = 100 * MEGABYTE
    caption_letters: int = 20_000
    pixels: int = 200_000_000

    @property
    def form_bytes(self) -> int:
        """Of all captions of one request, at four bytes a letter.

        Werkzeug holds what it reads of files to the same number, a piece at a time.
        """
        return max(4 * self.files * self.caption_letters, LEAST_FORM_BYTES)

    def too_large(self, size: int) -> str:
        """Return what to say of a file of that many bytes: nothing, where it may be read."""
        if size <= self.file_bytes:
            return ""
        return f"the file has {megabytes(size)}, and at most {megabytes(self.file_bytes)} are read"

    def too_long(self, caption: str) -> str:
        """Return what to say of a caption: nothing, where it may be read."""
        if len(caption) <= self.caption_letters:
            return ""
        letters, most = len(caption), self.caption_letters
        return f"the caption has {letters:,} letters, and at most {most:,} are read"

    def too_many_pixels(self, decoded: int) -> str:
        """Return what to say of an image after so many pixels: nothing, where it may be decoded."""
        if decoded < self.pixels:
            return ""
        return (
            f"not looked at: the images before it have {decoded:,} pixels, and after "
            f"{self.pixels:,} no other is decoded at once; send it again without them"
        )

    @property
    def too_much(self) -> str:
        """What to say of a request that holds too much."""
        return (
            f"This is too much at once. At most {self.files} images are read, of "
            f"{megabytes(self.file_bytes)} each and {megabytes(self.request_bytes)} together. "
            "For more, use the command line."
        )


def megabytes(size: int) -> str:
    """Write a number of bytes in megabytes."""
    return f"{size / MEGABYTE:,.3f}".rstrip("0").removesuffix(".") + " MB"
