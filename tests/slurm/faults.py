"""A test cluster whose daemons and nodes can be killed and brought back."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path

from slurm.cluster import DAEMONS, SlurmCluster
from slurm.configuration import GPUS_OF_NODE


class FragileCluster(SlurmCluster):
    """A cluster on which bad days can be had."""

    def kill(self, daemon: str) -> None:
        """Kill a daemon at once; of a node (``gpu1``), everything that runs on it too."""
        doomed = self.children.pop(daemon)
        doomed.kill()
        doomed.wait(timeout=10)
        if daemon in GPUS_OF_NODE:
            for process in self._on_node(daemon):
                with suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)

    def bring_back(self, daemon: str) -> None:
        """Start a killed daemon again, as it was started first."""
        command, variables = self.launched[daemon]
        self.launch(daemon, *command, **variables)

    def recover(self) -> None:
        """Bring back every daemon that was killed, end all jobs, and wait for idle nodes."""
        for daemon in DAEMONS:
            if daemon not in self.children:
                self.bring_back(daemon)
        self.await_answer(lambda: self.succeeds("scancel", "--user=root"), "slurmctld")
        self.await_idle_nodes()

    def _on_node(self, node: str) -> list[int]:
        """Return the processes of the jobs on a node: their steps' daemons and themselves."""
        jobs = self.run("squeue", "--noheader", f"--nodelist={node}", "--format=%A").split()
        steps = tuple(f"slurmstepd: [{job}." for job in jobs)
        found = []
        for process in self.processes():
            with suppress(OSError):  # it has ended meanwhile
                title = Path(f"/proc/{process}/cmdline").read_bytes().decode(errors="replace")
                variables = Path(f"/proc/{process}/environ").read_bytes().split(b"\0")
                if title.startswith(steps) or f"SLURMD_NODENAME={node}".encode() in variables:
                    found.append(process)
        return found
