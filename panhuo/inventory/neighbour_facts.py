"""What a parcel's neighbours say of it: how many, whose, how much boundary, what lies vacant or idle beside it."""

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from panhuo.inventory.geometry import Bools, Floats, column_or_nulls, floats
from panhuo.inventory.row_pairs import Pairs
from panhuo.inventory.sites import group_rows, text_codes

IDLE_WORK: Final = ("not_started", "suspended")
EMPTY_USE: Final = ("vacant", "unbuilt")


def neighbour_columns(
    parcels: pa.Table, pairs: Pairs, area: Floats, contracts: pa.Table | None, occupancies: pa.Table | None
) -> dict[str, pa.Array]:
    """Columns of the dataset `spatial`. pairs: rows that adjoin and the boundary they share [m]; area: of each parcel
    [m²], NaN where it has no outline."""
    none = np.isnan(area)
    leader = group_rows(parcels, pairs.once(), occupancies)
    ids = parcels.column("parcel_id").combine_chunks().cast(pa.string())
    same, unsaid = _same_holder(parcels, pairs)
    boundary = pairs.sum(lambda _, __, metres: metres)
    vacant, no_vacant = _adjoining(pairs, area, _vacant(parcels), none)
    idle, no_idle = _adjoining(pairs, area, _idle(parcels, contracts), none)
    return {
        "neighbour_holder_same": pa.array(same, pa.bool_(), mask=none | unsaid),
        "neighbour_count": pa.array(pairs.count(), pa.int64(), mask=none),
        "shared_boundary_m": pa.array(boundary, pa.float64(), mask=none),
        "adjoining_vacant_m2": pa.array(vacant, pa.float64(), mask=no_vacant),
        "adjoining_idle_m2": pa.array(idle, pa.float64(), mask=no_idle),
        "site_group": ids.take(pa.array(leader)),
        "site_group_parcels": pa.array(np.bincount(leader, minlength=len(leader))[leader], pa.int64()),
    }


def _adjoining(pairs: Pairs, area: Floats, state: Floats, none: Bools) -> tuple[Floats, Bools]:
    """Area [m²] of neighbours in a state (1 yes, 0 no, NaN unknown), and where that is unknown.

    A sum that already holds some such neighbour is kept as the least it can be; a zero is only said when
    every neighbour is known not to be so.
    """
    total = pairs.sum(lambda _, other, __: np.where(state[other] == 1, area[other], 0.0))
    unsure = pairs.any(lambda _, other: np.isnan(state[other]))
    return total, none | ((total == 0) & unsure)


def _same_holder(parcels: pa.Table, pairs: Pairs) -> tuple[Bools, Bools]:
    """Whether every neighbour has the parcel's own holder, and where that cannot be said (or there is
    none)."""
    holder = text_codes(column_or_nulls(parcels, "holder", pa.string()))
    unsaid = holder < 0
    differ = pairs.any(lambda me, other: ~(unsaid[me] | unsaid[other]) & (holder[me] != holder[other]))
    gap = pairs.any(lambda me, other: unsaid[me] | unsaid[other])
    beside = pairs.any(lambda me, _: np.ones(len(me), bool))
    return ~differ, ~beside | (gap & ~differ)


def _vacant(parcels: pa.Table) -> Floats:
    """1 where nothing stands or happens on a parcel, 0 where something does, NaN where nobody says."""
    use, floor = column_or_nulls(parcels, "use_state", pa.string()), floats(parcels, "floor_area_m2")
    empty = pc.is_in(use, value_set=pa.array(EMPTY_USE)).to_numpy(zero_copy_only=False)
    said = pc.is_valid(use).to_numpy(zero_copy_only=False)
    by_floor = np.where(np.isnan(floor), np.nan, np.where(floor == 0, 1.0, 0.0))
    vacant: Floats = np.where(said, np.where(empty, 1.0, 0.0), by_floor)
    return vacant


def _idle(parcels: pa.Table, contracts: pa.Table | None) -> Floats:
    """1 where a contract's works have not begun or stand still, 0 where they go on or are done."""
    source = contracts if contracts is not None else parcels
    state = column_or_nulls(source, "work_state", pa.string())
    idle = pc.is_in(state, value_set=pa.array(IDLE_WORK)).to_numpy(zero_copy_only=False)
    said = pc.is_valid(state).to_numpy(zero_copy_only=False)
    value: Floats = np.where(said, np.where(idle, 1.0, 0.0), np.nan)
    if contracts is None:
        return value
    at = pc.index_in(contracts["parcel_id"], value_set=parcels["parcel_id"].combine_chunks())
    rows = at.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    placed = np.full(parcels.num_rows, np.nan)
    known = (rows >= 0) & ~np.isnan(value)
    placed[rows[known]] = value[known]
    return placed
