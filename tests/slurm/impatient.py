"""Snakemake, with short waits between its questions to SLURM: run this file in its place.

The plugin asks for the state of jobs ever more rarely while none ends (its waits grow by 10 seconds
each, and no option says otherwise). Jobs of the tests take seconds. Nothing else is changed.
"""

from __future__ import annotations

import asyncio

from snakemake.cli import main
from snakemake_executor_plugin_slurm import Executor

SECONDS = 1.5


async def sleep_shortly(self: Executor) -> None:
    """Sleep as long as the plugin would, but not longer than the above."""
    await asyncio.sleep(min(SECONDS, self.next_seconds_between_status_checks))


if __name__ == "__main__":
    Executor.sleep = sleep_shortly
    main()
