"""A value of the law tried in the browser: asked by those who may assess, told for the reader's own land."""

import pytest

from panhuo.core.provenance import tree_hash
from panhuo.rulebook.book import LAW
from panhuo.site.jobs.models import Job
from panhuo.site.jobs.work import step
from panhuo.site.shelf import rows

ASK = "/law/parameters/idle_land.idle_after_years/try/"
GIVEN = {"value": "40", "start": "2020-01-01", "place": "", "as_of": "2026-11-23"}


def test_what_would_differ_is_told_of_ones_own_land_and_the_law_stays(as_):
    law = tree_hash(LAW.rglob("*.yaml"), LAW)
    clerk = as_("clerk")
    page = clerk.post(ASK, GIVEN, follow=True)
    assert step()
    job = Job.objects.get()
    assert job.state == "done", job.fault
    assert f"/law/trials/{job.pk}/" in clerk.get(f"/jobs/{job.pk}/").content.decode()
    page = clerk.get(f"/law/trials/{job.pk}/")
    changed = {unit["parcel_id"] for unit in page.context["units"]}
    assert changed
    home = {r["parcel_id"]: r["division"] for r in rows("SELECT parcel_id, division FROM parcels")}
    assert {home[parcel] for parcel in changed} == {"430112"}
    assert ("finding", "idle_not_started") in {row[:2] for row in page.context["counts"]}
    everywhere = as_("auditor").get(f"/law/trials/{job.pk}/")
    assert everywhere.context["found"] > page.context["found"]
    assert as_("reviewer").get(f"/law/trials/{job.pk}/").status_code == 404  # another person's job
    assert tree_hash(LAW.rglob("*.yaml"), LAW) == law


@pytest.mark.parametrize(
    "wrong",
    [{"value": "many"}, {"value": "1"}, {"start": ""}, {"start": "soon"}, {"place": "长沙"}, {"as_of": "x"}],
)
def test_what_cannot_be_tried_is_said_on_the_parameters_page(as_, wrong):
    page = as_("clerk").post(ASK, GIVEN | wrong, follow=True)
    assert page.request["PATH_INFO"] == "/law/parameters/idle_land.idle_after_years/"
    assert len(list(page.context["messages"])) == 1
    assert not Job.objects.exists()


def test_who_may_not_assess_may_not_try(as_):
    assert as_("consulted").post(ASK, GIVEN).status_code == 403
    assert as_(None).post(ASK, GIVEN)["Location"].startswith("/account/login/")
    assert as_("clerk").post("/law/parameters/no.such/try/", GIVEN).status_code == 404
    assert ASK in as_("clerk").get("/law/parameters/idle_land.idle_after_years/").content.decode()
    assert ASK not in as_("consulted").get("/law/parameters/idle_land.idle_after_years/").content.decode()
