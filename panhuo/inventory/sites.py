"""Parcels used as one site: those that say so (`site_id`), and those that touch and have the same user."""

from collections.abc import Callable, Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from panhuo.inventory.geometry import Bools, Floats, Ints, column_or_nulls, floats, text_column


def site_groups(parcels: pa.Table, pairs: pa.Table, users: pa.Table | None = None) -> pa.Table:
    """The site of each parcel: `parcel_id`, `site_group` (its first parcel), `site_parcels` (how many).

    parcels: `parcel_id` and if known `site_id`, `holder_uscc`, `holder`; pairs: of `neighbours`; users:
    `parcel_id`, `enterprise_id` of who occupies it (occupancies); without it the holder counts as the user.
    Parcels of one `site_id` are one site even apart; touching parcels join when they have a user in common.
    """
    ids = parcels.column("parcel_id").cast(pa.string()).to_pylist()
    row_of = {parcel: row for row, parcel in enumerate(ids)}
    first = np.array([row_of[p] for p in pairs["parcel_id"].to_pylist()], np.int64)
    second = np.array([row_of[p] for p in pairs["other_id"].to_pylist()], np.int64)
    return _group_table(ids, group_rows(parcels, [(first, second)], users))


def group_rows(parcels: pa.Table, pairs: Iterable[tuple[Ints, Ints]], users: pa.Table | None = None) -> Ints:
    """For each row of `parcels` the first row of its site; pairs: rows of adjoining pairs, a part at a time."""
    site = text_codes(column_or_nulls(parcels, "site_id", pa.string()))
    named = np.flatnonzero(site >= 0)
    _, leader, member = np.unique(site[named], return_index=True, return_inverse=True)
    tests = [_one_holder(parcels), *([] if users is None else [_one_firm(parcels, users)])]
    first, second = [named], [named[leader[member]]]
    for one, two in pairs:
        joined = np.logical_or.reduce([test(one, two) for test in tests])
        first.append(one[joined])
        second.append(two[joined])
    size = parcels.num_rows
    ends = np.concatenate(first), np.concatenate(second)
    graph = coo_matrix((np.ones(len(ends[0]), np.int8), ends), shape=(size, size))
    _, component = connected_components(graph, directed=False)
    firsts = np.full(component.max(initial=-1) + 1, size, np.int64)
    np.minimum.at(firsts, component, np.arange(size))
    leaders: Ints = firsts[component]
    return leaders


def _one_holder(parcels: pa.Table) -> Callable[[Ints, Ints], Bools]:
    """The test which pairs of rows have one holder."""
    code = text_codes(column_or_nulls(parcels, "holder_uscc", pa.string()))
    name = text_codes(column_or_nulls(parcels, "holder", pa.string()))

    def test(first: Ints, second: Ints) -> Bools:
        same = (code[first] >= 0) & (code[first] == code[second])
        # A name counts where a code is missing on either side; two different codes are two holders of one name.
        unsaid = (code[first] < 0) | (code[second] < 0)
        same |= unsaid & (name[first] >= 0) & (name[first] == name[second])
        return np.asarray(same)

    return test


def _one_firm(parcels: pa.Table, users: pa.Table) -> Callable[[Ints, Ints], Bools]:
    """The test which pairs of rows have an occupant in common."""
    ids = parcels.column("parcel_id").combine_chunks()
    at = pc.index_in(users.column("parcel_id").cast(ids.type), value_set=ids)
    firm = text_codes(users.column("enterprise_id"))
    row = at.combine_chunks().fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    firms = firm.max(initial=-1) + 1
    occupied = np.unique((row * firms + firm)[(row >= 0) & (firm >= 0)])
    owner, firm = np.divmod(occupied, max(firms, 1))
    begin = np.searchsorted(owner, np.arange(parcels.num_rows + 1))
    count = np.diff(begin)

    def test(first: Ints, second: Ints) -> Bools:
        asked = np.flatnonzero((count[first] > 0) & (count[second] > 0))
        pair = np.repeat(asked, count[first[asked]])
        each = count[first[asked]]
        theirs = firm[np.repeat(begin[first[asked]] - np.cumsum(each) + each, each) + np.arange(each.sum())]
        wanted = second[pair] * firms + theirs
        at = np.minimum(np.searchsorted(occupied, wanted), len(occupied) - 1)
        shared = np.zeros(len(first), bool)
        shared[pair[occupied[at] == wanted]] = True
        return shared

    return test


def text_codes(column: pa.ChunkedArray) -> Ints:
    """Equal texts as equal numbers, -1 for none."""
    encoded = column.combine_chunks().dictionary_encode()
    codes: Ints = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    blank = pc.equal(pc.utf8_length(pc.utf8_trim_whitespace(encoded.dictionary)), 0)
    blank = np.append(blank.to_numpy(zero_copy_only=False), True)
    codes[blank[codes]] = -1
    return codes


def _group_table(ids: list[str], leader: Ints) -> pa.Table:
    counts = np.bincount(leader, minlength=len(ids))
    return pa.table(
        {
            "parcel_id": pa.array(ids, pa.string()),
            "site_group": pa.array([ids[row] for row in leader], pa.string()),
            "site_parcels": pa.array(counts[leader], pa.int64()),
        }
    )


def site_indices(parcels: pa.Table, groups: pa.Table) -> pa.Table:
    """Planning indices of each site taken as one: `site_group`, `parcels`, `tenures`, `holders` (how many differ),
    `area_m2`, `far`, `density`, and the limits of the plan weighted by area, `far_planned_max`, `density_max`,
    `green_min`.

    parcels: `parcel_id`, `area_m2` and if known `floor_area_m2`, `base_area_m2`, `tenure`, `holder` and the limits;
    groups: of `site_groups`. One member's missing figure leaves the site's unknown; it is not left out of the sum.
    """
    leader = dict(zip(groups["parcel_id"].to_pylist(), groups["site_group"].to_pylist(), strict=True))
    site = [leader[p] for p in text_column(parcels, "parcel_id")]
    names, group = np.unique(np.array(site, dtype=str), return_inverse=True)
    area = floats(parcels, "area_m2")

    def total(name: str, weight: Floats | None = None) -> Floats:
        values = floats(parcels, name) if weight is None else floats(parcels, name) * weight
        # A NaN of one member makes its site's sum NaN.
        return np.bincount(group, values, len(names)).astype(np.float64)

    def differ(name: str) -> Ints:
        codes = text_codes(column_or_nulls(parcels, name, pa.string()))
        said = np.unique(np.stack([group, codes], axis=1)[codes >= 0], axis=0)
        return np.bincount(said[:, 0], minlength=len(names))

    whole = np.bincount(group, area, len(names))
    figures = {
        "area_m2": whole,
        "far": total("floor_area_m2") / whole,
        "density": total("base_area_m2") / whole,
        **{name: total(name, area) / whole for name in ("far_planned_max", "density_max", "green_min")},
    }
    return pa.table(
        {
            "site_group": pa.array(names.tolist(), pa.string()),
            "parcels": pa.array(np.bincount(group, minlength=len(names)), pa.int64()),
            "tenures": pa.array(differ("tenure"), pa.int64()),
            "holders": pa.array(differ("holder"), pa.int64()),
            **{name: pa.array(values, pa.float64(), from_pandas=True) for name, values in figures.items()},
        }
    )
