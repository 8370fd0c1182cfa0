"""一企一档 and 一企一策: all the workspace knows of one enterprise, and what is proposed to firms of low tiers."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from panhuo.core.problems import PanhuoError
from panhuo.inventory.leases import check_leases
from panhuo.inventory.spec import dataset_spec
from panhuo.measure.lifecycle import stages
from panhuo.rulebook import Rulebook
from panhuo.rulebook.book import SPEC, read_yaml
from panhuo.rulebook.facts import connect
from panhuo.rulebook.predicate import literal
from panhuo.rulebook.scheme import bind, governing, load_schemes, pick
from panhuo.rulebook.scheme_schema import (
    FirmPlanScheme,
    LeaseScheme,
    LifecycleScheme,
    Scheme,
)
from panhuo.rulebook.spec import SQL_TYPES, dataset_fields
from panhuo.score.land_base import land_bases
from panhuo.score.policies import firm_plans, lifts
from panhuo.workspace.promises import in_words, promises_of
from panhuo.workspace.store import Workspace

Tables = Mapping[str, pa.Table | None]
DATASETS: Final = ("parcels", "occupancies", "enterprises", "buildings", "contracts")
PLANNED_FROM: Final = ("occupancies", "buildings", "enterprises", "parcels", "findings", "scores")
"""The tables that one firm's plan is drawn from."""

FIRM_FACTS: Final = ("tier", "status", "own_mu", "vacant_m2")
"""What an action of a firm's plan may speak of, beside the `counts` of its scheme."""

# Whose own a parcel is, is told as panhuo.score.land_base tells it: by `occupancies`, else by the holder's code.
FACTS: Final = """
WITH stated AS (SELECT DISTINCT enterprise_id, parcel_id FROM occupancies WHERE kind = 'own'),
own AS (FROM stated UNION ALL SELECT p.holder_uscc, p.parcel_id FROM parcels p
  ANTI JOIN stated s ON s.enterprise_id = p.holder_uscc WHERE p.holder_uscc IS NOT NULL),
flags AS (
  SELECT enterprise_id, {counts}
  FROM own JOIN findings USING (parcel_id) WHERE findings.status = 'yes' GROUP BY 1),
vacant AS (SELECT enterprise_id, sum(vacant_m2) AS vacant_m2 FROM own JOIN buildings USING (parcel_id) GROUP BY 1)
SELECT s.enterprise_id, s.tier, e.status, l.own_m2 * 3 / 2000 AS own_mu,
  coalesce(vacant_m2, 0) AS vacant_m2, {counted}
FROM scores s LEFT JOIN (
    SELECT enterprise_id, arg_max(status, coalesce(year, 0)) AS status FROM enterprises GROUP BY 1) e
  USING (enterprise_id) LEFT JOIN land l USING (enterprise_id)
  LEFT JOIN flags USING (enterprise_id) LEFT JOIN vacant USING (enterprise_id)
"""
COUNT: Final = "count(DISTINCT parcel_id) FILTER (finding_id IN ({findings})) AS {name}"


def dossier(
    ws: Workspace, enterprise_id: str, *, rulebook: Rulebook | None = None, on: date | None = None
) -> dict[str, Any]:
    """One enterprise's record: figures by year, land, buildings, leases, contracts with their milestones and
    promised figures against those measured, scores, warnings, plan.

    Raises PanhuoError when no dataset of the workspace knows the enterprise.
    """
    book, day = rulebook or Rulebook.load(), on or date.today()
    tables = _held(ws, enterprise_id)
    con = opened(tables)
    rows = {name: _rows(con, sql, enterprise_id) for name, sql in PARTS.items()}
    if not rows["figures"] and not rows["land"]:
        raise PanhuoError(
            f"没有这家企业 (no such enterprise): {enterprise_id}",
            remedy="用统一社会信用代码查询 (ask by its unified social credit code)",
        )
    place = str(ws.config.get("place", ""))
    lease = governing(book, LeaseScheme, place, day)
    checks = (
        []
        if lease is None
        else check_leases(
            {n: tables[n] for n in ("occupancies", "parcels", "enterprises")}, lease
        ).to_pylist()
    )
    rows["lease_checks"] = [c for c in checks if c["enterprise_id"] == enterprise_id and c["status"] != "no"]
    return {
        "enterprise_id": enterprise_id,
        "stage": stage_of(book, rows["figures"], place, day),
        **rows,
        **kept_by(
            book,
            {**tables, "contracts": con.execute(PARTS["contracts"], {"id": enterprise_id}).to_arrow_table()},
            place,
            day,
        ),
        "scores": [explained(book, score, rows["items"], day) for score in rows["scores"]],
        "plan": [] if not rows["scores"] else plan_of(tables, enterprise_id, book, place, day)["actions"],
    }


PARTS: Final = {
    "figures": "SELECT * FROM enterprises WHERE enterprise_id = $id ORDER BY year",
    "land": "SELECT o.*, p.name, p.address, p.tenure, p.area_m2 AS parcel_m2,"
    " p.floor_area_m2 AS parcel_floor_m2 FROM occupancies o"
    " LEFT JOIN parcels p USING (parcel_id) WHERE enterprise_id = $id ORDER BY ALL",
    "buildings": "SELECT DISTINCT b.* FROM buildings b JOIN occupancies o USING (parcel_id)"
    " WHERE o.enterprise_id = $id ORDER BY building_id",
    "contracts": "WITH stated AS (SELECT parcel_id FROM occupancies WHERE enterprise_id = $id AND kind = 'own'),"
    " own AS (FROM stated UNION SELECT parcel_id FROM parcels WHERE holder_uscc = $id"
    " AND NOT EXISTS (FROM stated)) SELECT c.* FROM contracts c SEMI JOIN own USING (parcel_id) ORDER BY contract_no",
    "warnings": "SELECT DISTINCT f.* FROM findings f JOIN occupancies o USING (parcel_id)"
    " WHERE o.enterprise_id = $id ORDER BY parcel_id, finding_id",
    "scores": "SELECT * FROM scores WHERE enterprise_id = $id",
    "items": "SELECT * FROM score_items WHERE enterprise_id = $id",
}


def kept_by(book: Rulebook, tables: Tables, place: str, on: date) -> dict[str, list[dict[str, Any]]]:
    """Milestones and promised figures of contracts on a date, and what follows; none where no scheme is in force."""
    rule, contracts = governing(book, LifecycleScheme, place, on), tables["contracts"]
    if rule is None or contracts is None or not contracts.num_rows:
        return {"milestones": [], "promises": [], "consequences": []}
    found = promises_of(book, rule, tables, place, on)
    return {
        "milestones": found.milestones.to_pylist(),
        "promises": in_words(found),
        "consequences": found.follows.to_pylist(),
    }


def explained(book: Rulebook, score: dict[str, Any], items: list[dict[str, Any]], on: date) -> dict[str, Any]:
    """A score with its formula: per indicator the SQL of value, weight, floor, cap, base and points, ready to redo."""
    schemes = load_schemes(book, Scheme)
    mine = [item for item in items if item["scheme_id"] == score["scheme_id"]]
    scheme = schemes.get(score["scheme_id"])
    if scheme is None or score.get("group_id") not in scheme.groups:
        return {**score, "items": mine}
    bound = bind(book, scheme, on)
    group = bound.groups[score["group_id"]]
    formulas = {
        name: {
            "label": one.label.model_dump(),
            "value": f"{one.numerator} ÷ {one.denominator}",
            "points": f"{one.weight:g} × clip({'value ÷ base' if one.better == 'more' else 'base ÷ value'},"
            f" {float(one.floor):g}, {'∞' if one.cap is None else f'{float(one.cap):g}'})",
            "unit": one.unit,
        }
        for name, one in group.indicators.items()
    }
    return {
        **score,
        "items": [{**item, "formula": formulas.get(item["indicator"])} for item in mine],
        "lifts": [vars(lift) for lift in lifts(bound, score["group_id"], pa.Table.from_pylist(mine))]
        if mine
        else [],
        "source": {"source": scheme.source, "article": scheme.article, "mark": scheme.mark},
        "assumed": {k: v.model_dump() for k, v in scheme.assumed.items()},
    }


def stage_of(book: Rulebook, figures: list[dict[str, Any]], place: str, on: date) -> dict[str, Any] | None:
    """入园-在园-离园: the stage of the latest year's status, None without figures or a scheme in force."""
    rule = governing(book, LifecycleScheme, place, on)
    if not figures or rule is None:
        return None
    status = pa.array([figures[-1].get("status")], pa.string())
    table = pa.table({"enterprise_id": [figures[-1]["enterprise_id"]], "status": status})
    return dict(stages(table, rule).to_pylist()[0])


def plan_of(
    tables: Tables, enterprise_id: str, book: Rulebook, place: str, on: date, year: int | None = None
) -> dict[str, Any]:
    """一企一策 of one firm: {scheme, facts, actions}; facts are what the actions' conditions were judged on.

    tables: those of PLANNED_FROM, of which the rows of this firm and of all who share its parcels suffice; year: that
    of its land, by default the latest of `enterprises`. A firm without a score has no facts, one of a high tier no
    actions. Raises PanhuoError as `plans`.
    """
    rule = pick(book, FirmPlanScheme, place, on)
    facts = _facts(tables, book, rule, place, on, year)
    mine = facts.filter(pc.equal(facts["enterprise_id"], enterprise_id))
    return {"scheme": rule, "facts": mine.to_pylist(), "actions": firm_plans(mine, rule).to_pylist()}


def plans(ws: Workspace, *, rulebook: Rulebook | None = None, on: date | None = None) -> pa.Table:
    """一企一策 of every scored firm of a low tier (see panhuo.score.policies.firm_plans).

    Raises PanhuoError when no scheme of scores or plans is in force on the day.
    """
    book, day, place = rulebook or Rulebook.load(), on or date.today(), str(ws.config.get("place", ""))
    rule = pick(book, FirmPlanScheme, place, day)
    # Of a province's tables only what the facts are drawn from is read: its outlines and findings fill a machine.
    tables: dict[str, pa.Table | None] = {name: plain(ws, name) for name in PLANNED_FROM if name in DATASETS}
    tables["findings"] = ws.assessment("findings", columns=("parcel_id", "finding_id", "status"))
    tables["scores"] = ws.assessment("scores")
    return firm_plans(_facts(tables, book, rule, place, day), rule)


def _facts(
    tables: Tables, book: Rulebook, plan: FirmPlanScheme, place: str, on: date, year: int | None = None
) -> pa.Table:
    """FIRM_FACTS and the counts of the plan's scheme for every scored firm of `tables`."""
    con = opened({name: tables[name] for name in PLANNED_FROM})
    if year is None:
        found = con.execute("SELECT max(year) FROM enterprises").fetchone()
        year = on.year - 1 if found is None or found[0] is None else int(found[0])
    rule = pick(book, Scheme, place, on).land
    con.register("land", land_bases(tables["occupancies"], tables["parcels"], year, rule)[0])
    return con.execute(facts_sql(plan)).to_arrow_table()


def facts_sql(plan: FirmPlanScheme) -> str:
    """The query of a firm plan's facts, over the tables of PLANNED_FROM and `land`."""
    counts = (
        COUNT.format(findings=", ".join(map(literal, one.findings)), name=quoted(name))
        for name, one in plan.counts.items()
    )
    counted = (f"coalesce({quoted(name)}, 0) AS {quoted(name)}" for name in plan.counts)
    return FACTS.format(counts=", ".join(counts), counted=", ".join(counted))


def quoted(name: str) -> str:
    """A column name as SQL; fields such as `by` and `on` are words of SQL too."""
    return f'"{name}"'


def _rows(con: duckdb.DuckDBPyConnection, sql: str, enterprise_id: str) -> list[dict[str, Any]]:
    return list(con.execute(sql, {"id": enterprise_id}).to_arrow_table().to_pylist())


def _held(ws: Workspace, enterprise_id: str) -> Tables:
    """The workspace's datasets, and of the latest results the rows of one firm and its parcels; None where absent.

    A province's findings fill a machine; a firm's are found by the row groups that may hold them.
    """
    tables = {name: plain(ws, name) for name in DATASETS}
    mine = pa.array(
        {
            parcel
            for name, key in (("occupancies", "enterprise_id"), ("parcels", "holder_uscc"))
            if (table := tables[name]) is not None and key in table.column_names
            for parcel in table.filter(pc.equal(table[key], enterprise_id))["parcel_id"].to_pylist()
        },
        pa.string(),
    )
    firm = pc.field("enterprise_id") == enterprise_id
    return tables | {
        "findings": ws.assessment("findings", rows=pc.field("parcel_id").isin(mine)),
        "scores": ws.assessment("scores", rows=firm),
        "score_items": ws.assessment("score_items", rows=firm),
    }


def plain(ws: Workspace, name: str) -> pa.Table | None:
    """A dataset without its outlines, None where it is absent."""
    return ws.dataset(name, columns=plain_fields(ws, name)) if ws.dataset_path(name) else None


def plain_fields(ws: Workspace, name: str) -> list[str]:
    """The columns a dataset holds, outlines and those of an older program's spec left out."""
    held = pq.read_schema(ws.dataset_path(name)).names
    return [
        f.name for f in dataset_spec(name).arrow_schema() if f.name in held and not pa.types.is_binary(f.type)
    ]


def opened(tables: Tables) -> duckdb.DuckDBPyConnection:
    """Datasets and results as tables of an in-memory DuckDB, absent ones empty."""
    con = connect()
    for name, held in tables.items():
        if name in DATASETS:
            fields = {f: k for f, k in dataset_fields(name).items() if k != "geometry"}
        else:
            columns = read_yaml(SPEC / "results" / f"{name}.yaml")["columns"]
            fields = {c: str(spec["type"]) for c, spec in columns.items()}
        _table(con, name, held, fields)
    return con


def _table(
    con: duckdb.DuckDBPyConnection, name: str, held: pa.Table | None, fields: Mapping[str, str]
) -> None:
    """The fields of `held` as table `name`; what it lacks, or all of it, as typed NULLs."""
    given = [] if held is None else held.column_names
    con.register("held", pa.table({"_": pa.array([], pa.int8())}) if held is None else held)
    columns = ", ".join(
        f"CAST({quoted(f) if f in given else 'NULL'} AS {SQL_TYPES[k]}) AS {quoted(f)}"
        for f, k in fields.items()
    )
    con.execute(f"CREATE TEMP TABLE {name} AS SELECT {columns} FROM held")
