"""The composition root: the only place that knows every profile, every wire and the database."""
