"""Benchmarks: each figure beside a floor or an aim, taken in one run on the machine that the report names."""
