"""One suite of benchmarks, each part a module: `make benchmark` writes docs/benchmarks.md."""
