"""The land-enterprise map: parcels and enterprises linked by code, by name and by place; one record of each.

A link by code or by equal name stands of itself. A near name, or a place, is only proposed: it enters the
records once it is on the confirm list, so that a guess never becomes a fact. So does a firm of a parcel that
another firm is recorded to own.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Final

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from panhuo.inventory.near_names import likest
from panhuo.rulebook.facts import connect

LINKS: Final = pa.schema(
    {"parcel_id": pa.string(), "enterprise_id": pa.string(), "how": pa.string(), "likeness": pa.float64(),
     "confirmed": pa.bool_()}
)  # fmt: skip
LEGAL_FORMS: Final = re.compile(
    r"(股份有限公司|有限责任公司|有限公司|股份公司|集团公司|集团|公司|厂|\(有限合伙\)|个体工商户)+$"
)
NOISE: Final = re.compile(r"[\s·•\-—_,，.。、'\"“”()\[\]【】]")
BRACKETED: Final = re.compile(r"[(\[【][^)\]】]*[)\]】]")
LIKENESS: Final = 85.0
"""Least likeness (0–100) of two plain names for a link to be proposed."""

Link = tuple[str, str, str, float, bool]


def whole_name(name: str) -> str:
    """A firm's name without differences of width, spaces and marks: equal ones are the same firm."""
    return NOISE.sub("", unicodedata.normalize("NFKC", name)).lower()


def plain_name(name: str) -> str:
    """The same without its legal form and what stands in brackets: what two spellings of one firm share."""
    whole = whole_name(BRACKETED.sub("", unicodedata.normalize("NFKC", name)) or name)
    return LEGAL_FORMS.sub("", whole) or whole


def links(
    parcels: pa.Table,
    enterprises: pa.Table,
    confirmed: pa.Table | None = None,
    occupancies: pa.Table | None = None,
) -> pa.Table:
    """Which enterprise holds which parcel: (parcel_id, enterprise_id, how, likeness, confirmed).

    parcels: parcel_id, holder, holder_uscc; enterprises: enterprise_id, name (of several years the last given);
    confirmed: the confirm list (parcel_id, enterprise_id, confirmed true|false); occupancies: parcel_id,
    enterprise_id, kind. how: code, name, near_name or list. Near names are unconfirmed unless the list says so; a pair
    the list denies is left out. A name that two firms bear only proposes them, as a code or name does where others are
    recorded to own the parcel.
    """
    firms = _firms(enterprises)
    known = {firm for (firm,) in _columns(enterprises, ("enterprise_id",))} - {""}
    same, near = _index(firms, whole_name), _index(firms, plain_name)
    found: list[Link] = []
    left: list[tuple[str, str]] = []
    for parcel, holder, uscc in _columns(parcels, ("parcel_id", "holder", "holder_uscc")):
        if uscc in known:
            found.append((parcel, uscc, "code", 100.0, True))
        elif holder and (equal := same.get(whole_name(holder))):
            found += [(parcel, firm, "name", 100.0, len(equal) == 1) for firm in equal]
        elif holder:
            left.append((parcel, plain_name(holder)))
    found += _near(left, near)
    return _settled(_disputed(found, occupancies), confirmed)


def _disputed(found: list[Link], occupancies: pa.Table | None) -> list[Link]:
    """The links, those unconfirmed whose parcel only other firms are recorded to own."""
    owners: dict[str, set[str]] = {}
    rows = [] if occupancies is None else _columns(occupancies, ("parcel_id", "enterprise_id", "kind"))
    for parcel, firm, kind in rows:
        if kind == "own":
            owners.setdefault(parcel, set()).add(firm)
    return [(p, e, how, like, sure and e in owners.get(p, {e})) for p, e, how, like, sure in found]


def _index(firms: list[tuple[str, str]], key: Callable[[str], str]) -> dict[str, list[str]]:
    """Firms by the key of their name."""
    index: dict[str, list[str]] = {}
    for firm, name in firms:
        index.setdefault(key(name), []).append(firm)
    return index


def _settled(found: list[Link], confirmed: pa.Table | None) -> pa.Table:
    """The links with the confirm list laid over: denied pairs out, approved ones confirmed, missing ones added."""
    listed = [] if confirmed is None else confirmed.to_pylist()
    verdict = {(row["parcel_id"], row["enterprise_id"]): bool(row["confirmed"]) for row in listed}
    settled = {(p, e): (p, e, how, like, verdict.get((p, e), sure)) for p, e, how, like, sure in found}
    settled = {pair: link for pair, link in settled.items() if verdict.get(pair, True)}
    for (parcel, firm), yes in verdict.items():
        if yes and (parcel, firm) not in settled:
            settled[parcel, firm] = (parcel, firm, "list", 100.0, True)
    rows = sorted(settled.values())
    columns = [pa.array([row[k] for row in rows], field.type) for k, field in enumerate(LINKS)]
    return pa.Table.from_arrays(columns, schema=LINKS)


def _near(left: list[tuple[str, str]], by_name: Mapping[str, list[str]]) -> list[Link]:
    """For each holder left over, the firms of the likest name, if it is like enough."""
    best = likest(sorted({name for _, name in left}), [*by_name], LIKENESS)
    matched = [(parcel, best[name]) for parcel, name in left if name in best]
    return [(p, firm, "near_name", like, False) for p, (name, like) in matched for firm in by_name[name]]


def to_confirm(found: pa.Table, occupancies: pa.Table | None = None) -> pa.Table:
    """The links a person must settle, the likest first; those recorded are settled."""
    return _beside(found, occupancies).execute(
        "SELECT f.* FROM found f ANTI JOIN held USING (parcel_id, enterprise_id) WHERE NOT confirmed"
        " ORDER BY likeness DESC, parcel_id, enterprise_id"
    ).to_arrow_table()  # fmt: skip


def to_own(found: pa.Table, occupancies: pa.Table | None = None) -> pa.Table:
    """(parcel_id, enterprise_id, kind `own`) of each confirmed link that is not recorded yet.

    The rows have no area: the land base then takes the parcel's own area.
    """
    return _beside(found, occupancies).execute(
        "SELECT parcel_id, enterprise_id, 'own' AS kind FROM found ANTI JOIN held USING (parcel_id, enterprise_id)"
        " WHERE confirmed ORDER BY ALL"
    ).to_arrow_table()  # fmt: skip


def recorded(occupancies: pa.Table) -> pa.Table:
    """The occupancies that settle whose a parcel is: all but leases out, for who lets a parcel may own it."""
    return occupancies.filter(pc.fill_null(pc.not_equal(occupancies["kind"], "lease_out"), True))


def _beside(found: pa.Table, occupancies: pa.Table | None) -> duckdb.DuckDBPyConnection:
    """The links as `found`, and as `held` the pairs that are recorded."""
    con = connect()
    con.register("found", found)
    pairs = LINKS.empty_table() if occupancies is None else recorded(occupancies)
    con.register("held", pairs.select(["parcel_id", "enterprise_id"]))
    return con


def _firms(enterprises: pa.Table) -> list[tuple[str, str]]:
    pairs = {row[0]: row[1] for row in _columns(enterprises, ("enterprise_id", "name")) if row[0] and row[1]}
    return sorted(pairs.items())


def _columns(table: pa.Table, names: tuple[str, ...]) -> list[tuple[str, ...]]:
    held = [
        table[n].cast(pa.string()).fill_null("").to_pylist()
        if n in table.column_names
        else [""] * table.num_rows
        for n in names
    ]
    return list(zip(*held, strict=True))
