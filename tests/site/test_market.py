"""The land market: a lot from draft to supply by two persons, what strangers see and ask, and what never leaves."""

import io
import json
import re
from datetime import date, timedelta

import openpyxl
import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lots import lot_of, written
from PIL import Image
from test_public import body_of
from upload_files import PDF, named, picture

from panhuo.core.problems import PanhuoError
from panhuo.site.accounts.models import Person, Trail
from panhuo.site.jobs.work import step
from panhuo.site.labels import rulebook
from panhuo.site.market import acts
from panhuo.site.market.models import Enquiry, Lot
from panhuo.site.market.shown import PUBLIC_FIELDS, told
from panhuo.site.market.standard import starts
from panhuo.site.shelf import one, shelf

TODAY = timezone.localdate()


@pytest.fixture
def drafted(as_, parcel_id):
    """A draft of the clerk's, made on screen."""
    answer = as_("clerk").post(f"/lots/new/?parcel={parcel_id}", written())
    assert answer.status_code == 302, answer.context["form"].errors
    return Lot.objects.get()


@pytest.fixture
def offered(as_, drafted):
    """The same on offer: put to review by the clerk, published by the leader."""
    as_("clerk").post(f"/lots/{drafted.pk}/submit/")
    word = {"do": "publish", "reason": "已研究", "seen": drafted.version}
    as_("leader").post(f"/lots/{drafted.pk}/decide/", word)
    drafted.refresh_from_db()
    assert drafted.state == "published"
    return drafted


def test_a_lot_takes_from_the_ledger_what_it_knows(as_, drafted, parcel_id):
    land = one("SELECT * FROM parcels WHERE parcel_id = ?", (parcel_id,))
    assert (drafted.state, drafted.division, drafted.holder_uscc) == ("draft", "430112", land["holder_uscc"])
    assert (drafted.use, drafted.industries) == (land["planned_use"] or land["land_use"], "35 38")
    form = as_("clerk").get(f"/lots/new/?parcel={parcel_id}").context["form"]
    assert form.instance.area_m2 == land["area_m2"]
    assert as_("far_clerk").get(f"/lots/new/?parcel={parcel_id}").status_code == 404
    assert as_("far_clerk").post(f"/lots/new/?parcel={parcel_id}", written()).status_code == 404


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"way": "lease_out"}, "way"),
        ({"way": "idle_fee"}, "way"),
        ({"area_m2": ""}, "area_m2"),
        ({"area_m2": "9999999"}, "area_m2"),
        ({"phone": "13812345678"}, "phone"),
        ({"about": "联系人 13812345678"}, "about"),
        ({"title": "证件 11010519491231002X"}, "title"),
        ({"price_unit": ""}, "price"),
        ({"price": ""}, "price"),
        ({"price": "-1"}, "price"),
        ({"area_m2": "-3000"}, "area_m2"),
        ({"term_years": "-1"}, "term_years"),
        ({"valid_until": str(TODAY)}, "valid_until"),
        ({"priority_holder": "原厂"}, "priority_until"),
        ({"part": "{}"}, "part"),
        ({"part": '{"type": "Polygon", "coordinates": [[[1, 1], [2, 1], [2, 2], [1, 1]]]}'}, "part"),
    ],
)
def test_what_ledger_or_law_does_not_allow_is_refused_with_nothing_kept(as_, parcel_id, wrong, field):
    answer = as_("clerk").post(f"/lots/new/?parcel={parcel_id}", written(**wrong))
    assert answer.status_code == 200
    assert list(answer.context["form"].errors) == [field]
    assert not Lot.objects.exists()
    assert not Trail.objects.exists()


def test_a_lease_lasts_no_longer_than_the_law_lets_it(as_, parcel_id):
    plant = written(way="lease_out", floor_area_m2="500", area_m2="", price_unit="yuan_per_m2_month")
    address = f"/lots/new/?parcel={parcel_id}&kind=plant"
    assert list(as_("clerk").post(address, plant | {"term_years": "20.5"}).context["form"].errors) == [
        "term_years"
    ]
    assert as_("clerk").post(address, plant | {"term_years": "20"}).status_code == 302
    assert Lot.objects.get().kind == "plant"


def test_whoever_wrote_it_does_not_publish_it_and_the_second_person_decides_once(as_, cast, drafted):
    by = cast["reviewer"]
    with pytest.raises(PanhuoError):
        acts.publish(cast["leader"], drafted.pk, "x")  # nobody put it to review yet
    acts.submit(by, drafted.pk)
    with pytest.raises(PermissionDenied):
        acts.publish(by, drafted.pk, "x")
    as_("leader").post(f"/lots/{drafted.pk}/decide/", {"do": "return", "reason": ""})
    assert Lot.objects.get().state == "submitted"
    word = {"do": "publish", "reason": "已研究", "seen": drafted.version}
    as_("leader").post(f"/lots/{drafted.pk}/decide/", word)
    assert Lot.objects.get().state == "published"
    with pytest.raises(PanhuoError):
        acts.publish(cast["leader"], drafted.pk, "again")
    with pytest.raises(PanhuoError):
        acts.submit(cast["clerk"], drafted.pk)
    assert [t.what for t in Trail.objects.order_by("pk")] == ["lot.draft", "lot.submit", "lot.publish"]


def test_a_stranger_sees_what_is_on_offer_and_nothing_else(as_, cast, offered, parcel_id):
    lot_of(cast["clerk"], parcel_id, title="草稿地")
    lot_of(cast["clerk"], parcel_id, title="过期地", state="published", valid_until=TODAY - timedelta(days=1))
    lot_of(cast["clerk"], parcel_id, title="已供地", state="concluded", supplied_on=TODAY)
    stranger = Client()
    page = stranger.get("/market/").content.decode()
    assert "一号地" in page
    assert not re.search("草稿地|过期地|已供地", page)
    assert "已供应 1 宗" in page
    for hidden in Lot.objects.exclude(pk=offered.pk):
        assert stranger.get(f"/market/{hidden.pk}/").status_code == 404
        assert stranger.post(f"/market/{hidden.pk}/enquire/", asked()).status_code == 404
    assert [row["id"] for row in stranger.get("/api/v1/public/lots").json()] == [offered.pk]
    feed = stranger.get("/market/feed/")
    assert feed["Content-Type"].startswith("application/atom+xml")
    assert feed.content.decode().count("<entry>") == 1
    assert not Enquiry.objects.exists()


@pytest.mark.parametrize(
    ("query", "fits"),
    [
        ("kind=plot", True), ("kind=plant", False), ("division=4301", True), ("division=430424", False),
        ("industry=35", True), ("industry=26", False), ("mu_min=4.5", True), ("mu_min=4.51", False),
        ("mu_max=4.5", True), ("mu_max=4.49", False), ("price_max=45", True), ("price_max=44.9", False),
        ("rent_max=100", False), ("q=湘江路", True), ("q=湘江路&price_max=45", True), ("q=无此地", False),
        ("sort=price", True),
        ("way=split_transfer", True), ("way=lease_out", False), ("use=plot:1001", True),
        ("w_industry=35&w_min=4&w_max=5&w_needs=水", True), ("w_min=5", False), ("mu_min=x", True),
    ],
)  # fmt: skip
def test_filters_hold_on_both_sides(offered, query, fits):
    Lot.objects.update(use="1001", use_scheme="mnr_2023")
    found = json.loads(Client().get(f"/market/lots.geojson?{query}").content)["features"]
    assert bool(found) == fits
    assert Client().get(f"/market/?{query}").status_code == 200


def test_a_project_is_told_why_a_lot_fits(offered):
    Lot.objects.update(use="1001", use_scheme="mnr_2023")
    page = Client().get("/market/?w_industry=35&w_min=4&w_max=5&w_needs=水 蒸汽")
    row = page.context["rows"][0]
    assert row["criteria"] == {"area": True, "use": True, "division": True, "services": False, "chain": True}
    weights = rulebook().parameter("placing.weights", TODAY).value  # every criterion but `services` holds
    assert row["score"] == pytest.approx(1 - float(weights["services"]) / sum(map(float, weights.values())))
    none = Client().get("/market/?w_industry=65&w_min=4")
    assert (none.context["rows"], none.context["left_out"]) == ([], [("用途", 1)])


@pytest.mark.parametrize("number", ["²", "9" * 5000, "-1", "x"])
def test_what_is_no_number_of_a_lot_finds_none(offered, number):
    answer = Client().get("/market/lots.geojson", {"id": number})
    assert (answer.status_code, answer.json()["features"]) == (200, [])


def test_prices_are_compared_in_one_unit(cast, parcel_id):
    for price, unit in ((300, "wan"), (300, "yuan_per_m2"), (3, "yuan_per_m2_month"), (3, "wan_per_mu_year")):
        lot_of(
            cast["clerk"], parcel_id, state="published", area_m2=10 * 2000 / 3, price=price, price_unit=unit
        )
    found = Client().get("/market/lots.geojson?price_max=20.5").json()["features"]
    assert [f["properties"]["price_unit"] for f in found] == ["yuan_per_m2"]  # 300 元/m² is 20 万元/亩
    found = Client().get("/market/lots.geojson?rent_max=3.5").json()["features"]
    assert [f["properties"]["price_unit"] for f in found] == ["yuan_per_m2_month"]  # 3 万元/亩·年 is 3.75


def asked(**changes):
    return {
        "company": "恒达机械", "contact": "李工", "phone": "13812345678", "industry": "35", "area_mu": "30",
        "investment_wan": "8000", "needs": "水、电", "message": "能否分期？", "consent": "on", "website": "",
    } | changes  # fmt: skip


def test_an_enquiry_reaches_the_office_of_the_lot_alone(as_, offered):
    assert Client().post(f"/market/{offered.pk}/enquire/", asked()).status_code == 302
    enquiry = Enquiry.objects.get()
    assert enquiry.area_m2 == pytest.approx(20_000)
    assert "恒达机械" in as_("clerk").get("/enquiries/").content.decode()
    for other in ("auditor", "admin", "consulted", "leader"):
        page = as_(other).get(f"/lots/{offered.pk}/").content.decode()
        assert "恒达机械" not in page, other
        assert as_(other).get(f"/enquiries/{enquiry.pk}/").status_code in (403, 404)
    assert "恒达机械" not in as_("far_clerk").get("/enquiries/").content.decode()
    told_in_trail = json.dumps(list(Trail.objects.values()), default=str, ensure_ascii=False)
    assert not re.search("恒达|李工|13812345678", told_in_trail)
    client = as_("clerk")
    for seen, text, state in (("new", "", "new"), ("new", "已电话答复", "answered")):
        client.post(f"/enquiries/{enquiry.pk}/mark/", {"seen": seen, "state": "answered", "answer": text})
        assert Enquiry.objects.get().state == state
    client.post(
        f"/enquiries/{enquiry.pk}/mark/", {"seen": "new", "state": "closed", "answer": "在他处打开的旧页"}
    )
    assert Enquiry.objects.get().answer == "已电话答复"
    client.post(
        f"/enquiries/{enquiry.pk}/mark/", {"seen": "answered", "state": "closed", "answer": "已电话答复"}
    )
    assert Enquiry.objects.get().state == "closed"
    sheet = openpyxl.load_workbook(io.BytesIO(client.get("/enquiries/enquiries.xlsx").content)).active
    assert "恒达机械" in [cell.value for cell in sheet[2]]
    client.post(f"/enquiries/{enquiry.pk}/remove/")
    assert not Enquiry.objects.exists()


@pytest.mark.parametrize(
    "lacking",
    [
        {"consent": ""}, {"company": ""}, {"phone": ""}, {"area_mu": "-1"}, {"floor_area_m2": "-1"},
        {"investment_wan": "-1"},
    ],
)  # fmt: skip
def test_an_enquiry_without_consent_or_sender_or_of_less_than_nothing_is_not_kept(offered, lacking):
    answer = Client().post(f"/market/{offered.pk}/enquire/", asked(**lacking))
    assert answer.status_code == 400
    assert answer.context["form"].errors
    assert not Enquiry.objects.exists()


def test_a_machine_is_thanked_and_a_flood_is_stopped(offered):
    assert Client().post(f"/market/{offered.pk}/enquire/", asked(website="spam")).status_code == 302
    assert not Enquiry.objects.exists()
    for _ in range(acts.HOURLY):
        assert Client().post(f"/market/{offered.pk}/enquire/", asked()).status_code == 302
    assert Client().post(f"/market/{offered.pk}/enquire/", asked()).status_code == 429
    elsewhere = Client(REMOTE_ADDR="10.1.2.3")
    assert elsewhere.post(f"/market/{offered.pk}/enquire/", asked()).status_code == 302
    Enquiry.objects.update(consented_at=timezone.now() - acts.WINDOW - timedelta(seconds=1))
    assert Client().post(f"/market/{offered.pk}/enquire/", asked()).status_code == 302
    assert "127.0.0.1" not in json.dumps(list(Enquiry.objects.values()), default=str)


def test_the_form_needs_its_token(offered):
    assert Client(enforce_csrf_checks=True).post(f"/market/{offered.pk}/enquire/", asked()).status_code == 403


def test_an_enquiry_becomes_a_demand_of_the_workspace_without_its_sender(as_, cast, offered):
    Client().post(f"/market/{offered.pk}/enquire/", asked())
    enquiry = Enquiry.objects.get()
    before = lot_of(cast["clerk"], offered.parcel_id).enquiries.create(company="前一家", sender="0" * 64)
    for each in (before, enquiry):
        assert as_("clerk").post(f"/enquiries/{each.pk}/demand/").status_code == 302
        assert step()
    shelf().follow()
    assert one("SELECT * FROM demands WHERE demand_id = ?", (f"enquiry-{before.pk}",))
    row = one("SELECT * FROM demands WHERE demand_id = ?", (f"enquiry-{enquiry.pk}",))
    assert (row["name"], row["industry"], row["division"]) == ("一号地", "35", "430112")
    assert (row["area_m2_min"], row["investment_wan"]) == (pytest.approx(20_000, abs=0.01), 8000)
    assert not re.search("恒达|李工|13812345678|能否分期", str(row))


def settled(**changes):
    return {
        "outcome": "waived", "on": str(TODAY), "note": "放弃声明 2026-12", "file": named(PDF, "声明.pdf")
    } | changes  # fmt: skip


def test_a_priority_is_used_or_waived_on_evidence_before_the_lot_is_open_to_others(as_, cast, drafted):
    client, pk = as_("clerk"), drafted.pk
    client.post(
        f"/lots/{pk}/edit/",
        written(
            priority_holder="原衡器厂", priority_until=str(TODAY + timedelta(days=9)), seen=drafted.version
        ),
    )
    assert Lot.objects.get().priority == "open"
    acts.submit(cast["clerk"], pk)
    with pytest.raises(PanhuoError) as fault:
        acts.publish(cast["leader"], pk, "x")
    assert fault.value.where == "priority"
    for wrong in (
        {"file": ""},
        {"note": " "},
        {"outcome": "lapsed"},
        {"on": str(TODAY + timedelta(days=1))},
        {"on": "x"},
    ):
        client.post(f"/lots/{pk}/priority/", settled(**wrong))
        assert Lot.objects.get().priority == "open", wrong
    client.post(f"/lots/{pk}/priority/", settled())
    lot = Lot.objects.get()
    assert (lot.priority, lot.priority_file.name) == ("waived", "声明.pdf")
    acts.publish(cast["leader"], pk, "x")
    assert "原衡器厂" not in body_of(Client().get(f"/market/{pk}/"))


def test_a_priority_that_is_exercised_ends_in_supply_and_is_never_public(as_, cast, parcel_id):
    lot = lot_of(cast["clerk"], parcel_id, priority="open", priority_holder="原厂", priority_until=TODAY)
    with pytest.raises(PanhuoError):
        acts.conclude(cast["clerk"], lot.pk, TODAY, None, "原厂", "")
    as_("clerk").post(f"/lots/{lot.pk}/priority/", settled(outcome="exercised"))
    acts.submit(cast["clerk"], lot.pk)
    with pytest.raises(PanhuoError):
        acts.publish(cast["leader"], lot.pk, "x")
    with pytest.raises(PanhuoError) as fault:
        acts.conclude(cast["clerk"], lot.pk, TODAY, None, "别家", "")
    assert fault.value.where == "taker"
    acts.conclude(cast["clerk"], lot.pk, TODAY, None, " 原厂 ", "")
    assert Lot.objects.get().state == "concluded"
    with pytest.raises(PanhuoError):
        acts.conclude(cast["clerk"], lot.pk, TODAY, None, "原厂", "")


def test_the_start_is_tracked_from_the_day_of_supply(as_, offered):
    client, pk = as_("clerk"), offered.pk
    supply = {"supplied_on": "2026-03-02", "taker": "甲公司", "contract_no": "", "start_by": ""}
    for wrong in ({"supplied_on": ""}, {"supplied_on": str(TODAY + timedelta(days=1))}, {"taker": " "},
                  {"start_by": "2026-03-02"}):  # fmt: skip
        client.post(f"/lots/{pk}/supply/", supply | wrong)
        assert Lot.objects.get().state == "published", wrong
    client.post(f"/lots/{pk}/supply/", supply)
    lot = Lot.objects.get()
    assert (lot.state, lot.start_by) == ("concluded", date(2027, 3, 2))
    assert Client().get(f"/market/{pk}/").status_code == 404

    def state(on):
        return starts([lot], on)[lot.pk]["state"]

    assert state(date(2026, 11, 30)) == "ahead"
    assert state(date(2027, 3, 3)) == "unknown"  # nobody recorded whether works began
    client.post(f"/lots/{pk}/start/", {"started_on": "2026-03-01"})
    assert Lot.objects.get().started_on is None
    client.post(f"/lots/{pk}/start/", {"started_on": "2026-03-20"})
    lot.refresh_from_db()
    assert state(date(2027, 3, 3)) == "met"
    lot.started_on = date(2027, 3, 3)
    assert state(date(2027, 3, 4)) == "met_late"


def test_a_photograph_tells_neither_place_nor_camera(as_, drafted):
    held, out = Image.new("RGB", (2400, 1200), "green"), io.BytesIO()
    exif = Image.Exif()
    exif[0x010F] = "机密相机"
    exif.get_ifd(0x8825)[1] = "N"
    held.save(out, "JPEG", exif=exif)
    client = as_("clerk")
    client.post(
        f"/lots/{drafted.pk}/photo/", {"file": [named(out.getvalue(), "a.jpg"), named(picture(), "b.png")]}
    )
    client.post(f"/lots/{drafted.pk}/photo/", {"file": named(PDF, "c.pdf")})
    client.post(f"/lots/{drafted.pk}/photo/", {"file": named(b"MZ", "d.jpg")})
    first, _ = drafted.photos.all()
    assert Client().get(f"/market/photo/{first.pk}/").status_code == 404  # it is a draft still
    assert as_("far_clerk").get(f"/market/photo/{first.pk}/").status_code == 404
    seen = Image.open(io.BytesIO(body_bytes(client.get(f"/market/photo/{first.pk}/"))))
    assert (seen.size, dict(seen.getexif())) == ((1600, 800), {})
    client.post(f"/lots/{drafted.pk}/photo/", {"remove": first.pk})
    assert drafted.photos.count() == 1
    Lot.objects.update(state="published", published_at=timezone.now())
    assert Client().get(f"/market/photo/{drafted.photos.get().pk}/").status_code == 200


def body_bytes(answer):
    return b"".join(answer.streaming_content)


DOORS = ("/market/", "/market/?w_min=1", "/market/lots.geojson", "/market/feed/", "/api/v1/public/lots")
PRIVATE_TEXT = (
    "building_id",
    "holder_uscc",
    "priority_holder",
    "priority_note",
    "taker",
    "contract_no",
    "reason",
)
SECRET = st.text(st.sampled_from("甲乙丙丁QZ"), min_size=8, max_size=16)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    writer=SECRET,
    secrets=st.lists(SECRET, min_size=len(PRIVATE_TEXT), max_size=len(PRIVATE_TEXT)),
    lon=st.integers(73_000_000, 134_999_999),
    shown=st.sampled_from(["none", "point", "outline"]),
    day=st.dates(date(1970, 1, 1), date(1979, 12, 31)),
    english=st.booleans(),
)
def test_nothing_but_the_declared_fields_ever_leaves(
    offered, cast, writer, secrets, lon, shown, day, english
):
    """Secrets in every field that is not public, in position and outline too; then every open door is tried."""
    Lot.objects.all().update(
        **dict(zip(PRIVATE_TEXT, secrets, strict=True)),
        **dict.fromkeys(("priority_on", "priority_until", "supplied_on", "start_by", "started_on"), day),
        shown=shown, lon=lon / 1e6, outline={"type": "Point", "coordinates": [lon / 1e6 + 1, 28.123456]},
    )  # fmt: skip
    Person.objects.update(full_name=writer)
    Enquiry.objects.all().delete()
    Enquiry.objects.create(
        lot=offered, company=secrets[0], contact=secrets[1], phone=secrets[2], sender="0" * 64
    )
    client = Client()
    client.cookies["django_language"] = "en" if english else "zh-hans"
    place, corner = str(lon / 1e6), str(round(lon / 1e6 + 1, 6))
    hidden = {*secrets, writer, str(day), offered.parcel_id}
    hidden |= {"none": {place, corner}, "point": {corner}, "outline": set()}[shown]
    for door in (*DOORS, f"/market/{offered.pk}/", f"/market/lots.geojson?id={offered.pk}"):
        answer = client.get(door)
        assert answer.status_code == 200
        body = body_of(answer)
        assert not [s for s in hidden if s in body], door
    assert set(told([Lot.objects.get()])[0]) == set(PUBLIC_FIELDS)


def test_a_natural_person_is_not_named_in_public_text(cast, parcel_id):
    lot = lot_of(
        cast["clerk"],
        parcel_id,
        state="published",
        title="张小三地块",
        priority_holder="张小三",
        about="13812345678",
    )
    row = told([lot])[0]
    assert (row["title"], row["about"]) == ("张**地块", "***")
    found = [
        json.loads(Client().get(f"/market/lots.geojson?q={text}").content)["features"]
        for text in ("张小三", "张", "地块")
    ]
    assert list(map(len, found)) == [0, 1, 1]  # nor can a guess at the name be confirmed by searching


def test_a_map_of_what_fits_a_project_is_read_at_once(cast, parcel_id):
    asked = []
    for _ in range(2):
        for _ in range(3):
            lot_of(cast["clerk"], parcel_id, state="published", area_m2=5000, shown="outline")
        with CaptureQueriesContext(connection) as seen:
            found = Client().get("/market/lots.geojson?for=map&w_min=1").json()["features"]
        asked.append((len(found), len(seen)))
    (few, first), (many, second) = asked
    assert (few, many) == (3, 6)
    assert first == second
