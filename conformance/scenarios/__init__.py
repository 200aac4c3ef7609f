"""Tests that are written in YAML, by people who do not program (docs/scenarios.md)."""
