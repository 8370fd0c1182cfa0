"""`panhuo land plants`: shared plants in place of scattered ones, from one file of loads, places and prices."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import date
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import yaml

from panhuo.core.names import check_names
from panhuo.core.problems import PanhuoError
from panhuo.core.units import m2_to_mu
from panhuo.plan.shared_plant import Terms, saved_by_firm, sensitivity, shared_plant
from panhuo.rulebook import Rulebook
from panhuo.workspace.outputs import checked_output, write_tables

TABLES: Final = {
    "firms": ("firm_id", "lon", "lat", "load", "yearly_wan", "land_m2", "must_replace"),
    "sites": ("site_id", "lon", "lat"),
    "sizes": ("capacity", "invest_wan", "fixed_wan", "unit_wan", "land_m2"),
}
LAW: Final = {
    "heat": {"simultaneity": "heat_simultaneity", "pipe_max_m": "heat_pipe_max_m", "detour": "pipe_detour"},
    "water": {"pipe_max_m": "water_pipe_max_m", "detour": "pipe_detour"},
}
"""Terms that the law gives a kind of service when the file does not."""


def plan_plants(file: Path, *, output: Path | None = None, on: date | None = None) -> dict[str, Any]:
    """The least-cost shared plants of every service in `file`.

    file: yaml, `services: {name: {kind: heat|water, rate, years, pipe_wan_per_m, firms, sites, sizes}}`, where the
    last three are lists of rows (TABLES) and any of Terms may stand. Gives {services: {name: {plants, firms,
    saved_wan, sensitivity}}, firms: land freed and money saved over all, files}.
    """
    if output is not None:
        checked_output(output)
    law, on = Rulebook.load(), on or date.today()
    services = {name: _read(file, name, body, law, on) for name, body in _services(file).items()}
    plans = {name: shared_plant(*tables, terms) for name, (tables, terms) in services.items()}
    whole = saved_by_firm(plans)
    files = []
    if output is not None:
        sheets = {
            f"{name} {kind}": getattr(plan, kind)
            for name, plan in plans.items()
            for kind in ("plants", "firms")
        }
        files = write_tables(output, {"saved": whole, **sheets})
    return {
        "services": {
            name: {
                "terms": asdict(services[name][1]),
                "plants": plan.plants.to_pylist(),
                "firms": plan.firms.to_pylist(),
                "saved_wan": plan.saved_wan,
                "sensitivity": sensitivity(*services[name][0], services[name][1]).to_pylist(),
            }
            for name, plan in plans.items()
        },
        "firms": [row | {"land_freed_mu": m2_to_mu(row["land_freed_m2"])} for row in whole.to_pylist()],
        "files": files,
    }


def _rows(table: Any) -> bool:
    """Whether a value of the file is a list of rows, and not an empty one."""
    return isinstance(table, list) and bool(table) and all(isinstance(row, dict) for row in table)


def _services(file: Path) -> Mapping[str, Any]:
    try:
        body = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as fault:
        raise PanhuoError(
            "输入文件读不出 cannot read the input file", where=str(file), why=str(fault).splitlines()[0]
        ) from None
    services = body.get("services") if isinstance(body, dict) else None
    if not isinstance(services, dict) or not services:
        raise PanhuoError(
            "没有服务 no services in the file",
            where=str(file),
            remedy="写成 services: {名称: {firms, sites, sizes, rate, years, …}} see docs/space/shared-plant.md",
        )
    return services


def _read(
    file: Path, name: str, body: Any, law: Rulebook, on: date
) -> tuple[tuple[pa.Table, pa.Table, pa.Table], Terms]:
    """The tables and terms of one service. Raises PanhuoError naming what is missing."""
    if not isinstance(body, dict):
        raise PanhuoError("服务写法有误 a service is a mapping", where=f"{file}: {name}")
    where, kind = f"{file} · services.{name}", body.get("kind")
    check_names(body, ["kind", *TABLES, *(f.name for f in fields(Terms))], "键 key", where)
    check_names([kind] if kind else [], LAW, "服务种类 kind of service", f"{where}.kind")
    terms = {
        key: law.parameter(f"energy.{source}", on).value
        for key, source in LAW.get(body.get("kind", ""), {}).items()
    }
    terms |= {f.name: body[f.name] for f in fields(Terms) if f.name in body}
    terms.setdefault("simultaneity", 1.0)
    lacking = [f.name for f in fields(Terms) if f.name not in terms and f.name != "energy_saved_share"]
    lacking += [
        f"{table}.{column}"
        for table, columns in TABLES.items()
        for column in columns
        if not _rows(body.get(table)) or any(column not in row for row in body[table])
    ]
    if lacking:
        raise PanhuoError(
            f"服务 {name} 缺输入 inputs are missing",
            where=str(file),
            why=", ".join(lacking),
            remedy="逐项补充；缺数不作零 supply each; a missing figure is never taken as zero",
        )
    tables = tuple(pa.Table.from_pylist(body[table]) for table in TABLES)
    return (tables[0], tables[1], tables[2]), Terms(**terms)
