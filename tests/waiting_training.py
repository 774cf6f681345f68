"""A training that, once a state is written, goes on only when it is told to stop.

It stands for one that is stopped in its middle, however fast the machine; run by
test_distributed.py: torchrun --module waiting_training job.json
"""

from __future__ import annotations

import signal
import time
from typing import Any

from pairdx.models.training_job import main
from pairdx.training.state.checkpoint import StateFolder


def wait_after_saving() -> None:
    """Make every saved state wait until this process has noted SIGTERM."""
    save = StateFolder.save

    def save_and_wait(*arguments: Any) -> None:
        save(*arguments)
        noted: Any = signal.getsignal(signal.SIGTERM)
        while not noted.__self__.made:
            time.sleep(0.01)

    StateFolder.save = save_and_wait  # type: ignore[method-assign]


if __name__ == "__main__":
    wait_after_saving()
    main()
