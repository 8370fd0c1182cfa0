"""Identities of rows told alike: what most items obey all obey; where one column adds up, so do the others.

东区任务2400亩，完成1896亩，完成率79%；西区任务… is a table written out, and 22宗986亩、17宗741亩、5宗245亩 are rows
of two columns. No word need say how a column comes from the others: the rows that agree say it.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, permutations
from typing import Final

from panhuo.measure.audit.change_identities import less_one, one_less
from panhuo.measure.audit.check import Candidate, Check, fits_as_written, settle
from panhuo.measure.audit.labels import FILLERS
from panhuo.measure.audit.parts_identities import SUM_SPAN, difference, rest, total
from panhuo.measure.audit.quantities import Quantity, Report
from panhuo.measure.audit.share_identities import RELATIVE
from panhuo.measure.audit.units_identities import quotient
from panhuo.measure.audit.words import words

ROWS_NEEDED: Final = 3
SHARE_NEEDED: Final = 2 / 3
"""A relation is that of the rows when so many of them, at least, fit it."""
DIGITS_NEEDED: Final = 2
"""A column of shorter figures fits too much by chance."""
TELLING: Final = 20
"""Counts that add up to less may do so by chance, where no word says that they belong together."""
CALLED_SPAN: Final = 0.6
"""How far off the other sum may be, as a share of the whole told, where a word says that the parts belong to it."""
ADJACENT: Final = 5
"""Most characters between two figures of one row of a list: 31宗，涉及面积428.6亩."""
WHOLE_REACH: Final = 2
"""Sentences between rows and the figures that sum them up."""
ASCII: Final = re.compile(r"[\x00-\xff]")

Column = tuple[str, str]
"""What a figure counts: its kind (its unit, of counts) and the end of its label."""


@dataclass(frozen=True, slots=True)
class Row:
    """The figures of one item of a list, by column."""

    figures: Mapping[Column, Quantity]

    @property
    def at(self) -> int:
        """The sentence the row stands in."""
        return next(iter(self.figures.values())).sentence


def unit_of(q: Quantity) -> str:
    """The name of what a figure measures: the unit of a count, else the dimension."""
    return q.unit.name if q.kind == "count" else q.kind


def _columns(figures: Sequence[Quantity]) -> Row:
    """A sentence as a row; the name of the item may run into the label of its first figure."""
    row: dict[Column, Quantity] = {}
    for q in figures:
        row.setdefault((unit_of(q), label_of(q) if row else ""), q)
    return Row(row)


def label_of(q: Quantity) -> str:
    """The end of what stands before a figure."""
    return FILLERS.sub("", ASCII.sub("", q.before))[-2:]


def runs(report: Report) -> Iterator[list[Row]]:
    """Sentences in a row that share two columns or more."""
    sentences: dict[tuple[int, int], list[Quantity]] = {}
    for q in report.quantities:
        sentences.setdefault((q.section, q.sentence), []).append(q)
    run: list[Row] = []
    last = (-1, -1)
    for place, figures in sentences.items():
        row = _columns(figures)
        follows = place[0] == last[0] and place[1] <= last[1] + 1
        if not (run and follows and len(row.figures.keys() & run[-1].figures.keys()) > 1):
            if len(run) > 1:
                yield run
            run = []
        run.append(row)
        last = place
    if len(run) > 1:
        yield run


Relation = Callable[[Quantity, Quantity], Candidate]


def _sum(a: Quantity, b: Quantity) -> Candidate:
    return total((a, b))


def _product(a: Quantity, b: Quantity) -> Candidate:
    return Candidate(a.given * b.given, f"{a.text} × {b.text}", (a, b))


def _rise(a: Quantity, b: Quantity) -> Candidate:
    return less_one(quotient(a, b))


def _fall(a: Quantity, b: Quantity) -> Candidate:
    return one_less(quotient(a, b))


RELATIONS: Final[Sequence[Relation]] = (quotient, difference, _sum, _product, _rise, _fall)
RATIOS: Final = {"percent", "times", "number"}


def related_columns(report: Report) -> Iterator[Check]:
    """The last column of three or more rows, where most of them give it as one relation of two others."""
    for run in runs(report):
        often = Counter(column for row in run for column in row.figures)
        columns = [column for column, rows in often.items() if rows >= ROWS_NEEDED]
        for target in columns:
            for claim, found in _best(run, target, [c for c in columns if c != target]):
                yield from settle(claim, "rows", [found])


def _best(run: Sequence[Row], target: Column, others: Sequence[Column]) -> list[tuple[Quantity, Candidate]]:
    """What the relation that fits most rows says of the target in each of them."""
    best: list[tuple[Quantity, Candidate]] = []
    for a, b in permutations(others, 2):
        rows = [row for row in run if {a, b, target} <= row.figures.keys() and _last(row, target, a, b)]
        if len(rows) < ROWS_NEEDED:
            continue
        for relation in RELATIONS:
            told = [(row.figures[target], row.figures[a], row.figures[b]) for row in rows]
            found = [(t, relation(x, y)) for t, x, y in told if _makes(relation, t, x, y)]
            if _fitting(found) >= max(SHARE_NEEDED * len(rows), _fitting(best) + 1):
                best = found
    return best


def _last(row: Row, target: Column, a: Column, b: Column) -> bool:
    return row.figures[target].index > max(row.figures[a].index, row.figures[b].index)


def _makes(relation: Relation, claim: Quantity, a: Quantity, b: Quantity) -> bool:
    """Whether a relation of two figures can give a figure like the claim."""
    same = unit_of(a) == unit_of(b)
    if relation in {difference, _sum}:
        return same and unit_of(claim) == unit_of(a)
    if relation in {_rise, _fall}:
        return same and claim.kind == "percent"
    return b.given.low > 0 and (claim.kind in RATIOS) == (same and relation is quotient)


def _fitting(found: Sequence[tuple[Quantity, Candidate]]) -> int:
    """How many rows a relation fits, figures too short to tell left out."""
    return sum(
        len(claim.value.as_tuple().digits) >= DIGITS_NEEDED
        and dict(c.value.dimension) == dict(claim.claim.dimension)
        and c.value.overlaps(claim.claim)
        for claim, c in found
    )


def summed_columns(report: Report) -> Iterator[Check]:
    """Figures told before or after rows that sum them up: where one column adds up, so must the others."""
    for run in runs(report):
        first, last = run[0].at, run[-1].at
        around = [*range(first - WHOLE_REACH, first), *range(last + 1, last + WHOLE_REACH + 1)]
        section = next(iter(run[0].figures.values())).section
        for rows, sentences in ((run, around), (run[1:], [first])):
            for sentence in sentences:
                whole = [q for q in report.quantities if (q.section, q.sentence) == (section, sentence)]
                if len(rows) > 1 and whole:
                    yield from _together(report, _sums_of(whole, rows))


def _sums_of(told: Sequence[Quantity], rows: Sequence[Row]) -> list[tuple[Quantity, list[Quantity]]]:
    """Figures of a sentence and the columns that may add up to them: called alike, or alone of their kind."""
    columns = [c for c in rows[0].figures if all(c in row.figures for row in rows)]
    whole = _columns(told).figures
    pairs = {c: whole[c] for c in columns if c in whole and _same_column(whole[c], told, rows, c)}
    for q in told:
        open_columns = [c for c in columns if c not in pairs and c[0] == unit_of(q)]
        rivals = [p for p in told if unit_of(p) == unit_of(q)]
        if q not in pairs.values() and len(open_columns) == len(rivals) == 1:
            pairs[open_columns[0]] = q
    return [(q, [row.figures[c] for row in rows]) for c, q in pairs.items()]


def _same_column(whole: Quantity, told: Sequence[Quantity], rows: Sequence[Row], column: Column) -> bool:
    """Whether a figure is that of a column: called so, or the only one of its unit that its sentence tells."""
    alone = sum(unit_of(q) == unit_of(whole) for q in told) == 1
    return alone or all(label_of(row.figures[column]) == label_of(whole) for row in rows)


def paired(report: Report) -> Iterator[Check]:
    """22宗986亩，处置17宗741亩，剩余5宗245亩: what holds of the counts holds of the areas beside them."""
    pairs = list(_pairs(report))
    parted: set[int] = set()
    for at, pair in enumerate(pairs):
        if pair[0].index in parted:
            continue
        units = [unit_of(q) for q in pair]
        after = _alike(report, pair, pairs[at + 1 :], units)
        before = _alike(report, pair, pairs[:at][::-1], units)
        for parts in (after, before):
            for size in range(len(parts), 1, -1):
                told = [(whole, [part[i] for part in parts[:size]]) for i, whole in enumerate(pair)]
                if checks := list(_together(report, told)):
                    yield from checks
                    if all(c.status == "agree" for c in checks):
                        parted |= {part[0].index for part in parts[:size]}
                    break


def _pairs(report: Report) -> Iterator[list[Quantity]]:
    """Figures of different kinds told side by side."""
    pair: list[Quantity] = []
    for q in report.quantities:
        beside = pair and q.sentence == pair[-1].sentence and len(report.between(pair[-1], q)) <= ADJACENT
        if not beside or q.kind in RELATIVE or unit_of(q) in map(unit_of, pair):
            if len(pair) > 1:
                yield pair
            pair = []
        if q.kind not in RELATIVE | {"number"}:
            pair.append(q)
    if len(pair) > 1:
        yield pair


def _alike(
    report: Report, pair: Sequence[Quantity], others: Sequence[list[Quantity]], units: list[str]
) -> list[list[Quantity]]:
    """The pairs that follow one another without a break, in the units of `pair`, in its paragraph."""
    found: list[list[Quantity]] = []
    for other in others:
        if [unit_of(q) for q in other] != units or not report.one_paragraph(pair[0], other[0]):
            break
        found.append(other)
    return found


def _together(report: Report, told: Sequence[tuple[Quantity, Sequence[Quantity]]]) -> Iterator[Check]:
    """Sums that stand or fall together: none is said of, unless one of them fits and the others come near."""
    told = [(whole, parts) for whole, parts in told if len(parts) > 1 and _adds(whole)]
    sums = [(whole, total(parts)) for whole, parts in told]
    fitting = [(w, c) for w, c in sums if fits_as_written(w, c) and _tells(report, w, c)]
    span = CALLED_SPAN if any(_called(report, w, c) for w, c in fitting) else SUM_SPAN
    near = [(w, c) for w, c in sums if abs(c.value.value - w.given.value) <= span * w.given.value]
    if len(sums) < 2 or len(near) < len(sums) or not fitting:
        return
    for whole, found in near:
        last = max(found.inputs, key=lambda q: q.index)
        if last.index > whole.index and words().says("rest", last.before[-8:]):
            yield from settle(last, "remainder", [rest(whole, found, last)])
        else:
            yield from settle(whole, "parts", [found])


def _adds(q: Quantity) -> bool:
    """Whether figures of its kind add up: amounts do, rates, prices and ratios do not."""
    return q.kind not in RELATIVE | {"number"} and "/" not in q.kind


def _tells(report: Report, whole: Quantity, found: Candidate) -> bool:
    """Whether a sum that fits tells that its parts belong to it: by words between them, or by its size."""
    exact = all(q.bound is None for q in (whole, *found.inputs))
    return exact and (_called(report, whole, found) or whole.value >= TELLING)


def _called(report: Report, whole: Quantity, found: Candidate) -> bool:
    """Whether a word between a whole and its parts says so."""
    ordered = sorted((whole, *found.inputs), key=lambda q: q.index)
    links = "".join(report.between(a, b) for a, b in pairwise(ordered)) + ordered[0].before
    return any(words().says(verb, links) for verb in ("among", "rest", "total"))
