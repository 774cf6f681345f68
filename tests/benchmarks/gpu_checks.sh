#!/usr/bin/env bash
# What only a GPU can tell of the training step, in one go of a few minutes:
#
#     tests/benchmarks/gpu_checks.sh OUT [PYTHON]
#
# OUT: a folder for the tables. PYTHON: that of an environment with the workflow's packages and the tests' own (default
# .venv/bin/python). On a machine with an NVIDIA GPU and 16 GB of main memory. Not run on a GPU yet.
set -euo pipefail
cd "$(dirname "$0")/../.."
out=${1:?"usage: tests/benchmarks/gpu_checks.sh OUT [PYTHON]"}
python=${2:-.venv/bin/python}
mkdir -p "$out"

nvidia-smi --query-gpu=name,driver_version,memory.total,clocks.max.sm --format=csv | tee "$out/gpu.csv"
nvidia-smi --query-gpu=timestamp,utilization.gpu,utilization.memory,memory.used,power.draw --format=csv --loop=1 \
    >"$out/utilisation.csv" &
watching=$!
trap 'kill "$watching"' EXIT

said() { printf '%s  %s\n' "$(date +%T)" "$*" | tee -a "$out/times.txt"; }

said "kernels, bytes, copies and waits of a step, before and now; PyTorch's own tables"
"$python" tests/benchmarks/step_profile.py --device cuda --batch-size 128 --turns 5 --operators 25 \
    --table "$out/step_profile.md" >"$out/operators.txt"
said "augmentation alone"
"$python" tests/benchmarks/augmentation.py --device cuda --batch-size 128 --seconds 2 --table "$out/augmentation.md"
said "training at the paper's size as it was: kornia, whole texts (2 epochs)"
"$python" tests/benchmarks/data_path.py --device cuda --pairs 15865 --epochs 2 --before --table "$out/before.md"
said "the same as it is (2 epochs)"
"$python" tests/benchmarks/data_path.py --device cuda --pairs 15865 --epochs 2 --table "$out/now.md"
said "the whole of it as it is"
"$python" tests/benchmarks/data_path.py --device cuda --pairs 15865 --table "$out/whole.md"
said "done"

tee "$out/beside.txt" <<'TEXT'
Beside the training seconds of whole.md:
  paper, on an A100 (Section 3.6): PairDxFusion 1,075 s, PairDxCLIP 3,952 s (config/papers/pairdx.yaml)
  aims, wall time on an A100: PairDxFusion 60 s, PairDxCLIP 120 s, of which states and start-up are no part here
Random pixels: images cost what real ones do. Captions of 40 words: longer than the real corpus', so that less padding is saved.
TEXT
