import numpy as np
import pyarrow as pa
import pytest

from panhuo.core.problems import PanhuoError
from panhuo.core.units import m2_to_mu, mu_to_m2
from panhuo.plan.shared_plant import Terms, saved_by_firm, sensitivity, shared_plant

STEAM = Terms(0.05, 20, 0.9, 0.12, 3000, 1.3, energy_saved_share=0.3)
WATER = Terms(0.05, 20, 1.0, 0.06, 3000, 1.3)


def firms(loads: list[float], yearly: float, land_mu: float, **columns) -> pa.Table:
    """Firms about a small park; the case gives counts and totals, the places and single loads are made up."""
    angle = np.linspace(0, 2 * np.pi, len(loads), endpoint=False)
    table = {
        "firm_id": [f"f{i + 1}" for i in range(len(loads))],
        "lon": 112.60 + 0.006 * np.cos(angle),
        "lat": 29.15 + 0.005 * np.sin(angle),
        "load": loads,
        "yearly_wan": [yearly * x for x in loads],
        "land_m2": [mu_to_m2(land_mu)] * len(loads),
        "must_replace": [True] * len(loads),
    }
    return pa.table({**table, **columns})


SITES = pa.table(
    {"site_id": ["s1", "s2", "s3"], "lon": [112.60, 112.607, 112.592], "lat": [29.15, 29.15, 29.153]}
)


def sizes(capacities: list[float], invest: float, unit: float) -> pa.Table:
    c = np.array(capacities, float)
    return pa.table(
        {
            "capacity": c,
            "invest_wan": invest * c**0.7,
            "fixed_wan": 0.03 * invest * c**0.7,
            "unit_wan": np.full(len(c), unit),
            "land_m2": 400 * c**0.5,
        }
    )


BOILERS = firms([2.0, 2.0, 1.5, 2.0, 1.0, 1.5, 2.0, 1.0], 220.0, 1.2, energy_tce=[500.0] * 8)
BOILER_SIZES = sizes([4, 6, 8, 10, 12, 15, 20], 150, 110)
TREATMENT = firms([600.0, 450.0, 400.0, 300.0, 200.0], 0.85, 1.5)
TREATMENT_SIZES = sizes([500, 1000, 2000, 3000], 8, 0.3)


def test_eight_boilers_become_one_of_12_and_five_plants_one_of_2000() -> None:
    heat = shared_plant(BOILERS, SITES, BOILER_SIZES, STEAM)
    assert heat.plants["capacity"].to_pylist() == [12]
    assert heat.plants["firms"].to_pylist() == [8]
    assert heat.plants["peak"].to_pylist()[0] == pytest.approx(0.9 * 13)
    water = shared_plant(TREATMENT, SITES, TREATMENT_SIZES, WATER)
    assert water.plants["capacity"].to_pylist() == [2000]
    assert water.plants["firms"].to_pylist() == [5]
    both = saved_by_firm({"heat": heat, "water": water}).to_pylist()
    assert [round(m2_to_mu(r["land_freed_m2"]), 6) for r in both] == [2.7] * 5 + [1.2] * 3
    assert heat.saved_wan > 0
    assert water.saved_wan > 0
    assert sum(r["saved_wan"] for r in both) == pytest.approx(heat.saved_wan + water.saved_wan)
    assert heat.firms["energy_saved_tce"].to_pylist() == pytest.approx([150.0] * 8)


def test_the_optimum_is_that_of_trying_everything() -> None:
    few, places = BOILERS.slice(0, 4), SITES.slice(0, 2)
    plan = shared_plant(few, places, BOILER_SIZES, STEAM)
    costs = []
    for choice in np.ndindex(3, 3, 3, 3):  # site 0, site 1, or its own
        table = few.set_column(6, "must_replace", pa.array([False] * 4))
        assert table.num_rows == 4
        total = sum(c for c, s in zip(few["yearly_wan"].to_pylist(), choice, strict=True) if s == 2)
        for site in range(2):
            members = [i for i in range(4) if choice[i] == site]
            if members:
                part = shared_plant(few.take(members), places.slice(site, 1), BOILER_SIZES, STEAM)
                total += part.cost_after_wan
        costs.append(total)
    free = shared_plant(few.set_column(6, "must_replace", pa.array([False] * 4)), places, BOILER_SIZES, STEAM)
    assert free.cost_after_wan == pytest.approx(min(costs))
    assert plan.cost_after_wan >= free.cost_after_wan - 1e-6


def test_a_far_firm_keeps_its_own_unless_it_must_go() -> None:
    far = pa.concat_tables([BOILERS, firms([2.0], 220.0, 1.2, energy_tce=[500.0])])
    lon = [*BOILERS["lon"].to_pylist(), 112.80]
    far = far.set_column(1, "lon", pa.array(lon)).set_column(
        0, "firm_id", pa.array([f"f{i}" for i in range(9)])
    )
    spared = far.set_column(6, "must_replace", pa.array([True] * 8 + [False]))
    plan = shared_plant(spared, SITES, BOILER_SIZES, STEAM)
    assert plan.firms["site_id"].to_pylist()[8] is None
    assert plan.firms["land_freed_m2"].to_pylist()[8] == 0
    with pytest.raises(PanhuoError, match="no shared plant"):
        shared_plant(far, SITES, BOILER_SIZES, STEAM)


def test_unknown_loads_are_refused_not_taken_as_zero() -> None:
    gap = BOILERS.set_column(3, "load", pa.array([None, *[1.0] * 7]))
    with pytest.raises(PanhuoError, match=r"firms\.load"):
        shared_plant(gap, SITES, BOILER_SIZES, STEAM)
    with pytest.raises(PanhuoError, match="capacity"):
        shared_plant(BOILERS, SITES, BOILER_SIZES.drop_columns(["capacity"]), STEAM)


def test_sensitivity_shows_each_input_moved() -> None:
    table = sensitivity(BOILERS, SITES, BOILER_SIZES, STEAM).to_pylist()
    assert len(table) == 9
    load = {r["scale"]: r for r in table if r["input"] == "load"}
    assert load[1.2]["capacity"] > load[0.8]["capacity"]
    pipe = {r["scale"]: r for r in table if r["input"] == "pipe_wan_per_m"}
    assert pipe[0.8]["saved_wan"] > pipe[1.2]["saved_wan"]
