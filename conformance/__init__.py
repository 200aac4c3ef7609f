"""What Affinity claims and how claims are checked. Today: the integration statement, made from the catalogue."""
