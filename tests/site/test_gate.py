"""Who may see and do what: strangers go to the login, wrong roles get 403, another county's land does not exist."""

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from panhuo.site.gate import MAY, Scope
from panhuo.site.shelf import one, rows

PAGES = ["/ledger/", "/ledger/parcels/", "/ledger/enterprises/", "/ledger/contracts/", "/jobs/", "/corrections/",
         "/people/",
         "/people/new/", "/trail/", "/tokens/",
         "/ledger/parcels.csv", "/ledger/parcels.xlsx", "/ledger/parcels.gpkg"]  # fmt: skip


@pytest.mark.parametrize("page", PAGES)
def test_stranger_is_sent_to_the_login(as_, page):
    answer = as_(None).get(page)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/account/login/?next=")


@pytest.mark.parametrize(
    ("who", "page"),
    [("public", "/ledger/"), ("public", "/jobs/"), ("consulted", "/ledger/parcels.csv"), ("consulted", "/tokens/"),
     ("clerk", "/people/"), ("clerk", "/trail/"), ("leader", "/people/"), ("auditor", "/people/new/")],
)  # fmt: skip
def test_wrong_role_is_refused(as_, who, page):
    assert as_(who).get(page).status_code == 403


@pytest.mark.parametrize(
    ("who", "page", "data"),
    [("auditor", "/jobs/assess/", {}), ("consulted", "/jobs/upload/", {}), ("clerk", "/ledger/publish/", {"id": "x"}),
     ("clerk", "/corrections/1/decide/", {"do": "approve"}), ("leader", "/jobs/upload/", {})],
)  # fmt: skip
def test_reader_may_not_act(as_, who, page, data):
    assert as_(who).post(page, data).status_code == 403


@pytest.mark.parametrize(
    "page", ["/parcel/{}/", "/parcel/{}/finding/idle_not_started/", "/correct/parcels/{}/"]
)
def test_another_countys_clerk_finds_nothing(as_, parcel_id, page):
    assert as_("far_clerk").get(page.format(parcel_id)).status_code == 404


@pytest.mark.parametrize("who", ["clerk", "reviewer", "leader", "auditor", "consulted", "admin", "company"])
def test_ledger_holds_the_persons_land_and_no_more(as_, cast, who):
    scope = {"clerk": "430112", "reviewer": "4301", "consulted": "430112", "leader": "43"}.get(who, "")
    shown = as_(who).get("/ledger/parcels/?size=200").context["rows"]
    if who == "company":
        holder = cast["company"].scopes.get().value
        want = {
            r["parcel_id"] for r in rows("SELECT parcel_id FROM parcels WHERE holder_uscc = ?", (holder,))
        }
    else:
        want = {
            r["parcel_id"]
            for r in rows("SELECT parcel_id FROM parcels WHERE starts_with(division, ?)", (scope,))
        }
    assert {r["parcel_id"] for r in shown} == want
    assert want


def test_no_scope_no_rows(as_):
    assert as_("nowhere").get("/ledger/parcels/").context["total"]["n"] == 0


def test_export_never_exceeds_the_scope_whatever_is_asked(as_):
    text = b"".join(
        as_("clerk").get("/ledger/parcels.csv?division=430424&col=parcel_id&col=division").streaming_content
    )
    assert text.decode("utf-8-sig").split() == ["parcel_id,division"]  # the heads, and no row
    text = b"".join(as_("clerk").get("/ledger/parcels.csv?col=division").streaming_content).decode(
        "utf-8-sig"
    )
    assert {line.split(",")[1] for line in text.splitlines()[1:]} == {"430112"}


def test_a_filter_that_does_not_exist_is_refused_not_ignored(as_):
    assert as_("clerk").get("/ledger/parcels/?divison=430112").status_code == 400
    assert as_("clerk").get("/ledger/parcels.csv?area_m2.min=much").status_code == 400


def test_hostile_values_stay_values(as_):
    hostile = "x' OR TRUE --"
    assert as_("clerk").get("/ledger/parcels/", {"q": hostile}).context["total"]["n"] == 0
    assert as_("clerk").get("/ledger/parcels/", {"sort": 'area_m2"; DROP TABLE parcels'}).status_code == 400


def test_every_view_of_ours_names_its_gate():
    def views(patterns, prefix=""):
        for p in patterns:
            if isinstance(p, URLResolver):
                yield from views(p.url_patterns, prefix + str(p.pattern))
            elif isinstance(p, URLPattern):
                yield prefix + str(p.pattern), p.callback

    ours = [
        (path, v) for path, v in views(get_resolver().url_patterns) if v.__module__.startswith("panhuo.site")
    ]
    assert len(ours) > 20
    assert [path for path, view in ours if not hasattr(view, "gate") and "api" not in path] == []


def test_scope_covers_only_what_lies_inside():
    assert Scope(("43",)).covers(Scope(("430112",)))
    assert not Scope(("430112",)).covers(Scope(("43",)))
    assert not Scope(("430112",)).covers(Scope((), ("914300000000000000",)))
    assert Scope(("",)).covers(Scope(("11",), ("914300000000000000",)))


def test_the_public_role_may_do_nothing_inside():
    assert MAY["public"] == frozenset()
    assert one("SELECT count(*) AS n FROM parcels")["n"] >= 120  # other tests may have imported more
