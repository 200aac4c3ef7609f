"""A deployment for a whole country, reckoned from measured figures and stated assumptions: docs/scale.md."""
