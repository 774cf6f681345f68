"""The conda environments name the lock file's own versions; this writes and compares them.

python tests/environments.py --write
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from packaging.markers import Marker

REPOSITORY = Path(__file__).parents[1]
# One that all tests ran on (`make test VENV=... PYTHON=python3.12`); the other is 3.11.7.
PYTHON_VERSION = "3.12.1"
# What a rule of each environment imports, beyond what these bring along.
ENVIRONMENTS = {
    "data": [
        "gensim", "h5py", "imagehash", "markdown-it-py", "matplotlib", "mlcroissant", "numpy",
        "pandas", "phonenumbers", "pillow", "pyarrow", "python-calamine", "pyyaml", "regex",
        "requests", "safetensors", "scipy", "seaborn", "snakemake", "tabulate", "tqdm",
    ],
    "learning": [
        "h5py", "matplotlib", "numpy", "nvidia-ml-py", "onnx", "onnxruntime",
        "onnxscript", "open-clip-torch", "pandas", "peft", "pillow", "pyarrow", "safetensors",
        "scikit-learn", "scipy", "seaborn", "timm", "torch", "torchvision", "tqdm", "transformers",
    ],
    "deployment": [
        "flask", "markdown-it-py", "numpy", "onnxruntime", "pillow", "pyarrow", "tqdm", "waitress",
    ],
}  # fmt: skip
PURPOSES = {
    "data": "tables, images and figures: curation, splits, metrics, reports",
    "learning": "networks: packing, training, prediction, explanation, timing",
    "deployment": "deployed systems: classifying new documents, and the page",
}


def locked_versions(python_version: str = PYTHON_VERSION) -> dict[str, str]:
    """Return the version of every locked package, for one version of Python on Linux."""
    minor = ".".join(python_version.split(".")[:2])
    environment = {"python_version": minor, "python_full_version": python_version}
    versions = {}
    for line in (REPOSITORY / "requirements.lock").read_text(encoding="utf-8").splitlines():
        found = re.match(r"([a-z0-9._-]+)==([^ ;]+)(?: ; (.*?))? *\\$", line)
        if found and (not found[3] or Marker(found[3]).evaluate(environment)):
            versions[found[1]] = found[2]
    return versions


def environment_file(name: str) -> str:
    """Return the text of envs/<name>.yaml."""
    versions = locked_versions()
    pins = "\n".join(f"      - {package}=={versions[package]}" for package in ENVIRONMENTS[name])
    return (
        f"# {PURPOSES[name]}\n"
        "# Versions are those of requirements.lock (`make lock` writes this file); only those are "
        "tested.\n"
        "channels:\n  - conda-forge\n  - nodefaults\n"
        f"dependencies:\n  - python={PYTHON_VERSION}\n  - pip\n  - pip:\n{pins}\n"
    )


if __name__ == "__main__":
    for environment in ENVIRONMENTS:
        path = REPOSITORY / "envs" / f"{environment}.yaml"
        if "--write" in sys.argv:
            path.write_text(environment_file(environment), encoding="utf-8")
        elif path.read_text(encoding="utf-8") != environment_file(environment):
            sys.exit(f"{path} does not name the lock file's versions; run `make environments`")
