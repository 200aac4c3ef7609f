"""The kernel of Affinity: what every IHE profile shares. Standard library only."""
