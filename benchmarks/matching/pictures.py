"""``python -m benchmarks.matching.pictures``: the distributions of weights as SVG, for docs/matching.md."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from benchmarks.matching.datasets import Entry
from benchmarks.matching.feeding import Fed, feed, true_pairs
from benchmarks.matching.invented import population
from pix.matching.configuration import default
from pix.matching.scoring import compare_fully

PERSONS, SEED = 10000, 2
LEAST, MOST, STEP = -40, 60, 2
WIDTH, HEIGHT, BASE, LEFT = 720, 260, 220, 50
SAME, OTHER = "#1f77b4", "#d62728"
SVG = "http://www.w3.org/2000/svg"
TARGET = Path("docs/images")


def main() -> None:
    """Write one picture of bare sums and one of the weights that decide."""
    entries = population(PERSONS, SEED)
    fed = feed(entries, default())
    bare = [
        sum(each.bits for each in compare_fully(entries[one].subject, entries[other].subject, default()).evidence)
        for one, other in fed.comparisons
    ]
    decided = [
        compare_fully(entries[one].subject, entries[other].subject, default()).weight for one, other in fed.comparisons
    ]
    TARGET.mkdir(parents=True, exist_ok=True)
    _write("matching-sums.svg", "Sum of evidence, neither capped nor vetoed", bare, entries, fed)
    _write("matching-weights.svg", "Weight after caps", decided, entries, fed)


def _write(name: str, title: str, weights: Iterable[float], entries: Sequence[Entry], fed: Fed) -> None:
    truth = true_pairs(entries)
    known = list(zip(weights, (two in truth for two in fed.comparisons), strict=True))
    bars = {same: Counter(_bin(weight) for weight, is_same in known if is_same is same) for same in (True, False)}
    (TARGET / name).write_text("\n".join(_svg(title, bars[True], bars[False])) + "\n", encoding="utf-8")


def _bin(weight: float) -> int:
    return int(min(max(weight, LEAST), MOST - STEP) // STEP * STEP)


def _svg(title: str, same: Counter[int], other: Counter[int]) -> Iterator[str]:
    yield f'<svg xmlns="{SVG}" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">'
    yield f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/><text x="{LEFT}" y="18" font-size="14">{title}</text>'
    for bars, colour in ((other, OTHER), (same, SAME)):
        total = sum(bars.values()) or 1
        for weight, number in sorted(bars.items()):
            tall = 170 * min(1.0, 3 * number / total)
            where = f'x="{_x(weight):.0f}" y="{BASE - tall:.1f}" width="{_x(STEP) - _x(0) - 1:.0f}" height="{tall:.1f}"'
            yield f'<rect {where} fill="{colour}" fill-opacity="0.55"/>'
    for name, bits in (("review", default().review), ("link", default().link)):
        yield f'<line x1="{_x(bits):.0f}" x2="{_x(bits):.0f}" y1="40" y2="{BASE}" stroke="black" stroke-dasharray="4"/>'
        yield f'<text x="{_x(bits) + 3:.0f}" y="50">{name} {bits:.0f}</text>'
    for bits in range(LEAST, MOST + 1, 10):
        yield f'<text x="{_x(bits):.0f}" y="{BASE + 15}" text-anchor="middle">{bits}</text>'
    yield f'<text x="{WIDTH - 12}" y="{BASE + 32}" text-anchor="end">bits</text>'
    yield f'<text x="{LEFT}" y="{BASE + 32}" fill="{SAME}">one person ({sum(same.values())} pairs)</text>'
    strangers = f"two persons ({sum(other.values())} pairs)"
    yield f'<text x="{LEFT + 200}" y="{BASE + 32}" fill="{OTHER}">{strangers}</text></svg>'


def _x(bits: float) -> float:
    return LEFT + (bits - LEAST) * (WIDTH - LEFT - 20) / (MOST - LEAST)


if __name__ == "__main__":
    main()
