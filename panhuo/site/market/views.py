"""Public pages of the land market: list with map, a page a lot, its enquiry form; open data. Nobody signs in."""

import json
from typing import Any

import shapely
from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.urls import reverse
from django.utils.feedgenerator import Atom1Feed
from django.views.decorators.http import require_POST

from panhuo.core.problems import PanhuoError
from panhuo.site.gate import found, open_to_all
from panhuo.site.market import acts, search, whose
from panhuo.site.market.forms import EnquiryForm
from panhuo.site.market.models import Lot, Photo, on_offer
from panhuo.site.market.shown import box_of, features, near, pins, places, told, worded
from panhuo.site.market.standard import bar_words
from panhuo.site.parcel.views import FILE_POLICY
from panhuo.site.shelf import Row, kept_file
from panhuo.site.words import fault_words, number_given, pick, say

FED = 50
"""As many lots as the feed tells of."""


def map_setup(placed: list[tuple[str, float, float]], box: Any, lots: str) -> dict[str, Any]:
    """What the map's script is told: where its lots are read, and the ground under them (no tiles of the ledger).

    placed: division, longitude and latitude of what lies there; box: what it shows, all of them where None.
    """
    if box is None and placed:
        points = [place[1:] for place in placed]
        box = box_of([f(axis) for f in (min, max) for axis in zip(*points, strict=True)])
    online = settings.ONLINE
    return {
        "lots": lots,
        "bounds": box,
        "online": online and {"tiles": online.tiles, "attribution": online.attribution},
        "worker": static("dist/map-worker.js"),
        "archives": [], "conflicts": [], "conflictKinds": {}, "layers": [], "imagery": [], "places": places(placed),
        "schemes": {},
        "near": 0,
        "otherColour": "",
        "words": {
            "open": pick("查看", "Open"),
            "webgl": pick("浏览器不能画图（没有 WebGL），请看列表。", "This browser has no WebGL; use the list."),
            "failed": pick("没有取到数据，请重试", "No answer; try again"),
        },
    }  # fmt: skip


@open_to_all
def market(request: HttpRequest) -> HttpResponse:
    """The lots on offer: list and map, narrowed and sorted, or ranked for a project."""
    form = search.form(request.GET)
    found_lots = search.find(form, request.GET.get("sort", ""))
    page = Paginator(found_lots.lots, search.PAGE).get_page(request.GET.get("page"))
    query = request.GET.urlencode()
    context = {
        "form": form,
        "page": page,
        "rows": [worded(row) for row in found_lots.rows(page)],
        "left_out": [(search.criterion_words(k), n) for k, n in (found_lots.left_out or {}).items() if n],
        "matched": found_lots.left_out is not None,
        "sorts": [(code, words) for code, (words, _) in search.SORTS.items()],
        "sort": request.GET.get("sort", ""),
        "more_asked": form.asked(form.MORE),
        "supplied": Lot.objects.filter(state="concluded").count(),
        "query": query,
        "setup": map_setup(found_lots.placed(), None, f"{reverse('market_geojson')}?for=map&{query}"),
    }
    return render(request, "market/market.html", context)


@open_to_all
def lot(request: HttpRequest, pk: int) -> HttpResponse:
    """One lot on offer."""
    return lot_page(request, pk, EnquiryForm())


def lot_page(request: HttpRequest, pk: int, form: EnquiryForm, status: int = 200) -> HttpResponse:
    """The page of a lot with its form; of one that is not on offer, that there is none (404)."""
    one = on_offer().filter(pk=pk).first()
    if one is None:
        return render(request, "market/gone.html", status=404)
    row = worded(told([one])[0])
    context = {
        "lot": row,
        "indicators": [i | {"bar_label": bar_words(i)} for i in row["indicators"]],
        "near": [(worded(other), km) for other, km in near(one)],
        "form": form,
        "setup": lot_map(row),
        "mine": whose.lots(request.user).filter(pk=pk).exists(),
    }
    return render(request, "market/lot.html", context, status=status)


def lot_map(row: Row) -> dict[str, Any] | None:
    """The map of one lot, or None where it publishes no position."""
    if not row["geometry"]:
        return None
    box = box_of(shapely.from_geojson(json.dumps(row["geometry"])).bounds)
    return map_setup([], box, f"{reverse('market_geojson')}?for=map&id={row['id']}")


@open_to_all
@require_POST
def enquire(request: HttpRequest, pk: int) -> HttpResponse:
    """Takes a stranger's enquiry; a machine's is thanked for and not kept."""
    form = EnquiryForm(request.POST)
    if not form.is_valid():
        return lot_page(request, pk, form, 400)
    if not form.from_machine:
        try:
            acts.enquire(pk, form.given(), request.META["REMOTE_ADDR"])
        except PanhuoError as fault:
            form.add_error(None, fault_words(fault))
            return lot_page(request, pk, form, 429)
    messages.success(request, say("已收到，单位会与您联系。", "Received: the office will get in touch."))
    return redirect("lot", pk)


@open_to_all
def photo(request: HttpRequest, pk: int) -> HttpResponse:
    """A photograph of a lot on offer; of another only to those whose lot it is."""
    one: Photo = found(Photo.objects.filter(pk=pk).first())
    if not on_offer().filter(pk=one.lot_id).exists():
        whose.lot(request.user, one.lot_id)
    response = FileResponse(kept_file(one.digest).open("rb"), content_type="image/jpeg")
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = f"{FILE_POLICY}; sandbox"
    return response


@open_to_all
def geojson(request: HttpRequest) -> HttpResponse:
    """The same list as GeoJSON, all public fields or what a map wants (`for=map`); `id` asks for one lot."""
    if number := request.GET.get("id"):
        asked_for = search.Found(on_offer().filter(pk=number_given(number)))
    else:
        asked_for = _asked_for(request)
    drawn = (
        pins(asked_for.whole(asked_for.lots))
        if request.GET.get("for") == "map"
        else features(asked_for.rows(asked_for.lots))
    )
    return HttpResponse(drawn, content_type="application/geo+json")


def _asked_for(request: HttpRequest) -> search.Found:
    return search.find(search.form(request.GET), request.GET.get("sort", ""))


@open_to_all
def feed(request: HttpRequest) -> HttpResponse:
    """The newest lots as an Atom feed."""
    at = request.build_absolute_uri(reverse("market"))
    atom = Atom1Feed(
        title=pick("土地超市", "Land market"), link=at, description="", language=request.LANGUAGE_CODE,
        feed_url=request.build_absolute_uri(request.path),
    )  # fmt: skip
    newest = list(on_offer()[:FED])
    for one, row in zip(newest, map(worded, told(newest)), strict=True):
        text = " · ".join(row[k] for k in ("kind_label", "way_label", "place", "size", "price_label"))
        atom.add_item(
            title=row["title"], link=request.build_absolute_uri(row["url"]), description=text,
            updateddate=one.published_at, pubdate=one.published_at, categories=[row["kind_label"]],
        )  # fmt: skip
    return HttpResponse(atom.writeString("utf-8"), content_type="application/atom+xml; charset=utf-8")


def lots_told(request: HttpRequest) -> list[Row]:
    """The list for programs."""
    asked_for = _asked_for(request)
    return asked_for.rows(asked_for.lots)
