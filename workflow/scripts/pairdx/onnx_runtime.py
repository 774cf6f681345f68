"""ONNX Runtime, loaded so that it tells nobody: the one place that imports it.

From 1.32 on it sends telemetry: on import it writes to the user's cache and to the temporary
folder, and contacts a host. Its own switch is a variable that it reads while it is loaded.
"""

from __future__ import annotations

import os
from types import ModuleType

# For environments of processes that are started, too.
SILENCE = {"ORT_DISABLE_TELEMETRY": "1"}


def import_onnxruntime() -> ModuleType:
    """Return the module ``onnxruntime``, without telemetry whatever the environment asks for.

    Raises:
        ImportError: It is not installed, or cannot be loaded.
    """
    os.environ.update(SILENCE)
    # It takes a while to load, which whatever runs without it does without.
    import onnxruntime  # type: ignore[import-untyped]

    module: ModuleType = onnxruntime
    return module
