"""Scores firms by a declared scheme: points, rank, tier, policies, and who is left out and why.

score = Σ weight × clip(value ÷ base, floor, cap) + bonus; the items of a firm add up to its score exactly.
Every rule of reckoning is a field of the scheme (panhuo.rulebook.scheme); docs/score/rules.md states what
happens at each edge.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from panhuo.core.problems import Problem
from panhuo.rulebook.scheme_schema import Group, Scheme
from panhuo.score.frame import NO_GROUP, UNKNOWN, Standing, build, names_of, standings
from panhuo.score.items import GroupPoints, group_points, items_of
from panhuo.score.land_base import land_bases
from panhuo.score.points import Bools, Floats, Ints, cell_counts, ranks, tiers_by_score, tiers_by_share

SCORES: Final = pa.schema(
    {"enterprise_id": pa.string(), "scheme_id": pa.string(), "group_id": pa.string(), "score": pa.float64(),
     "rank": pa.int64(), "tier": pa.string(), "excluded_because": pa.string(), "policies": pa.string()}
)  # fmt: skip


@dataclass(frozen=True)
class ScoreResult:
    """`scores` one row per firm, `items` one row per firm and indicator, bonus or land base; problems of the data."""

    scores: pa.Table
    items: pa.Table
    problems: list[Problem]


def score(
    enterprises: pa.Table,
    occupancies: pa.Table | None,
    parcels: pa.Table | None,
    scheme: Scheme,
    *,
    on: date,
    previous: pa.Table | None = None,
) -> ScoreResult:
    """Scores the firms of the latest year in `enterprises` by a bound scheme, as of a date.

    enterprises: rows by firm and year (money 万元); occupancies, parcels: give the land base of that year
    (m²); previous: last year's firms for bases taken from it, by default the rows of the year before in
    `enterprises`.
    """
    year = scored_year(enterprises, on)
    firms = of_year(enterprises, year)
    earlier = of_year(enterprises, year - 1) if previous is None else previous
    land, problems = land_bases(occupancies, parcels, year, scheme.land)
    frame = build(firms, land, scheme, on)
    before = None
    if earlier.num_rows and needs_previous(scheme):
        before = build(earlier, land_bases(occupancies, parcels, year - 1, scheme.land)[0], scheme, on)
    now, then = standings(frame, before, scheme)
    pointed = {g: group_points(scheme, g, now, then) for g in range(len(scheme.groups))}
    scores, items = _assemble(scheme, now, pointed)
    return ScoreResult(
        pa.concat_tables([scores, _without_figures(scheme, enterprises, frame.ids, year)]),
        items,
        problems + _doubts(scheme, now, firms),
    )


def scored_year(enterprises: pa.Table, on: date) -> int:
    """The latest year held that is not after `on`; the year before `on` when no row says its year."""
    if "year" not in enterprises.column_names:
        return on.year - 1
    years = pc.filter(enterprises["year"], pc.less_equal(enterprises["year"], on.year))
    latest = pc.max(years).as_py()
    return on.year - 1 if latest is None else int(latest)


def of_year(enterprises: pa.Table, year: int) -> pa.Table:
    """The rows of one year; rows without a year belong to every year asked for."""
    if "year" not in enterprises.column_names:
        return enterprises
    held = pc.or_kleene(pc.equal(enterprises["year"], year), pc.is_null(enterprises["year"]))
    return enterprises.filter(held)


def needs_previous(scheme: Scheme) -> bool:
    """Whether any base of the scheme is a mean of last year's firms."""
    return any(i.base.year == "previous" for g in scheme.groups.values() for i in g.indicators.values())


def places(now: Standing, totals: Floats) -> tuple[Ints, Ints, Ints]:
    """(first place, last place, number ranked) of each firm within its group and part; 0 for firms not ranked."""
    cells = np.where(now.ranked & ~np.isnan(totals), now.group_no * now.parts + now.part, -1)
    count = (int(cells.max(initial=-1)) + 1) or 1
    sizes = cell_counts(cells >= 0, cells, count)
    return (
        ranks(totals, cells),
        ranks(totals, cells, last=True),
        np.where(cells >= 0, sizes[np.maximum(cells, 0)], 0),
    )


def tier_numbers(scheme: Scheme, now: Standing, totals: Floats) -> tuple[Ints, Ints, Bools]:
    """(rank, tier number, too few to tier) of each firm; rank 0 and tier −1 where it has none."""
    first, last, sizes = places(now, totals)
    if scheme.by_share:
        few = (first > 0) & (sizes < float(scheme.min_firms))
        place = first if scheme.ties == "better" else last
        numbers = tiers_by_share(place, sizes, [t.up_to or 0.0 for t in scheme.tiers.values()])
        return first, np.where(few, -1, numbers), few
    numbers = tiers_by_score(totals, [t.at_least or 0.0 for t in scheme.tiers.values()])
    return first, np.where(first > 0, numbers, -1), np.zeros(len(first), dtype=bool)


def _assemble(scheme: Scheme, now: Standing, pointed: dict[int, GroupPoints]) -> tuple[pa.Table, pa.Table]:
    totals = np.full(len(now.frame.ids), np.nan)
    for one in pointed.values():
        totals[one.rows] = one.totals
    shown = np.isin(now.class_no, [k for k, c in enumerate(scheme.classes.values()) if c.scored] + [-1])
    totals = np.where(shown & (now.group_no >= 0), totals, np.nan)
    rank, numbers, few = tier_numbers(scheme, now, totals)
    tiers, why, treated = _words(scheme, now, totals, numbers, few, pointed)
    scores = pa.Table.from_arrays(
        [
            now.frame.ids,
            _same(scheme.id, len(totals)),
            _take([*scheme.groups], now.group_no),
            pa.array(totals, from_pandas=True),
            pa.array(rank, mask=rank == 0),
            _take([*scheme.tiers, *(c.tier for c in scheme.classes.values())], tiers),
            why,
            _take(_policy_texts(scheme), treated),
        ],
        schema=SCORES,
    )
    return scores, pa.concat_tables(items_of(scheme, g, one, now.frame, shown) for g, one in pointed.items())


def _without_figures(scheme: Scheme, enterprises: pa.Table, scored: pa.Array, year: int) -> pa.Table:
    """A row for each firm that earlier years know and the scored year does not: it is not silently left out."""
    known = pc.drop_null(pc.unique(enterprises["enterprise_id"]))
    absent = pc.filter(known, pc.invert(pc.is_in(known, value_set=scored))).sort()
    words = pa.repeat(pa.scalar(f"没有{year}年数据 (no figures of {year})"), len(absent))
    given = {"enterprise_id": absent, "scheme_id": _same(scheme.id, len(absent)), "excluded_because": words}
    columns = [given.get(field.name, pa.nulls(len(absent), field.type)) for field in SCORES]
    return pa.Table.from_arrays(columns, schema=SCORES)


def _words(
    scheme: Scheme, now: Standing, totals: Floats, numbers: Ints, few: Bools, pointed: dict[int, GroupPoints]
) -> tuple[Ints, pa.Array, Ints]:
    """Numbers of the tier shown and of the tier whose policies apply, and the words for who has none."""
    names = [*scheme.tiers]
    tier, treated = numbers.copy(), numbers.copy()
    reasons, reason = [""], np.zeros(len(totals), dtype=np.int64)

    def because(words: str, rows: Bools) -> None:
        reasons.append(words)
        reason[rows] = len(reasons) - 1

    because(f"排名企业不足{float(scheme.min_firms):g}家，不分档 (too few firms to tier)", few)
    for g, group in enumerate(scheme.groups.values()):
        for words, rows in _unscored(group, pointed[g], now, totals):
            because(words, rows)
    for k, veto in enumerate(scheme.veto.values()):
        rows = now.veto_no == k
        tier[rows] = treated[rows] = names.index(veto.tier)
        because(f"一票否决：{veto.label.zh} (veto: {veto.label.en})", rows)
    because("不属于任何评价组 (in no group of the scheme)", now.group_no == NO_GROUP)
    asked = "、".join(dict.fromkeys(names_of(g.when) for g in scheme.groups.values()))
    because(f"评价组未知，缺 {asked} (group unknown for want of {asked})", now.group_no == UNKNOWN)
    for k, one in enumerate(scheme.classes.values()):
        rows = now.class_no == k
        tier[rows] = len(names) + k if one.tier else -1
        treated[rows] = names.index(one.treated_as) if one.treated_as else -1
        because(f"{one.label.zh} ({one.label.en})", rows)
    return tier, _take(reasons, reason), treated


def _unscored(group: Group, one: GroupPoints, now: Standing, totals: Floats) -> Iterator[tuple[str, Bools]]:
    """Words naming the indicators that refused a score, with the firms each set of them holds for."""
    labels = [i.label for i in group.indicators.values()]
    refused = np.zeros(len(totals), dtype=np.int64)
    refused[one.rows] = (np.isnan(one.points) * (1 << np.arange(len(labels)))).sum(axis=1)
    refused[~np.isnan(totals)] = 0
    for bits in np.unique(refused[refused > 0]):
        held = [label for i, label in enumerate(labels) if bits >> i & 1]
        words = f"无法评分：{'、'.join(x.zh for x in held)}缺数 (no score: {', '.join(x.en for x in held)} unknown)"
        yield words, (refused == bits) & now.ranked


def _policy_texts(scheme: Scheme) -> list[str]:
    """The policies of each tier as JSON, for the table."""
    return [
        json.dumps({k: p.model_dump(exclude_none=True) for k, p in tier.policies.items()}, ensure_ascii=False)
        for tier in scheme.tiers.values()
    ]


def _take(words: list[str], numbers: Ints) -> pa.Array:
    """The word of each number; NULL below zero and for the empty word."""
    given = pa.array([w or None for w in words] or [None], type=pa.string())
    return given.take(pa.array(np.maximum(numbers, 0), mask=numbers < 0))


def _same(word: str, count: int) -> pa.Array:
    return pa.repeat(pa.scalar(word), count)


def _doubts(scheme: Scheme, now: Standing, firms: pa.Table) -> list[Problem]:
    """What the data leaves open about who is scored: unknown classes, firms told twice."""
    problems = []
    for k, (name, one) in enumerate(scheme.classes.items()):
        unknown = int(now.frame.integer(f"class_unknown_{k}")[now.class_no < 0].sum())
        if unknown:
            field = names_of(one.when)
            problems.append(
                Problem("class_unknown", field=field, value=f"{name}: {unknown}", action="scored as ranked")
            )
    if extra := firms.num_rows - firms["enterprise_id"].null_count - len(now.frame.ids):
        problems.append(
            Problem("enterprise_repeated", field="enterprise_id", value=str(extra), action="first row kept")
        )
    return problems
