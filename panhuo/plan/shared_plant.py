"""Shared plants in place of scattered ones: where, how large, who joins, at least yearly cost.

A facility-location problem for one service at a time (steam, waste water), solved by HiGHS:
least  Σ plants (annuity of investment + fixed cost + running cost of their load)
       + Σ joins (annuity of the pipe) + Σ firms that stay (their present cost)
so that every firm either joins one plant within reach or keeps its own, firms whose plant must go join, and
the peak of those who join (their loads × simultaneity) stays within the size built.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import highspy
import numpy as np
import pyarrow as pa
import pyproj
from numpy.typing import NDArray

from panhuo.core.problems import PanhuoError

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
HALF: Final = 0.5

PLANTS_SCHEMA: Final = pa.schema(
    [
        ("site_id", pa.string()),
        ("capacity", pa.float64()),
        ("peak", pa.float64()),
        ("firms", pa.int64()),
        ("invest_wan", pa.float64()),
        ("pipe_m", pa.float64()),
        ("land_m2", pa.float64()),
    ]
)
FIRMS_SCHEMA: Final = pa.schema(
    [
        ("firm_id", pa.string()),
        ("site_id", pa.string()),
        ("pipe_m", pa.float64()),
        ("land_freed_m2", pa.float64()),
        ("energy_saved_tce", pa.float64()),
        ("cost_before_wan", pa.float64()),
        ("cost_after_wan", pa.float64()),
        ("saved_wan", pa.float64()),
    ]
)


@dataclass(frozen=True, slots=True)
class Terms:
    """What the model assumes. rate: yearly interest [1]; years: life of plant and pipe; simultaneity:
    joint peak over the sum of peaks [1]; pipe_wan_per_m [万元/m]; pipe_max_m: farthest a firm may lie
    [m]; detour: pipe over straight line [1]; energy_saved_share: energy a joining firm saves [1], None
    unknown."""

    rate: float
    years: int
    simultaneity: float
    pipe_wan_per_m: float
    pipe_max_m: float
    detour: float
    energy_saved_share: float | None = None

    @property
    def annuity(self) -> float:
        """Yearly payment for an investment of 1."""
        return self.rate / (1 - (1 + self.rate) ** -self.years) if self.rate > 0 else 1 / self.years


@dataclass(frozen=True, slots=True)
class SharedPlan:
    """plants: PLANTS_SCHEMA; firms: FIRMS_SCHEMA, every firm (`site_id` NULL: keeps its own); costs a
    year."""

    plants: pa.Table
    firms: pa.Table
    cost_before_wan: float
    cost_after_wan: float

    @property
    def saved_wan(self) -> float:
        """What all firms and plants together save in a year [万元]."""
        return self.cost_before_wan - self.cost_after_wan


def shared_plant(firms: pa.Table, sites: pa.Table, sizes: pa.Table, terms: Terms) -> SharedPlan:
    """The least-cost shared plants for one service.

    firms: firm_id, lon, lat, load (peak, in the service's unit), yearly_wan (present cost, all in),
    land_m2 (of its own plant), must_replace, and if known energy_tce; sites: site_id, lon, lat; sizes:
    capacity, invest_wan, fixed_wan (a year), unit_wan (a year per unit of load), land_m2. Raises
    PanhuoError when a firm that must join cannot be reached or held, or a figure is missing: nothing is
    taken as zero.
    """
    need = _numbers(firms, ("lon", "lat", "load", "yearly_wan", "land_m2"), "firms")
    place = _numbers(sites, ("lon", "lat"), "sites")
    size = _numbers(sizes, ("capacity", "invest_wan", "fixed_wan", "unit_wan", "land_m2"), "sizes")
    must = np.array(firms.column("must_replace").to_pylist(), bool)
    pipe = _pipes(need, place, terms.detour)
    case = _Case(need, size, must, pipe, terms)
    built, joins = _Model(case).solve()
    return _told(firms, sites, case, built, joins)


def sensitivity(
    firms: pa.Table,
    sites: pa.Table,
    sizes: pa.Table,
    terms: Terms,
    scales: tuple[float, ...] = (0.8, 1.0, 1.2),
) -> pa.Table:
    """How the plan moves with loads, pipe price and plant price: input, scale, plants, capacity,
    saved_wan."""

    def loads(scale: float) -> SharedPlan:
        moved = {"load": scale, "yearly_wan": scale}
        return shared_plant(_scaled(firms, moved), sites, sizes, terms)

    def pipes(scale: float) -> SharedPlan:
        return shared_plant(firms, sites, sizes, replace(terms, pipe_wan_per_m=terms.pipe_wan_per_m * scale))

    def plants(scale: float) -> SharedPlan:
        return shared_plant(firms, sites, _scaled(sizes, {"invest_wan": scale}), terms)

    rows = []
    for name, run in (("load", loads), ("pipe_wan_per_m", pipes), ("invest_wan", plants)):
        for scale in scales:
            row: dict[str, Any] = {"input": name, "scale": scale}
            try:
                plan = run(scale)
                row |= {"plants": plan.plants.num_rows, "saved_wan": plan.saved_wan}
                row["capacity"] = float(np.sum(plan.plants["capacity"].to_numpy()))
            except PanhuoError as error:
                row["refused"] = error.what
            rows.append(row)
    kinds = [
        ("input", pa.string()),
        ("scale", pa.float64()),
        ("plants", pa.int64()),
        ("capacity", pa.float64()),
    ]
    return pa.Table.from_pylist(
        rows, pa.schema([*kinds, ("saved_wan", pa.float64()), ("refused", pa.string())])
    )


def saved_by_firm(plans: Mapping[str, SharedPlan]) -> pa.Table:
    """Over several services: firm_id, services joined, land_freed_m2, saved_wan; firms in order of id."""
    total: dict[str, dict[str, Any]] = {}
    for service, plan in plans.items():
        for row in plan.firms.to_pylist():
            if row["site_id"] is None:
                continue
            mine = total.setdefault(row["firm_id"], {"services": [], "land_freed_m2": 0.0, "saved_wan": 0.0})
            mine["services"].append(service)
            mine["land_freed_m2"] += row["land_freed_m2"]
            mine["saved_wan"] += row["saved_wan"]
    rows = [{"firm_id": f, **v, "services": ", ".join(v["services"])} for f, v in sorted(total.items())]
    kinds = [("firm_id", pa.string()), ("services", pa.string()), ("land_freed_m2", pa.float64())]
    return pa.Table.from_pylist(rows, pa.schema([*kinds, ("saved_wan", pa.float64())]))


@dataclass(frozen=True, slots=True)
class _Case:
    """The figures of one problem: firms' needs, sizes on offer, who must join, metres of pipe (firms ×
    sites)."""

    need: dict[str, Floats]
    size: dict[str, Floats]
    must: Bools
    pipe: Floats
    terms: Terms


class _Model:
    """The program: build[j][s] a plant of size s at site j; join[i][j] firm i on site j; own[i] it stays
    alone; load[j][s] what the plant carries."""

    def __init__(self, case: _Case) -> None:
        need, size, terms = case.need, case.size, case.terms
        self.solver = solver = highspy.Highs()  # type: ignore[no-untyped-call]
        for option, value in (("output_flag", False), ("random_seed", 0), ("mip_rel_gap", 0.0)):
            solver.setOptionValue(option, value)
        firms, sites = range(case.pipe.shape[0]), range(case.pipe.shape[1])
        yearly = size["invest_wan"] * terms.annuity + size["fixed_wan"]
        pipes = terms.pipe_wan_per_m * terms.annuity * case.pipe
        self.build = [[solver.addBinary(obj=float(c)) for c in yearly] for _ in sites]
        self.join = [[solver.addBinary(obj=float(c)) for c in row] for row in pipes]
        own = [solver.addBinary(obj=float(cost)) for cost in need["yearly_wan"]]
        load = [[solver.addVariable(lb=0.0, obj=float(c)) for c in size["unit_wan"]] for _ in sites]
        whole = float(need["load"].sum())
        for i in firms:
            solver.addConstr(sum(self.join[i], own[i]) == 1)
            if case.must[i]:
                solver.addConstr(own[i] <= 0)
            for far in np.flatnonzero(case.pipe[i] > terms.pipe_max_m):
                solver.addConstr(self.join[i][far] <= 0)
        for j in sites:
            joined = sum(float(need["load"][i]) * self.join[i][j] for i in firms)
            room = sum(float(c) * b for c, b in zip(size["capacity"], self.build[j], strict=True))
            solver.addConstr(terms.simultaneity * joined - room <= 0)
            solver.addConstr(sum(self.build[j]) <= 1)
            solver.addConstr(sum(load[j]) - joined == 0)
            for carried, built in zip(load[j], self.build[j], strict=True):
                solver.addConstr(carried - whole * built <= 0)

    def solve(self) -> tuple[Bools, Bools]:
        """Which plants are built (sites × sizes) and who joins (firms × sites)."""
        self.solver.run()
        if self.solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            raise PanhuoError(
                "集中设施无可行方案 no shared plant is possible",
                why="须淘汰自建设施的企业超出管线距离或最大规模 a firm is out of reach or too large",
                remedy="增加候选点、规模档，或放宽管距 add sites or sizes, or allow longer pipes",
            )
        value = np.array(self.solver.getSolution().col_value)
        built = np.array([[value[b.index] > HALF for b in row] for row in self.build])
        joins = np.array([[value[x.index] > HALF for x in row] for row in self.join])
        return built, joins


def _told(firms: pa.Table, sites: pa.Table, case: _Case, built: Bools, joins: Bools) -> SharedPlan:
    need, size, terms, pipe = case.need, case.size, case.terms, case.pipe
    places = sites.column("site_id").to_pylist()
    after = need["yearly_wan"].copy()
    plants = []
    for j, s in np.argwhere(built):
        members = np.flatnonzero(joins[:, j])
        if not len(members):
            continue
        load = need["load"][members]
        # The plant's own cost is shared by load; each firm carries its own pipe.
        yearly = (
            size["invest_wan"][s] * terms.annuity + size["fixed_wan"][s] + size["unit_wan"][s] * load.sum()
        )
        after[members] = yearly * load / load.sum() + terms.pipe_wan_per_m * terms.annuity * pipe[members, j]
        plants.append(
            {
                "site_id": places[j],
                "capacity": size["capacity"][s],
                "peak": terms.simultaneity * load.sum(),
                "firms": len(members),
                "invest_wan": size["invest_wan"][s] + terms.pipe_wan_per_m * pipe[members, j].sum(),
                "pipe_m": pipe[members, j].sum(),
                "land_m2": size["land_m2"][s],
            }
        )
    return SharedPlan(
        pa.Table.from_pylist(plants, schema=PLANTS_SCHEMA),
        _firm_table(firms, places, case, joins, after),
        float(need["yearly_wan"].sum()),
        float(after.sum()),
    )


def _firm_table(firms: pa.Table, places: list[str], case: _Case, joins: Bools, after: Floats) -> pa.Table:
    known = "energy_tce" in firms.column_names
    energy = firms.column("energy_tce").to_pylist() if known else [None] * firms.num_rows
    share = case.terms.energy_saved_share
    rows = []
    for i, name in enumerate(firms.column("firm_id").to_pylist()):
        at = int(joins[i].argmax()) if joins[i].any() else None
        used = energy[i]
        saved = 0.0 if at is None else None if share is None or used is None else share * used
        rows.append(
            {
                "firm_id": name,
                "site_id": None if at is None else places[at],
                "pipe_m": None if at is None else case.pipe[i, at],
                "land_freed_m2": 0.0 if at is None else case.need["land_m2"][i],
                "energy_saved_tce": saved,
                "cost_before_wan": case.need["yearly_wan"][i],
                "cost_after_wan": after[i],
                "saved_wan": case.need["yearly_wan"][i] - after[i],
            }
        )
    return pa.Table.from_pylist(rows, schema=FIRMS_SCHEMA)


def _pipes(need: dict[str, Floats], place: dict[str, Floats], detour: float) -> Floats:
    """Metres of pipe from each firm to each site."""
    lon, lat = (np.repeat(need[k], len(place["lon"])) for k in ("lon", "lat"))
    to_lon, to_lat = (np.tile(place[k], len(need["lon"])) for k in ("lon", "lat"))
    metres = pyproj.Geod(ellps="GRS80").inv(lon, lat, to_lon, to_lat)[2]
    return np.asarray(metres).reshape(len(need["lon"]), len(place["lon"])) * detour


def _numbers(table: pa.Table, names: tuple[str, ...], what: str) -> dict[str, Floats]:
    """The columns as numbers; a missing column or an empty cell is refused by name."""
    found: dict[str, Floats] = {}
    for name in names:
        if name not in table.column_names:
            raise PanhuoError(f"{what} 缺少列 {name} lacks the column", remedy=f"补充 {name} add it")
        column = table.column(name).cast(pa.float64())
        if column.null_count:
            rows = [i + 1 for i, v in enumerate(column.to_pylist()) if v is None]
            raise PanhuoError(
                f"{what}.{name} 有空值 has empty cells",
                where=f"行 rows {rows[:10]}",
                remedy="补录 fill them in",
            )
        found[name] = column.to_numpy(zero_copy_only=False)
        if name not in ("lon", "lat") and (found[name] < 0).any():
            raise PanhuoError(f"{what}.{name} 有负数 has a negative figure", remedy="核对 check it")
    return found


def _scaled(table: pa.Table, by: Mapping[str, float]) -> pa.Table:
    for name, scale in by.items():
        at = table.column_names.index(name)
        column = pa.array(table.column(name).cast(pa.float64()).to_numpy(zero_copy_only=False) * scale)
        table = table.set_column(at, name, column)
    return table
