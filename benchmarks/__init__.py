"""Measurements of mybro beside named peers, each in one run: `python -m benchmarks.NAME_bench --json`."""
