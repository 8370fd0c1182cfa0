import pyarrow as pa
import pytest
from space_data import box, parcels

from panhuo.inventory.siting import SitingRules, siting

RULES = SitingRules(
    area_min_m2=10_000,
    slope_max_deg=15,
    homes_min_m=500,
    water_min_m=200,
    roads_max_m=300,
    avoid=("permanent_farmland", "red_line"),
)


def layer(*shapes) -> pa.Table:
    return parcels(*shapes).select(["geometry"])


def around(**more) -> dict[str, pa.Table]:
    """Homes 600 m east of the first candidate, water to the south, a road to the west, farmland to the north."""
    return {
        "homes": layer(box(700, 0, 750, 50)),
        "water": layer(box(-1000, -400, 1000, -300)),
        "roads": layer(box(-60, -200, -50, 2000)),
        "permanent_farmland": layer(box(-500, 300, 500, 600), box(-500, 350, 500, 700)),
        "red_line": layer(box(5000, 5000, 5100, 5100)),
        **more,
    }


def screen(*shapes, layers=None, slope=None) -> tuple[dict, dict, list]:
    slopes = pa.array(slope or [5.0] * len(shapes), pa.float64())
    result, problems = siting(parcels(*shapes, slope_mean_deg=slopes), layers or around(), RULES)
    tests = {(r["parcel_id"], r["test"]): r for r in result.tests.to_pylist()}
    return {r["parcel_id"]: r for r in result.screen.to_pylist()}, tests, problems


def test_good_ground_passes_with_its_figures() -> None:
    rows, tests, problems = screen(box(0, 0, 100, 101))
    assert problems == []
    assert (rows["p0"]["status"], rows["p0"]["rank"]) == ("pass", 1)
    assert tests["p0", "homes"]["value"] == pytest.approx(600, abs=0.01)
    assert tests["p0", "water"]["value"] == pytest.approx(300, abs=0.01)
    assert tests["p0", "roads"]["value"] == pytest.approx(50, abs=0.01)
    assert tests["p0", "off_permanent_farmland"]["value"] == 0


@pytest.mark.parametrize(
    ("shape", "slope", "failed"),
    [
        (box(0, 0, 100, 99), 5.0, "area"),
        (box(0, 0, 100, 100.1), 15.1, "slope"),
        (box(101, 0, 201, 100.1), 5.0, "homes"),
        (box(0, -101, 100, 0), 5.0, "water"),
        (box(0, 200, 100, 310), 5.0, "off_permanent_farmland"),
        (box(-500, 0, -361, 100), 5.0, "roads"),
    ],
)
def test_each_test_fails_alone_just_beyond_its_bound(shape, slope: float, failed: str) -> None:
    rows, tests, _ = screen(shape, slope=[slope])
    assert rows["p0"]["failed"] == failed
    assert rows["p0"]["status"] == "fail"
    if failed == "off_permanent_farmland":
        assert tests["p0", failed]["value"] == pytest.approx(
            1000, abs=0.01
        )  # two overlapping fields count once


def test_a_missing_layer_or_slope_is_unknown_not_passed() -> None:
    layers = around()
    del layers["red_line"], layers["homes"]
    rows, _, problems = screen(box(0, 0, 100, 101), layers=layers, slope=[None])
    assert rows["p0"]["status"] == "unknown"
    assert set(rows["p0"]["unknown"].split(", ")) == {"off_red_line", "homes", "slope"}
    assert [p.field for p in problems] == ["homes", "red_line"]


def test_passes_come_before_unknowns_before_failures_by_margin() -> None:
    shapes = [box(0, 0, 50, 50), box(0, 0, 100, 101), box(0, 0, 150, 150), box(0, 0, 120, 120)]
    rows, _, _ = screen(*shapes, slope=[5.0, 5.0, 5.0, None])
    order = sorted(rows, key=lambda p: rows[p]["rank"])
    assert order == ["p2", "p1", "p3", "p0"]


def test_an_outline_that_is_not_there_is_unknown() -> None:
    result, problems = siting(parcels(box(0, 0, 100, 101), None), around(), RULES)
    status = {r["parcel_id"]: r["status"] for r in result.screen.to_pylist()}
    assert status["p1"] == "unknown"
    assert [p.type for p in problems] == ["geometry_empty"]
