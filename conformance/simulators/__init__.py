"""Counterparts that listen for a client under test: ports, faults on the way, a record of all they saw."""
