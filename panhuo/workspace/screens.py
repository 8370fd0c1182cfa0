"""`panhuo land overlay | conflicts | sites | siting | sun | functions`: questions asked of all parcels."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from datetime import date
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from panhuo.core.problems import PanhuoError, Problem
from panhuo.core.units import m2_to_mu
from panhuo.inventory.conflicts import Limits, conflicts
from panhuo.inventory.function_plan import Function, function_plan, functions
from panhuo.inventory.geometry import Floats, column_or_nulls, floats, read_shapes
from panhuo.inventory.neighbours import neighbours
from panhuo.inventory.overlay import AREAS, overlay, prepare_layer
from panhuo.inventory.sites import site_groups, site_indices
from panhuo.inventory.siting import SitingRules, siting
from panhuo.inventory.walk import streets
from panhuo.rulebook import Rulebook
from panhuo.workspace.outputs import checked_output, write_tables
from panhuo.workspace.reshape import held, said
from panhuo.workspace.space import land_law, outlines_of, slope_table
from panhuo.workspace.store import Workspace

UNDER: Final = ("bridge", "viaduct")
LAYERS: Final = "layers/"
GIVE_LAYERS: Final = "先导入 import it first: panhuo import WS FILE --as layers/<kind>"


def overlay_layers(
    ws: Workspace, kinds: Sequence[str] = (), *, by: str = "", output: Path | None = None
) -> dict[str, Any]:
    """Area and share of each parcel under each layer (all that are held by default).

    by: a column of the layers (`code`, `name`, `feature_id`) whose values are laid over one by one. Gives
    {layers: [{layer, parcels, area_m2, slivers}], problems, files}; the rows go to `output`.
    """
    if output is not None:
        checked_output(output)
    parcels = held(ws, "parcels")
    there = [name.removeprefix(LAYERS) for name in ws.dataset_names() if name.startswith(LAYERS)]
    if missing := [kind for kind in kinds if kind not in there]:
        raise PanhuoError(
            f"没有图层 {', '.join(missing)} no such layer",
            why=f"现有 held: {', '.join(there) or '—'}",
            remedy=GIVE_LAYERS,
        )
    if not there:
        raise PanhuoError("没有图层 no layer is held", remedy=GIVE_LAYERS)
    parts, told, problems = [AREAS.empty_table()], list[dict[str, Any]](), list[Problem]()
    for kind in kinds or there:
        for name, layer in _pieces(kind, held(ws, LAYERS + kind), by):
            ready = prepare_layer(layer, name)
            found = overlay(parcels, ready)
            # What is wrong with the parcels is the same under every layer and told once.
            problems += found.problems if not told else ready.problems
            parts.append(found.areas)
            area = float(np.nansum(found.areas["area_m2"].to_numpy()))
            count = pc.sum(pc.is_valid(found.areas["area_m2"])).as_py() or 0
            told.append({"layer": name, "parcels": count, "area_m2": area, "slivers": found.slivers})
    files = [] if output is None else write_tables(output, {"overlay": pa.concat_tables(parts)})
    return {"layers": told, "problems": said(problems), "files": files}


def _pieces(kind: str, layer: pa.Table, by: str) -> list[tuple[str, pa.Table]]:
    """The layer, or its parts by the values of a column, each with its name."""
    if not by:
        return [(kind, layer)]
    if by not in layer.column_names:
        raise PanhuoError(f"图层没有列 {by} no such column", remedy="code | name | feature_id")
    values = sorted(v for v in pc.unique(layer[by]).to_pylist() if v is not None)
    named = [(f"{kind}/{value}", layer.filter(pc.equal(layer[by], value))) for value in values]
    rest = layer.filter(pc.is_null(layer[by]))
    return [*named, (f"{kind}/—", rest)] if rest.num_rows else named


def conflict_list(
    ws: Workspace, *, limits: Limits | None = None, output: Path | None = None
) -> dict[str, Any]:
    """Conflicts of the parcels held now. Gives {kinds: {kind: {yes, unknown, area_m2}}, problems, files}."""
    if output is not None:
        checked_output(output)
    given = asdict(limits or Limits())
    found, problems = conflicts(held(ws, "parcels"), **given)
    kinds: dict[str, dict[str, Any]] = {}
    for kind, status, area in zip(
        *(found[n].to_pylist() for n in ("kind", "status", "area_m2")), strict=True
    ):
        row = kinds.setdefault(kind, {"yes": 0, "unknown": 0, "area_m2": 0.0})
        row[status] += 1
        row["area_m2"] += abs(area or 0.0)
    files = [] if output is None else write_tables(output, {"conflicts": found})
    return {"kinds": kinds, "limits": given, "problems": said(problems), "files": files}


def one_sites(ws: Workspace, *, output: Path | None = None, on: date | None = None) -> dict[str, Any]:
    """Parcels used as one site, each site's planning indices as if it were one parcel.

    Adjoining means as much common boundary as the law of `on` asks for. Gives {counts: {sites, split}, sites: [the
    columns of `site_indices`, area_mu, members], problems, files}: `split` of several tenures or holders, which come
    first, the largest first. A file has the outline of each site too.
    """
    if output is not None:
        checked_output(output)
    law = land_law(Rulebook.load(), on or date.today(), str(ws.config.get("place", "")))
    parcels = held(ws, "parcels")
    pairs, problems = neighbours(parcels)
    pairs = pairs.filter(pc.greater_equal(pairs["shared_boundary_m"], law.boundary_min_m))
    groups = site_groups(parcels, pairs, ws.dataset("occupancies", columns=["parcel_id", "enterprise_id"]))
    groups = groups.filter(pc.greater(groups["site_parcels"], 1))
    parcels = parcels.filter(pc.is_in(parcels["parcel_id"], groups["parcel_id"].combine_chunks()))
    members = (
        groups.group_by("site_group")
        .aggregate([("parcel_id", "list")])
        .rename_columns(["site_group", "members"])
    )
    whole = site_indices(parcels, groups)
    at = pc.index_in(whole["site_group"], members["site_group"].combine_chunks())
    whole = whole.append_column("members", members["members"].take(at))
    whole = whole.append_column(
        "split", pc.greater(pc.max_element_wise(whole["tenures"], whole["holders"]), 1)
    )
    order = [("split", "descending"), ("area_m2", "descending"), ("site_group", "ascending")]
    whole = whole.take(pc.sort_indices(whole, order))
    files = [] if output is None else write_tables(output, {"sites": with_outlines(whole, parcels)})
    return {
        "counts": {"sites": whole.num_rows, "split": pc.sum(whole["split"]).as_py() or 0},
        "sites": [
            row | {"area_mu": None if row["area_m2"] is None else m2_to_mu(row["area_m2"])}
            for row in whole.to_pylist()
        ],
        "problems": said(problems),
        "files": files,
    }


def with_outlines(sites: pa.Table, parcels: pa.Table) -> pa.Table:
    """`sites` with the union of their members' outlines, and the members as one text."""
    outlines = shapely.make_valid(read_shapes(parcels["geometry"])[0])
    shapes = dict(zip(parcels["parcel_id"].to_pylist(), outlines, strict=True))
    whole = [shapely.union_all([shapes[p] for p in members]) for members in sites["members"].to_pylist()]
    texts = pa.array(["、".join(members) for members in sites["members"].to_pylist()], pa.string())
    return sites.set_column(sites.column_names.index("members"), "members", texts).append_column(
        "geometry", pa.array(shapely.to_wkb(np.array(whole, object)).tolist(), pa.binary())
    )


def site_screen(
    ws: Workspace, *, bounds: Mapping[str, float | None], avoid: Sequence[str], output: Path | None = None,
    on: date | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Parcels screened as sites by the law's bounds, or by those of `bounds` (names of SitingRules) that are given.

    Gives {bounds, counts: {pass, unknown, fail}, sites: the first of the ranking, problems, files}.
    """
    if output is not None:
        checked_output(output)
    on, law, place = on or date.today(), Rulebook.load(), str(ws.config.get("place", ""))
    names = [f.name for f in fields(SitingRules) if f.name != "avoid"]
    rules = SitingRules(
        **{
            n: law.parameter(f"siting.{n}", on, place).value if bounds.get(n) is None else bounds[n]
            for n in names
        },
        avoid=tuple(avoid),
    )
    parcels = held(ws, "parcels")
    slopes, partial = slope_table(ws, parcels, land_law(law, on, place), outlines_of(ws, parcels))
    if slopes is not None:
        at = pc.index_in(parcels["parcel_id"], slopes["parcel_id"].combine_chunks())
        parcels = parcels.append_column("slope_mean_deg", slopes["slope_mean_deg"].take(at))
    wanted = {*avoid, "homes", "water", "roads"}
    layers = {
        kind: table
        for kind in sorted(wanted)
        if (table := ws.dataset(LAYERS + kind, columns=["geometry"])) is not None
    }
    told, problems = siting(parcels, layers, rules)
    files = [] if output is None else write_tables(output, {"sites": told.screen, "tests": told.tests})
    count = pc.value_counts(told.screen["status"]).to_pylist()
    return {
        "bounds": {n: getattr(rules, n) for n in names} | {"avoid": list(avoid)},
        "counts": {"pass": 0, "unknown": 0, "fail": 0} | {c["values"]: c["counts"] for c in count},
        "sites": told.screen.slice(0, 20).to_pylist(),
        "problems": said([*partial, *problems]),
        "files": files,
    }


def sun(
    ws: Workspace, *, usable_share: float, parcel_id: str = "", weather: Path | None = None,
    tilt_deg: float | None = None, azimuth_deg: float = 180.0, output: Path | None = None, on: date | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Photovoltaic yield of one parcel or of all, with coal and CO2 by each set of factors.

    Totals are of the parcels whose area is known, None when none is; `area_unknown` counts the others. With a weather
    file (EPW, PVGIS) the yield is hourly; without one it is the place's yearly full-load hours.
    """
    # The libraries of the sun take seconds to load; the other verbs need not wait for them.
    from panhuo.inventory import sun as rays  # noqa: PLC0415

    if output is not None:
        checked_output(output)
    on, law, place = on or date.today(), Rulebook.load(), str(ws.config.get("place", ""))
    parcels = held(ws, "parcels")
    if parcel_id:
        parcels = parcels.filter(pc.equal(parcels["parcel_id"], parcel_id))
        if not parcels.num_rows:
            raise PanhuoError(f"没有宗地 {parcel_id} no such parcel", remedy="核对宗地编号 check the id")
    area = pc.coalesce(
        column_or_nulls(parcels, "area_m2", pa.float64()),
        column_or_nulls(parcels, "drawn_area_m2", pa.float64()),
    )
    value = {
        n: law.parameter(f"energy.{n}", on, place).value for n in ("ground_m2_per_kwp", "full_load_hours")
    }
    hours, source = value["full_load_hours"], "energy.full_load_hours"
    if weather is not None:
        frame, latitude, longitude = rays.read_weather(weather)
        loss = law.parameter("energy.system_loss_share", on, place).value
        array = rays.Array(1.0, abs(latitude) if tilt_deg is None else tilt_deg, azimuth_deg, loss)
        hours = float(rays.hourly_yield(frame, latitude, longitude, array).sum())
        source = weather.name
    table = rays.parcel_yields(
        pa.table({"parcel_id": parcels["parcel_id"], "area_m2": area}),
        usable_share=usable_share, ground_m2_per_kwp=value["ground_m2_per_kwp"], full_load_hours=hours,
    )  # fmt: skip
    energy = floats(table, "energy_kwh")
    known = ~np.isnan(energy)
    total = float(energy[known].sum()) if known.any() else None
    sets = [rays.savings(total, factors) for factors in rays.factor_sets(law, on, place)]
    files = [] if output is None else write_tables(output, {"sun": table})
    return {
        "parcels": table.num_rows,
        "area_unknown": int((~known).sum()),
        "capacity_kwp": None if total is None else float(np.nansum(floats(table, "capacity_kwp"))),
        "energy_kwh": total,
        "full_load_hours": hours,
        "hours_from": source,
        "savings": [
            {"factors": s.factors.name, "coal_t": s.coal_t, "co2_t": s.co2_t, "trees": s.trees,
             "unverified": s.factors.unverified} for s in sets
        ],
        "files": files,
    }  # fmt: skip


def space_functions(ws: Workspace, *, output: Path | None = None, on: date | None = None) -> dict[str, Any]:
    """A function for every space under a bridge or viaduct (`structure_above`), by need within the walk of the law.

    Streets are the layer `roads`; people the `value` of `population`; what there is the `value` [m²] by `code` (a
    function's id) of `facilities`; places of need those of `needs`. Raises PanhuoError without streets or spaces.
    """
    if output is not None:
        checked_output(output)
    on, law, place = on or date.today(), Rulebook.load(), str(ws.config.get("place", ""))
    parcels = held(ws, "parcels")
    above = column_or_nulls(parcels, "structure_above", pa.string())
    spaces = parcels.filter(pc.fill_null(pc.is_in(above, pa.array(UNDER)), False))
    if not spaces.num_rows:
        raise PanhuoError(
            "没有桥下空间 no space under a bridge",
            why="宗地的“上方构筑物”没有桥下、高架下 no parcel says so in structure_above",
            remedy="补录 structure_above（bridge、viaduct） fill it in",
        )
    sites = pa.table(
        {
            "site_id": spaces["parcel_id"],
            "area_m2": pc.coalesce(spaces["area_m2"], spaces["drawn_area_m2"]),
            "clear_height_m": pa.array(_clear(spaces), from_pandas=True),
            "geometry": spaces["geometry"],
        }
    )
    people = ws.dataset(LAYERS + "population", columns=["value", "geometry"])
    needs, supply = (_by_function(ws.dataset(LAYERS + kind)) for kind in ("needs", "facilities"))
    offered = functions(law.parameter("walk.functions", on, place).value)
    asked = [f for f in offered if f.id in needs or (people is not None and f.m2_per_person is not None)]
    value = {n: law.parameter(f"walk.{n}", on, place).value for n in ("minutes", "speed_m_per_min", "door_m")}
    result, problems = function_plan(
        sites, streets(held(ws, LAYERS + "roads")), asked,
        population=None if people is None else people.rename_columns(["people", "geometry"]),
        needs=needs, supply=supply, walk_m=value["minutes"] * value["speed_m_per_min"], door_m=value["door_m"],
    )  # fmt: skip
    files = [] if output is None else write_tables(output, {"plan": result.plan, "totals": result.totals})
    return {
        "sites": sites.num_rows,
        "totals": result.totals.to_pylist(),
        "not_judged": _unasked(offered, asked),
        "problems": said(problems),
        "files": files,
    }


def _clear(spaces: pa.Table) -> Floats:
    """Clear height [m] of the spaces: the top of their height range over its foot, which is the ground when unsaid."""
    top, foot = floats(spaces, "z_max_m"), floats(spaces, "z_min_m")
    return top - np.nan_to_num(foot)


def _by_function(layer: pa.Table | None) -> dict[str, pa.Table]:
    """The places of a layer by the function their `code` names, with `amount_m2`."""
    if layer is None:
        return {}
    codes = sorted(c for c in pc.unique(layer["code"]).to_pylist() if c)
    return {
        code: pa.table({"amount_m2": rows["value"], "geometry": rows["geometry"]})
        for code in codes
        if (rows := layer.filter(pc.equal(layer["code"], code))).num_rows
    }


def _unasked(offered: Sequence[Function], asked: Sequence[Function]) -> list[str]:
    """Functions nobody gave a need for: they are not planned, which is not to say that nobody needs them."""
    return [f.id for f in offered if f not in asked]
