"""The public list: which lots on offer fit what is asked, in what order, and how each fits a project."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Case, F, FloatField, Q, Value, When
from django.http import QueryDict
from django.utils import timezone

from panhuo.core.units import mu_to_m2
from panhuo.inventory.spec import units
from panhuo.plan.place import division_of, place
from panhuo.site.labels import rulebook
from panhuo.site.market.forms import SearchForm
from panhuo.site.market.models import on_offer
from panhuo.site.market.rules import PRICE_UNITS
from panhuo.site.market.shown import told, use_class, use_words
from panhuo.site.shelf import Row, shelf
from panhuo.site.words import pick, say

SORTS: Final = {
    "": (say("最新发布", "Newest"), "-published_at"),
    "area": (say("面积从小到大", "Smallest first"), "size"),
    "-area": (say("面积从大到小", "Largest first"), "-size"),
    "price": (say("地价从低到高", "Lowest price"), "sale"),
    "rent": (say("租金从低到高", "Lowest rent"), "rent"),
    "until": (say("将到期", "Ending soonest"), "valid_until"),
}
PAGE: Final = 24


def _per_unit(kind: str) -> Case:
    """A lot's price in the base unit of a kind (万元/亩, or 元/m² a month); NULL for a price of another kind."""
    given = [
        When(price_unit=name, then=F("price") * Value(units()[name].ratio))
        for name in PRICE_UNITS
        if units()[name].kind == kind
    ]
    if kind == "price":  # a price of the whole is one per mu where the land is known
        given.append(
            When(price_unit="wan", area_m2__gt=0, then=F("price") * Value(mu_to_m2(1)) / F("area_m2"))
        )
    return Case(*given, default=None, output_field=FloatField())


def offered() -> Any:
    """The lots on offer, each with `sale` (万元/亩), `rent` (元/m² a month) and `size` (m², floor of a plant)."""
    return on_offer().annotate(
        sale=_per_unit("price"),
        rent=_per_unit("rent"),
        size=Case(
            When(kind="plant", then=F("floor_area_m2")), default=F("area_m2"), output_field=FloatField()
        ),
    )


def form(given: QueryDict) -> SearchForm:
    """The form over the list, offering what some lot on offer has, and what an older link asks for."""
    held = on_offer().order_by()
    codes = sorted(
        {*held.values_list("division", flat=True), *filter(str.isdigit, given.getlist("division"))}
    )
    found = sorted(set(held.values_list("kind", "use", "use_scheme")))
    uses = {f"{kind}:{use}": use_words(kind, use, scheme) for kind, use, scheme in found if use}
    ways = {*held.values_list("way", flat=True), *rulebook().tools.keys() & given.getlist("way")}
    return SearchForm(given, codes, sorted(ways), list(uses.items()))


@dataclass(frozen=True, slots=True)
class Found:
    """The lots that fit, public fields only; `left_out`: how many of them each ruling criterion keeps from the project,
    None where no project was told."""

    rows: list[Row]
    left_out: Mapping[str, int] | None = None


def find(asked: SearchForm, sort: str) -> Found:
    """The lots on offer that fit what is asked; a field of the form that is no value asks nothing."""
    asked.is_valid()
    given = asked.cleaned_data
    where = Q()
    for name, test in (
        ("kind", "kind"), ("way", "way"), ("mu_min", "area_m2__gte"), ("mu_max", "area_m2__lte"),
        ("floor_min", "floor_area_m2__gte"), ("floor_max", "floor_area_m2__lte"), ("price_max", "sale__lte"),
        ("rent_max", "rent__lte"), ("division", "division__startswith"),
    ):  # fmt: skip
        if (value := given.get(name)) not in (None, ""):
            where &= Q(**{test: mu_to_m2(value) if name.startswith("mu_") else value})
    if text := given.get("q"):
        where &= Q(title__icontains=text) | Q(address__icontains=text)
    if industry := given.get("industry"):
        where &= Q(industries="") | Q(industries__contains=industry)
    if use := given.get("use"):
        kind, _, code = use.partition(":")
        where &= Q(kind=kind, use=code)
    order = SORTS.get(sort, SORTS[""])[1]
    field = F(order.lstrip("-"))
    ordered = field.desc(nulls_last=True) if order.startswith("-") else field.asc(nulls_last=True)
    rows = told(offered().filter(where).order_by(ordered, "-pk").prefetch_related("photos"))
    return _matched(given, rows) if asked.asked(SearchForm.PROJECT) else Found(rows)


def _matched(given: Mapping[str, Any], rows: list[Row]) -> Found:
    """The rows ranked for the project by `panhuo place`, each with its `score` and the truth of each criterion."""
    least, most = given.get("w_min"), given.get("w_max")
    wish = {
        "demand_id": "wish",
        "industry": given.get("w_industry") or None,
        "area_m2_min": None if least is None else mu_to_m2(least),
        "area_m2_max": None if most is None else mu_to_m2(most),
        "floor_area_m2": given.get("w_floor"),
        "needs": given.get("w_needs") or None,
    }
    land = [
        {
            "parcel_id": str(row["id"]),
            "area_m2": row["area_m2"],
            "building_vacant_m2": row["floor_area_m2"],
            "division": row["division"],
            "planned_class": use_class(row),
            "services": row["services"] or None,
            "park_industries": {division_of(code) for code in row["industries"]} or None,
        }
        for row in rows
    ]
    home = str(shelf().workspace.config.get("place", ""))
    placed = place([wish], land, rulebook(), timezone.localdate(), home, most=len(land))[0]
    by_id = {str(row["id"]): row for row in rows}
    ranked = [
        by_id[c["parcel_id"]] | {"score": c["score"], "criteria": c["criteria"]} for c in placed["candidates"]
    ]
    return Found(ranked, placed["ruled_out"])


def criterion_words(name: str) -> str:
    """What a criterion of matching is called of a lot: its industries are those its office wants."""
    return {
        "area": pick("面积", "Area"),
        "use": pick("用途", "Use"),
        "division": pick("行政区", "Division"),
        "services": pick("配套", "Services"),
        "chain": pick("意向产业", "Industry wanted"),
    }[name]
