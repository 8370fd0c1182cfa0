"""The land-enterprise map: parcels and enterprises linked by code, by name and by place; one record of each.

A link by code or by equal name stands of itself. A near name, or a place, is only proposed: it enters the
records once it is on the confirm list, so that a guess never becomes a fact.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
import pyarrow as pa
from rapidfuzz import fuzz, process

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
CHUNK: Final = 512

Link = tuple[str, str, str, float, bool]


def whole_name(name: str) -> str:
    """A firm's name without differences of width, spaces and marks: equal ones are the same firm."""
    return NOISE.sub("", unicodedata.normalize("NFKC", name)).lower()


def plain_name(name: str) -> str:
    """The same without its legal form and what stands in brackets: what two spellings of one firm share."""
    whole = whole_name(BRACKETED.sub("", unicodedata.normalize("NFKC", name)) or name)
    return LEGAL_FORMS.sub("", whole) or whole


def links(parcels: pa.Table, enterprises: pa.Table, confirmed: pa.Table | None = None) -> pa.Table:
    """Which enterprise holds which parcel: (parcel_id, enterprise_id, how, likeness, confirmed).

    parcels: parcel_id, holder, holder_uscc, address; enterprises: enterprise_id, name (any year);
    confirmed: the confirm list (parcel_id, enterprise_id, confirmed true|false). how: code, name, near_name
    or list. Near names are unconfirmed unless the list says so; a pair the list denies is left out. A name
    that two firms bear only proposes them.
    """
    firms = _firms(enterprises)
    known = {firm for firm, _ in firms}
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
    return _settled(found, confirmed)


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
    """For each holder left over, the firms of the likest name, if it is like enough; compared in blocks."""
    names, wanted = [*by_name], sorted({name for _, name in left})
    best: dict[str, tuple[str, float]] = {}
    for start in range(0, len(wanted) if names else 0, CHUNK):
        block = wanted[start : start + CHUNK]
        table = process.cdist(block, names, scorer=fuzz.ratio, score_cutoff=LIKENESS, dtype=np.float32)
        top = table.argmax(axis=1)
        likest = zip(block, top, table[np.arange(len(block)), top], strict=True)
        best.update({name: (names[int(k)], float(like)) for name, k, like in likest if like > 0})
    matched = [(parcel, best[name]) for parcel, name in left if name in best]
    return [(p, firm, "near_name", like, False) for p, (name, like) in matched for firm in by_name[name]]


def to_confirm(found: pa.Table) -> pa.Table:
    """The links a person must settle, the likest first."""
    open_ones = found.filter(pa.compute.invert(found["confirmed"]))
    return open_ones.sort_by([("likeness", "descending"), ("parcel_id", "ascending")])


def as_occupancies(found: pa.Table, occupancies: pa.Table | None) -> pa.Table:
    """The occupancies with an `own` row for each confirmed link of a parcel that has none for that enterprise.

    The added rows have no area: the land base then takes the parcel's own area.
    """
    con = connect()
    con.register("found", found)
    if occupancies is None:
        return con.execute(
            "SELECT parcel_id, enterprise_id, 'own' AS kind, CAST(NULL AS DOUBLE) AS area_m2,"
            " CAST(NULL AS DATE) AS from_on, CAST(NULL AS DATE) AS until_on FROM found WHERE confirmed ORDER BY ALL"
        ).to_arrow_table()
    con.register("held", occupancies)
    return con.execute(
        "SELECT * FROM held UNION ALL BY NAME SELECT parcel_id, enterprise_id, 'own' AS kind FROM found WHERE confirmed"
        " AND NOT EXISTS (SELECT 1 FROM held h WHERE h.parcel_id = found.parcel_id"
        " AND h.enterprise_id = found.enterprise_id)"
    ).to_arrow_table()


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
