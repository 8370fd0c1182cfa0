"""One parcel, one page: every figure opens, photographs carry their day, the history tells what happened."""

import io
import re
from datetime import date
from pathlib import Path

import pytest
from django.utils import translation
from PIL import Image
from shapely import Point, to_wkb

from panhuo.match import remedies
from panhuo.rulebook.scheme import load_schemes
from panhuo.rulebook.scheme_schema import RemedyScheme
from panhuo.site import labels
from panhuo.site.accounts.told import DEEDS, detail_words
from panhuo.site.labels import rulebook
from panhuo.site.parcel import story
from panhuo.site.parcel.acts import taken_on
from panhuo.site.parcel.models import Attachment
from panhuo.site.shelf import kept_file, one


def photograph(day=None):
    held = io.BytesIO()
    held.name = "现场.jpg"
    exif = Image.Exif()
    if day:
        exif.get_ifd(0x8769)[36867] = day
    Image.new("RGB", (40, 30), "green").save(held, "JPEG", exif=exif)
    held.seek(0)
    return held


def test_every_value_on_the_page_opens_to_its_source(as_, parcel_id):
    client = as_("clerk")
    page = client.get(f"/parcel/{parcel_id}/")
    for name, _ in page.context["data"]:
        opened = client.get(f"/parcel/{parcel_id}/value/{name}/")
        assert opened.status_code == 200
        assert "ledger.xlsx" in opened.content.decode()
    row = one("SELECT * FROM parcels WHERE parcel_id = ?", (parcel_id,))
    told = client.get(f"/parcel/{parcel_id}/value/area_m2/").context
    assert told["value"] == row["area_m2"] == told["versions"][-1]["area_m2"]
    for option in page.context["options"]:
        answer = client.get(f"/parcel/{parcel_id}/tool/{option['tool_id']}/")
        assert answer.context["option"]["sums"] == option["sums"]


CHINESE = re.compile(r"[\u4e00-\u9fff]")


def test_in_english_the_page_and_the_list_name_places_and_land_uses_in_english(as_, parcel_id):
    client = as_("clerk")
    client.cookies["django_language"] = "en"
    page = client.get(f"/parcel/{parcel_id}/")
    told = re.findall(
        r'/value/(?:division|land_use|land_use_scheme|planned_use)/">([^<]*)<', page.content.decode()
    )
    assert len(told) == 4 and not [words for words in told if CHINESE.search(words)], told
    rows = client.get("/ledger/parcels/?col=division&col=land_use&size=200").content.decode()
    cells = re.findall(r'<td class="named">([^<]*)</td>', rows)
    assert "Class 1 industrial land" in cells and not [words for words in cells if CHINESE.search(words)]
    offered = client.get("/ledger/parcels/?add=land_use").content.decode()
    assert "Class 1 industrial land" in offered and "一类工业用地" not in offered
    choices = client.get(f"/correct/parcels/{parcel_id}/?field=land_use").content.decode()
    assert "Class 1 industrial land" in choices and "一类工业用地" not in choices


def test_land_held_as_a_point_has_a_page_without_a_picture(as_, parcel_id, monkeypatch):
    point = to_wkb(Point(112.9, 28.2))

    def among(table, *asked):
        held = whole(table, *asked)
        return [row | {"geometry": point} for row in held] if table == "shapes" else held

    whole = story.among
    monkeypatch.setattr(story, "among", among)
    page = as_("clerk").get(f"/parcel/{parcel_id}/")
    assert page.status_code == 200 and "没有图形，只有坐标" in page.content.decode()
    user = one("SELECT enterprise_id AS id FROM occupancies WHERE parcel_id = ?", (parcel_id,))
    assert as_("admin").get(f"/enterprise/{user['id']}/").status_code == 200


def test_a_land_use_is_named_in_the_scheme_of_its_row():
    told = [
        labels.value("parcels", "land_use", "1001", {"land_use_scheme": s})
        for s in ("mnr_2023", "tdt_1055_2019")
    ]
    assert told == ["工业用地", "铁路用地"]


@pytest.mark.parametrize("path", ["value/area_m2/", "tool/idle_fee/", "history/"])
def test_what_stands_behind_a_figure_keeps_to_the_gate(as_, parcel_id, path):
    path = f"/parcel/{parcel_id}/{path}"
    assert as_("far_clerk").get(path).status_code == 404
    assert as_("public").get(path).status_code == 403
    assert as_(None).get(path).status_code == 302


def test_an_unknown_value_opens_as_unknown_and_no_field_as_nothing(as_, parcel_id):
    client = as_("clerk")
    assert "未知" in client.get(f"/parcel/{parcel_id}/value/heritage/").content.decode()
    assert client.get(f"/parcel/{parcel_id}/value/no_such/").status_code == 404
    assert client.get(f"/parcel/{parcel_id}/tool/no_such/").status_code == 404


def test_two_photographs_stand_before_and_after_by_the_day_they_were_taken(as_, parcel_id):
    client = as_("clerk")
    client.post(f"/parcel/{parcel_id}/attach/", {"file": photograph("2026:06:01 09:00:00")})
    assert not client.get(f"/parcel/{parcel_id}/").context["pictures"][1:]
    client.post(
        f"/parcel/{parcel_id}/attach/", {"file": photograph("2026:07:01 09:00:00"), "taken_on": "2019-05-01"}
    )
    shown = client.get(f"/parcel/{parcel_id}/")
    assert [p.taken_on for p in shown.context["pictures"]] == [date(2019, 5, 1), date(2026, 6, 1)]
    assert "data-curtain" in shown.content.decode()
    client.post(f"/parcel/{parcel_id}/attach/", {"file": photograph(), "taken_on": "last year"})
    assert Attachment.objects.count() == 2


@pytest.mark.parametrize("content", [b"", b"no picture", photograph().getvalue()])
def test_a_photograph_that_names_no_day_has_none(content):
    assert taken_on(io.BytesIO(content)) is None


def test_the_history_holds_import_findings_files_and_corrections_latest_first(as_, parcel_id):
    client = as_("clerk")
    client.post(f"/parcel/{parcel_id}/attach/", {"file": photograph()})
    said = {"field": "holder", "value": "新公司", "evidence": "登记簿", "file": photograph(), "do": "propose"}
    client.post(f"/correct/parcels/{parcel_id}/", said)
    events = client.get(f"/parcel/{parcel_id}/history/").context["events"]
    kinds = [e["kind"] for e in events]
    assert kinds.index("proposed") < kinds.index("filed") < kinds.index("found") < kinds.index("taken")
    found = next(e for e in events if e["kind"] == "found")
    held = one("SELECT findings FROM parcels WHERE parcel_id = ?", (parcel_id,))["findings"]
    assert found["came"] == held


def test_a_file_whose_bytes_are_gone_is_a_page_that_says_so(as_, parcel_id):
    client = as_("clerk")
    client.post(f"/parcel/{parcel_id}/attach/", {"file": photograph("2026:08:01 09:00:00")})
    held = Attachment.objects.order_by("pk").last()
    path = kept_file(held.digest)
    kept = path.read_bytes()
    path.unlink()
    try:
        answer = client.get(f"/file/{held.pk}/")
    finally:
        path.write_bytes(kept)
    assert answer.status_code == 404
    assert "已不在工作区" in answer.content.decode()
    assert client.get(f"/file/{held.pk}/").status_code == 200


def test_every_act_the_trail_records_has_words():
    source = "".join(p.read_text() for p in Path(labels.__file__).parent.rglob("*.py"))
    acts = set(re.findall(r'performing\([^)]*?"([a-z]+\.[a-z_]+)"', source))
    assert len(acts) > 10
    assert acts - set(DEEDS) == set()


def test_in_english_too_the_remark_names_what_is_missing():
    with translation.override("en"):
        told = labels.told("评价组未知，缺 revenue_wan (group unknown for want of revenue_wan)")
    assert told == "group unknown for want of Revenue"


@pytest.mark.parametrize(
    "detail, zh, en",
    [
        ({"dataset": "parcels", "field": "tenure", "value": "granted"}, "数据集：宗地；字段：权利性质；值：出让",
         "dataset: Parcels; field: Tenure; value: Granted"),
        ({"role": "clerk", "active": True, "divisions": ["430112", ""], "holders": []},
         "角色：经办；启用：是；行政区：长沙市望城区、全部",
         "role: Clerk; active: Yes; divisions: Wangcheng District, Changsha; everywhere"),
        ({"asked": {"what": "checks", "id": "", "ids": list("abcdefg")}}, "报告：核查清单；宗地：a、b、c、d、e 等 7 个",
         "report: what to verify; parcels: a; b; c; d; e and 7 in all"),
        ({"kind": "assess"}, "任务：评估", "job: Assess"),
        ({"events": ["job.done"]}, "事件：任务完成", "events: A job is done"),
        ({}, "", ""),
    ],
)  # fmt: skip
def test_the_trail_tells_what_was_done_in_words(detail, zh, en):
    assert detail_words(detail) == zh
    with translation.override("en"):
        assert detail_words(detail) == en


@pytest.mark.parametrize(
    "told, shown",
    [
        ("评价组未知，缺 revenue_wan (group unknown)", "评价组未知，缺 营业收入"),
        ("没有2025年数据 (no figures of 2025)", "没有2025年数据"),
        ("另行规定", "另行规定"),
    ],
)
def test_a_remark_in_both_languages_is_shown_in_one(told, shown):
    assert labels.told(told) == shown


@pytest.mark.parametrize(
    "step, shown",
    [("写入 writing", "写入"), ("检查 checking 3/1,000", "检查 3/1,000"), ("", ""), ("保存", "保存")],
)
def test_a_jobs_step_is_shown_in_one_language(step, shown):
    assert labels.step(step) == shown


def test_a_fact_is_named_as_the_parcels_field_before_any_others():
    assert labels.fact("area_m2") == labels.field("parcels", "area_m2")
    assert labels.fact_value("allocated", "tenure") == "划拨"


def test_the_parties_of_an_appraisal_are_called_by_their_names():
    assert labels.value("appraisals", "party", "government") == "政府"
    assert labels.value("encumbrances", "party", "government") == "government"


def test_the_measures_of_its_place_stand_on_the_page_of_a_parcel(as_, monkeypatch):
    client, path = as_("clerk"), "/parcel/430112001001GB00003/"
    assert 'id="remedies"' not in client.get(path).content.decode()  # its county has none of its own
    [measures] = load_schemes(rulebook(), RemedyScheme).values()
    whens = {"industry": "area_m2 > 0", "town": "area_m2 < 0"}
    classes = {
        name: land.model_copy(update={"when": whens.get(name, land.when)})
        for name, land in measures.classes.items()
    }
    here = measures.model_copy(update={"place": "4301", "classes": classes})
    monkeypatch.setattr(story, "load_schemes", lambda *_: {"here": here})
    monkeypatch.setattr(remedies, "governing", lambda *_: here)
    shown = client.get(path)
    told = {land["id"]: land for land in shown.context["remedies"]["classes"]}
    assert told["industry"]["status"] == "yes" and told["town"]["status"] == "no"
    page = shown.content.decode()
    assert "增效五举" in page and "待核是否属" in page
    assert "活化三策" not in page
