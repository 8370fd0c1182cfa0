"""The likest of many names for each of many others, found without comparing every pair.

Two names as like as asked share most of their pairs of letters, so the rarest few pairs of each hold one in common
(prefix filtering: Bayardo, Ma & Srikant 2007, Scaling up all pairs similarity search), and few letters stand in one of
them only. Names for which both hold are compared; none that would pass is missed.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pyarrow as pa
from rapidfuzz import fuzz, process

from panhuo.rulebook.facts import connect

BATCH: Final = 1 << 17
"""Pairs of names compared at a time."""
BITS: Final = 63
"""Letters are told apart by so many bits of a signed word."""

# The rarest pairs of letters of each name, one more than may be lost. Of the letters that one of two names has and the
# other has not, d and e, likeness bounds the sum, and their difference is that of the lengths.
CANDIDATES: Final = """
WITH every AS (SELECT TRUE AS ours, * FROM wanted UNION ALL SELECT FALSE, * FROM held),
grams AS (
  SELECT ours, k, unnest(list_distinct(
    list_transform(range(1, greatest(letters, 2)), lambda i: substr(name, i, 2)))) AS gram
  FROM every WHERE letters > 0
),
ranked AS (
  SELECT ours, k, gram, row_number() OVER (PARTITION BY ours, k ORDER BY times, gram) AS rank
  FROM grams JOIN (SELECT gram, count(*) AS times FROM grams GROUP BY 1) USING (gram)
),
rarest AS (SELECT e.*, gram FROM ranked JOIN every e USING (ours, k) WHERE rank <= lost + 1)
SELECT w.k AS w, h.k AS h FROM (FROM rarest WHERE ours) w JOIN (FROM rarest WHERE NOT ours) h USING (gram)
WHERE 2 * bit_count(w.bits & ~h.bits) <= (1 - $s) * (w.letters + h.letters) + w.letters - h.letters + 1e-9
  AND 2 * bit_count(h.bits & ~w.bits) <= (1 - $s) * (w.letters + h.letters) + h.letters - w.letters + 1e-9
"""


def likest(wanted: Sequence[str], held: Sequence[str], least: float) -> dict[str, tuple[str, float]]:
    """For each name of `wanted`, the likest of `held` and its likeness (0-100, `rapidfuzz.fuzz.ratio`), if `least`.

    Of several equally like the one that stands first in `held`. Empty names are like none. least: 85 or more, for
    shorter names less like may share no pair of letters at all.
    """
    if not wanted or not held:
        return {}
    con, s = connect(), least / 100
    for side, names in (("wanted", wanted), ("held", held)):
        con.register(side, _measured(names, s))
    ours, theirs = np.array(wanted, object), np.array(held, object)
    best, which = np.zeros(len(wanted), np.float32), np.full(len(wanted), len(held))
    for batch in con.execute(CANDIDATES, {"s": s}).to_arrow_reader(BATCH):
        w, h = (batch.column(name).to_numpy() for name in ("w", "h"))
        like = process.cpdist(ours[w], theirs[h], scorer=fuzz.ratio, score_cutoff=least, dtype=np.float32)
        order = np.lexsort((h, -like, w))
        first = order[np.flatnonzero(np.diff(w[order], prepend=-1))]
        w, h, like = w[first], h[first], like[first]
        better = (like > best[w]) | ((like == best[w]) & (like > 0) & (h < which[w]))
        best[w[better]], which[w[better]] = like[better], h[better]
    return {wanted[k]: (held[which[k]], float(best[k])) for k in np.flatnonzero(best).tolist()}


def _measured(names: Sequence[str], s: float) -> pa.Table:
    """Names with how many letters they have, which (a bit each, several sharing one) and `lost`, by `_lost`."""
    letters = np.array([len(name) for name in names])
    codes = np.frombuffer("".join(names).encode("utf-32-le"), np.uint32)
    bits = np.zeros(len(names), np.int64)
    some = letters > 0
    if some.any():
        starts = (np.cumsum(letters) - letters)[some]
        bits[some] = np.bitwise_or.reduceat(np.int64(1) << (codes % BITS).astype(np.int64), starts)
    lost = np.array([_lost(n, s) for n in range(int(letters.max()) + 1)])[letters]
    columns = {"k": np.arange(len(names)), "name": pa.array(names, pa.string())}
    return pa.table(columns | {"letters": letters, "bits": bits, "lost": lost})


def _lost(letters: int, s: float) -> int:
    """How many of its pairs of letters a name may miss in another of likeness `s` (0-1).

    With d letters that the other has not, and e of the other's that it has not, likeness asks for d + e <= (1 - s)
    times the letters of both. Each of d breaks two pairs of the name, each of e one.
    """
    room = 2 * (1 - s) * letters + 1e-9
    return max(2 * d + int((room - (2 - s) * d) / s) for d in range(int(room / (2 - s)) + 1))
