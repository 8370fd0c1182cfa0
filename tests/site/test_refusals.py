"""Every address of the site and what it asks of its caller, read from the URL configuration itself.

A route that is not listed here fails the test: strangers go to the login (programs get 401), a role without the act
gets 403, and for another county's officer with the same role the thing named does not exist (404).
"""

import json
from dataclasses import dataclass, field
from datetime import date

import pytest
from django.contrib.auth import get_user
from django.test import Client
from django.urls import URLResolver, get_resolver
from lots import lot_of

from panhuo.site.accounts import acts as accounts
from panhuo.site.accounts.models import ApiToken, AreaScope, Person
from panhuo.site.cases import acts as cases
from panhuo.site.corrections.models import Correction
from panhuo.site.doors.models import Webhook
from panhuo.site.gate import MAY
from panhuo.site.jobs.models import Job, Upload
from panhuo.site.labels import rulebook
from panhuo.site.ledger.models import SavedView
from panhuo.site.market.models import Enquiry, Photo
from panhuo.site.parcel.models import Attachment
from panhuo.site.shelf import one
from panhuo.site.survey.models import Visit

OPEN, PROGRAM = "open", "program"
"""For everybody; for programs by token (which need `see`)."""
FAR = "430424"
ASKING = "{asking}"
"""Stands in what is posted for the name of whoever asks."""


@dataclass(frozen=True)
class Need:
    """What a route asks: an act of the gate (OPEN: nothing), and whether it names something of somebody's."""

    act: str
    path: dict[str, object] = field(default_factory=dict)
    own: bool = False
    post: bool = False
    data: dict[str, str] = field(default_factory=dict)
    program: bool = False


def page(act, own=False, post=False, data=None, program=False, **path):
    return Need(act, path, own, post, data or {}, program)


PARCEL, FIRM, PK = "{parcel}", "{firm}", 0
ROUTES = {
    "": page(OPEN),
    "healthz": page(OPEN),
    "favicon.ico": page(OPEN),
    "language/": page(OPEN, post=True, data={"language": "en"}),
    "setup/<str:key>/": page(OPEN, key="x"),
    "public/": page(OPEN),
    "market/": page(OPEN),
    "market/lots.geojson": page(OPEN),
    "market/feed/": page(OPEN),
    "market/photo/<int:pk>/": page(OPEN, pk="{photo}"),
    "market/<int:pk>/": page(OPEN, pk="{offer}"),
    "market/<int:pk>/enquire/": page(OPEN, post=True, pk="{offer}"),
    "lots/": page("see"),
    "lots/new/": page("offer"),
    "lots/<int:pk>/": page("see", own=True, pk="{lot}"),
    "lots/<int:pk>/edit/": page("offer", own=True, pk="{lot}"),
    "lots/<int:pk>/photo/": page("offer", own=True, post=True, pk="{lot}"),
    "lots/<int:pk>/decide/": page("publish", own=True, post=True, data={"do": "publish"}, pk="{lot}"),
    "lots/<int:pk>/<str:do>/": page("offer", own=True, post=True, pk="{lot}", do="submit"),
    "enquiries/": page("offer"),
    "enquiries/<str:name>.xlsx": page("offer", name="enquiries"),
    "enquiries/<int:pk>/": page("offer", own=True, pk="{enquiry}"),
    "enquiries/<int:pk>/demand/": page("upload", own=True, post=True, pk="{enquiry}"),
    "enquiries/<int:pk>/<str:do>/": page("offer", own=True, post=True, pk="{enquiry}", do="mark"),
    "law/": page(OPEN),
    "law/<str:kind>/<str:name>/": page(OPEN, kind="rules", name="idle_not_started"),
    "cases/": page(OPEN),
    "cases/<str:name>/": page(OPEN, name="case_03"),
    "people/": page("people"),
    "people/new/": page("people"),
    "people/<int:pk>/": page("people", pk="{person}"),
    "trail/": page("trail"),
    "tokens/": page("token"),
    "tokens/<int:pk>/revoke/": page("token", own=True, post=True, pk="{token}"),
    "ledger/": page("see"),
    "ledger/publish/": page("publish", own=True, post=True, data={"id": PARCEL}),
    "ledger/<str:dataset>/correct/": page(
        "propose", own=True, post=True, data={"id": PARCEL}, dataset="parcels"
    ),
    "ledger/view/<int:pk>/remove/": page("see", own=True, post=True, pk="{view}"),
    "ledger/<str:dataset>/": page("see", dataset="contracts"),
    "ledger/<str:dataset>/save/": page("see", post=True, data={"name": "x"}, dataset="parcels"),
    "ledger/<str:dataset>.<str:kind>": page("export", dataset="parcels", kind="csv"),
    "parcel/<str:parcel_id>/": page("see", own=True, parcel_id=PARCEL),
    "parcel/<str:parcel_id>/finding/<str:finding_id>/": page(
        "see", own=True, parcel_id=PARCEL, finding_id="{finding}"
    ),
    "parcel/<str:parcel_id>/value/<str:name>/": page("see", own=True, parcel_id=PARCEL, name="area_m2"),
    "parcel/<str:parcel_id>/tool/<str:tool_id>/": page("see", own=True, parcel_id=PARCEL, tool_id="{tool}"),
    "parcel/<str:subject>/history/": page("see", own=True, subject=PARCEL),
    "enterprise/<str:subject>/history/": page("see", own=True, subject=FIRM),
    "enterprise/<str:enterprise_id>/score/<str:scheme_id>/<str:indicator>/": page(
        "see", own=True, enterprise_id=FIRM, scheme_id="hunan_default", indicator="tax_per_mu"
    ),
    "enterprise/<str:enterprise_id>/value/<str:name>/": page(
        "see", own=True, enterprise_id=FIRM, name="tax_wan"
    ),
    "enterprise/<str:enterprise_id>/action/<str:action>/": page(
        "see", own=True, enterprise_id=FIRM, action="take_back"
    ),
    "parcel/<str:subject>/attach/": page("attach", own=True, post=True, subject=PARCEL),
    "enterprise/<str:subject>/attach/": page("attach", own=True, post=True, subject=FIRM),
    "correct/<str:dataset>/<path:key>/": page("propose", own=True, dataset="parcels", key=PARCEL),
    "parcel/<str:parcel_id>/compare/": page("see", own=True, parcel_id=PARCEL),
    "parcel/<str:parcel_id>/compare/save/": page("plan", own=True, post=True, parcel_id=PARCEL),
    "enterprise/<str:enterprise_id>/": page("see", own=True, enterprise_id=FIRM),
    "file/<int:pk>/": page("see", own=True, pk="{file}"),
    "plan/": page("plan"),
    "plan/<int:pk>/": page("plan", own=True, pk="{job}"),
    "plan/<int:pk>.xlsx": page("export", own=True, pk="{job}"),
    "plan/<int:pk>/adopt/": page("decide", own=True, post=True, pk="{job}"),
    "corrections/": page("see"),
    "corrections/<int:pk>/": page("see", own=True, pk="{correction}"),
    "corrections/<int:pk>/decide/": page("decide", own=True, post=True, pk="{correction}"),
    "casework/": page("see"),
    "casework/due/": page("see"),
    "casework/cases.<str:kind>": page("export", kind="csv"),
    "casework/of/<str:parcel_id>/": page("see", own=True, parcel_id=PARCEL),
    "casework/open/<str:parcel_id>/": page("work", own=True, post=True, parcel_id=PARCEL),
    "casework/<int:pk>/": page("see", own=True, pk="{case}"),
    "casework/<int:pk>/do/": page("answer", own=True, post=True, pk="{case}"),
    "casework/<int:pk>/notice/<str:kind>.<str:ending>": page(
        "work", own=True, pk="{case}", kind="investigation", ending="docx"
    ),
    "casework/<int:pk>/undo/": page("answer", own=True, post=True, pk="{case}"),
    "casework/<int:pk>/state/": page("work", own=True, post=True, pk="{case}"),
    "casework/<int:pk>/fact/": page("work", own=True, post=True, pk="{case}"),
    "casework/<int:pk>/another/": page("work", own=True, post=True, pk="{case}"),
    "survey/": page("see"),
    "survey/of/<str:parcel_id>/": page("see", own=True, parcel_id=PARCEL),
    "survey/visit/<int:pk>/": page("see", own=True, pk="{visit}"),
    "survey/visit/<int:pk>/photo/<int:number>/": page("see", own=True, pk="{shot}", number=0),
    "survey/visit/<int:pk>/decide/": page("decide", own=True, post=True, pk="{visit}"),
    "survey/take/": page("survey", post=True),
    "survey/form/<str:name>.zip": page("survey", name="site_visit"),
    "survey/field/": page("survey"),
    "survey/worker.js": page(OPEN),
    "survey/list/<str:name>/": page("survey", name="site_visit"),
    "survey/send/": page("survey", own=True, post=True, data={"visit": "{filled}"}),
    "jobs/": page("see"),
    "jobs/<int:pk>/": page("see", own=True, pk="{job}"),
    "jobs/<int:pk>/file/": page("export", own=True, pk="{job}"),
    "jobs/upload/": page("upload", post=True),
    "jobs/upload/<int:pk>/": page("upload", own=True, pk="{upload}"),
    "jobs/assess/": page("assess", post=True),
    "jobs/report/": page("export", post=True),
    "map/": page("see"),
    "map/find/": page("see"),
    "map/selected/": page("see"),
    "tiles/<str:name>.pmtiles": page("see", own=True, name="d-430112"),
    "imagery/<str:name>/<int:z>/<int:x>/<int:y>.png": page("see", name="none", z=0, x=0, y=0),
    "boards/": page("see"),
    "boards/trend/": page("see"),
    "law/parameters/<str:name>/try/": page("assess", post=True, name="{parameter}"),
    "law/trials/<int:pk>/": page("see", own=True, pk="{job}"),
    "webhooks/": page("webhook"),
    "webhooks/<int:pk>/": page("webhook", pk="{hook}"),
    "webhooks/<int:pk>/<str:do>/": page("webhook", post=True, pk="{hook}", do="pause"),
    "api/v1/openapi.json": page(OPEN),
    "api/v1/public/parcels": page(OPEN),
    "api/v1/public/lots": page(OPEN),
    "api/v1/": page(OPEN),
    "api/v1/cases": page("see", program=True),
    "api/v1/cases/<int:pk>": page("see", own=True, program=True, pk="{case}"),
    "api/v1/parcels/<parcel_id>": page("see", own=True, program=True, parcel_id=PARCEL),
    "api/v1/enterprises/<enterprise_id>": page("see", own=True, program=True, enterprise_id=FIRM),
    "api/v1/<dataset>": page("see", program=True, dataset="parcels"),
    "ogc/": page("see", program=True),
    "ogc/api": page("see", program=True),
    "ogc/conformance": page("see", program=True),
    "ogc/collections": page("see", program=True),
    "ogc/collections/<str:name>": page("see", program=True, name="parcels"),
    "ogc/collections/<str:name>/queryables": page("see", program=True, name="parcels"),
    "ogc/collections/<str:name>/items": page("see", program=True, name="parcels"),
    "ogc/collections/<str:name>/items/<str:key>": page(
        "see", own=True, program=True, name="parcels", key=PARCEL
    ),
}
LOGIN = "account/"
"""allauth's own pages: signing in, passwords, second factors, sessions."""


def routes(patterns=None, before=""):
    for pattern in patterns or get_resolver().url_patterns:
        here = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, here)
        else:
            yield here


def test_every_route_is_listed():
    found = {route for route in routes() if not route.startswith(LOGIN)}
    assert found == ROUTES.keys()


@pytest.fixture
def things(cast, parcel_id):
    """Something of the clerk of 430112 for every name in a route, by that name."""
    clerk = cast["clerk"]
    accounts.make_token(clerk, "x")
    parameter = next(iter(rulebook().parameters))
    firm = (
        "SELECT enterprise_id AS id FROM enterprises WHERE division = '430112' ORDER BY tier DESC NULLS LAST"
    )
    finding = "SELECT finding_id AS id FROM findings WHERE parcel_id = ?"
    tool = "SELECT tool_id AS id FROM options WHERE parcel_id = ?"
    offer = lot_of(clerk, parcel_id, state="published")
    return {
        "lot": lot_of(clerk, parcel_id).pk,
        "offer": offer.pk,
        "photo": Photo.objects.create(lot=offer, digest="0" * 64, by=clerk).pk,
        "enquiry": Enquiry.objects.create(lot=offer, company="x", contact="x", phone="x", sender="0" * 64).pk,
        "parcel": parcel_id,
        "firm": one(firm)["id"],
        "finding": one(finding, (parcel_id,))["id"],
        "tool": one(tool, (parcel_id,))["id"],
        "person": clerk.pk,
        "token": ApiToken.objects.get().pk,
        "view": SavedView.objects.create(person=clerk, dataset="parcels", name="x").pk,
        "file": Attachment.objects.create(
            subject=parcel_id, name="x.pdf", digest="0" * 64, size=1, kind="application/pdf", by=clerk
        ).pk,
        "correction": Correction.objects.create(key=parcel_id, field="holder", value="x", by=clerk).pk,
        "job": Job.objects.create(kind="assess", by=clerk).pk,
        "upload": Upload.objects.create(name="x.csv", digest="0" * 64, size=1, by=clerk).pk,
        "case": cases.open_case(clerk, parcel_id, "p02_idle_inquiry", date(2026, 10, 9)).pk,
        "hook": Webhook.objects.create(url="https://example.cn/", secret="x", by=clerk).pk,
        "parameter": parameter,
        "visit": (visit := a_visit(clerk, parcel_id)).pk,
        "shot": visit.pk,
        "filled": json.dumps(
            {
                "person": ASKING,
                "visit_id": "0" * 32,
                "form": "site_visit",
                "parcel_id": parcel_id,
                "visited_on": "2026-11-20",
            }
        ),
    }


def a_visit(by, parcel_id):
    return Visit.objects.create(
        visit_id="1" * 32, form="site_visit", parcel_id=parcel_id, division="430112", visited_on="2026-11-20",
        surveyor="x", photos=[["1.jpg", "0" * 64, "image/jpeg"]], by=by,
    )  # fmt: skip


def asked(client, route, need, things):
    """The answer of a route, its names filled in."""
    address = "/" + route
    for name, value in need.path.items():
        filled = str(value).format(**things)
        for kind in ("str:", "int:", "path:", ""):
            address = address.replace(f"<{kind}{name}>", filled)
    assert "<" not in address
    asking = get_user(client).get_username()
    data = {name: value.format(**things).replace(ASKING, asking) for name, value in need.data.items()}
    return client.post(address, data) if need.post else client.get(address)


def person(role, division, name):
    made = Person.objects.create_user(name, password="a-long-enough-word", role=role)
    AreaScope.objects.create(person=made, kind="division", value=division)
    return made


def caller(made, need):
    """A browser, or a program with a token where the route is for programs and the role may hold one."""
    client = Client()
    client.force_login(made, "django.contrib.auth.backends.ModelBackend")
    if need.program and "token" in MAY[made.role]:
        return Client(headers={"Authorization": f"Bearer {accounts.make_token(made, 'x')}"})
    return client


GATED = [(route, need) for route, need in ROUTES.items() if need.act != OPEN]


def test_a_stranger_goes_to_the_login_and_a_program_hears_401(things):
    for route, need in GATED:
        answer = asked(Client(), route, need, things)
        if need.program:
            assert answer.status_code == 401, route
        else:
            assert answer.status_code == 302, route
            assert answer["Location"].startswith("/account/login/?next="), route


def test_a_role_without_the_act_hears_403_whatever_it_names(things):
    for number, (route, need) in enumerate(GATED):
        lacking = [role for role, acts in MAY.items() if need.act not in acts]
        role = "consulted" if "consulted" in lacking else lacking[0]
        answer = asked(caller(person(role, "", f"lacks-{number}"), need), route, need, things)
        assert answer.status_code == 403, (route, role)


def test_for_another_countys_officer_it_does_not_exist(things):
    owned = [(route, need) for route, need in GATED if need.own]
    assert len(owned) > 20
    for number, (route, need) in enumerate(owned):
        role = next(r for r, acts in MAY.items() if need.act in acts and "trail" not in acts)
        answer = asked(caller(person(role, FAR, f"far-{number}"), need), route, need, things)
        assert answer.status_code == 404, (route, role)


def test_ones_own_officer_is_let_through(things, cast):
    """The other side: the refusals above are not of everybody."""
    bytes_not_there = {"{file}", "{job}", "{upload}", "{shot}"}
    tried = [
        (route, need)
        for route, need in GATED
        if need.own
        and not need.post
        and need.act in MAY["clerk"]
        and not bytes_not_there & set(need.path.values())
    ]
    assert len(tried) > 8
    for route, need in tried:
        assert asked(caller(cast["clerk"], need), route, need, things).status_code == 200, route


def test_what_is_open_opens_to_a_stranger(db, things):
    for route, need in ROUTES.items():
        if need.act == OPEN:
            answer = asked(Client(), route, need, things)
            expected = {
                "setup/<str:key>/": 404,
                "": 302,
                "language/": 302,
                "favicon.ico": 301,
                "api/v1/": 404,
                "market/photo/<int:pk>/": 404,
                "market/<int:pk>/enquire/": 400,
            }.get(route, 200)
            assert answer.status_code == expected, route


def test_the_pages_of_signing_in_never_break_for_a_stranger(db):
    for route in routes():
        if route.startswith(LOGIN) and not set("<(^") & set(route):
            assert Client().get("/" + route).status_code in (200, 301, 302, 401, 403, 404, 405), route
    assert Client().get("/account/signup/").status_code in (200, 403)
    assert not Person.objects.exists()


def test_a_token_ends_with_its_person(cast, as_, parcel_id):
    """A token's land and acts are its person's, now; closing the account closes it."""
    key = accounts.make_token(cast["clerk"], "x")
    program = Client(headers={"Authorization": f"Bearer {key}"})
    assert program.get(f"/api/v1/parcels/{parcel_id}").status_code == 200
    AreaScope.objects.filter(person=cast["clerk"]).update(value=FAR)
    assert program.get(f"/api/v1/parcels/{parcel_id}").status_code == 404
    Person.objects.filter(pk=cast["clerk"].pk).update(role="public")
    assert program.get("/api/v1/parcels").status_code == 403
    cast["clerk"].refresh_from_db()
    cast["clerk"].is_active = False
    accounts.save_person(cast["admin"], cast["clerk"], "", accounts.gate.Scope(("430112",)))
    assert program.get("/api/v1/parcels").status_code == 401
    assert cast["clerk"].tokens.get().revoked_at is not None
    Person.objects.filter(pk=cast["clerk"].pk).update(is_active=True)
    assert program.get("/api/v1/parcels").status_code == 401
