"""Facts of a row held against each other: order of dates, bounds, stated and drawn area, price and area."""

from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from panhuo.core.units import MU_M2
from panhuo.inventory.values import faults_at, wild

if TYPE_CHECKING:
    from panhuo.inventory.take import Work

SWAPPED_SHARE: Final = 0.8
SWAPPED_ROWS: Final = 10
SLIPS: Final = {
    "10": 10.0, "1/10": 0.1, "100": 100.0, "1/100": 0.01, "亩↔m²": float(MU_M2), "m²↔亩": 1 / float(MU_M2),
    "公顷↔亩": 15.0, "亩↔公顷": 1 / 15, "公顷↔m²": 10_000.0, "m²↔公顷": 1e-4,
}  # fmt: skip
SLIP_TOLERANCE: Final = 0.02


def swapped_ranges(work: "Work") -> None:
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


def check_rows(work: "Work") -> None:
    """Doubts about single rows; the values stay as they are."""
    columns = work.columns
    for low, high in work.plan.spec.ranges.items():
        bad = pc.fill_null(pc.greater(columns[low], columns[high]), False)
        work.add(low, faults_at("range_reversed", bad, pair(columns[low], columns[high]), "kept"))
    for before, after, type in work.plan.spec.orders:
        bad = pc.fill_null(pc.greater(columns[before], columns[after]), False)
        work.add(after, faults_at(type, bad, pair(columns[before], columns[after]), "kept"))
    if "area_m2" in columns and "drawn_area_m2" in columns:
        check_area(work)
    if "price_wan" in columns and "area_m2" in columns:
        unit_price = pc.divide(columns["price_wan"], columns["area_m2"])
        high = pc.fill_null(pc.greater(unit_price, wild().price_wan_per_m2_max), False)
        value = pair(columns["price_wan"], columns["area_m2"])
        work.add("price_wan", faults_at("price_unlikely", high, value, "kept"))


def check_area(work: "Work") -> None:
    """Stated against drawn area: beyond the tolerance a doubt, at a ratio that units or a slipped point make, a slip."""
    stated, drawn = work.columns["area_m2"], work.columns["drawn_area_m2"]
    ratio = pc.fill_null(pc.divide(stated, drawn), 1.0).to_numpy(zero_copy_only=False)
    slip = np.zeros(len(ratio), bool)
    for factor in SLIPS.values():
        slip |= np.abs(ratio / factor - 1) <= SLIP_TOLERANCE
    off = np.abs(ratio - 1) > wild().area_tolerance
    value = pair(stated, drawn)
    work.add("area_m2", faults_at("area_unit_slip", pa.array(slip), value, "kept: stated; drawn"))
    work.add("area_m2", faults_at("area_disagrees", pa.array(off & ~slip), value, "kept: stated; drawn"))


def pair(one: pa.Array, two: pa.Array) -> pa.Array:
    """Two values side by side, for the problem row."""
    texts = [pc.fill_null(pc.round(c, 2).cast(pa.string()) if pa.types.is_floating(c.type) else c.cast(pa.string()), "?")
             for c in (one, two)]  # fmt: skip
    return pc.binary_join_element_wise(*texts, " ; ")
