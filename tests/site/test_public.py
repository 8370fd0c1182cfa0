"""Nothing that was not published leaves by a door that is open to everybody.

A workspace is filled with secrets in every field the public may not read, the database too; then a stranger and the
public role knock at every address of the site and follow every link they are shown.
"""

import itertools
import re
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from conftest import forget_workspace
from django.apps import apps
from django.db.models import CharField, TextField
from django.test import Client
from made_workspace import make
from test_refusals import OPEN, ROUTES, asked, things  # noqa: F401 - a fixture

from panhuo.core.ids import is_identity_number
from panhuo.site.labels import finding
from panhuo.site.ledger.disclosed import PLAIN, PUBLIC_FIELDS, is_organisation, without_numbers
from panhuo.site.ledger.models import Publication
from panhuo.site.market.models import Lot

WORD, NUMBER, DAY = "机密QZ", 7654321, date(1987, 6, 5)
GIVEN_AWAY = (WORD, str(NUMBER), f"{NUMBER:,}", str(DAY), "13812345678", "11010519491231002X")
KEYS = re.compile(r".*_id$|kind|status|division|geometry.*|lon|lat|.*_use|year|rank|order_no|ended_on")
"""Columns by which rows are found and joined; everything else is planted."""


def planted_column(name, column):
    kind = column.type
    if KEYS.fullmatch(name):
        return column
    if pa.types.is_string(kind):
        return pa.array([WORD] * len(column), kind)
    if pa.types.is_date(kind):
        return pa.array([DAY] * len(column), kind)
    if pa.types.is_floating(kind) or pa.types.is_integer(kind):
        return pa.array([NUMBER] * len(column), kind)
    return column


def plant_file(path):
    table = pq.read_table(path)
    for i, name in enumerate(table.column_names):
        table = table.set_column(i, name, planted_column(name, table[name]))
    pq.write_table(table, path)


@pytest.fixture
def published(tmp_path, settings, db):
    """The ids of two published parcels, a company's and a person's, in a workspace full of secrets."""
    folder = make(tmp_path / "ws", 60)
    weighed = pq.read_table(next(folder.glob("assessments/*/options.parquet")))["parcel_id"]
    company, person = sorted(set(weighed.filter(pc.starts_with(weighed, "430112")).to_pylist()))[:2]
    for path in folder.glob("*/*/*.parquet"):
        plant_file(path)
    path = next(folder.glob("inventory/*/parcels.parquet"))
    rows = pq.read_table(path).to_pylist()
    for row in rows:
        if row["parcel_id"] == company:
            row |= {"name": "一号地 电话13812345678", "address": "湘江路1号", "holder": "恒盛实业有限公司"}
        if row["parcel_id"] == person:
            row |= {"holder": WORD, "holder_uscc": "11010519491231002X", "holder_type": None}
            row |= {"name": f"{WORD}住宅", "address": "湘江路2号"}
    row_of = {row["parcel_id"]: row for row in rows}
    row_of[company]["area_m2"] = row_of[person]["area_m2"] = 1234.5
    pq.write_table(pa.Table.from_pylist(rows, schema=pq.read_schema(path)), path)
    path = next(folder.glob("assessments/*/findings.parquet"))
    found = pq.read_table(path).slice(0, 3).to_pylist()
    told = [
        (company, "idle_not_started", date(2020, 5, 1)),
        (company, "mortgaged", DAY),
        (person, "low_tax", DAY),
    ]
    for row, (parcel, name, since) in zip(found, told, strict=True):
        row |= {"parcel_id": parcel, "finding_id": name, "since": since, "status": "yes", "severity": "high"}
    pq.write_table(pa.Table.from_pylist(found, schema=pq.read_schema(path)), path)
    settings.WORKSPACE = folder
    forget_workspace()
    yield [company, person]
    forget_workspace()


def plant_database():
    """Secrets in every free text of every row the site keeps of its people and their work."""
    for model in apps.get_models():
        if (
            model is not Lot
            and model.__module__.startswith("panhuo.site")
            and not model.__name__.startswith("Historical")
        ):
            texts = {
                f.name: WORD
                for f in model._meta.fields
                if isinstance(f, CharField | TextField) and not (f.choices or f.unique or f.max_length == 64)
                if f.name
                not in ("kind", "state", "role", "subject", "key", "field", "dataset", "password", "industry")
            }
            if texts:
                model.objects.update(**texts)
    private = (
        "building_id",
        "holder_uscc",
        "priority_holder",
        "priority_note",
        "taker",
        "contract_no",
        "reason",
    )
    days = ("priority_on", "priority_until", "supplied_on", "start_by", "started_on")
    Lot.objects.update(
        **dict.fromkeys(private, WORD), **dict.fromkeys(days, DAY), shown="none", lon=NUMBER, lat=NUMBER
    )


def body_of(answer):
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return content.decode("utf-8", "replace")


def callers(public):
    for language, person in itertools.product(("zh-hans", "en"), (None, public)):
        client = Client()
        if person:
            client.force_login(person, "django.contrib.auth.backends.ModelBackend")
        client.cookies["django_language"] = language
        yield client


def test_no_secret_leaves_by_an_open_door(published, things, cast):  # noqa: F811
    Publication.objects.bulk_create(Publication(parcel_id=i, by=cast["clerk"]) for i in published)
    plant_database()
    cast["public"].save()  # one's own name is no secret
    hidden = [i for i in all_ids() if i not in published]
    assert len(hidden) > 50
    opened = 0
    for client in callers(cast["public"]):
        for route, need in ROUTES.items():
            answer = asked(client, route, need, things)
            told = body_of(answer) + str(answer.headers)
            assert not [s for s in GIVEN_AWAY if s in told], route
            opened += need.act == OPEN and answer.status_code == 200
        for address in walk(client, ["/public/", "/public/?as=csv", "/public/?as=geojson", "/api/v1/public/parcels",
                                     "/market/", "/market/feed/", "/market/lots.geojson", "/api/v1/public/lots",
                                     "/cases/", "/law/", "/account/login/", "/no/such/page", "/"]):  # fmt: skip
            answer = client.get(address)
            told = body_of(answer) + str(answer.headers)
            assert not [s for s in (*GIVEN_AWAY, *hidden) if s in told], address
    assert opened > 20


def walk(client, addresses, most=80):
    """The addresses, and those their pages link to, of each kind of page the first few."""
    seen, kinds = list(addresses), {}
    for address in seen:
        answer = client.get(address)
        if answer.status_code == 200 and answer["Content-Type"].startswith("text/html"):
            for link in re.findall(r'href="(/[^"#]*)"', body_of(answer)):
                kind = re.sub(r"[^/]+/?$", "", link)
                if link not in seen and not link.startswith("/static/") and kinds.get(kind, 0) < 5:
                    kinds[kind] = kinds.get(kind, 0) + 1
                    seen.append(link)
        assert len(seen) < most
    return seen


def all_ids():
    from panhuo.site.shelf import rows

    return [r["parcel_id"] for r in rows("SELECT parcel_id FROM parcels")]


def test_what_is_published_is_told_and_a_person_not_named(published, cast):
    Publication.objects.bulk_create(Publication(parcel_id=i, by=cast["clerk"]) for i in published)
    company, person = (f["properties"] for f in Client().get("/public/?as=geojson").json()["features"])
    assert {*company, "lon", "lat"} == set(PUBLIC_FIELDS)
    assert company["holder"] == "恒盛实业有限公司"
    assert company["name"] == "一号地 电话***"
    assert (company["findings"], company["since"]) == (["idle_not_started"], "2020-05-01")
    assert (person["holder"], person["name"]) == ("机**", "机**住宅")
    assert (person["findings"], person["since"]) == ([], None)
    for address in ("/public/", "/public/?as=csv"):
        text = body_of(Client().get(address))
        assert finding("idle_not_started") in text
        assert finding("mortgaged") not in text
        assert finding("low_tax") not in text
    assert Client().get("/api/v1/public/parcels").json()[1]["holder"] == "机**"
    assert set(PLAIN) < set(PUBLIC_FIELDS)


@pytest.mark.parametrize(
    ("holder", "kind", "code", "shown"),
    [
        ("湖南恒盛实业有限公司", None, None, True),
        ("衡阳市衡器厂", None, None, True),
        ("某单位", "institution", None, True),
        ("某单位", None, "91350100M000100Y43", True),
        ("Acme Co., Ltd.", None, None, True),
        ("张三", None, None, False),
        ("张厂", None, None, False),
        ("张三等五人", None, None, False),
        ("张三（宏达公司）", None, "11010519491231002X", False),
        ("张三商行公司", "person", None, False),
        ("张三", "其他", None, False),
        ("", "soe", None, False),
        (None, None, None, False),
    ],
)
def test_only_an_evident_organisation_is_named(holder, kind, code, shown):
    assert is_organisation(holder, kind, code) is shown


def test_numbers_of_persons_are_taken_out_and_those_of_land_stay():
    assert without_numbers("张先生13812345678、0731-82345678") == "张先生***、***"
    assert without_numbers("证件 11010519491231002X") == "证件 ***"
    assert without_numbers("430112001001GB00012 号，1388 弄 110105 街坊") == (
        "430112001001GB00012 号，1388 弄 110105 街坊"
    )


@pytest.mark.parametrize(
    ("text", "so"),
    [("11010519491231002X", True), ("11010519491231002x", True), ("110105194912310021", False),
     ("11010519491331002X", False), ("91350100M000100Y43", False), ("", False)],
)  # fmt: skip
def test_an_identity_number_has_a_birthday_and_a_check_character(text, so):
    assert is_identity_number(text) is so
