"""Run one peer in its own environment: PYTHON run_peer.py TASK, in the folder of the task's files.

With --imports it only imports, so that the disk's cache has the files when imports are timed.

Its functions `fit` and `predict` are timed, and apart from them what it imports and does at its
head. The answer is the last line that is printed.
"""

import importlib.util
import json
import statistics
import sys
from time import perf_counter

import pandas as pd

TIMES = 3


def main() -> None:
    """Train, ask about the test images several times, and print what came of it."""
    spec = importlib.util.spec_from_file_location("task", sys.argv[1])
    if spec is None or spec.loader is None:
        sys.exit(f"{sys.argv[1]} is no Python file")
    task = importlib.util.module_from_spec(spec)
    started = perf_counter()
    spec.loader.exec_module(task)
    imports = perf_counter() - started
    if "--imports" in sys.argv:
        return
    train, validation, test = (
        pd.read_csv(f"{name}.csv") for name in ("train", "validation", "test")
    )
    started = perf_counter()
    model = task.fit(train, validation)
    training = perf_counter() - started
    seconds = []
    for _ in range(TIMES):
        started = perf_counter()
        predicted = list(task.predict(model, test))
        seconds.append(perf_counter() - started)
    milliseconds = 1000 * statistics.median(seconds) / len(test)
    found = {"training": training, "imports": imports, "milliseconds": milliseconds}
    print(json.dumps(found | {"predicted": predicted}), flush=True)


if __name__ == "__main__":
    main()
