"""``python -m affinity`` is ``affinity``."""

from affinity.cli import main

if __name__ == "__main__":
    main()
