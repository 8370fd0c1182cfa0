"""The one place where a lot becomes public: pages, JSON, map and feed are all made of what `told` gives.

A field that is not in PUBLIC_FIELDS never leaves the office, whatever is added to the model later.
"""

import json
import math
from collections.abc import Iterable
from functools import cache
from typing import Any, Final

from django.db.models import prefetch_related_objects
from django.urls import reverse
from django.utils import timezone

from panhuo.inventory.spec import code_list, code_rows
from panhuo.site import labels
from panhuo.site.ledger.disclosed import public_name, public_text
from panhuo.site.market.models import KINDS, Lot, on_offer
from panhuo.site.market.standard import amount, promise
from panhuo.site.parcel.story import keyed
from panhuo.site.shelf import Row, rows
from panhuo.site.words import listed, pick

PLAIN: Final = (
    "id", "kind", "way", "division", "area_m2", "floor_area_m2", "use", "price", "price_unit", "term_years", "phone",
    "valid_until", "indicators",
)  # fmt: skip
TEXTS: Final = ("title", "address", "services", "about", "commitment", "office")
"""Free text: names of private persons and their numbers are taken out of it."""
PUBLIC_FIELDS: Final = (
    *PLAIN,
    *TEXTS,
    "use_scheme",
    "industries",
    "published_on",
    "url",
    "photos",
    "geometry",
)
ROOM: Final = 0.004
"""Degrees left round the land on a map."""
NEAR_KM: Final = 10
NEAREST: Final = 4
KM_PER_DEGREE: Final = 111.195


def told(lots: Iterable[Lot]) -> list[Row]:
    """The public fields of lots, in their order. geometry: GeoJSON, or None where the lot publishes no position."""
    held = list(lots)
    prefetch_related_objects(held, "photos")
    return [_told(lot, hidden) for lot, hidden in zip(held, _names(held), strict=True)]


def _told(lot: Lot, names: dict[str | None, str | None]) -> Row:
    row = {name: getattr(lot, name) for name in PLAIN}
    row |= {name: public_text(getattr(lot, name), names) for name in TEXTS}
    return row | {
        "use_scheme": lot.use_scheme if lot.use_scheme in code_list("land_use_schemes") else "",
        "industries": lot.industries.split(),
        "published_on": timezone.localtime(lot.published_at).date() if lot.published_at else None,
        "url": reverse("lot", args=[lot.pk]),
        "photos": [reverse("lot_photo", args=[photo.pk]) for photo in lot.photos.all()],
        "geometry": geometry(lot),
    }


def _names(lots: list[Lot]) -> list[dict[str | None, str | None]]:
    """For each lot the names that stand behind it, and what the public reads in their place."""
    sql, values = keyed("parcels", "parcel_id", sorted({lot.parcel_id for lot in lots}))
    held = rows(f"SELECT parcel_id, holder, holder_type, holder_uscc FROM ({sql})", values)
    land = {row["parcel_id"]: row for row in held}
    found: list[dict[str | None, str | None]] = []
    for lot in lots:
        parcel = land.get(lot.parcel_id, {})
        holder = parcel.get("holder")
        names = {name: public_name(name, None, None) for name in (lot.priority_holder, lot.taker)}
        names[holder] = public_name(holder, parcel.get("holder_type"), parcel.get("holder_uscc"))
        found.append({name: shown for name, shown in names.items() if name != shown})
    return found


def silent_on(text: str, lots: Iterable[Lot]) -> list[int]:
    """Those of the lots whose name and place do not say a text once they are made public: who is masked there cannot be
    found by searching.
    """
    held = list(lots)
    return [
        lot.pk
        for lot, names in zip(held, _names(held), strict=True)
        if not any(
            text.lower() in (public_text(said, names) or "").lower() for said in (lot.title, lot.address)
        )
    ]


def pins(lots: Iterable[Lot]) -> str:
    """The lots as a map wants them, GeoJSON: where each is, its kind, name and page."""
    held = list(lots)
    root = reverse("market")
    drawn = [
        {
            "type": "Feature",
            "id": lot.pk,
            "geometry": geometry(lot),
            "properties": {
                "id": lot.pk, "kind": lot.kind, "title": public_text(lot.title, names), "url": f"{root}{lot.pk}/"
            },
        }
        for lot, names in zip(held, _names(held), strict=True)
        if lot.shown != "none"
    ]  # fmt: skip
    return json.dumps({"type": "FeatureCollection", "features": drawn}, ensure_ascii=False)


def geometry(lot: Lot) -> dict[str, Any] | None:
    """What the lot publishes of where it lies."""
    if lot.shown == "outline" and lot.outline:
        return dict(lot.outline)
    if lot.shown == "none" or lot.lon is None:
        return None
    return {"type": "Point", "coordinates": [lot.lon, lot.lat]}


def worded(row: Row) -> Row:
    """A told row with its codes in the reader's language beside, for pages."""
    return row | {
        "kind_label": str(dict(KINDS)[row["kind"]]),
        "way_label": labels.tool(row["way"]),
        "place": labels.division(row["division"]),
        "use_label": use_words(row["kind"], row["use"], row["use_scheme"]),
        "industry_label": listed(labels.coded("industry", code) for code in row["industries"])
        or pick("不限", "Any"),
        "size": size_words(row),
        "price_label": price_words(row),
        "commitment": row["commitment"] or (promise(row["indicators"]) if row["indicators"] else ""),
    }


def use_words(kind: str, use: str, scheme: str) -> str:
    """A use as a person reads it."""
    if not use:
        return "—"
    if kind == "plant":
        return labels.coded("building_use", use)
    return labels.coded("land_use", use, {"land_use_scheme": scheme or None})


@cache
def use_class(kind: str, use: str, scheme: str) -> str | None:
    """The class of a lot's use, as the rules of land have it; None where nobody knows, or schemes do not agree."""
    if kind == "plant":
        return code_list("building_use").get(use, {}).get("class") or None
    held = [one for one in code_rows("land_use") if one["code"] == use]
    own = [one for one in held if one["scheme"] == scheme] or held
    classes = {one["class"] for one in own}
    return classes.pop() or None if len(classes) == 1 else None


def size_words(row: Row) -> str:
    """How large a lot is: a plot by its land, a plant by its floor."""
    land, floor = row["area_m2"], row["floor_area_m2"]
    parts = [labels.mu(land)] if land is not None else []
    if floor is not None:
        parts.append(f"{labels.number(floor)} m²")
    return " · ".join(parts if row["kind"] == "plot" else reversed(parts)) or "—"


def price_words(row: Row) -> str:
    """A price or rent with its unit; to be negotiated where none is given."""
    if row["price"] is None:
        return pick("面议", "To be negotiated")
    return amount(row["price"], row["price_unit"])


def features(found: Iterable[Row]) -> str:
    """Told rows as a GeoJSON collection (WGS 84, as its standard asks)."""
    told_of = [
        {
            "type": "Feature",
            "id": row["id"],
            "geometry": row["geometry"],
            "properties": {name: row[name] for name in PUBLIC_FIELDS if name != "geometry"},
        }
        for row in found
    ]
    return json.dumps({"type": "FeatureCollection", "features": told_of}, ensure_ascii=False, default=str)


def box_of(bounds: Iterable[float]) -> list[float]:
    """Bounds (west, south, east, north) with room for a map."""
    west, south, east, north = bounds
    return [west - ROOM, south - ROOM, east + ROOM, north + ROOM]


def places(placed: Iterable[tuple[str, float, float]]) -> list[dict[str, Any]]:
    """The names of the divisions where lots lie, as the map's ground writes them: label, number of lots, middle."""
    at: dict[str, list[tuple[float, float]]] = {}
    for division, lon, lat in placed:
        at.setdefault(division, []).append((lon, lat))
    return [
        {
            "label": labels.division(code),
            "n": len(points),
            "at": [sum(axis) / len(points) for axis in zip(*points, strict=True)],
        }
        for code, points in at.items()
    ]


def near(lot: Lot) -> list[tuple[Row, float]]:
    """The lots on offer nearest to one that publishes its position, with the way to each in km."""
    if lot.shown == "none" or lot.lon is None or lot.lat is None:
        return []
    squeeze = math.cos(math.radians(lot.lat))
    reach = NEAR_KM / KM_PER_DEGREE
    box = {
        "lat__range": (lot.lat - reach, lot.lat + reach),
        "lon__range": (lot.lon - reach / squeeze, lot.lon + reach / squeeze),
    }
    others = on_offer().filter(**box).exclude(pk=lot.pk).exclude(shown="none")
    found = [
        (math.hypot((other.lon - lot.lon) * squeeze, other.lat - lot.lat) * KM_PER_DEGREE, other.pk, other)
        for other in others
    ]
    nearest = sorted(found)[:NEAREST]
    return list(zip(told(other for *_, other in nearest), (km for km, *_ in nearest), strict=True))
