"""Pages open in both languages; set-up, corrections, jobs, tiles, API and OGC keep to the gate."""

import csv
import io

import pytest
from django.test import Client

from panhuo.site.accounts import acts as accounts
from panhuo.site.accounts.models import Person
from panhuo.site.jobs.models import Job
from panhuo.site.jobs.work import requeue_own, run, step, take
from panhuo.site.shelf import one, shelf

ADMIN_PAGES = [
    "/", "/boards/", "/ledger/", "/ledger/enterprises/", "/ledger/contracts/", "/map/", "/jobs/", "/corrections/",
    "/people/", "/trail/", "/lots/", "/market/",
    "/tokens/",
    "/law/", "/law/rules/idle_not_started/", "/cases/", "/public/", "/account/password/change/", "/account/2fa/",
]  # fmt: skip


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize("page", ADMIN_PAGES)
def test_page_opens(as_, page, language):
    client = as_("admin")
    client.cookies["django_language"] = language
    answer = client.get(page)
    assert answer.status_code == 200
    assert f'<html lang="{language}"' in answer.content.decode()


def test_parcel_page_tells_findings_options_and_chain(as_, parcel_id):
    client = as_("clerk")
    answer = client.get(f"/parcel/{parcel_id}/")
    assert answer.status_code == 200
    finding = answer.context["findings"][0]
    chain = client.get(f"/parcel/{parcel_id}/finding/{finding['finding_id']}/")
    assert chain.status_code == 200
    assert f"<code>{shelf().key.split('+')[0]}</code>" in chain.content.decode()
    assert answer.context["options"][0]["status"] == "open"


def test_parcel_page_shows_conflicts_and_potential_and_names_no_parcel_of_others(as_):
    last = one("SELECT max(parcel_id) AS id FROM parcels WHERE division = '430112'")["id"]
    answer = as_("clerk").get(f"/parcel/{last}/")
    page = answer.content.decode()
    told = answer.context["conflicts"]
    foreign = one("SELECT other_id FROM conflicts WHERE parcel_id = ?", (last,))["other_id"]
    assert foreign.startswith("430121")
    assert [row["other_id"] is None for row in sorted(told, key=lambda r: -r["area_m2"])] == [True, False]
    assert foreign not in page
    assert page.count('class="clash" d=') == 2
    assert foreign in as_("reviewer").get(f"/parcel/{last}/").content.decode()
    grade = answer.context["potential"]
    assert grade["grade"] in ("A", "B", "C", "D", "unknown")
    assert "开发潜力" in page
    assert all(item["label"]["zh"] in page for item in grade["items"])


def test_the_ledger_sorts_from_easy_to_hard(as_):
    page = as_("clerk").get("/ledger/?col=parcel_id&col=potential&col=easy_first&sort=easy_first")
    assert page.status_code == 200
    order = [row["easy_first"] for row in page.context["rows"]]
    assert order == sorted(order)


def test_enterprise_page(as_):
    firm = one("SELECT enterprise_id FROM enterprises WHERE division = '430112'")["enterprise_id"]
    assert as_("clerk").get(f"/enterprise/{firm}/").status_code == 200
    assert as_("far_clerk").get(f"/enterprise/{firm}/").status_code == 404


def test_first_run_makes_one_administrator_with_a_key_that_works_once(db):
    key = accounts.make_setup_token()
    form = {"username": "first", "password": "a-long-enough-word", "again": "a-long-enough-word"}
    client = Client()
    assert client.post(f"/setup/{key}/", {**form, "password": "short", "again": "short"}).status_code == 200
    assert client.post(f"/setup/{key}x/", form).status_code == 404
    assert client.post(f"/setup/{key}/", form).status_code == 302
    assert Person.objects.get().role == "administrator"
    assert Client().post(f"/setup/{key}/", form).status_code == 404


def test_five_wrong_passwords_lock_the_account(cast):
    client = Client()
    for _ in range(5):
        client.post("/account/login/", {"login": "clerk", "password": "wrong"})
    answer = client.post("/account/login/", {"login": "clerk", "password": "a-long-enough-word"})
    assert answer.status_code in (403, 429)
    assert "_auth_user_id" not in client.session


def test_upload_preview_import_assess_and_correct(as_, cast):
    rows = [
        ["宗地编号", "宗地名称", "行政区代码", "面积", "权利人"],
        ["430112009009GB09001", "新地", "430112", "6666.67", "甲公司"],
    ]
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    given = io.BytesIO(text.getvalue().encode("gbk"))
    given.name = "台账.csv"
    client = as_("clerk")
    page = client.post("/jobs/upload/", {"file": given}, follow=True)
    assert page.context["tables"][0]["dataset"] == "parcels"
    assert page.context["fault"] is None
    job = client.post(page.request["PATH_INFO"], {}, follow=True).context["job"]
    assert step()
    job.refresh_from_db()
    assert job.state == "done", job.fault
    shelf().follow()
    assert client.get("/parcel/430112009009GB09001/").status_code == 200
    far = as_("far_clerk")
    given.seek(0)
    assert far.post("/jobs/upload/", {"file": given}, follow=True).context["fault"] is not None


def test_a_header_nobody_knows_is_mapped_on_screen(as_):
    text = "宗地编号,行政区代码,面积,地主,权利人\n430112009009GB09002,430112,100,乙公司,甲公司\n"
    given = io.BytesIO(text.encode())
    given.name = "台账2.csv"
    client = as_("clerk")
    page = client.post("/jobs/upload/", {"file": given}, follow=True)
    table, address = page.context["tables"][0], page.request["PATH_INFO"]
    headers = dict(table["headers"])
    assert (headers["地主"], headers["权利人"]) == ("", "holder")
    chosen = {"header.parcels": list(headers), "was.parcels": list(headers.values()),
              "field.parcels": [{"地主": "holder", "权利人": ""}.get(h, f) for h, f in headers.items()],
              "table": "parcels", "layer": table["layer"], "do": "preview"}  # fmt: skip
    page = client.post(address, chosen)
    assert page.context["fault"] is None
    assert page.context["tables"][0]["first"][0]["holder"] == "乙公司"
    job = client.post(address, {"map": page.context["map"], "do": "import"}, follow=True).context["job"]
    assert step()
    job.refresh_from_db()
    assert job.state == "done", job.fault
    shelf().follow()
    assert one("SELECT holder FROM parcels WHERE parcel_id = '430112009009GB09002'")["holder"] == "乙公司"


def test_a_job_cut_off_by_a_restart_is_taken_again(cast):
    Job.objects.create(kind="assess", by=cast["clerk"])
    first = take()
    assert first is not None
    assert take() is None
    requeue_own()
    again = take()
    assert again is not None
    assert (again.pk, again.tries) == (first.pk, 2)


def test_a_failing_job_says_why(cast):
    job = Job.objects.create(kind="assess", asked={"as_of": "no date"}, by=cast["clerk"])
    run(job)
    assert job.state == "failed"
    assert "no date" in job.fault


def test_tiles_are_the_persons_own(as_):
    clerk = as_("clerk")
    part = clerk.get("/tiles/d-430112.pmtiles", headers={"Range": "bytes=0-6"})
    assert part.status_code == 206
    assert part.content == b"PMTiles"
    assert as_("far_clerk").get("/tiles/d-430112.pmtiles").status_code == 404
    assert clerk.get("/tiles/d-all.pmtiles").status_code == 404
    assert as_("public").get("/tiles/d-430112.pmtiles").status_code == 403
    assert as_(None).get("/tiles/d-430112.pmtiles").status_code == 302


def test_token_acts_as_its_person_until_revoked(cast, parcel_id):
    key = accounts.make_token(cast["clerk"], "qgis")
    head = {"Authorization": f"Bearer {key}"}
    client = Client()
    assert client.get(f"/api/v1/parcels/{parcel_id}", headers=head).json()["parcel"]["parcel_id"] == parcel_id
    assert client.get(f"/api/v1/parcels/{parcel_id}").status_code == 401
    far = {"Authorization": f"Bearer {accounts.make_token(cast['far_clerk'], 'x')}"}
    assert client.get(f"/api/v1/parcels/{parcel_id}", headers=far).status_code == 404
    assert client.get("/api/v1/parcels?division=430112", headers=far).json()["total"] == 0
    accounts.revoke_token(cast["clerk"], cast["clerk"].tokens.get())
    assert client.get(f"/api/v1/parcels/{parcel_id}", headers=head).status_code == 401


def test_ogc_pages_filters_and_turns_axes(as_, parcel_id):
    client = as_("clerk")
    body = client.get("/ogc/collections/parcels/items?limit=3").json()
    assert body["numberReturned"] == 3
    assert any(link["rel"] == "next" for link in body["links"])
    x, y = body["features"][0]["geometry"]["coordinates"][0][0]
    turned = client.get(
        "/ogc/collections/parcels/items?limit=1&crs=http://www.opengis.net/def/crs/EPSG/0/4490"
    )
    assert turned.json()["features"][0]["geometry"]["coordinates"][0][0] == [y, x]
    assert turned["Content-Crs"] == "<http://www.opengis.net/def/crs/EPSG/0/4490>"
    found = client.get("/ogc/collections/findings/items?status=yes&limit=5").json()
    assert {f["properties"]["status"] for f in found["features"]} == {"yes"}
    for bad in ("limit=0", "bbox=1,2", "nonsense=1", "crs=x"):
        assert client.get(f"/ogc/collections/parcels/items?{bad}").status_code == 400
    assert client.get("/ogc/collections/nothing/items").status_code == 404
    assert as_("far_clerk").get(f"/ogc/collections/parcels/items/{parcel_id}").status_code == 404
    assert as_("public").get("/ogc/").status_code == 403
    assert as_(None).get("/ogc/").status_code == 401


def test_the_public_sees_what_was_published_and_no_more(as_, parcel_id):
    assert as_(None).get("/public/?as=geojson").json()["features"] == []
    as_("reviewer").post("/ledger/publish/", {"do": "publish", "id": [parcel_id, "430424001001GB00099"]})
    features = as_(None).get("/public/?as=geojson").json()["features"]
    assert [f["id"] for f in features] == [parcel_id]
    assert "price_wan" not in features[0]["properties"]


def test_every_case_page_opens(client, db):
    names = list(client.get("/cases/").context["cases"])
    assert len(names) == 20
    assert {client.get(f"/cases/{name}/").status_code for name in names} == {200}


def test_every_law_page_opens(client, db):
    found = client.get("/law/").context["found"]
    pages = [(kind, name) for kind, items in found.items() for name, _ in items]
    assert len(pages) > 100
    wrong = [p for p in pages if client.get(f"/law/{p[0]}/{p[1]}/").status_code != 200]
    assert wrong == []


def test_a_case_shows_its_audit_and_no_parcels_of_others(client, as_, db):
    page = client.get("/cases/case_17/")
    assert page.context["verdicts"]["disagree"] >= 2  # the claimed FAR 2.3 and 350 万/亩
    assert "不符" in page.content.decode()
    assert page.context["held"] == []
    sheet = client.get("/cases/").context["dots"]
    assert len({(d["x"], d["y"]) for d in sheet}) == 20
