"""Facts of a row held against each other: order of dates, bounds, stated and drawn area, price and area."""

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from panhuo.core.units import MU_M2
from panhuo.inventory.spec import units
from panhuo.inventory.values import Fault, wild
from panhuo.inventory.work import Work

SWAPPED_SHARE: Final = 0.8
SWAPPED_ROWS: Final = 10
SLIPS: Final = {
    "10": 10.0, "1/10": 0.1, "100": 100.0, "1/100": 0.01, "亩↔m²": float(MU_M2), "m²↔亩": 1 / float(MU_M2),
    "公顷↔亩": 15.0, "亩↔公顷": 1 / 15, "公顷↔m²": 10_000.0, "m²↔公顷": 1e-4,
}  # fmt: skip
SLIP_TOLERANCE: Final = 0.02
UNIT_ROWS: Final = 2
UNIT_SHARE: Final = 0.9


def swapped_ranges(work: Work) -> None:
    """Puts back two bound columns that most rows show to be exchanged, and says so."""
    for low, high in work.plan.spec.ranges.items():
        if low not in work.plan.feeds or high not in work.plan.feeds:
            continue
        reversed_rows = pc.sum(pc.greater(work.columns[low], work.columns[high])).as_py() or 0
        right_rows = pc.sum(pc.less(work.columns[low], work.columns[high])).as_py() or 0
        if reversed_rows >= SWAPPED_ROWS and reversed_rows >= SWAPPED_SHARE * (reversed_rows + right_rows):
            headers = ", ".join(work.raw.headers[work.plan.feeds[n][0].column] for n in (low, high))
            action = f"mended: exchanged, {reversed_rows} rows reversed against {right_rows}"
            work.note("swapped_columns", field=f"{low}, {high}", value=headers, action=action)
            upper = work.columns[low]
            if work.plan.spec.fields[high].zero_is_unset:
                upper = pc.if_else(pc.equal(upper, 0), pa.scalar(None, pa.float64()), upper)
            work.columns[low], work.columns[high] = work.columns[high], upper


def check_rows(work: Work) -> None:
    """Doubts about single rows; the values stay as they are."""
    columns = work.columns
    for low, high in work.plan.spec.ranges.items():
        doubt(work, low, "range_reversed", pc.greater(columns[low], columns[high]), low, high)
    for before, after, type in work.plan.spec.orders:
        doubt(work, after, type, pc.greater(columns[before], columns[after]), before, after)
    if "area_m2" in columns and "drawn_area_m2" in columns:
        check_area(work)
        columns["area_m2"] = pc.coalesce(columns["area_m2"], columns["drawn_area_m2"])
    if "price_wan" in columns and "area_m2" in columns:
        dear = pc.greater(pc.divide(columns["price_wan"], columns["area_m2"]), wild().price_wan_per_m2_max)
        doubt(work, "price_wan", "price_unlikely", dear, "price_wan", "area_m2")


def check_area(work: Work) -> None:
    """Stated against drawn area: beyond the tolerance a doubt; at a ratio of units or of a slipped point, a slip."""
    read_by_outlines(work)
    stated, drawn = work.columns["area_m2"], work.columns["drawn_area_m2"]
    ratio = pc.fill_null(pc.divide(stated, drawn), 1.0).to_numpy(zero_copy_only=False)
    off = np.abs(ratio - 1) > wild().area_tolerance
    if not off.any():
        return
    slip = np.zeros(len(ratio), bool)
    for factor in SLIPS.values():
        slip |= np.abs(ratio / factor - 1) <= SLIP_TOLERANCE
    doubt(work, "area_m2", "area_unit_slip", pa.array(slip), "area_m2", "drawn_area_m2")
    doubt(work, "area_m2", "area_disagrees", pa.array(off & ~slip), "area_m2", "drawn_area_m2")


def read_by_outlines(work: Work) -> None:
    """A column of areas without a unit, read in the unit that the outlines show most rows to be in."""
    feeds = work.plan.feeds.get("area_m2", ())
    if not feeds or feeds[0].unit:
        return
    stated, drawn = work.columns["area_m2"], work.columns["drawn_area_m2"]
    ratio = pc.drop_null(pc.divide(drawn, stated)).to_numpy(zero_copy_only=False)
    for unit in ("mu", "ha"):
        agree = np.abs(ratio / units()[unit].ratio - 1) <= wild().area_tolerance
        if len(ratio) >= UNIT_ROWS and agree.mean() >= UNIT_SHARE:
            value = work.raw.headers[feeds[0].column]
            action = f"mended: read as {units()[unit].names[0]}, as the outlines show"
            work.note("unit_assumed", field="area_m2", value=value, action=action)
            work.columns["area_m2"] = pc.multiply(stated, units()[unit].ratio)
            return


def doubt(work: Work, field: str, type: str, mask: pa.Array, one: str, two: str) -> None:
    """A doubt at the rows where `mask` is true, with the two values it is about."""
    rows = np.flatnonzero(pc.fill_null(mask, False).to_numpy(zero_copy_only=False))
    if len(rows):
        picked = pa.array(rows)
        values = pair(work.columns[one].take(picked), work.columns[two].take(picked))
        work.add(field, [Fault(type, rows, values, f"kept: {one} ; {two}")])


def pair(one: pa.Array, two: pa.Array) -> pa.Array:
    """Two values side by side, for the problem row."""
    texts = [
        pc.fill_null((pc.round(c, 2) if pa.types.is_floating(c.type) else c).cast(pa.string()), "?")
        for c in (one, two)
    ]
    return pc.binary_join_element_wise(*texts, " ; ")
