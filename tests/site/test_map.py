"""The map page: search, selection by area, imagery, all through the same gate; a selection is exactly a list."""

import numpy as np
import pytest
import rasterio
import shapely
from rasterio.io import MemoryFile
from rasterio.transform import from_bounds

from panhuo.site.gate import Scope
from panhuo.site.maps.archives import ahead, has_conflicts
from panhuo.site.palette import SCALES
from panhuo.site.shelf import rows, shelf
from panhuo.workspace.store import try_lock

TRIANGLE = "112.800,28.360;112.812,28.360;112.806,28.372"


def meeting(text, division=""):
    """Parcels that meet the polygon, one by one."""
    shape = shapely.make_valid(shapely.Polygon([tuple(map(float, c.split(","))) for c in text.split(";")]))
    held = rows("SELECT p.parcel_id, division, geometry FROM parcels p JOIN shapes USING (parcel_id)")
    return {
        r["parcel_id"]
        for r in held
        if r["division"].startswith(division) and shape.intersects(shapely.from_wkb(bytes(r["geometry"])))
    }


def test_a_polygon_selects_exactly_the_parcels_it_meets(as_):
    client = as_("clerk")
    held = client.get("/map/selected/", {"area": TRIANGLE}).json()
    assert set(held["ids"]) == meeting(TRIANGLE) != set()
    assert held["n"] < client.get("/map/selected/").json()["n"]
    listed = client.get(f"{held['list']}&size=200")
    assert listed.context["total"]["n"] == held["n"]
    exported = client.get(f"{held['files']['xlsx'].replace('.xlsx', '.csv')}").getvalue().decode("utf-8-sig")
    assert len(exported.splitlines()) - 1 == held["n"]


@pytest.mark.parametrize(
    "area", ["", "112,28", "112,28;113,28", "a,b;c,d;e,f", "1;2;3", "1,1;1,1;1,1", "1,2,3;4,5,6;7,8,9"]
)
def test_an_area_that_is_none_is_refused_and_widens_nothing(as_, area):
    answer = as_("clerk").get("/map/selected/", {"area": area})
    if area:
        assert answer.status_code == 400
        assert "500" in answer.json()["fault"]
        assert as_("clerk").get("/ledger/parcels/", {"area": area}).status_code == 400


def test_selection_and_search_keep_to_ones_own_land(as_):
    wide = "110,26;114,26;114,30;110,30"
    assert set(as_("admin").get("/map/selected/", {"area": wide}).json()["ids"]) == meeting(wide)
    assert set(as_("clerk").get("/map/selected/", {"area": wide}).json()["ids"]) == meeting(wide, "430112")
    name = rows("SELECT name FROM parcels WHERE division = '430112' LIMIT 1")[0]["name"]
    assert as_("clerk").get("/map/find/", {"q": name}).json()["found"]
    assert all(
        f["id"].startswith("430424")
        for f in as_("far_clerk").get("/map/find/", {"q": "号地"}).json()["found"]
    )
    assert as_("public").get("/map/find/", {"q": name}).status_code == 403
    assert as_(None).get("/map/selected/").status_code == 302


@pytest.mark.parametrize(
    ("q", "lon"), [("112.9, 28.2", 112.9), ("28.2，112.9", 112.9), ("112.9 28.2", 112.9)]
)
def test_coordinates_are_found_in_either_order(as_, q, lon):
    assert as_("clerk").get("/map/find/", {"q": q}).json()["found"][0]["bounds"][0] == lon


def test_a_division_is_found_by_name(as_):
    found = as_("admin").get("/map/find/", {"q": "望城"}).json()["found"]
    assert found[0]["label"] == "长沙市望城区"


def test_legend_counts_are_those_of_the_lists_behind(as_):
    client = as_("clerk")
    schemes = client.get("/map/").context["setup"]["schemes"]
    assert {"finding", "severity", "stage", "tier"} <= set(schemes)
    for scheme in schemes.values():
        for _, _, _, count, link in scheme["values"]:
            assert client.get(link).context["total"]["n"] == count
    assert [v[0] for v in schemes["severity"]["values"]] == [
        s for s in SCALES["severity"] if s in {v[0] for v in schemes["severity"]["values"]}
    ]


@pytest.fixture
def imagery():
    folder = shelf().workspace.root / "imagery"
    folder.mkdir(exist_ok=True)
    path = folder / "2024年.tif"
    bands = np.full((3, 64, 64), 200, "uint8")
    with rasterio.open(
        path, "w", driver="GTiff", width=64, height=64, count=3, dtype="uint8", crs="EPSG:4490",
        transform=from_bounds(112.80, 28.36, 112.82, 28.38, 64, 64),
    ) as target:  # fmt: skip
        target.write(bands)
    (folder / "notes.tif").write_text("no picture")
    yield
    for left in folder.iterdir():
        left.unlink()


def tile_of(lon, lat, z):
    y = (1 - np.arcsinh(np.tan(np.radians(lat))) / np.pi) / 2 * 2**z
    return int((lon + 180) / 360 * 2**z), int(y)


def test_imagery_of_the_workspace_is_laid_under_the_map(as_, imagery):
    client = as_("clerk")
    assert [p["name"] for p in client.get("/map/").context["setup"]["imagery"]] == ["2024年"]
    x, y = tile_of(112.81, 28.37, 15)
    with MemoryFile(client.get(f"/imagery/2024年/15/{x}/{y}.png").content) as memory, memory.open() as tile:
        assert tile.shape == (256, 256)
        assert (tile.read()[:, 128, 128] == [200, 200, 200, 255]).all()
    with (
        MemoryFile(client.get(f"/imagery/2024年/15/{x + 9}/{y}.png").content) as memory,
        memory.open() as tile,
    ):
        assert not tile.read(4).any()
    for path in (f"/imagery/other/15/{x}/{y}.png", "/imagery/2024年/2/9/0.png", "/imagery/notes/1/0/0.png"):
        assert client.get(path).status_code == 404
    assert as_("public").get(f"/imagery/2024年/15/{x}/{y}.png").status_code == 403


def test_an_archive_that_another_is_making_is_not_waited_for(as_):
    client = as_("clerk")
    assert client.get("/tiles/d-430112.pmtiles").status_code == 200
    (path,) = shelf().workspace.root.glob("tiles/*/d-430112.pmtiles")
    path.unlink()
    with path.with_name(".d-430112.lock").open("a+b") as stream:
        assert try_lock(stream)
        answer = client.get("/tiles/d-430112.pmtiles")
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "3")
        assert as_("far_clerk").get("/tiles/d-430112.pmtiles").status_code == 404
        # Where there is one of the data before, it is shown meanwhile and told from the new one.
        older = path.parent.with_name("before") / path.name
        older.parent.mkdir()
        older.write_bytes(b"older")
        answer = client.get("/tiles/d-430112.pmtiles", headers={"Range": "bytes=0-4"})
        assert (answer.status_code, answer.content, answer.headers["X-Older"]) == (206, b"older", "1")
        assert as_("far_clerk").get("/tiles/d-430112.pmtiles").status_code == 404
    answer = client.get("/tiles/d-430112.pmtiles")
    assert answer.status_code == 200
    assert "X-Older" not in answer.headers
    assert not older.exists()


def test_conflicts_are_offered_of_either_partys_land_alone():
    """Whether a conflict is drawn, of every land there is, told by the join that `has_conflicts` does without."""
    clash = "conflicts c JOIN parcels p ON p.parcel_id IN (c.parcel_id, c.other_id)"
    held = {}
    for field in ("division", "holder_uscc"):
        drawn = rows(f"SELECT DISTINCT {field} AS id FROM {clash} WHERE c.geometry IS NOT NULL")
        known = rows(f"SELECT DISTINCT {field} AS id FROM parcels WHERE {field} IS NOT NULL")
        for land in known:
            scope = Scope((land["id"],)) if field == "division" else Scope((), (land["id"],))
            held[land["id"]] = has_conflicts(scope)
            assert held[land["id"]] == (land in drawn)
    assert True in held.values()
    assert has_conflicts(Scope(("",)))
    for nobodys in (Scope(), Scope(("99",)), Scope((), ("91430100MA4L000000",))):
        assert not has_conflicts(nobodys)


def test_archives_of_everybodys_land_are_made_ahead(cast):
    ahead()
    held = {path.stem for path in shelf().workspace.root.glob("tiles/*/*.pmtiles")}
    assert {"d-all", "d-4301", "d-43", "d-430112", "d-430424", "conflicts-d-430112"} <= held


@pytest.mark.parametrize(
    "area",
    [
        "112.79,28.35;113.2,28.35;113.2,28.40;112.79,28.40",
        "112.80,28.36;112.81,28.37;112.80,28.37;112.81,28.36",  # crosses itself
        "112.80,28.36;112.83,28.3601;112.80,28.3602",  # thinner than a parcel
        "112.80,28.36;112.82,28.36;112.82,28.38;112.81,28.362;112.80,28.38",  # hollow
        "111,27;114,27;114,30;112.806,28.366;111,30",  # far larger than the land
    ],
)
def test_whatever_is_drawn_what_meets_it_is_selected(as_, area):
    assert set(as_("admin").get("/map/selected/", {"area": area}).json()["ids"]) == meeting(area)
