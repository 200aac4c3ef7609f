"""Affinity domains that ship with the program: data only, one directory each."""
