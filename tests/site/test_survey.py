"""The survey on the site: what is taken along, what arrives and how often, the second person, exports, progress."""

import csv
import io
import json
import re
import uuid
import zipfile

import pytest
from django.contrib.auth import get_user
from django.db import connection
from django.test.utils import CaptureQueriesContext
from PIL import Image

from panhuo.site.accounts.models import AreaScope
from panhuo.site.corrections.models import Correction
from panhuo.site.jobs.models import Job
from panhuo.site.jobs.work import run, take
from panhuo.site.parcel.models import Attachment
from panhuo.site.shelf import one, shelf
from panhuo.site.survey.checks import found_of
from panhuo.site.survey.lists import progress
from panhuo.site.survey.models import Visit
from panhuo.workspace.survey_arrivals import import_tables


def shot(colour="green", name="1.jpg"):
    held = io.BytesIO()
    Image.new("RGB", (60, 40), colour).save(held, "JPEG")
    held.seek(0)
    held.name = name
    return held


def filled(parcel_id, **more):
    place = one("SELECT lon, lat FROM parcels WHERE parcel_id = ?", (parcel_id,))
    return {
        "visit_id": str(uuid.uuid4()), "form": "site_visit", "parcel_id": parcel_id, "visited_on": "2026-11-20",
        "lon": place and place["lon"], "lat": place and place["lat"], "accuracy_m": 5,
        "answers": {"use_state": "vacant"}, "rows": {}, "held": {"use_state": ""}, "remark": "杂草",
    } | more  # fmt: skip


def send(client, given, *photos):
    given = {"person": get_user(client).get_username()} | given
    data = {"visit": json.dumps(given), "photo": list(photos) or [shot()]}
    return client.post("/survey/send/", data, headers={"accept-language": "zh"})


@pytest.fixture
def contract():
    """A contract of 430112 whose parcel has no other."""
    return one(
        "SELECT contract_no, parcel_id, work_state FROM contracts WHERE division = '430112' AND parcel_id IN "
        "(SELECT parcel_id FROM contracts GROUP BY 1 HAVING count(*) = 1) ORDER BY contract_no"
    )


def test_the_list_holds_ones_own_flagged_parcels_nearest_first_with_what_the_phone_needs(as_, parcel_id):
    place = one("SELECT lon, lat FROM parcels WHERE parcel_id = ?", (parcel_id,))
    answer = as_("clerk").get("/survey/list/site_visit/", {"lon": place["lon"], "lat": place["lat"]})
    visits = answer.json()["visits"]
    assert visits[0]["parcel_id"] == parcel_id
    own = one(
        "SELECT count(*) AS n FROM parcels WHERE division = '430112' AND len(findings) + len(unknowns) > 0"
    )["n"]
    assert len(visits) == own
    assert visits[0]["outline"][0][0] == visits[0]["outline"][0][-1]
    assert visits[0]["held"].keys() >= {"use_state", "terrain"} and visits[0]["rows"].keys() == {
        "contracts",
        "buildings",
    }
    assert as_("nowhere").get("/survey/list/site_visit/").json()["visits"] == []
    assert as_("clerk").get("/survey/list/nothing/").status_code == 404


def test_a_visit_becomes_proposed_corrections_with_its_photographs_and_the_record_stays(as_, contract):
    held = one("SELECT use_state FROM parcels WHERE parcel_id = ?", (contract["parcel_id"],))["use_state"]
    state = "suspended" if contract["work_state"] != "suspended" else "finished"
    answers = {"use_state": "vacant", "work_state": state}
    given = filled(contract["parcel_id"], answers=answers, held={"use_state": held or ""})
    answer = send(as_("clerk"), given, shot(), shot("red", "2.jpg"))
    assert answer.status_code == 200, answer.content
    assert answer.json()["told"] == []
    rows = {(c.dataset, c.key, c.field): c for c in Correction.objects.all()}
    assert {k: c.value for k, c in rows.items()} == {
        ("parcels", contract["parcel_id"], "use_state"): "vacant",
        ("contracts", contract["contract_no"], "work_state"): state,
        ("contracts", contract["contract_no"], "observed_on"): "2026-11-20",
    }
    visit = Visit.objects.get()
    assert (visit.state, len(visit.photos), visit.distance_m) == ("proposed", 2, 0.0)
    assert visit.head.files.count() == 2 and "杂草" in visit.head.evidence
    assert set(visit.facts) >= {"use_state", "work_state", "observed_on"}
    assert (
        one("SELECT use_state FROM parcels WHERE parcel_id = ?", (contract["parcel_id"],))["use_state"]
        == held
    )
    page = as_("reviewer").get(
        f"/corrections/{rows[('contracts', contract['contract_no'], 'work_state')].pk}/"
    )
    assert page.content.count(b'class="evidence"') == 2


def test_what_is_sent_twice_arrives_once_and_nobody_else_takes_its_id(as_, cast, parcel_id):
    given = filled(parcel_id)
    first = send(as_("clerk"), given).json()
    second = send(as_("clerk"), given).json()
    assert second["again"] and second["visit"] == first["visit"] and second["told"] == []
    for change in ({"answers": {"use_state": "in_use"}}, {"remark": "另有树木"}):
        edited = send(as_("clerk"), given | change).json()
        assert edited["again"] and "改动没有收" in edited["told"][0]
    assert (Visit.objects.count(), Correction.objects.count(), Attachment.objects.count()) == (1, 1, 1)
    type(cast["company"]).objects.filter(pk=cast["company"].pk).update(role="clerk")
    AreaScope.objects.create(person=cast["company"], kind="division", value="430112")
    assert send(as_("company"), given).status_code == 409
    assert Visit.objects.count() == 1


def test_a_page_kept_of_one_person_does_not_send_in_the_name_of_another(as_, parcel_id):
    answer = send(as_("clerk"), filled(parcel_id, person="外业甲"))
    assert answer.status_code == 403 and answer["Content-Type"] == "application/json"
    assert not Visit.objects.exists()


def test_the_photographs_that_came_are_counted_whatever_the_page_says(as_, parcel_id):
    given = filled(parcel_id, photos=10**9, person="clerk")
    answer = as_("clerk").post("/survey/send/", {"visit": json.dumps(given)})
    assert answer.status_code == 200
    assert [kind for kind, _, _ in Visit.objects.get().told] == ["visit_no_photo"]


@pytest.mark.parametrize(
    ("lon", "status"), [("nan", 400), ("181", 400), ("inf", 400), ("x", 400), ("112", 200)]
)
def test_the_list_is_ordered_from_a_position_only(as_, lon, status):
    answer = as_("clerk").get("/survey/list/site_visit/", {"lon": lon, "lat": "28"})
    assert answer.status_code == status


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"parcel_id": "no-such"}, 404),
        ({"answers": {"use_state": "荒"}}, 422),
        ({"answers": {"use_state": "vacant", "floor_area_m2": "-5"}}, 422),
        ({"visited_on": "2999-01-01"}, 422),
        ({"visited_on": "昨天"}, 400),
        ({"lon": 999}, 400),
        ({"lon": float("nan")}, 400),
        ({"accuracy_m": -1}, 400),
        ({"accuracy_m": float("inf")}, 400),
        ({"form": "nothing"}, 422),
        ({"parcel_id": "", "form": "site_visit"}, 422),
        ({"visit_id": "x"}, 422),
        ({"visit_id": "../../../etc/x"}, 422),
        ({"answers": []}, 400),
    ],
)
def test_a_visit_that_cannot_be_is_refused_whole(as_, parcel_id, more, status):
    answer = send(as_("clerk"), filled(parcel_id) | more)
    assert answer.status_code == status, answer.content
    assert not Visit.objects.exists() and not Correction.objects.exists() and not Attachment.objects.exists()


def test_a_file_that_is_no_photograph_is_refused(as_, parcel_id):
    false = io.BytesIO(b"not a picture")
    false.name = "1.jpg"
    assert send(as_("clerk"), filled(parcel_id), false).status_code == 422
    assert (
        send(as_("clerk"), filled(parcel_id), *(shot(name=f"{i}.jpg") for i in range(7))).status_code == 422
    )
    assert not Visit.objects.exists()


def test_conflicts_are_told(as_, cast, parcel_id):
    Correction.objects.create(
        dataset="parcels", key=parcel_id, field="use_state", value="in_use", evidence="x", by=cast["reviewer"]
    )
    answer = send(as_("clerk"), filled(parcel_id, held={"use_state": "open_storage"})).json()
    assert any("待审更正" in text and "在用" in text for text in answer["told"])
    assert any("露天堆场" in text for text in answer["told"])
    far = send(as_("clerk"), filled(parcel_id, visit_id=str(uuid.uuid4()), lon=113.5)).json()
    assert any("定位离图形过远" in text for text in far["told"])


def test_the_second_person_approves_and_it_lies_over_the_record_and_is_counted(as_, cast, contract):
    parcel_id = contract["parcel_id"]
    send(as_("clerk"), filled(parcel_id))
    pk = Visit.objects.get().pk
    assert as_("clerk").post(f"/survey/visit/{pk}/decide/", {"do": "approve"}).status_code == 403
    assert as_("far_clerk").get(f"/survey/visit/{pk}/").status_code == 404
    page = as_("reviewer").get(f"/survey/visit/{pk}/")
    assert b"/photo/0/" in page.content
    assert as_("reviewer").get(f"/survey/visit/{pk}/photo/0/")["Content-Type"] == "image/jpeg"
    assert as_("reviewer").get(f"/survey/visit/{pk}/photo/1/").status_code == 404
    as_("reviewer").post(f"/survey/visit/{pk}/decide/", {"do": "approve"})
    assert Job.objects.get().asked["visits"] == [pk]
    run(take())
    assert Job.objects.get().state == "done", Job.objects.get().fault
    shelf().follow()
    assert one("SELECT use_state FROM parcels WHERE parcel_id = ?", (parcel_id,))["use_state"] == "vacant"
    stored = one("SELECT * FROM visits WHERE visit_id = ?", (Visit.objects.get().visit_id,))
    assert (stored["surveyor"], stored["approved_by"], stored["photos"]) == ("clerk", "reviewer", 1)
    row = [r for r in shelf().workspace.dataset("corrections").to_pylist() if r["key"] == parcel_id][-1]
    assert row["evidence"].count("files/") == 1
    assert str(row["on"]) == "2026-11-20"  # the day somebody stood there, not that of the decision
    visits = as_("clerk").get("/survey/list/site_visit/").json()["visits"]
    assert parcel_id not in {v["parcel_id"] for v in visits}
    told = as_("clerk").get("/survey/?state=approved").content.decode()
    assert "430112" in told and "clerk" in told
    again = as_("reviewer").post(f"/survey/visit/{pk}/decide/", {"do": "refuse", "reason": "x"}, follow=True)
    assert "已经决定过了" in again.content.decode()


def test_the_parcels_page_shows_the_four_checks_open_sent_and_found(as_):
    sql = "SELECT parcel_id FROM parcels WHERE division = '430112' AND len(unknowns) > 0 ORDER BY parcel_id DESC"
    parcel_id = one(sql)["parcel_id"]
    page = as_("clerk").get(f"/survey/of/{parcel_id}/").content.decode()
    assert "待查：" in page and "察实地" not in page
    send(as_("clerk"), filled(parcel_id, answers={"use_state": "open_storage", "terrain": "steep"}))
    page = as_("clerk").get(f"/survey/of/{parcel_id}/").content.decode()
    site = page.split("察实地")[1]
    assert "露天堆场" in site and "待审" in site and "/corrections/" in site and "clerk" in site
    assert f"?parcel={parcel_id}" in page
    assert f"/survey/of/{parcel_id}/" in as_("clerk").get(f"/parcel/{parcel_id}/").content.decode()
    own = as_("clerk").get("/survey/list/under_structure/", {"parcel": parcel_id}).json()["visits"]
    assert [v["parcel_id"] for v in own] == [parcel_id]
    assert as_("far_clerk").get("/survey/list/site_visit/", {"parcel": parcel_id}).status_code == 404


def test_who_sent_it_does_not_decide_even_once_made_a_reviewer(as_, cast, parcel_id):
    send(as_("clerk"), filled(parcel_id, answers={}))  # photographs only: no correction is there to guard it
    type(cast["clerk"]).objects.filter(pk=cast["clerk"].pk).update(role="reviewer")
    pk = Visit.objects.get().pk
    assert as_("clerk").post(f"/survey/visit/{pk}/decide/", {"do": "approve"}).status_code == 403
    assert Visit.objects.get().state == "proposed" and not Job.objects.exists()


@pytest.mark.parametrize("name", ["reviewer", "赵审"])
def test_nor_does_who_stood_there_where_somebody_else_handed_it_in(as_, cast, parcel_id, name):
    send(as_("clerk"), filled(parcel_id, answers={"use_state": "open_storage"}))
    Visit.objects.update(surveyor=name)
    type(cast["reviewer"]).objects.filter(pk=cast["reviewer"].pk).update(full_name="赵审")
    visit = Visit.objects.get()
    assert as_("reviewer").post(f"/survey/visit/{visit.pk}/decide/", {"do": "approve"}).status_code == 403
    of_it = f"/corrections/{visit.head.pk}/decide/"
    assert as_("reviewer").post(of_it, {"do": "approve"}).status_code == 403
    page = as_("reviewer").get(f"/survey/visit/{visit.pk}/").content.decode()
    assert f"/survey/visit/{visit.pk}/decide/" not in page
    assert as_("leader").post(f"/survey/visit/{visit.pk}/decide/", {"do": "approve"}).status_code == 302


def test_a_fact_whose_correction_was_refused_is_not_found(as_, parcel_id):
    send(as_("clerk"), filled(parcel_id, answers={"use_state": "open_storage", "terrain": "steep"}))
    visit = Visit.objects.get()
    assert set(found_of(parcel_id)) == {"use_state", "terrain"}
    refused = visit.corrections().get(field="terrain")
    as_("reviewer").post(
        f"/corrections/{refused.pk}/decide/", {"id": refused.pk, "do": "refuse", "reason": "不清"}
    )
    assert set(found_of(parcel_id)) == {"use_state"}
    as_("reviewer").post(f"/survey/visit/{visit.pk}/decide/", {"do": "approve"})
    run(take())
    shelf().follow()
    stored = one("SELECT answered FROM visits WHERE visit_id = ?", (visit.visit_id,))
    assert stored["answered"] == "use_state"


def test_what_was_found_carries_its_day_here(as_, parcel_id):
    send(as_("clerk"), filled(parcel_id))
    Correction.objects.update(at="2026-11-26T16:30:00Z")  # half past midnight of the 27th here
    assert str(found_of(parcel_id)["use_state"][0].on) == "2026-11-20"
    Visit.objects.all().delete()
    assert str(found_of(parcel_id)["use_state"][0].on) == "2026-11-27"


def test_a_refusal_says_why_and_puts_the_parcel_back_on_the_list(as_):
    parcel_id = as_("clerk").get("/survey/list/site_visit/").json()["visits"][3]["parcel_id"]
    send(as_("clerk"), filled(parcel_id))
    pk = Visit.objects.get().pk
    as_("reviewer").post(f"/survey/visit/{pk}/decide/", {"do": "refuse"})
    assert Visit.objects.get().state == "proposed"
    as_("reviewer").post(f"/survey/visit/{pk}/decide/", {"do": "refuse", "reason": "照片不清"})
    assert Visit.objects.get().state == "refused"
    assert {c.state for c in Correction.objects.all()} == {"refused"} and not Job.objects.exists()
    assert parcel_id in {
        v["parcel_id"] for v in as_("clerk").get("/survey/list/site_visit/").json()["visits"]
    }


def test_a_space_not_on_record_is_added_once_approved(as_):
    answers = {
        "name": "新桥下",
        "division": "430112",
        "structure_above": "bridge",
        "space_use": "parking",
        "use_state": "in_use",
    }
    given = filled("", form="under_structure", answers=answers, lon=112.9, lat=28.3)
    assert send(as_("far_clerk"), given).status_code == 422  # not of that clerk's land
    assert send(as_("clerk"), given).status_code == 200
    twin = given["visit_id"][:14] + "0" * 8  # the space it would add has the same id
    assert send(as_("clerk"), given | {"visit_id": twin}).status_code == 409
    visit = Visit.objects.get()
    assert visit.is_new and visit.parcel_id.startswith("space-")
    assert as_("far_clerk").get(f"/survey/visit/{visit.pk}/").status_code == 404
    as_("reviewer").post(f"/survey/visit/{visit.pk}/decide/", {"do": "approve"})
    run(take())
    shelf().follow()
    row = one("SELECT * FROM parcels WHERE parcel_id = ?", (visit.parcel_id,))
    assert (row["name"], row["space_use"], row["lon"]) == ("新桥下", "parking", 112.9)
    assert as_("clerk").get(f"/survey/visit/{visit.pk}/").status_code == 200
    assert "停车场" in as_("clerk").get("/survey/").content.decode()


def test_the_form_lists_every_parcel_however_many_a_phone_takes(as_, monkeypatch):
    monkeypatch.setattr("panhuo.site.survey.lists.TAKEN", 2)
    assert len(as_("clerk").get("/survey/list/site_visit/").json()["visits"]) == 2
    answer = as_("clerk").get("/survey/form/site_visit.zip")
    with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as archive:
        lines = list(csv.DictReader(io.StringIO(archive.read("parcels.csv").decode())))
    assert len(lines) > 2


def test_the_form_comes_with_its_lists_and_an_export_is_taken_by_row(as_, contract):
    answer = as_("clerk").get("/survey/form/site_visit.zip")
    with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as archive:
        assert set(archive.namelist()) == {"site_visit.xlsx", "parcels.csv", "contracts.csv", "buildings.csv"}
        lines = list(csv.DictReader(io.StringIO(archive.read("parcels.csv").decode())))
    assert {line["name"][:6] for line in lines} == {"430112"}
    assert not [line for line in lines if line["label"] == f"{line['name']} {line['name']}"]
    assert lines[0].keys() >= {"division", "address", "holder", "lon", "lat", "findings"}
    heads = "panhuo_form,parcel_id,position,visited_on,surveyor,parcels-use_state,photo_1,KEY"
    rows = [
        f"site_visit,{contract['parcel_id']},28.36 112.8 0 5,2026-11-20,测一,vacant,a.jpg,uuid:{'a' * 32}",
        f"site_visit,elsewhere,28.36 112.8 0 5,2026-11-20,测一,vacant,a.jpg,uuid:{'b' * 32}",
    ]
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("x.csv", "\n".join([heads, *rows]))
        archive.writestr("media/a.jpg", shot().getvalue())
    for _ in range(2):
        held.seek(0)
        held.name = "export.zip"
        page = as_("clerk").post("/survey/take/", {"file": held}, follow=True).content.decode()
        assert "第 3 行" in page
    assert "先前已收 1 条" in page
    visit = Visit.objects.get()
    assert (visit.surveyor, visit.source, visit.parcel_id) == ("测一", "export.zip", contract["parcel_id"])
    nothing = io.BytesIO(b"a,b\n1,2\n")
    nothing.name = "x.csv"
    assert (
        "文件里没有调查记录"
        in as_("clerk").post("/survey/take/", {"file": nothing}, follow=True).content.decode()
    )


def test_what_the_workspace_holds_already_is_not_taken_again(as_, cast, contract):
    def export():
        heads = "panhuo_form,parcel_id,position,visited_on,surveyor,parcels-use_state,KEY"
        ids = ("uuid:" + "a" * 32, "uuid:" + "c" * 32, "1")
        lines = [
            f"site_visit,{contract['parcel_id']},28.36 112.8 0 5,2026-11-20,测一,vacant,{i}" for i in ids
        ]
        held = io.BytesIO("\n".join([heads, *lines]).encode())
        held.name = "export.csv"
        return held

    stored = filled(contract["parcel_id"], visit_id="a" * 32)
    row = {
        "visit_id": "a" * 32, "form": "site_visit", "parcel_id": contract["parcel_id"],
        "visited_on": "2026-11-20", "surveyor": "测一",
    }  # fmt: skip
    import_tables(shelf().workspace.root, "elsewhere", {"visits": [row]})
    shelf().follow()
    answer = send(as_("clerk"), stored)
    assert answer.status_code == 409 and "已在工作区" in answer.json()["fault"]
    page = as_("clerk").post("/survey/take/", {"file": export()}, follow=True).content.decode()
    assert "收到 1 条，先前已收 1 条" in page and "核查编号须为8至64位" in page
    assert Visit.objects.get().visit_id == "c" * 32
    # A colleague who hands in the same file again hears the same, not that the ids are somebody else's.
    AreaScope.objects.create(person=cast["nowhere"], kind="division", value="430112")
    page = as_("nowhere").post("/survey/take/", {"file": export()}, follow=True).content.decode()
    assert "收到 0 条，先前已收 2 条" in page


def test_the_list_of_visits_asks_no_more_for_more_of_them(as_):
    ids = [v["parcel_id"] for v in as_("clerk").get("/survey/list/site_visit/").json()["visits"][:4]]
    clerk = as_("clerk")

    def asked():
        with CaptureQueriesContext(connection) as told:
            page = clerk.get("/survey/").content.decode()
        return len(told), re.findall(r'data-head="更正">(\d+)<', page)

    send(clerk, filled(ids[0], answers={"use_state": "open_storage", "terrain": "steep"}))
    few, counts = asked()
    assert counts == ["2"]
    for parcel_id in ids[1:]:
        send(clerk, filled(parcel_id, answers={"use_state": "open_storage"}))
    many, counts = asked()
    assert (many, counts) == (few, ["1", "1", "1", "2"])


def test_the_field_page_asks_in_the_readers_language_and_its_worker_is_served_above_it(as_):
    client = as_("clerk")

    def setting():
        page = client.get("/survey/field/").content.decode()
        return json.loads(
            page.split('<script id="setting" type="application/json">')[1].split("</script>")[0]
        )

    def first():
        return setting()["forms"]["site_visit"]["groups"][0]["questions"][0]["label"]

    assert (first(), setting()["words"]["take"]) == ("利用现状", "下载待查清单")
    client.cookies["django_language"] = "en"
    assert (first(), setting()["words"]["take"]) == ("Present use", "Take along")
    worker = client.get("/survey/worker.js")
    assert worker["Content-Type"].startswith("text/javascript") and b"panhuo-survey" in worker.content
    assert as_("auditor").get("/survey/field/").status_code == 403
    assert as_("auditor").get("/survey/").status_code == 200


def test_facts_found_stay_found_once_an_assessment_lacks_them_no_longer(as_, cast):
    def assess():
        Job.objects.create(kind="assess", asked={"as_of": "2026-11-25"}, by=cast["clerk"])
        run(take())
        shelf().follow()

    def counts():
        told = progress(cast["clerk"])["divisions"]
        return next((r["facts"], r["found"]) for r in told if r["division"] == "430112")

    assess()
    lacking = (
        "SELECT parcel_id FROM findings WHERE status = 'unknown' AND contains(missing, 'use_state') AND parcel_id IN "
        "(SELECT parcel_id FROM parcels WHERE division = '430112')"
    )
    parcel_id, before = one(lacking + " ORDER BY 1")["parcel_id"], counts()
    send(as_("clerk"), filled(parcel_id))
    visit = Visit.objects.get()
    as_("reviewer").post(f"/survey/visit/{visit.pk}/decide/", {"do": "approve"})
    run(take())
    shelf().follow()
    assert counts() == (before[0], before[1] + 1)
    assess()
    assert one(f"{lacking} AND parcel_id = ?", (parcel_id,)) is None
    assert counts() == (before[0], before[1] + 1)
