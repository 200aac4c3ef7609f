"""``python -m benchmarks.scale > docs/scale.md``."""

from benchmarks.scale.page import page

if __name__ == "__main__":
    print(page(), end="")
