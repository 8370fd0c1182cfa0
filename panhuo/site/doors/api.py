"""The API for programs: the same lists through the same gate, with a token that is its person; OpenAPI at /api/v1/docs.

OGC API - Features (ogc.py) stands under /ogc/, opened by
QGIS and GDAL with the token as a Bearer header or as the password of HTTP Basic authentication.
"""

import base64
import binascii
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, QueryDict
from ninja import NinjaAPI
from ninja.security import APIKeyCookie, HttpBearer
from ninja.security.http import HttpAuthBase

from panhuo.core.problems import PanhuoError
from panhuo.site import gate
from panhuo.site.accounts.acts import person_of_token
from panhuo.site.cases import listing, told
from panhuo.site.cases.models import Case
from panhuo.site.ledger.disclosed import published_rows
from panhuo.site.ledger.query import KEYS, page_rows, parse, totals
from panhuo.site.market.views import lots_told
from panhuo.site.parcel import firm, story


def _person(request: HttpRequest, key: str) -> Any:
    person = person_of_token(key)
    if person is not None:
        request.user = person
    return person


class Token(HttpBearer):
    def authenticate(self, request: HttpRequest, token: str) -> Any:
        return _person(request, token)


class TokenAsPassword(HttpAuthBase):
    openapi_scheme = "basic"

    def __call__(self, request: HttpRequest) -> Any:
        kind, _, given = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "basic":
            return None
        try:
            return _person(request, base64.b64decode(given).decode().partition(":")[2])
        except (binascii.Error, UnicodeDecodeError):
            return None


class Session(APIKeyCookie):
    """A signed-in browser may read."""

    param_name = "sessionid"

    def authenticate(self, request: HttpRequest, key: str | None) -> Any:
        return request.user if request.user.is_authenticated and request.method in ("GET", "HEAD") else None


AUTH = [Token(), TokenAsPassword(), Session(csrf=False)]
api = NinjaAPI(title="panhuo", version="1", urls_namespace="api", auth=AUTH, docs_url=None)


@api.exception_handler(PanhuoError)
def bad(request: HttpRequest, fault: PanhuoError) -> Any:
    return api.create_response(request, fault.as_dict(), status=400)


@api.exception_handler(PermissionDenied)
def refused(request: HttpRequest, fault: Exception) -> Any:
    return api.create_response(request, {"what": str(fault)}, status=403)


@api.get("/public/parcels", auth=None, summary="Published idle land")
def public_parcels(request: HttpRequest) -> list[dict[str, Any]]:
    return published_rows()


@api.get("/public/lots", auth=None, summary="Lots on offer on the land market, asked for like its page")
def public_lots(request: HttpRequest) -> list[dict[str, Any]]:
    return lots_told(request)


@api.get("/parcels/{parcel_id}", summary="One parcel with findings, options, users")
def parcel(request: HttpRequest, parcel_id: str) -> dict[str, Any]:
    gate.demand(request.user, "see")
    return {
        "parcel": story.parcel_row(request.user, parcel_id),
        "findings": story.findings(parcel_id),
        "options": story.options(parcel_id),
        "users": story.users(request.user, story.of_parcel("occupancies", parcel_id)),
    }


@api.get("/enterprises/{enterprise_id}", summary="One enterprise with its scores")
def enterprise(request: HttpRequest, enterprise_id: str) -> dict[str, Any]:
    gate.demand(request.user, "see")
    return {
        "enterprise": story.enterprise_row(request.user, enterprise_id),
        "scores": firm.scores(enterprise_id),
    }


@api.get("/cases", summary="Cases of one's own land, the most urgent first, filtered like the casework page")
def cases(request: HttpRequest, page: int = 1, size: int = 50) -> dict[str, Any]:
    gate.demand(request.user, "see")
    held = listing.find(request.user, request.GET)
    shown = Paginator(held.cases, max(1, min(size, 500))).get_page(page)
    lines = [told.line(case) for case in shown]
    return {"total": shown.paginator.count, "page": shown.number, "counts": held.counts, "rows": lines}


@api.get("/cases/{int:pk}", summary="One case with its steps, limits and acts")
def case(request: HttpRequest, pk: int) -> dict[str, Any]:
    gate.demand(request.user, "see")
    held = gate.found(Case.objects.select_related("by").filter(pk=pk).first())
    story.parcel_row(request.user, held.parcel_id)
    return told.whole(held)


@api.get("/{dataset}", summary="A list: parcels, enterprises or contracts, filtered like the ledger page")
def listed(request: HttpRequest, dataset: str, page: int = 1, size: int = 50) -> dict[str, Any]:
    gate.demand(request.user, "see")
    if dataset not in KEYS:
        raise Http404
    given: QueryDict = request.GET
    query = parse(dataset, given, request.user)
    return {"total": totals(query)["n"], "page": query.page, "rows": page_rows(query)}
