"""splink and recordlinkage on the same candidate pairs: both learn without labels, as matching does."""

import logging
import warnings
from collections.abc import Sequence
from typing import Any

import pandas
import recordlinkage
import splink.comparison_library as comparisons
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

from benchmarks.matching.datasets import Entry
from benchmarks.matching.feeding import Pair

NAMES = ("given_name", "surname")
DATE = "date_of_birth"
TEXTS = ("street", "suburb")
CODES = ("postcode", "sex", "phone", "identifier")
COLUMNS = (*NAMES, DATE, *TEXTS, *CODES)
SEED = 1


def splink_weights(entries: Sequence[Entry], pairs: Sequence[Pair]) -> dict[Pair, float]:
    """The match weight of each pair: name, date and text comparisons of its own library, term frequencies on names."""
    logging.getLogger("splink").setLevel(logging.ERROR)
    frame, columns = _frame(entries)
    # A pair is a number that exactly two records have in a list, so that splink blocks on exactly these pairs.
    frame["pairs"] = _pairs_of(len(entries), pairs)
    settings = SettingsCreator(
        link_type="dedupe_only",
        comparisons=[_comparison(each) for each in columns],
        blocking_rules_to_generate_predictions=[block_on("pairs", arrays_to_explode=["pairs"])],
        probability_two_random_records_match=1 / max(1, len(entries)),
        additional_columns_to_retain=[],
    )
    api = DuckDBAPI()
    linker = Linker(api.register(frame), settings, log_level=None)
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=SEED)
    for rule in (block_on(DATE), block_on(*NAMES)):
        linker.training.estimate_parameters_using_expectation_maximisation(rule)
    found = linker.inference.predict().as_pandas_dataframe()
    return {
        (min(one, other), max(one, other)): weight
        for one, other, weight in zip(found.unique_id_l, found.unique_id_r, found.match_weight, strict=True)
    }


def recordlinkage_weights(entries: Sequence[Entry], pairs: Sequence[Pair]) -> dict[Pair, float]:
    """The probability of each pair by its ECM classifier: Jaro-Winkler from 0.85 on for texts, equality for codes."""
    frame, columns = _frame(entries)
    compare = recordlinkage.Compare()
    for each in columns:
        if each in CODES or each == DATE:
            compare.exact(each, each, label=each)
        else:
            compare.string(each, each, method="jarowinkler", threshold=0.85, label=each)
    index = pandas.MultiIndex.from_tuples(pairs)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        vectors = compare.compute(index, frame)
        classifier = recordlinkage.ECMClassifier(binarize=0.5)
        classifier.fit(vectors)
        probabilities = classifier.prob(vectors)
    return {(min(two), max(two)): float(value) for two, value in probabilities.items()}


def _frame(entries: Sequence[Entry]) -> tuple[Any, list[str]]:
    rows = [{name: each.row.get(name) or None for name in COLUMNS} for each in entries]
    frame = pandas.DataFrame(rows, columns=list(COLUMNS))
    frame["unique_id"] = range(len(entries))
    columns = [each for each in COLUMNS if frame[each].notna().any()]
    return frame[["unique_id", *columns]].astype(object).where(frame.notna(), None), columns


def _pairs_of(number: int, pairs: Sequence[Pair]) -> list[list[int]]:
    found: list[list[int]] = [[] for _ in range(number)]
    for at, (one, other) in enumerate(pairs):
        found[one].append(at)
        found[other].append(at)
    return found


def _comparison(column: str) -> Any:
    if column in NAMES:
        return comparisons.NameComparison(column).configure(term_frequency_adjustments=True)
    if column == DATE:
        return comparisons.DamerauLevenshteinAtThresholds(column, [1, 2])
    if column in TEXTS:
        return comparisons.JaroWinklerAtThresholds(column, [0.9, 0.8])
    return comparisons.ExactMatch(column)
