"""What a lot must keep to, by the ledger and by law. A check raises PanhuoError whose `where` is the field at fault."""

import json
import re
from collections.abc import Sequence
from datetime import date
from typing import Any, Final

import shapely
from django.db.models import Q
from django.utils import timezone

from panhuo.core.problems import PanhuoError
from panhuo.inventory.spec import code_list
from panhuo.site import labels
from panhuo.site.gate import Rows
from panhuo.site.labels import rulebook
from panhuo.site.ledger.disclosed import public_name, without_numbers
from panhuo.site.market.models import Lot
from panhuo.site.market.shown import TEXTS
from panhuo.site.parcel.story import among, of_parcel, options, outlines
from panhuo.site.shelf import Row, one
from panhuo.site.words import listed, pick

PRICE_UNITS: Final = ("wan", "wan_per_mu", "yuan_per_m2", "yuan_per_m2_month", "wan_per_mu_year")
LANDLINE: Final = re.compile(
    r"(0\d{2,3}[- ]?)?\d{7,8}(-\d{1,5})?|[48]00[- ]?\d{3}[- ]?\d{4}|1\d{4}", re.ASCII
)
"""Telephones of an office: fixed lines, 400 and 800 numbers, five-digit service lines; no mobile."""
TOLERANCE: Final = 1.005
"""Areas agree within the rounding of a certificate."""
MOSTLY: Final = 0.5
"""An outline lies on the parcel where at least this part of it does."""


def ways(kind: str) -> list[str]:
    """The tools of the law that put a lot of this kind on the market."""
    return [name for name, tool in rulebook().tools.items() if kind in tool.offers]


def _refuse(where: str, zh: str, en: str, why: str = "") -> PanhuoError:
    return PanhuoError(pick(zh, en), where=where, why=why)


def check(lot: Lot, parcel: Row) -> None:
    """Whether a draft may stand."""
    if lot.way not in ways(lot.kind):
        raise _refuse("way", "这种方式不供应此类", "this way does not offer lots of this kind")
    _check_size(lot, parcel)
    _check_terms(lot)
    _check_words(lot, parcel)
    if any(code not in code_list("industry") for code in lot.industries.split()):
        raise _refuse("industries", "行业不在代码表中", "an industry is not of the code list")
    if lot.valid_until <= timezone.localdate():
        raise _refuse("valid_until", "有效期须在今天之后", "the last day must lie ahead")
    if lot.priority_holder and not lot.priority_until:
        raise _refuse(
            "priority_until", "须写明优先权行使到哪一天", "say by which day the priority may be used"
        )
    if rulebook().tools[lot.way].priority and not lot.priority_holder:
        raise _refuse(
            "priority_holder", "这种方式须写明优先权人", "this way needs the holder of the priority"
        )


def _check_size(lot: Lot, parcel: Row) -> None:
    if lot.kind == "plot":
        if not lot.area_m2:
            raise _refuse("area_m2", "须写明土地面积", "give the area of the land")
    elif not lot.floor_area_m2:
        raise _refuse("floor_area_m2", "须写明建筑面积", "give the floor area")
    whole = parcel["area_m2"]
    if lot.area_m2 and whole and lot.area_m2 > whole * TOLERANCE:
        raise _refuse("area_m2", "超出宗地面积", "more than the parcel has", labels.mu(whole))
    if lot.kind == "plot":
        return
    rooms = _rooms(lot.parcel_id)
    if lot.building_id and lot.building_id not in rooms:
        raise _refuse("building_id", "这幢建筑不在该宗地上", "this building does not stand on the parcel")
    vacant = _room_of(rooms, lot.building_id)
    if vacant is not None and (lot.floor_area_m2 or 0) > vacant * TOLERANCE:
        raise _refuse(
            "floor_area_m2", "超出空置面积", "more than stands vacant", f"{labels.number(vacant)} m²"
        )


def room(building: Row) -> float | None:
    """What of a building can be offered: what stands vacant, else all of it; None where neither is known."""
    vacant: float | None = building["vacant_m2"]
    return vacant if vacant is not None else building["floor_area_m2"]


def _rooms(parcel_id: str) -> dict[str, float | None]:
    return {building["building_id"]: room(building) for building in of_parcel("buildings", parcel_id)}


def _room_of(rooms: dict[str, float | None], building_id: str) -> float | None:
    """The room of one building, or of all where none is named; None where it is not known."""
    held = [rooms.get(building_id)] if building_id else list(rooms.values())
    known = [floor for floor in held if floor is not None]
    return sum(known) if held and len(known) == len(held) else None


def _check_terms(lot: Lot) -> None:
    if (lot.price is None) != (not lot.price_unit):
        raise _refuse("price", "价格和单位要一起写", "a price goes with its unit")
    if lot.price_unit and lot.price_unit not in PRICE_UNITS:
        raise _refuse("price_unit", "不是价格的单位", "this is no unit of price")
    if lot.term_years is not None and rulebook().tools[lot.way].lets:
        longest = rulebook().parameter("lease.max_years", timezone.localdate(), lot.division)
        if lot.term_years > float(longest.value):
            cited = f"{labels.source(longest.source)} {labels.article(longest.article, longest.source)}"
            raise _refuse(
                "term_years",
                f"租期不得超过 {longest.value} 年",
                f"a lease lasts {longest.value} years at most",
                cited,
            )


def _check_words(lot: Lot, parcel: Row) -> None:
    """Public text names no private person and no number of one; the telephone is the office's."""
    if not LANDLINE.fullmatch(lot.phone):
        raise _refuse(
            "phone", "请留单位的固定电话，不留个人手机", "give the office's telephone, not a person's mobile"
        )
    holder = parcel["holder"]
    hidden = [holder] if holder != public_name(holder, parcel["holder_type"], parcel["holder_uscc"]) else []
    hidden += [n for n in (lot.priority_holder, lot.taker) if n and n != public_name(n, None, None)]
    for name in TEXTS:
        text = getattr(lot, name)
        if text != without_numbers(text):
            raise _refuse(
                name, "公开文字里有电话或证件号", "public text holds a telephone or identity number"
            )
        if any(person in text for person in hidden):
            raise _refuse(name, "公开文字里有自然人的姓名", "public text names a private person")


def lay(lot: Lot, parcel: Row, part: Any) -> None:
    """Sets what a lot takes from the ledger: whose land it is, its use, and where it lies."""
    lot.division, lot.holder_uscc = parcel["division"] or "", parcel["holder_uscc"] or ""
    if lot.kind == "plot":
        lot.use, lot.use_scheme = (
            parcel["planned_use"] or parcel["land_use"] or "",
            parcel["land_use_scheme"] or "",
        )
    drawn = outlines([lot.parcel_id]).get(lot.parcel_id)
    land = shapely.from_wkb(drawn) if drawn else None
    if part:
        land = _part(part, land)
    elif not _whole(lot, parcel):
        kept = shapely.from_geojson(json.dumps(lot.outline)) if lot.outline else None
        # the part as it was handed in before; one nobody has drawn is not shown as the whole
        land = kept if kept is not None and (land is None or not kept.equals(land)) else None
    lot.outline = json.loads(shapely.to_geojson(land)) if land is not None else None
    at = land.representative_point() if land is not None else None
    lot.lon, lot.lat = (round(at.x, 6), round(at.y, 6)) if at is not None else (parcel["lon"], parcel["lat"])


def _whole(lot: Lot, parcel: Row) -> bool:
    whole = parcel["area_m2"]
    return lot.kind == "plant" or not whole or (lot.area_m2 or 0) * TOLERANCE >= whole


def _part(text: str, land: Any) -> Any:
    """The part's outline, which lies on the parcel."""
    try:
        given = json.loads(text)
        if given.get("type") == "FeatureCollection":
            given = given["features"][0]
        shape = shapely.from_geojson(json.dumps(given.get("geometry") or given))
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, shapely.errors.GEOSException):
        shape = None
    if (
        shape is None
        or shape.geom_type not in ("Polygon", "MultiPolygon")
        or not shape.is_valid
        or shape.is_empty
    ):
        raise _refuse(
            "part", "不是经纬度的 GeoJSON 面", "this is no GeoJSON polygon in longitude and latitude"
        )
    if land is None or land.buffer(1e-6).covers(shape):
        return shape
    inside = land.intersection(shape)
    if inside.area < MOSTLY * shape.area:
        raise _refuse("part", "界线不在宗地之内", "the outline does not lie on the parcel")
    # A hand does not follow a boundary: what sticks out is cut off.
    return shapely.union_all([piece for piece in shapely.get_parts(inside) if piece.area > 0])


def check_open(lot: Lot) -> None:
    """Whether a lot may be opened to others than the former holder."""
    if lot.priority == "open":
        raise _refuse("priority", "优先权尚未行使或放弃", "the priority is neither used nor waived yet")
    if lot.priority == "exercised":
        raise _refuse("priority", "优先权已行使，直接登记供应", "the priority was used: record the supply")
    if lot.valid_until < timezone.localdate():
        raise _refuse("valid_until", "有效期已过，请先改期", "its last day is past: change it first")


def check_free(lot: Lot) -> None:
    """Whether what is offered is still free: land and floor are promised once, and what was transferred is gone.

    A transfer counts while the ledger has the holder of then: what a new holder offers is land of its own. A lot that
    names no building may lie in any of the parcel's, so that it is counted with all of them.
    """
    leases = [name for name, tool in rulebook().tools.items() if tool.lets]
    gone = Q(state="concluded", holder_uscc=lot.holder_uscc) & ~Q(way__in=leases)
    same = Lot.objects.filter(kind=lot.kind, parcel_id=lot.parcel_id).exclude(pk=lot.pk)
    others = list(same.filter(Q(state="published") | gone))
    if lot.kind == "plot":
        held = one("SELECT area_m2 FROM parcels WHERE parcel_id = ?", (lot.parcel_id,))
        _check_room(lot, others, "area_m2", held["area_m2"] if held else None)
        return
    rooms = _rooms(lot.parcel_id)
    if lot.building_id:
        beside = [other for other in others if other.building_id == lot.building_id]
        _check_room(lot, beside, "floor_area_m2", _room_of(rooms, lot.building_id))
    if not (lot.building_id and all(other.building_id for other in others)):
        _check_room(lot, others, "floor_area_m2", _room_of(rooms, ""))


def _check_room(lot: Lot, others: Sequence[Lot], size: str, whole: float | None) -> None:
    taken = sum(getattr(other, size) or 0 for other in others)
    if taken and (whole is None or taken + (getattr(lot, size) or 0) > whole * TOLERANCE):
        raise _refuse(
            size, "同一地块或厂房已在供应或已供应", "the same land or floor is on offer or supplied already",
            listed(str(other) for other in others),
        )  # fmt: skip


def way_status(lot: Lot) -> Row | None:
    """What the assessment says of the lot's way for its parcel, or None where it says nothing."""
    return next((row for row in options(lot.parcel_id) if row["tool_id"] == lot.way), None)


def way_closed(lot: Lot) -> bool:
    status = way_status(lot)
    return status is not None and status["status"] == "closed"


def closed_since(lots: Sequence[Lot]) -> set[int]:
    """Those of the lots whose way the newest assessment closes to their parcel."""
    ids = sorted({lot.parcel_id for lot in lots})
    held = among("options", "parcel_id", ids, Rows("status = 'closed'"))
    shut = {(row["parcel_id"], row["tool_id"]) for row in held}
    return {lot.pk for lot in lots if (lot.parcel_id, lot.way) in shut}


def check_supply(lot: Lot, supplied_on: date | None, start_by: date | None, taker: str) -> None:
    """Whether a supply may be recorded."""
    if supplied_on is None or supplied_on > timezone.localdate():
        raise _refuse("supplied_on", "供应日不晚于今天", "the day of supply is today or before")
    if start_by is not None and start_by <= supplied_on:
        raise _refuse("start_by", "动工期限在供应日之后", "works are due after the day of supply")
    if not taker.strip():
        raise _refuse("taker", "须写明受让人或承租人", "say who took it")
    if lot.priority == "exercised" and taker.strip() != lot.priority_holder.strip():
        raise _refuse(
            "taker", "优先权已行使，只能供给优先权人", "the priority was used: its holder alone takes it"
        )


def check_start(lot: Lot, started_on: date | None) -> None:
    """Whether a day of start may be recorded."""
    if started_on is None or not (lot.supplied_on and lot.supplied_on <= started_on <= timezone.localdate()):
        raise _refuse(
            "started_on", "动工日在供应日与今天之间", "works began between the day of supply and today"
        )


def check_settled(lot: Lot, outcome: str, on: date | None, note: str) -> None:
    """Whether a priority may be recorded as settled."""
    if lot.priority != "open":
        raise _refuse("outcome", "没有待行使的优先权", "no priority waits to be used")
    if outcome not in ("exercised", "waived", "lapsed"):
        raise _refuse("outcome", "请选定结果", "choose the outcome")
    if on is None or on > timezone.localdate():
        raise _refuse("on", "日期不晚于今天", "the day is today or before")
    if outcome == "lapsed" and not lot.priority_over:
        raise _refuse("outcome", "期限未到，不能作逾期", "its day is not over: it has not lapsed")
    if outcome == "exercised" and lot.priority_until and on > lot.priority_until:
        raise _refuse("on", "行使日已过期限", "it was used after its day")
    if not note.strip():
        raise _refuse("note", "须写明经过（文号、送达）", "say what happened (document, service)")
