"""Energy that a GPU used, where NVIDIA's management library (NVML) counts it."""

from __future__ import annotations

from typing import Any


class EnergyMeter:
    """Joules that the current GPU has used since the meter was made.

    The driver counts the whole board's energy: what other jobs draw from a shared GPU is in it.

    Args:
        device: ``cpu`` or ``cuda``. A CPU's energy is not measured.
    """

    def __init__(self, device: str) -> None:
        gpu: tuple[Any, Any] = _current_gpu() if device == "cuda" else (None, None)
        self._handle, self._library = gpu
        self._start = self._millijoules()

    def joules(self) -> float | None:
        """Return the energy used so far in joules; None where it is not counted."""
        now = self._millijoules()
        if now is None or self._start is None:
            return None
        return (now - self._start) / 1000

    def _millijoules(self) -> int | None:
        if self._library is None:
            return None
        try:
            return int(self._library.nvmlDeviceGetTotalEnergyConsumption(self._handle))
        # GPUs before Volta, slices of one (MIG), an old library. Nothing that is asked for besides
        # may end a training.
        except Exception:
            return None


def _current_gpu() -> tuple[Any, Any]:
    """Return NVML's handle of PyTorch's current GPU, and NVML; or None twice."""
    try:
        import pynvml
        import torch

        pynvml.nvmlInit()
        uuid = torch.cuda.get_device_properties(torch.cuda.current_device()).uuid
        return pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{uuid}"), pynvml
    # NVML's own, PyTorch's where it has no GPU, a missing package: energy is then not known.
    except Exception:
        return None, None
