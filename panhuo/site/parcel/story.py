"""Everything known of one parcel or one enterprise, read for its page; each piece is one query on an index."""

import json
import math
import re
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import shapely

from panhuo.core.units import m2_to_mu
from panhuo.inventory.spec import dataset_specs
from panhuo.match.remedies import remedies as match_remedies
from panhuo.report.chain import message, remedy_chain
from panhuo.report.land_chain import conflict_chain, potential_chain
from panhuo.rulebook.facts import Law
from panhuo.rulebook.schema import Rule
from panhuo.rulebook.scheme import load_schemes
from panhuo.rulebook.scheme_schema import RemedyScheme
from panhuo.site import gate
from panhuo.site.gate import found
from panhuo.site.labels import rulebook
from panhuo.site.shelf import Row, one, rows, shelf
from panhuo.workspace.compares import assessed
from panhuo.workspace.reading import BORROWED

NEAR: Final = 0.0005
"""How far round a parcel its neighbours are drawn, in degrees (about 50 m)."""

DEGREE_M: Final = 111_195
"""A degree of latitude on the ground."""
PLACES: Final = re.compile(r"\{(\w+)\}")
"""Where a fact stands in a rule's message."""
RELATED: Final = ("contracts", "encumbrances", "buildings", "occupancies")


def parcel_row(person: Any, parcel_id: str) -> Row:
    """The parcel, or 404 where it is not of the person's land."""
    where = gate.parcels(person).also("parcel_id = ?", (parcel_id,))
    row: Row = found(one(f"SELECT * FROM parcels WHERE {where.sql}", where.values))
    return row


def enterprise_row(person: Any, enterprise_id: str) -> Row:
    """The enterprise as of its latest year, or 404."""
    where = gate.enterprises(person).also("enterprise_id = ?", (enterprise_id,))
    order = "ORDER BY year DESC NULLS LAST LIMIT 1"
    row: Row = found(
        one(f"SELECT {_own('enterprises')} FROM enterprises WHERE {where.sql} {order}", where.values)
    )
    return row


def row_of(person: Any, dataset: str, subject: str) -> Row:
    """The parcel or enterprise a file belongs to, or 404."""
    return (enterprise_row if dataset == "enterprises" else parcel_row)(person, subject)


def findings(parcel_id: str) -> list[Row]:
    """The parcel's findings, what each rests on taken apart."""
    found_rows = rows(
        "SELECT * FROM findings WHERE parcel_id = ? ORDER BY status DESC, finding_id", (parcel_id,)
    )
    for row in found_rows:
        row["facts"] = json.loads(row["evidence"]) if row["evidence"] else {}
        row["lacks"] = [m.strip() for m in (row["missing"] or "").split(",") if m.strip()]
        row["words"] = _words(rulebook().rules.get(row["finding_id"]), row)
        row["articles"] = [
            c.strip().partition(":")[::2] for c in (row["cites"] or "").split(";") if c.strip()
        ]
    return found_rows


def as_of() -> date:
    """The day the newest assessment judged by."""
    folder = shelf().workspace.assessment_dir()
    return _judged_on(folder) if folder else date.today()


@lru_cache(maxsize=4)
def _judged_on(assessment: Path) -> date:
    return date.fromisoformat(json.loads((assessment / "manifest.json").read_text("utf-8"))["as_of"])


def _words(rule: Rule | None, finding: Row) -> dict[str, str] | None:
    """The rule's message where the finding's own evidence holds every figure in it, so that nothing more is read."""
    if rule is None or finding["status"] != "yes":
        return None
    known = {"as_of": as_of(), rule.since: finding["since"]} | finding["facts"]
    return message(rule.message, known) if _named(rule) <= known.keys() else None


def _named(rule: Rule) -> set[str]:
    """The facts in a rule's message."""
    return {name for words in (rule.message.zh, rule.message.en) for name in PLACES.findall(words)}


def told(rule: Rule, finding: Row) -> dict[str, str] | None:
    """The rule's message with the parcel's own figures in it; None where it does not hold, or no facts were kept."""
    facts = assessed(shelf().workspace, "facts", finding["parcel_id"], {"parcel_id", *_named(rule)})
    return message(rule.message, facts[0]) if facts and finding["status"] == "yes" else None


def clashes(parcel_id: str) -> list[Row]:
    """The rows of the parcel's conflicts, whoever asks: `conflicts` tells what a person may know of them."""
    return rows("SELECT * FROM conflicts WHERE parcel_id = ? OR other_id = ?", (parcel_id, parcel_id))


def conflicts(person: Any, parcel_id: str, held: list[Row]) -> list[Row]:
    """The parcel's conflicts, widest first. A parcel that is not of the person's land is not named."""
    told = conflict_chain(held, parcel_id)
    others = tuple(sorted({row["other_id"] for row in told if row["other_id"]}))
    where = (
        gate.parcels(person).also(f"parcel_id IN ({', '.join('?' * len(others))})", others)
        if others
        else None
    )
    seen = rows(f"SELECT parcel_id FROM parcels WHERE {where.sql}", where.values) if where else []
    visible = {row["parcel_id"] for row in seen}
    for row in told:
        if row["other_id"] not in visible:
            row["elsewhere"] = row["other_id"] is not None
            row["other_id"], row["note"] = None, row["note"] if row["kind"] == "area_mismatch" else ""
    return told


def conflict_shapes(held: list[Row]) -> list[Any]:
    """What is drawn of a parcel's conflicts with others, in EPSG:4490."""
    drawn = [row["geometry"] for row in held if row["other_id"] is not None and row["geometry"] is not None]
    return [shapely.from_wkb(bytes(shape)) for shape in drawn]


def potential(parcel_id: str) -> dict[str, Any] | None:
    """The parcel's potential grade opened, or None where it was not graded."""
    row = one("SELECT * FROM potential WHERE parcel_id = ?", (parcel_id,))
    return potential_chain(rulebook(), row) if row else None


def options(parcel_id: str) -> list[Row]:
    """The tools weighed for the parcel, best first, with the sums of each party."""
    weighed = rows(
        "SELECT * FROM options WHERE parcel_id = ? ORDER BY rank NULLS LAST, fit DESC", (parcel_id,)
    )
    sums = rows("SELECT * FROM appraisals WHERE parcel_id = ? ORDER BY party", (parcel_id,))
    for row in weighed:
        row["reasons"] = json.loads(row["because"]) if row["because"] else []
        row["cases"] = [c.strip() for c in (row["precedents"] or "").split(",") if c.strip()]
        row["sums"] = [s for s in sums if s["tool_id"] == row["tool_id"]]
    return weighed


def remedies(parcel: Row, weighed: list[Row]) -> dict[str, Any] | None:
    """The measures of the parcel's place by class of land, opened; None where the place has none of its own."""
    book = rulebook()
    if not any(
        (parcel["division"] or "").startswith(s.place) for s in load_schemes(book, RemedyScheme).values()
    ):
        return None
    for facts in assessed(shelf().workspace, "facts", parcel["parcel_id"]):
        return remedy_chain(book, match_remedies(Law(book, facts["as_of"]), facts, weighed))
    return None


def related(parcel_id: str) -> dict[str, list[Row]]:
    """Rows of the other datasets that belong to the parcel."""
    return {name: held for name in RELATED if (held := of_parcel(name, parcel_id))}


def of_parcel(dataset: str, parcel_id: str) -> list[Row]:
    """The parcel's rows of another dataset."""
    return rows(f"SELECT {_own(dataset)} FROM {dataset} WHERE parcel_id = ?", (parcel_id,))


def _own(dataset: str) -> str:
    """The dataset's own columns, without what the reading copy puts beside them for its list."""
    borrowed = BORROWED.get(dataset)
    return f"* EXCLUDE ({', '.join(borrowed)})" if borrowed else "*"


def users(person: Any, occupancies: list[Row]) -> list[Row]:
    """The firms of a parcel's occupancies, how they hold it, their scores, and whether the person may open each."""
    kinds = dict.fromkeys((row["enterprise_id"], row["kind"]) for row in occupancies)
    found_rows = [{"enterprise_id": firm, "kind": kind} for firm, kind in kinds]
    ids = [*dict.fromkeys(firm for firm, _ in kinds)]
    firms = {r["enterprise_id"]: r for r in among("enterprises", "enterprise_id", ids)}
    mine = gate.scope_of(person)
    opens = {i for i, firm in firms.items() if mine.covers_row(firm["division"], i)}
    scores = among("scores", "enterprise_id", ids)
    return [
        {
            **row,
            "name": firms.get(row["enterprise_id"], {}).get("name"),
            "opens": row["enterprise_id"] in opens,
            "score": score.get("score"),
            "tier": score.get("tier"),
        }
        for row in found_rows
        for score in [s for s in scores if s["enterprise_id"] == row["enterprise_id"]] or [{}]
    ]


def among(table: str, key: str, ids: list[str], where: gate.Rows = gate.EVERYTHING) -> list[Row]:
    """The rows of a table whose key is one of a few."""
    return rows(*keyed(table, key, ids, where)) if ids else []


def keyed(
    table: str, key: str, ids: list[str], where: gate.Rows = gate.EVERYTHING
) -> tuple[str, tuple[Any, ...]]:
    """The query of `among`. Its bounds let the engine skip the blocks of all other keys."""
    if not ids:
        return f"SELECT * FROM {table} WHERE FALSE", ()
    marks = ", ".join("?" * len(ids))
    near = where.also(f"{key} BETWEEN ? AND ? AND {key} IN ({marks})", (min(ids), max(ids), *ids))
    return f"SELECT * FROM {table} WHERE {near.sql}", near.values


def outlines(ids: list[str]) -> dict[str, bytes]:
    """The outlines of a few parcels as WKB in EPSG:4490, by parcel; of those alone that have one: a point is none."""
    held = {row["parcel_id"]: bytes(row["geometry"]) for row in among("shapes", "parcel_id", ids)}
    return {parcel_id: shape for parcel_id, shape in held.items() if shapely.from_wkb(shape).area > 0}


def picture(person: Any, parcel: Row, held: list[Row]) -> tuple[dict[str, Any] | None, list[Row]]:
    """The parcel among its neighbours, with the conflicts `held`, as `drawing` gives it; and the neighbours drawn."""
    near = neighbours(person, parcel)
    drawn = outlines([parcel["parcel_id"], *(row["parcel_id"] for row in near)])
    near = [row | {"geometry": drawn[row["parcel_id"]]} for row in near if row["parcel_id"] in drawn]
    own = drawn.get(parcel["parcel_id"])
    return drawing(shapely.from_wkb(own) if own else None, near, conflict_shapes(held)), near


def neighbours(person: Any, parcel: Row) -> list[Row]:
    """Parcels near by that the person may see."""
    if parcel["xmin"] is None:
        return []
    box = (parcel["xmin"] - NEAR, parcel["xmax"] + NEAR, parcel["ymin"] - NEAR, parcel["ymax"] + NEAR)
    where = gate.parcels(person).also(
        "xmax >= ? AND xmin <= ? AND ymax >= ? AND ymin <= ? AND parcel_id <> ?", (*box, parcel["parcel_id"])
    )
    return rows(
        f"SELECT parcel_id, name, holder, findings, area_m2 FROM parcels WHERE {where.sql} LIMIT 60",
        where.values,
    )


def drawing(shape: Any, near: list[Row], clashes: list[Any]) -> dict[str, Any] | None:
    """The parcel among its neighbours, with its conflicts, as paths for an inline picture, 400 units wide, north up."""
    if shape is None:
        return None
    x0, y0, x1, y1 = shapely.bounds(shapely.box(*shape.bounds).buffer(NEAR))
    squeeze = math.cos(math.radians((y0 + y1) / 2))
    scale = 400 / ((x1 - x0) * squeeze)
    height = (y1 - y0) * scale

    def path(geometry: Any) -> str:
        parts = []
        for ring in (r for p in shapely.get_parts(geometry) for r in (p.exterior, *p.interiors)):
            points = (f"{(x - x0) * squeeze * scale:.1f},{(y1 - y) * scale:.1f}" for x, y in ring.coords)
            parts.append("M" + "L".join(points) + "Z")
        return "".join(parts)

    shown = [{"row": n, "d": path(shapely.from_wkb(n["geometry"]))} for n in near]
    return {
        "d": path(shape),
        "near": shown,
        "clashes": [path(clash) for clash in clashes],
        "height": round(height, 1),
        "foot": round(height - 10, 1),
        "bar": _bar(scale),
    }


def _bar(units_per_degree: float) -> dict[str, Any]:
    """A scale bar of a round length that takes about a quarter of the picture: `width` in its units, `label`."""
    per_metre = units_per_degree / DEGREE_M
    metres = 10 ** math.floor(math.log10(100 / per_metre))
    metres *= max(m for m in (1, 2, 5) if m * metres * per_metre <= 100)
    label = f"{metres // 1000} km" if metres >= 1000 else f"{metres} m" if metres >= 1 else f"{metres:g} m"
    return {"width": round(metres * per_metre, 1), "label": label}


def data_groups(parcel: Row) -> list[tuple[str, Any]]:
    """Every field of the parcel that has a value, in the order of the spec."""
    return [
        (f, parcel[f]) for f in dataset_specs()["parcels"].fields if f in parcel and parcel[f] is not None
    ]


def per_mu(price_wan: float | None, area_m2: float | None) -> float | None:
    """万元 per 亩."""
    return price_wan / m2_to_mu(area_m2) if price_wan is not None and area_m2 else None
