"""The public list: which lots on offer fit what is asked, in what order, and how each fits a project."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.db.models import Case, F, FloatField, Q, Value, When
from django.http import QueryDict
from django.utils import timezone

from panhuo.core.units import mu_to_m2
from panhuo.inventory.spec import units
from panhuo.plan.place import land_table, place
from panhuo.site.labels import rulebook
from panhuo.site.market.forms import SearchForm
from panhuo.site.market.models import Lot, on_offer
from panhuo.site.market.rules import PRICE_UNITS
from panhuo.site.market.shown import silent_on, told, use_class, use_words
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
LONG: Final = ("about", "commitment", "outline", "indicators")
"""What matching does not ask about; a page reads it of its own lots."""


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
    held = sorted(
        on_offer().order_by().values_list("kind", "use", "use_scheme", "division", "way").distinct()
    )
    codes = {*(row[3] for row in held), *filter(str.isdigit, given.getlist("division"))}
    uses = {f"{kind}:{use}": use_words(kind, use, scheme) for kind, use, scheme, *_ in held if use}
    ways = {*(row[4] for row in held), *rulebook().tools.keys() & given.getlist("way")}
    return SearchForm(given, sorted(codes), sorted(ways), list(uses.items()))


@dataclass(frozen=True, slots=True)
class Found:
    """The lots that fit, in order: a query or a list, so that a page reads its own alone.

    fits: {score, criteria} by lot, where a project was told; left_out: how many lots each ruling criterion keeps from
    it, None where none was told.
    """

    lots: Any
    fits: Mapping[int, Row] = field(default_factory=dict)
    left_out: Mapping[str, int] | None = None

    def whole(self, lots: Iterable[Lot]) -> Iterable[Lot]:
        """Some of the lots with all their fields, at once: matching did not read the long ones."""
        if not self.fits:
            return lots
        order = [lot.pk for lot in lots]
        read = Lot.objects.in_bulk(order)
        return [read[pk] for pk in order if pk in read]

    def rows(self, lots: Iterable[Lot]) -> list[Row]:
        """Some of the lots as the public reads them, each with how it fits."""
        return [row | self.fits.get(row["id"], {}) for row in told(self.whole(lots))]

    def placed(self) -> list[tuple[str, float, float]]:
        """Division, longitude and latitude of every lot that publishes its position."""
        if isinstance(self.lots, list):
            return [(o.division, o.lon, o.lat) for o in self.lots if o.shown != "none" and o.lon is not None]
        held = self.lots.order_by().exclude(shown="none").exclude(lon=None)
        return list(held.values_list("division", "lon", "lat"))


RANGES: Final = (
    ("kind", "kind"), ("way", "way"), ("division", "division__startswith"), ("mu_min", "area_m2__gte"),
    ("mu_max", "area_m2__lte"), ("floor_min", "floor_area_m2__gte"), ("floor_max", "floor_area_m2__lte"),
    ("price_max", "sale__lte"), ("rent_max", "rent__lte"),
)  # fmt: skip
"""Fields of the form and what each asks of a lot."""


def find(asked: SearchForm, sort: str) -> Found:
    """The lots on offer that fit what is asked; a field of the form that is no value asks nothing."""
    asked.is_valid()
    given, where = asked.cleaned_data, Q()
    for name, test in RANGES:
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
    by = F(order.lstrip("-"))
    ordered = by.desc(nulls_last=True) if order.startswith("-") else by.asc(nulls_last=True)
    lots = offered().filter(where).order_by(ordered, "-pk")
    if text:
        lots = lots.exclude(pk__in=silent_on(text, lots.defer(*LONG)))
    return matched(_wish(given), lots) if asked.asked(SearchForm.PROJECT) else Found(lots)


def _wish(given: Mapping[str, Any]) -> Row:
    """The project that the form tells of, as a row of `demands`."""
    least, most = given.get("w_min"), given.get("w_max")
    return {
        "demand_id": "wish",
        "industry": given.get("w_industry") or None,
        "area_m2_min": None if least is None else mu_to_m2(least),
        "area_m2_max": None if most is None else mu_to_m2(most),
        "floor_area_m2": given.get("w_floor"),
        "needs": given.get("w_needs") or None,
    }


def matched(demand: Row, offers: Any) -> Found:
    """Lots ranked for a row of `demands` by `panhuo place`, with the truth of each criterion. offers: a query."""
    lots = list(offers.defer(*LONG))
    plots = [
        {
            "parcel_id": str(lot.pk),
            "area_m2": lot.area_m2,
            "building_vacant_m2": lot.floor_area_m2,
            "division": lot.division,
            "planned_class": use_class(lot.kind, lot.use, lot.use_scheme),
            "services": lot.services or None,
            "park_industries": "、".join(code[:2] for code in lot.industries.split()) or None,
        }
        for lot in lots
    ]
    home = str(shelf().workspace.config.get("place", ""))
    placed = place([demand], land_table(plots), rulebook(), timezone.localdate(), home, most=len(plots))[0]
    fits = {int(c["parcel_id"]): {k: c[k] for k in ("score", "criteria")} for c in placed["candidates"]}
    by_id = {lot.pk: lot for lot in lots}
    return Found([by_id[pk] for pk in fits], fits, placed["ruled_out"])


def criterion_words(name: str) -> str:
    """What a criterion of matching is called of a lot: its industries are those its office wants."""
    return {
        "area": pick("面积", "Area"),
        "use": pick("用途", "Use"),
        "division": pick("行政区", "Division"),
        "services": pick("配套", "Services"),
        "chain": pick("意向产业", "Industry wanted"),
    }[name]
