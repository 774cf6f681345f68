"""The one exception that a user is meant to read."""

from __future__ import annotations


class PairDxError(Exception):
    """Something a user can mend: bad input, a wrong setting, a missing file.

    Args:
        what: What is wrong, in one sentence.
        where: The file, row, key or URL it was found in.
        remedy: What to do about it.
    """

    def __init__(
        self, what: str, *, where: object | None = None, remedy: str | None = None
    ) -> None:
        self.what, self.where, self.remedy = what, where, remedy
        lines = [what]
        if where is not None:
            lines.append(f"  where: {where}")
        if remedy is not None:
            lines.append(f"  what to do: {remedy}")
        super().__init__("\n".join(lines))
