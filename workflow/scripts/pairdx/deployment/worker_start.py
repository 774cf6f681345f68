"""A worker's first lines: ``python -m pairdx.deployment.worker_start N``, N a pipe's number.

It imports nothing but Python's own before it can say what went wrong: nobody reads what a worker
prints.
"""

from __future__ import annotations

import signal
import sys
from contextlib import suppress
from multiprocessing.connection import Connection


def main() -> None:
    """Take the pipe and serve; signals are for the parent, which ends this by closing it."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    with suppress(EOFError, OSError), Connection(int(sys.argv[1])) as parent:
        try:
            from pairdx.deployment.worker import serve
        except Exception as error:  # whatever a broken environment raises
            lines = str(error).strip().splitlines() or [""]
            what = f"a package that is needed cannot be loaded ({type(error).__name__}: {lines[0]})"
            remedy = "install the environment for deployed systems (`make deployment`)"
            parent.send(("failed", (what, "", remedy)))
            return
        serve(parent)


if __name__ == "__main__":
    main()
