"""What a page offers is what its reader may do: every link opens, every form leads to an act of the reader's role."""

import re
from collections import Counter
from datetime import date

import pytest
from django.urls import Resolver404, resolve
from lots import lot_of
from upload_files import PDF, named

from panhuo.site.accounts.models import AreaScope, Person
from panhuo.site.corrections.models import Correction
from panhuo.site.gate import MAY, ROLES
from panhuo.site.market.models import Enquiry
from panhuo.site.shelf import one

LINK = re.compile(r'(?:href|hx-get|src)="(/[^"#]*|\?[^"#]*)')
FORM = re.compile(r'<form[^>]*method="post"[^>]*>|formaction="[^"]*"', re.IGNORECASE)
ACTION = re.compile(r'action="([^"]*)"')
EACH = 2
"""As many pages of one kind as are walked."""


@pytest.fixture
def everybody(cast):
    """One person of every role, all of county 430112 but the company; something of each kind lies there."""
    people = {
        cast[n].role: n for n in ("clerk", "reviewer", "leader", "auditor", "consulted", "admin", "public")
    }
    cast["park"] = Person.objects.create_user("park", password="a-long-enough-word", role="park")
    AreaScope.objects.create(person=cast["park"], kind="division", value="430112")
    return people | {"park": "park", "land_company": "company"}


@pytest.fixture
def at_work(as_, cast):
    """A parcel with a file, a correction that waits and one that was refused; it is the company's."""
    holder = cast["company"].scopes.get().value
    parcel = one("SELECT parcel_id FROM parcels WHERE holder_uscc = ? ORDER BY 1", (holder,))["parcel_id"]
    for field in ("address", "name"):
        said = {"do": "propose", "field": field, "value": "新", "evidence": "证", "file": named(PDF, "a.pdf")}
        pk = int(as_("clerk").post(f"/correct/parcels/{parcel}/", said)["Location"].split("/")[-2])
    as_("leader").post(f"/corrections/{pk}/decide/", {"do": "refuse", "reason": "证据不清"})
    as_("clerk").post("/ledger/parcels/save/", {"name": "我的", "query": "tenure=granted"})
    for state in ("draft", "submitted", "published", "withdrawn", "concluded"):
        lot = lot_of(
            cast["clerk"], parcel, state=state, supplied_on=date(2026, 3, 1), start_by=date(2027, 3, 1)
        )
        Enquiry.objects.create(lot=lot, company="恒达", contact="李", phone="1", sender="0" * 64)
    return parcel


def kind_of(path):
    """What is walked as one kind of page: its route and what chooses among its forms."""
    try:
        match = resolve(path.partition("?")[0])
    except Resolver404:
        return None, None
    return match.func, (match.view_name, *(match.kwargs.get(k) for k in ("dataset", "kind")))


def walk(client, start):
    """(address, page on which it was offered, answer) of everything reached by links, a few of each kind."""
    seen, waiting, walked = Counter(), [(path, "") for path in start], set()
    while waiting:
        path, source = waiting.pop(0)
        view, kind = kind_of(path)
        asked = path.partition("?")[0] in walked
        if (
            path in walked
            or kind is None
            or not view.__module__.startswith("panhuo.site")
            or seen[kind] >= EACH
        ):
            continue
        walked.add(path)
        seen[kind] += not asked
        answer = client.get(path)
        yield path, source, answer
        if answer.status_code == 200 and answer["Content-Type"].startswith("text/html"):
            here = path.partition("?")[0]
            for link in LINK.findall(answer.content.decode().replace("&amp;", "&")):
                waiting.append((here + link if link.startswith("?") else link, path))


@pytest.mark.parametrize("role", ROLES)
def test_nothing_is_offered_that_would_be_refused(as_, everybody, at_work, role):
    client, reached = as_(everybody[role]), set()
    start = ["/", "/law/"] + ([f"/parcel/{at_work}/", "/corrections/"] if "see" in MAY[role] else [])
    for path, source, answer in walk(client, start):
        assert answer.status_code < 400, f"{role}: {source} offers {path}, which answers {answer.status_code}"
        reached.add(kind_of(path)[1][0])
        if answer.streaming or "html" not in answer["Content-Type"]:
            continue
        for form in FORM.findall(answer.content.decode()):
            action = ACTION.search(form)
            to = (action[1] if action else path) or path
            act = getattr(resolve(to.partition("?")[0]).func, "gate", "open")
            assert act == "open" or act in MAY[role], f"{role}: {path} offers {to}, which needs {act}"
    if "see" in MAY[role]:
        assert {
            "parcel",
            "enterprise",
            "chain",
            "corrections",
            "correction",
            "map",
            "jobs",
            "compare",
        } <= reached


OFFERED = {
    "propose": ("/parcel/{parcel}/", "/correct/parcels/{parcel}/"),
    "attach": ("/parcel/{parcel}/", "/parcel/{parcel}/attach/"),
    "export": ("/ledger/parcels/", "/ledger/parcels.xlsx"),
    "publish": ("/ledger/parcels/", "/ledger/publish/"),
    "offer": ("/lots/", 'href="/lots/new/"'),
    "decide": ("/corrections/{waiting}/", "/corrections/{waiting}/decide/"),
    "upload": ("/jobs/", "/jobs/upload/"),
    "assess": ("/jobs/", "/jobs/assess/"),
    "plan": ("/", 'href="/plan/"'),
    "people": ("/", 'href="/people/"'),
    "trail": ("/", 'href="/trail/"'),
    "token": ("/", 'href="/tokens/"'),
    "webhook": ("/", 'href="/webhooks/"'),
}
"""Where each act is found on screen, and by what one knows it."""


@pytest.mark.parametrize("act", OFFERED)
def test_an_act_is_on_screen_for_those_who_may_and_for_no_others(as_, everybody, at_work, act):
    waiting = Correction.objects.get(key=at_work, state="proposed").pk
    page, mark = (text.format(parcel=at_work, waiting=waiting) for text in OFFERED[act])
    for role, name in everybody.items():
        if "see" in MAY[role]:
            shown = as_(name).get(page).content.decode()
            assert (mark in shown) == (act in MAY[role]), f"{role} at {page}"
