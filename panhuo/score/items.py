"""The items a score opens into: one row per indicator, bonus and land base, whose points add up to the score."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from panhuo.rulebook.scheme_schema import Indicator, Scheme
from panhuo.score.bases import PLAIN, SAME_YEAR, WHOLE_GROUP, Sample, bases
from panhuo.score.frame import Frame, Standing, names_of
from panhuo.score.points import Bools, Floats, Ints, cell_counts, cell_sums, divided, points, ratios

ITEMS: Final = pa.schema(
    {"enterprise_id": pa.string(), "scheme_id": pa.string(), "indicator": pa.string(), "value": pa.float64(),
     "base": pa.float64(), "points": pa.float64(), "note": pa.string()}
)  # fmt: skip
LAND: Final = "land_mu"
BONUS_CAP: Final = "bonus_cap"

SOUND, CAPPED, FLOORED, NO_NUMERATOR, NO_DENOMINATOR, NOT_POSITIVE, NO_BASE, NOBODY = range(8)
KINDS: Final = NOBODY + 1
HOW: Final = {
    PLAIN: "",
    WHOLE_GROUP: "同类企业过少，基准取全组均值 (too few of the kind: base is the whole group's mean)",
    SAME_YEAR: "未给上年数据，基准取当年均值 (last year not given: base is this year's mean)",
}
MISSING: Final = {
    "zero": "按零分计 (scored zero)",
    "group_mean": "按同组平均得分计 (scored the group's mean points)",
    "refuse": "不评分 (no score)",
}


@dataclass(frozen=True)
class GroupPoints:
    """What a group's firms scored: arrays over its rows of the frame (`rows`) × indicators.

    `bonuses` is rows × bonuses: 1 holds, 0 does not, NaN unknown. `notes` codes how each point was come by.
    """

    rows: Ints
    values: Floats
    bases: Floats
    points: Floats
    notes: Ints
    bonuses: Floats
    totals: Floats


def group_points(scheme: Scheme, g: int, now: Standing, before: Standing | None) -> GroupPoints:
    """Values, bases and points of the firms of group number `g`; totals are NaN where an indicator refuses."""
    group = [*scheme.groups.values()][g]
    rows = np.flatnonzero(now.group_no == g)
    columns = [_indicator(one, f"{g}_{i}", g, now, before) for i, one in enumerate(group.indicators.values())]
    value, base, point, note = (np.column_stack(part) for part in zip(*columns, strict=True))
    names = [f"bonus_{k}" for k in range(len(scheme.bonus))]
    bonuses = (
        np.column_stack([now.frame.number(n)[rows] for n in names]) if names else np.zeros((len(rows), 0))
    )
    totals = point.sum(axis=1) + bonus_points(scheme, bonuses).sum(axis=1) + over_cap(scheme, bonuses)
    return GroupPoints(rows, value, base, point, note.astype(np.int64), bonuses, totals)


def bonus_points(scheme: Scheme, bonuses: Floats) -> Floats:
    """Points of each bonus; an unknown one gives none."""
    each = np.array([b.points for b in scheme.bonus.values()], dtype=np.float64).reshape(1, -1)
    return np.asarray(np.nan_to_num(bonuses) * each, dtype=np.float64)


def over_cap(scheme: Scheme, bonuses: Floats) -> Floats:
    """What the cap on bonuses takes back from each firm (zero or negative)."""
    if scheme.bonus_cap is None:
        return np.zeros(len(bonuses))
    left = scheme.bonus_cap - bonus_points(scheme, bonuses).sum(axis=1)
    return np.asarray(np.minimum(0.0, left), dtype=np.float64)


def _indicator(
    one: Indicator, name: str, g: int, now: Standing, before: Standing | None
) -> tuple[Floats, Floats, Floats, Ints]:
    """(value, base, points, note code) of one indicator for the firms of group `g`."""
    sample = _sample(now, name, g)
    base, how = bases(one.base, sample, None if before is None else _sample(before, name, g), now.parts)
    value = sample.values
    ratio = ratios(value, base, less=one.better == "less")
    floor, cap = float(one.floor), None if one.cap is None else float(one.cap)
    point = points(ratio, one.weight, floor, cap)
    note = np.select(
        [np.isnan(sample.numerators), np.isnan(sample.denominators), ~(sample.denominators > 0), np.isnan(ratio),
         ratio > (np.inf if cap is None else cap), ratio < floor],
        [NO_NUMERATOR, NO_DENOMINATOR, NOT_POSITIVE, NO_BASE, CAPPED, FLOORED],
        SOUND,
    )  # fmt: skip
    missing = (note >= NO_NUMERATOR) & (note <= NOT_POSITIVE)
    if one.missing == "zero":
        point = np.where(missing, 0.0, point)
    elif one.missing == "group_mean":
        point = np.where(missing, _mean_points(point, sample, now.parts)[sample.cells], point)
    if one.nobody == "left_out":
        known = cell_counts(~missing & sample.ranked, sample.cells, now.parts)
        nobody = missing & (known[sample.cells] == 0)
        point, note = np.where(nobody, 0.0, point), np.where(nobody, NOBODY, note)
    return value, base, point, note + how * KINDS


def _mean_points(point: Floats, sample: Sample, parts: int) -> Floats:
    """Mean points of the ranked firms of each part that have any; NaN where none has."""
    held = np.where(sample.ranked, point, np.nan)
    sizes = cell_counts(~np.isnan(held), sample.cells, parts).astype(np.float64)
    return divided(cell_sums(held, sample.cells, parts), sizes, sizes > 0)


def _sample(standing: Standing, name: str, g: int) -> Sample:
    rows = np.flatnonzero(standing.group_no == g)
    frame = standing.frame
    return Sample(
        frame.number(f"n_{name}")[rows],
        frame.number(f"d_{name}")[rows],
        standing.ranked[rows],
        standing.part[rows],
        frame.text(f"k_{name}")[rows],
    )


def items_of(scheme: Scheme, g: int, one: GroupPoints, frame: Frame, shown: Bools) -> pa.Table:
    """The items of a group's firms that are scored (`shown` over the frame): indicators, bonuses, cap, land."""
    keep = np.flatnonzero(shown[one.rows])
    ids = frame.ids.take(pa.array(one.rows[keep]))
    tables = [_rows(scheme, ids, *part) for part in _parts(scheme, g, one, keep)]
    land = np.full(len(keep), np.nan)
    note = frame.land_note.take(pa.array(one.rows[keep]))
    tables.append(_rows(scheme, ids, LAND, frame.number(LAND)[one.rows[keep]], land, land, note))
    return pa.concat_tables(tables)


def _parts(
    scheme: Scheme, g: int, one: GroupPoints, keep: Ints
) -> Iterator[tuple[str, Floats, Floats, Floats, pa.Array]]:
    """(item id, values, bases, points, notes) of each indicator and bonus of the kept firms."""
    for i, (name, indicator) in enumerate([*scheme.groups.values()][g].indicators.items()):
        notes = pa.array(_notes(indicator)).take(pa.array(one.notes[keep, i]))
        yield name, one.values[keep, i], one.bases[keep, i], one.points[keep, i], notes
    none = np.full(len(keep), np.nan)
    given = bonus_points(scheme, one.bonuses)
    for k, (name, extra) in enumerate(scheme.bonus.items()):
        state = one.bonuses[keep, k]
        asked = names_of(extra.when)
        words = pa.array(
            [
                extra.label.zh,
                f"{extra.label.zh}：缺 {asked}，不加不减 (unknown: no points)",
                "不适用 (does not apply)",
            ]
        )
        notes = words.take(pa.array(np.where(np.isnan(state), 1, np.where(state > 0, 0, 2))))
        yield f"bonus:{name}", none, none, given[keep, k], notes
    if scheme.bonus_cap is not None:
        words = pa.repeat(pa.scalar(f"加分上限 {scheme.bonus_cap:g} (cap on bonuses)"), len(keep))
        yield BONUS_CAP, none, none, over_cap(scheme, one.bonuses)[keep], words


def _notes(one: Indicator) -> list[str]:
    """The words of every note code of an indicator."""
    above, below = names_of(one.numerator), names_of(one.denominator)
    then = MISSING[one.missing]
    words = [
        "",
        f"封顶 {one.cap} 倍 (capped)",
        f"低于下限按 {one.floor:g} 倍计 (floored)",
        f"缺 {above}，{then}",
        f"缺 {below}，{then}",
        f"{below} 不大于零，无此指标值，{then}",
        "无基准值或比值无定义，不评分 (no base)",
        f"全组都没有此数，本项不计，满分少 {one.weight:g} 分 (nobody gave it: left out, full marks less by its weight)",
    ]
    return ["；".join(part for part in (word, how) if part) for how in HOW.values() for word in words]


def _rows(
    scheme: Scheme, ids: pa.Array, name: str, value: Floats, base: Floats, point: Floats, note: pa.Array
) -> pa.Table:
    columns = [
        ids,
        pa.repeat(pa.scalar(scheme.id), len(ids)),
        pa.repeat(pa.scalar(name), len(ids)),
        pa.array(value, from_pandas=True),
        pa.array(base, from_pandas=True),
        pa.array(point, from_pandas=True),
        note,
    ]
    return pa.Table.from_arrays(columns, schema=ITEMS)
