"""``python -m affinity`` is ``affinity``."""

from affinity.cli import main

main()
