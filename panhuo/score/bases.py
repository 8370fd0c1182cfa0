"""What indicators are divided by: fixed values, values by key, or means of the ranked firms."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from panhuo.rulebook.scheme_schema import Base
from panhuo.score.points import Bools, Floats, Ints, cell_counts, cell_sums, divided

PLAIN: Final = 0
WHOLE_GROUP: Final = 1
SAME_YEAR: Final = 2


@dataclass(frozen=True)
class Sample:
    """An indicator's parts for some firms. `ranked` ones make the means; cells are numbered alike in every sample."""

    numerators: Floats
    denominators: Floats
    ranked: Bools
    cells: Ints
    keys: np.ndarray[Any, Any]

    @property
    def values(self) -> Floats:
        """numerator ÷ denominator, NaN where the denominator is unknown or not positive."""
        held = self.denominators > 0
        return divided(self.numerators, self.denominators, held)


def bases(base: Base, now: Sample, before: Sample | None, count: int) -> tuple[Floats, Ints]:
    """Each firm's base (NaN when there is none) and how it was come by (PLAIN, WHOLE_GROUP, SAME_YEAR).

    now: this year's firms; before: last year's, None when not given; count: number of ranking cells.
    """
    if base.mean is None:
        return fixed(base, now.keys), np.zeros(len(now.keys), dtype=np.int64)
    sample, how = now, PLAIN
    if base.year == "previous":
        if before is not None:
            sample = before
        elif base.without_previous == "same_year":
            how = SAME_YEAR
        else:
            return np.full(now.cells.shape, np.nan), np.zeros(len(now.keys), dtype=np.int64)
    found, source = _means(base, sample, now, count)
    return found * base.times, np.where(source == WHOLE_GROUP, WHOLE_GROUP, how)


def fixed(base: Base, keys: np.ndarray[Any, Any]) -> Floats:
    """The fixed base of each key; the scheme's `value` where the key has none of its own."""
    otherwise = np.nan if base.value is None else float(base.value)
    if not base.values:
        return np.full(len(keys), otherwise)
    words, where = np.unique(keys.astype(str), return_inverse=True)
    return np.asarray([base.values.get(word, otherwise) for word in words])[where]


def _means(base: Base, sample: Sample, now: Sample, count: int) -> tuple[Floats, Ints]:
    """Mean of `sample` for each firm of `now`: by key within its cell where enough firms have a value, else by cell."""
    by_cell = _mean_of(base, sample, np.where(sample.ranked, sample.cells, -1), count)[0]
    whole = np.where(now.cells >= 0, by_cell[np.maximum(now.cells, 0)], np.nan)
    if base.by is None:
        return whole, np.zeros(len(whole), dtype=np.int64)
    words = np.unique(np.concatenate([sample.keys, now.keys]).astype(str))
    narrow = _codes(sample, words)
    means, sizes = _mean_of(base, sample, np.where(sample.ranked, narrow, -1), count * len(words))
    mine = np.maximum(_codes(now, words), 0)
    enough = sizes[mine] >= float(base.min_firms)
    return np.where(enough, means[mine], whole), np.where(enough, PLAIN, WHOLE_GROUP)


def _codes(sample: Sample, words: np.ndarray[Any, Any]) -> Ints:
    """Number of each firm's (cell, key) pair, −1 outside the cells."""
    key = np.searchsorted(words, sample.keys.astype(str))
    return np.where(sample.cells >= 0, sample.cells * len(words) + key, -1)


def _mean_of(base: Base, sample: Sample, cells: Ints, count: int) -> tuple[Floats, Ints]:
    values = sample.values
    sizes = cell_counts(~np.isnan(values), cells, count)
    if base.mean == "simple":
        above, below = cell_sums(values, cells, count), sizes.astype(np.float64)
    else:
        both = ~np.isnan(values)
        above = cell_sums(np.where(both, sample.numerators, np.nan), cells, count)
        below = cell_sums(np.where(both, sample.denominators, np.nan), cells, count)
    return divided(above, below, below > 0), sizes
