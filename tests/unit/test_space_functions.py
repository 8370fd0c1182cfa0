from datetime import date

import numpy as np
import pyarrow as pa
import pytest
import shapely
from space_data import EAST, NORTH, ZONE, wkb_table

from panhuo.core.problems import PanhuoError
from panhuo.inventory.function_plan import Function, FunctionPlan, function_plan, functions
from panhuo.inventory.geometry import to_lonlat
from panhuo.inventory.walk import Streets, planar_points, reach, streets
from panhuo.rulebook.book import Rulebook

BLOCK, BLOCKS = 250.0, 24


def lonlat(xy: np.ndarray) -> dict:
    moved = to_lonlat(shapely.points(xy + np.array([EAST, NORTH])), ZONE)
    return {"lon": shapely.get_x(moved), "lat": shapely.get_y(moved)}


def grid_streets(blocks: int = BLOCKS) -> Streets:
    far = BLOCK * blocks
    lines = [shapely.LineString([(i * BLOCK, 0), (i * BLOCK, far)]) for i in range(blocks + 1)]
    lines += [shapely.LineString([(0, i * BLOCK), (far, i * BLOCK)]) for i in range(blocks + 1)]
    moved = shapely.transform(np.array(lines, object), lambda xy: xy + np.array([EAST, NORTH]))
    return streets(wkb_table(to_lonlat(moved, ZONE)))


def town(people: float = 400.0, sites: int = 237, seed: int = 5) -> tuple[dict, Streets]:
    """237 spaces in a made-up town of streets on a grid: the case publishes counts, not places."""
    rng = np.random.default_rng(seed)
    far = BLOCK * BLOCKS
    at = rng.integers(0, BLOCKS, (sites, 2)) * BLOCK + np.column_stack(
        [np.zeros(sites), rng.uniform(0, BLOCK, sites)]
    )
    homes = np.stack(np.meshgrid(np.arange(0, far, BLOCK), np.arange(0, far, BLOCK)), -1).reshape(-1, 2) + 20
    kept = np.array([None] * sites, object)
    kept[:60] = "traffic"
    table = {
        "site_id": [f"b{i:03d}" for i in range(sites)],
        "area_m2": rng.uniform(200, 4000, sites),
        "clear_height_m": rng.choice([2.0, 3.0, 4.5, 6.0], sites),
        "kept_function": kept.tolist(),
        **lonlat(at),
    }
    population = pa.table(
        {"people": np.full(len(homes), people) * rng.uniform(0.2, 1.8, len(homes)), **lonlat(homes)}
    )
    municipal = pa.table({"amount_m2": np.full(40, 600.0), **lonlat(rng.uniform(0, far, (40, 2)))})
    traffic = pa.table({"amount_m2": np.full(20, 900.0), **lonlat(rng.uniform(0, far, (20, 2)))})
    courts = pa.table({"amount_m2": np.full(30, 800.0), **lonlat(rng.uniform(0, far, (30, 2)))})
    return {
        "sites": pa.table(table),
        "population": population,
        "needs": {"municipal": municipal, "traffic": traffic},
        "supply": {"sports_park": courts},
    }, grid_streets()


def planned(data: dict, network: Streets, walk_m: float = 1005.0) -> tuple[FunctionPlan, list]:
    offered = functions(Rulebook.load().parameter("walk.functions", date(2025, 1, 1)).value)
    return function_plan(data.pop("sites"), network, offered, **data, walk_m=walk_m, door_m=150)


def test_every_space_has_one_main_function_and_the_totals_are_theirs() -> None:
    data, network = town()
    area = np.sum(data["sites"]["area_m2"].to_numpy())
    result, problems = planned(data, network)
    assert problems == []
    totals = {r["function"]: r["sites"] for r in result.totals.to_pylist()}
    assert sum(totals.values()) == 237
    assert set(totals) >= {"municipal", "traffic", "sports_park", "parking", "green"}
    rows = result.plan.to_pylist()
    assert sum(r["is_main"] for r in rows) == 237
    assert all(r["reason"] for r in rows)
    assert sum(r["area_m2"] for r in rows) <= area + 1e-6
    shared = [r["site_id"] for r in rows]
    assert len(shared) > len(set(shared))  # some spaces carry several functions


def test_the_plan_follows_the_need() -> None:
    few, _ = planned(*town(people=40))
    many, _ = planned(*town(people=800))
    area = [{r["function"]: r["area_m2"] for r in p.totals.to_pylist()} for p in (few, many)]
    assert area[1]["sports_park"] > area[0].get("sports_park", 0)
    assert area[1]["green"] + area[1]["parking"] > area[0].get("green", 0) + area[0].get("parking", 0)
    assert area[1]["municipal"] == pytest.approx(area[0]["municipal"])  # first served, and not by head


def test_no_more_is_planned_than_is_needed() -> None:
    data, network = town(people=60)
    need = 0.3 * np.sum(data["population"]["people"].to_numpy())
    result, _ = planned(data, network)
    met = {r["function"]: r["area_m2"] for r in result.totals.to_pylist()}
    assert met["sports_park"] <= need
    assert met["municipal"] <= 40 * 600


def one(**site) -> dict:
    base = {
        "site_id": ["a"],
        "area_m2": [1000.0],
        "clear_height_m": [5.0],
        **lonlat(np.array([[500.0, 510.0]])),
    }
    return {**base, **site}


def plan_one(site: dict, homes: list, offered: list[Function], **more) -> tuple[list[dict], list]:
    people = pa.table({"people": [1000.0] * len(homes), **lonlat(np.array(homes, float))})
    result, problems = function_plan(
        pa.table(site),
        grid_streets(8),
        offered,
        population=people,
        needs={},
        supply=more.pop("supply", {}),
        walk_m=1000,
        door_m=100,
        **more,
    )
    return result.plan.to_pylist(), problems


COURT = Function("court", 1, 200, height_min_m=3.5, m2_per_person=0.5)


@pytest.mark.parametrize(("home", "function"), [((1000, 1000), "other"), ((1000, 740), "court")])
def test_the_walk_goes_along_the_streets(home: tuple, function: str) -> None:
    # (1000, 1000) is 700 m off as the crow flies and 1,000 m on foot, with the steps to the doors too far.
    rows, _ = plan_one(one(), [home], [COURT])
    assert rows[0]["function"] == function


@pytest.mark.parametrize(("height", "function"), [(3.5, "court"), (3.4, "other"), (None, "other")])
def test_clear_height_is_met_or_not_known(height: float | None, function: str) -> None:
    rows, _ = plan_one(one(clear_height_m=pa.array([height], pa.float64())), [(500, 600)], [COURT])
    assert rows[0]["function"] == function


@pytest.mark.parametrize(("supplied", "function"), [(300.0, "court"), (301.0, "other")])
def test_what_exists_is_counted_first(supplied: float, function: str) -> None:
    supply = {"court": pa.table({"amount_m2": [supplied], **lonlat(np.array([[500.0, 300.0]]))})}
    rows, _ = plan_one(one(), [(500, 600)], [COURT], supply=supply)
    assert rows[0]["function"] == function


def test_a_space_off_the_streets_and_one_without_size_are_problems() -> None:
    rows, problems = plan_one(one(**lonlat(np.array([[9000.0, 9000.0]]))), [(500, 600)], [COURT])
    assert (rows[0]["function"], [p.type for p in problems]) == ("other", ["no_street"])
    rows, problems = plan_one(one(area_m2=pa.array([None], pa.float64())), [(500, 600)], [COURT])
    assert (rows[0]["area_m2"], [p.type for p in problems]) == (None, ["required_missing"])


def test_need_nobody_gave_is_refused() -> None:
    with pytest.raises(PanhuoError, match="need"):
        plan_one(one(), [(500, 600)], [Function("market", 1, 10)])


def test_a_layer_without_lines_is_no_network() -> None:
    with pytest.raises(PanhuoError, match="no lines"):
        streets(wkb_table(shapely.points([(112.9, 28.2)])))


def test_reach_measures_the_way() -> None:
    network = grid_streets(4)
    a, b = (
        planar_points(pa.table(lonlat(np.array([p]))), network.zone) for p in ([0.0, 10.0], [500.0, 240.0])
    )
    found = reach(network, a, b, 2000, 100)
    assert found.metres[0] == pytest.approx(10 + 500 + 250 + 10, abs=3)
