"""The OGC endpoint against the requirements of the conformance classes it claims, each test named by them.

OGC 17-069 (Part 1: /req/core, /req/geojson, /req/oas30), 18-058 (Part 2: /req/crs), 19-079 (Part 3: /req/queryables).
"""

import json
import re
from datetime import date, datetime

import pyogrio
import pyproj
import pytest
import shapely
from django.test import Client

from panhuo.site.accounts import acts as accounts
from panhuo.site.doors.crs import CRS, CRS84
from panhuo.site.doors.ogc import CONFORMANCE
from panhuo.site.shelf import one, rows

ITEMS = "/ogc/collections/{}/items"
NAMES = ("parcels", "findings", "conflicts")


@pytest.fixture
def clerk(as_):
    return as_("clerk")


@pytest.fixture
def admin(as_):
    return as_("admin")


def links_of(body):
    return {link["rel"]: link for link in body["links"]}


def test_landing_links_lead_to_the_definition_conformance_and_data(clerk):
    """/req/core/root-success, api-definition-success, conformance-success."""
    links = links_of(clerk.get("/ogc/").json())
    assert {"self", "service-desc", "conformance", "data"} <= links.keys()
    for link in links.values():
        answer = clerk.get(link["href"], headers={"Accept": link["type"]})
        assert (answer.status_code, answer["Content-Type"]) == (200, link["type"])
    assert clerk.get("/ogc/conformance").json()["conformsTo"] == CONFORMANCE


def test_definition_names_every_path_parameter_code_and_security(clerk):
    """/req/oas30/oas-definition, oas-impl, completeness, exceptions-codes, security."""
    document = clerk.get("/ogc/api").json()
    assert document["openapi"].startswith("3.0")
    assert {"token", "password"} == document["components"]["securitySchemes"].keys()
    for path, operations in document["paths"].items():
        fid = clerk.get(ITEMS.format(path.split("/")[2])).json()["features"][0]["id"] if "{" in path else ""
        address = "/ogc" + path.replace("{featureId}", fid)
        assert clerk.get(address).status_code == 200
        assert {"200", "400", "401", "403"} <= operations["get"]["responses"].keys()
        for kind in operations["get"]["responses"]["200"]["content"]:
            assert clerk.get(address)["Content-Type"] == kind
    limit = next(
        p
        for p in document["paths"]["/collections/parcels/items"]["get"]["parameters"]
        if p["name"] == "limit"
    )
    assert limit["schema"] == {"type": "integer", "minimum": 1, "maximum": 10_000, "default": 100}


@pytest.mark.parametrize(
    "path",
    ["", "api", "conformance", "collections", "collections/parcels", "collections/parcels/queryables",
     "collections/parcels/items", "collections/parcels/items/{}"],
)  # fmt: skip
def test_unknown_parameter_wrong_format_and_wrong_method_are_refused(clerk, parcel_id, path):
    """/req/core/query-param-unknown, query-param-invalid, http."""
    address = "/ogc/" + path.format(parcel_id)
    assert clerk.get(address, {"no_such": "1"}).status_code == 400
    assert clerk.get(address, {"f": "html"}).status_code == 400
    assert clerk.get(address, {"f": "json"}).status_code == 200
    assert clerk.get(address, headers={"Accept": "text/csv"}).status_code == 406
    assert clerk.post(address).status_code == 405
    assert clerk.head(address).status_code == 200


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=-1", "limit=ten", "limit=１", "offset=-1", "bbox=1,2", "bbox=1,2,3,x", "bbox=1,2,3,inf", "bbox=",
     "bbox=110,30,111,29", "bbox-crs=x", "crs=x", "crs=", "datetime=yesterday", "datetime=/", "datetime=",
     "datetime=2024-02-30", "datetime=2024-01-02/2024-01-01", "datetime=2024-01-01T00:00:00", "area_m2=much",
     "area_m2.min=much", "findings.min=x", "plan_year=99999999999999999999", "f=xml",
     f"bbox=1,2,0,3&bbox-crs={CRS[3]}"],
)  # fmt: skip
def test_a_value_that_does_not_fit_is_a_clear_400(clerk, query):
    """/req/core/query-param-invalid, /req/crs/fc-crs-valid-value, fc-bbox-crs-valid-value."""
    answer = clerk.get(f"{ITEMS.format('parcels')}?{query}")
    assert answer.status_code == 400
    assert answer.json()["code"] == "400"
    assert answer.json()["description"]


@pytest.mark.parametrize("name", NAMES)
def test_a_collection_says_the_same_alone_and_in_the_list(clerk, name):
    """/req/core/fc-md-*, sfc-md-success, /req/crs/fc-md-*, /req/queryables/*."""
    body = clerk.get("/ogc/collections").json()
    listed = next(c for c in body["collections"] if c["id"] == name)
    alone = clerk.get(links_of(listed)["self"]["href"]).json()
    assert alone == listed
    assert listed["crs"][0] == CRS84
    assert listed["storageCrs"] in listed["crs"] == list(CRS)
    assert links_of(listed)["items"]["type"] == "application/geo+json"
    west, south, east, north = listed["extent"]["spatial"]["bbox"][0]
    for feature in clerk.get(ITEMS.format(name)).json()["features"]:
        if feature["geometry"] is None:  # land nobody has drawn
            continue
        x0, y0, x1, y1 = shapely.from_geojson(json.dumps(feature["geometry"])).bounds
        assert west <= x0 <= x1 <= east
        assert south <= y0 <= y1 <= north
    schema = clerk.get(links_of(listed)["http://www.opengis.net/def/rel/ogc/1.0/queryables"]["href"])
    assert schema["Content-Type"] == "application/schema+json"
    assert schema.json()["additionalProperties"] is False
    assert all("type" in p for key, p in schema.json()["properties"].items() if key != "geometry")


@pytest.mark.parametrize("name", NAMES)
def test_pages_follow_next_through_every_feature_once(clerk, name):
    """/req/core/fc-op, fc-limit-response-1, fc-links, fc-rel-type, fc-timeStamp, fc-numberMatched, numberReturned."""
    whole = clerk.get(ITEMS.format(name), {"limit": 10**9}).json()
    ids = [f["id"] for f in whole["features"]]
    assert whole["numberMatched"] == whole["numberReturned"] == len(ids) == len(set(ids)) > 3
    assert datetime.fromisoformat(whole["timeStamp"]).tzinfo is not None
    address, seen = f"{ITEMS.format(name)}?limit={len(ids) // 3 + 1}", []
    while address:
        answer = clerk.get(address)
        body = answer.json()
        assert answer["Content-Type"] == "application/geo+json"
        assert body["numberReturned"] == len(body["features"]) <= len(ids) // 3 + 1
        assert all(link["type"] for link in body["links"])
        seen += [f["id"] for f in body["features"]]
        address = links_of(body).get("next", {}).get("href")
    assert seen == ids


@pytest.mark.parametrize("name", NAMES)
def test_every_feature_stands_at_its_own_address(clerk, name):
    """/req/core/f-op, f-success, f-links, /req/geojson/content."""
    for feature in clerk.get(ITEMS.format(name), {"limit": 4}).json()["features"]:
        answer = clerk.get(f"{ITEMS.format(name)}/{feature['id']}")
        body = answer.json()
        assert answer["Content-Type"] == "application/geo+json"
        assert {k: body[k] for k in feature} == feature
        assert links_of(body).keys() >= {"self", "collection"}
        assert all(link["type"] for link in body["links"])
    assert clerk.get(f"{ITEMS.format(name)}/nothing").status_code == 404
    assert clerk.get("/ogc/collections/nothing").status_code == 404
    assert clerk.get(ITEMS.format("nothing")).status_code == 404


def test_bbox_holds_what_truly_meets_it_and_what_has_no_place(admin):
    """/req/core/fc-bbox-definition, fc-bbox-response."""
    drawn = rows("SELECT p.parcel_id, s.geometry FROM parcels p LEFT JOIN shapes s USING (parcel_id)")
    shapes = {r["parcel_id"]: shapely.from_wkb(bytes(r["geometry"])) for r in drawn if r["geometry"]}
    placeless = {
        r["parcel_id"] for r in rows("SELECT parcel_id FROM parcels WHERE xmin IS NULL")
    }  # an import of another test
    centre = next(iter(shapes.values())).centroid
    for size in (0.0001, 0.0011, 0.003, 1):
        box = shapely.box(centre.x - size, centre.y - size, centre.x + size * 0.7, centre.y + size * 0.4)
        want = {i for i, s in shapes.items() if s.intersects(box)} | placeless
        text = ",".join(map(str, box.bounds))
        for name, key in (
            ("parcels", lambda f: f["id"]),
            ("findings", lambda f: f["properties"]["parcel_id"]),
        ):
            got = {
                key(f)
                for f in admin.get(ITEMS.format(name), {"bbox": text, "limit": 9999}).json()["features"]
            }
            assert got <= want
            assert name == "findings" or got == want
    x0, y0, x1, y1 = box.bounds
    every = admin.get(ITEMS.format("parcels"), {"limit": 1}).json()["numberMatched"]
    for text, crs in (
        (f"{x0},{y0},-5,{x1},{y1},9", CRS[0]),
        (f"{y0},{x0},{y1},{x1}", CRS[2]),
    ):
        asked = {"bbox": text, "bbox-crs": crs}
        assert admin.get(ITEMS.format("parcels"), asked).json()["numberMatched"] == len(want)
    over = admin.get(ITEMS.format("parcels"), {"bbox": "100,-90,-170,90"}).json()["numberMatched"]
    assert over == every


def test_a_corner_of_the_box_within_the_bounds_but_off_the_outline_finds_nothing(admin):
    """/req/core/fc-bbox-response A: the outline decides, not its bounding box."""
    row = next(
        r
        for r in rows("SELECT parcel_id, geometry FROM shapes ORDER BY parcel_id")
        if (s := shapely.from_wkb(bytes(r["geometry"]))).area < shapely.box(*s.bounds).area * 0.98
    )
    shape = shapely.from_wkb(bytes(row["geometry"]))
    gap = max(shapely.get_parts(shapely.box(*shape.bounds) - shape), key=lambda g: g.area)
    point = gap.representative_point()
    text = f"{point.x},{point.y},{point.x + 1e-9},{point.y + 1e-9}"
    found = admin.get(ITEMS.format("parcels"), {"bbox": text, "limit": 9999}).json()["features"]
    assert row["parcel_id"] not in {f["id"] for f in found}


def test_datetime_holds_findings_that_stood_then_and_those_without_a_day(admin):
    """/req/core/fc-time-definition, fc-time-response."""
    found = rows("SELECT f.since FROM findings f JOIN parcels USING (parcel_id)")
    days = [r["since"] for r in found]
    middle = sorted(d for d in days if d)[len(days) // 3]
    want = sum(d is None or d <= middle for d in days)
    assert 0 < want < len(days)
    for text in (
        str(middle), f"{middle}T12:00:00+08:00", f"{middle}T04:00:00Z", f"../{middle}", f"2001-01-01/{middle}",
        f"/{middle}",
    ):  # fmt: skip
        asked = {"datetime": text, "limit": 1}
        assert admin.get(ITEMS.format("findings"), asked).json()["numberMatched"] == want, text
    assert admin.get(ITEMS.format("findings"), {"datetime": f"{middle}/.."}).json()["numberMatched"] == len(
        days
    )
    start = admin.get("/ogc/collections/findings").json()["extent"]["temporal"]["interval"][0][0]
    assert datetime.fromisoformat(start).date() == min(d for d in days if d) > date(2000, 1, 1)
    parcels = admin.get(ITEMS.format("parcels"), {"datetime": "1999-01-01"}).json()["numberMatched"]
    assert parcels == one("SELECT count(*) AS n FROM parcels")["n"]


def test_properties_filter_each_collection(clerk):
    """/req/queryables-query-parameters/parameters, /rec/core/fc-filters."""
    for name in NAMES:
        for feature in clerk.get(ITEMS.format(name), {"limit": 2}).json()["features"]:
            for key, value in feature["properties"].items():
                if value is None or (isinstance(value, str) and ";" in value) or value == "":
                    continue
                asked = {key: value, "limit": 9999}
                body = clerk.get(ITEMS.format(name), asked)
                assert body.status_code == 200, (name, key, value, body.content)
                assert feature["id"] in {f["id"] for f in body.json()["features"]}, (name, key, value)
    kinds = clerk.get(ITEMS.format("findings"), {"status": "unknown", "limit": 9999}).json()["features"]
    assert {f["properties"]["status"] for f in kinds} == {"unknown"}


def in_crs(lonlat, crs):
    """A position as its reference system orders it, by pyproj from the authority's own definition."""
    if crs == CRS84:
        return lonlat
    code = int(crs.rsplit("/", 1)[1])
    x, y = pyproj.Transformer.from_crs(4490, code, always_xy=True).transform(*lonlat)
    return [y, x] if pyproj.CRS(code).axis_info[0].direction == "north" else [x, y]


@pytest.mark.parametrize("code", [None, 4326, 4490, 3857, 4497, 4508, 4526, 4547])
def test_crs_is_said_in_the_header_and_turns_the_axes(clerk, parcel_id, code):
    """/req/core/crs84, /req/crs/fc-crs-action, fc-crs-default-value, ogc-crs-header."""
    crs = CRS84 if code is None else f"http://www.opengis.net/def/crs/EPSG/0/{code}"
    for address in (ITEMS.format("parcels"), f"{ITEMS.format('parcels')}/{parcel_id}"):
        plain, turned = clerk.get(address), clerk.get(address, {"crs": crs})
        assert plain["Content-Crs"] == f"<{CRS84}>"
        assert turned["Content-Crs"] == f"<{crs}>"
        one_way, other = (
            (b.get("features") or [b])[0]["geometry"]["coordinates"][0][0]
            for b in (plain.json(), turned.json())
        )
        assert other == pytest.approx(in_crs(one_way, crs), abs=1e-3 if code else 0)


def test_every_reference_system_offered_can_be_asked_for(clerk):
    """/req/crs/fc-md-crs-list. The zones of CGCS2000 have north first, with a zone number of two digits or without."""
    assert len(CRS) == 3 + 1 + 64
    for crs in CRS[3:]:
        answer = clerk.get(ITEMS.format("parcels"), {"crs": crs, "limit": 1})
        assert answer.status_code == 200
        first, second = answer.json()["features"][0]["geometry"]["coordinates"][0][0]
        assert crs.endswith("3857") or 3e6 < first < 4e6 or abs(first - 3e6) < 1e6, (crs, first, second)


@pytest.mark.parametrize("code", [3857, 4526, 4547])
def test_bbox_in_the_plane_finds_what_meets_it(admin, code):
    """/req/crs/bbox-crs-action: the box is a box in its own plane, not in degrees."""
    crs = f"http://www.opengis.net/def/crs/EPSG/0/{code}"
    drawn = rows("SELECT parcel_id, geometry FROM shapes ORDER BY parcel_id")
    onto = pyproj.Transformer.from_crs(4490, code, always_xy=True)
    shapes = [shapely.from_wkb(bytes(r["geometry"])) for r in drawn]
    plane = [shapely.transform(s, onto.transform, interleaved=False) for s in shapes]
    centre = plane[0].centroid
    for size in (30, 180, 900):
        box = shapely.box(centre.x - size, centre.y - size, centre.x + size, centre.y + size)
        want = {r["parcel_id"] for r, s in zip(drawn, plane, strict=True) if s.intersects(box)}
        x0, y0, x1, y1 = box.bounds
        numbers = (x0, y0, x1, y1) if code == 3857 else (y0, x0, y1, x1)
        asked = {"bbox": ",".join(map(str, numbers)), "bbox-crs": crs, "limit": 9999}
        got = admin.get(ITEMS.format("parcels"), asked).json()["features"]
        assert {f["id"] for f in got if f["geometry"]} == want
        assert want
    world = {"bbox": "-9e9,-9e9,9e9,9e9", "bbox-crs": crs, "limit": 9999}
    nowhere = {"bbox": "8e9,8e9,9e9,9e9", "bbox-crs": crs, "limit": 9999}
    for asked, number in ((world, len(drawn)), (nowhere, 0)):
        got = admin.get(ITEMS.format("parcels"), asked).json()["features"]
        assert sum(f["geometry"] is not None for f in got) == number


def test_conflicts_touch_ones_own_land_and_name_no_other(as_, cast):
    holder = cast["company"].scopes.get().value
    own = {r["parcel_id"] for r in rows("SELECT parcel_id FROM parcels WHERE holder_uscc = ?", (holder,))}
    every = rows("SELECT parcel_id, other_id FROM conflicts")
    want = [r for r in every if {r["parcel_id"], r["other_id"]} & own]
    body = as_("company").get(ITEMS.format("conflicts"), {"limit": 9999}).json()
    assert body["numberMatched"] == len(want)
    named = {f["properties"][k] for f in body["features"] for k in ("parcel_id", "other_id")}
    assert named <= own | {None}
    foreign = {i for r in want for i in (r["parcel_id"], r["other_id"])} - own
    for column in ("parcel_id", "other_id"):
        for each in foreign:  # nor does asking for it tell that it is there
            asked = {column: each}
            assert as_("company").get(ITEMS.format("conflicts"), asked).json()["numberMatched"] == 0
    assert foreign
    assert as_("nowhere").get(ITEMS.format("conflicts")).json()["numberMatched"] == 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("way", ["basic", "bearer"])
def test_gdal_reads_ones_own_land_by_token(live_server, cast, way):
    """GDAL's OAPIF driver, as QGIS and ogr2ogr use it: pages, bbox and a pushed-down attribute filter."""
    key = accounts.make_token(cast["clerk"], "gdal")
    options = {
        "basic": {"GDAL_HTTP_USERPWD": f"any:{key}", "GDAL_HTTP_AUTH": "BASIC"},
        "bearer": {"GDAL_HTTP_BEARER": key, "GDAL_HTTP_AUTH": "BEARER"},
    }[way]
    address = f"OAPIF:{live_server.url}/ogc/"
    mine = rows("SELECT parcel_id, tenure, xmin, ymin, xmax, ymax FROM parcels WHERE division = '430112'")
    pyogrio.set_gdal_config_options(options)
    try:
        assert {"parcels", "findings", "conflicts"} <= set(pyogrio.list_layers(address)[:, 0])
        information = pyogrio.read_info(address, layer="parcels")
        _meta, found = pyogrio.raw.read_arrow(address, layer="parcels", PAGE_SIZE="7")
        assert re.search(r"4490|4326|CRS84", str(information["crs"]))
        assert set(found["parcel_id"].to_pylist()) == {r["parcel_id"] for r in mine}
        box = (mine[0]["xmin"], mine[0]["ymin"], mine[0]["xmax"], mine[0]["ymax"])
        near = pyogrio.raw.read_arrow(address, layer="parcels", bbox=box)[1]["parcel_id"].to_pylist()
        assert mine[0]["parcel_id"] in near
        assert len(near) < len(mine)
        some = pyogrio.raw.read_arrow(address, layer="parcels", where="tenure = 'leased'")[1]
        assert set(some["parcel_id"].to_pylist()) == {r["parcel_id"] for r in mine if r["tenure"] == "leased"}
    finally:
        pyogrio.set_gdal_config_options(dict.fromkeys(options))


def test_a_token_that_is_not_one_opens_nothing(db):
    for head in ("Bearer x", "Basic eDp5", "Basic %%%", "Basic", "Digest x", ""):
        answer = Client().get("/ogc/", headers={"Authorization": head})
        assert answer.status_code == 401
        assert "Basic" in answer["WWW-Authenticate"]
