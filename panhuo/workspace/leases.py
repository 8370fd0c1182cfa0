"""`panhuo leases`: the register of vacant plant, every lease with its checks, where tenants and lessors disagree."""

from collections import Counter
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from panhuo.core.problems import PanhuoError
from panhuo.inventory.leases import FIELDS, Tables, check_leases, unmatched_leases, vacant_plants
from panhuo.inventory.spec import units
from panhuo.report.chain import both, cite_chain, split
from panhuo.report.names import worded
from panhuo.rulebook import Rulebook
from panhuo.rulebook.facts import connect
from panhuo.rulebook.schema import Cite
from panhuo.rulebook.scheme import pick
from panhuo.rulebook.scheme_schema import LeaseScheme
from panhuo.workspace.exports import writer_of
from panhuo.workspace.outputs import TABLES, write_tables
from panhuo.workspace.parks import headed
from panhuo.workspace.store import Workspace

SHOWN: Final = 20
"""Rows of each list told when not all are."""
STATES: Final = {
    "yes": {"zh": "不符", "en": "broken"},
    "unknown": {"zh": "待核", "en": "unknown"},
    "no": {"zh": "相符", "en": "fine"},
}
SHEETS: Final = {
    "zh": {
        "租赁核查": ("宗地", "名称", "承租企业代码", "承租企业", "租期起", "核查项", "结论", "数值", "界限", "单位",
                 "缺", "依据", "标记"),
        "空置厂房": ("建筑", "宗地", "名称", "行政区", "所有权人", "建筑面积（平方米）", "空置面积（平方米）",
                 "空置率"),
        "租让不符": ("宗地", "名称", "租入（平方米）", "出租（平方米）"),
    },
    "en": {
        "checks": ("Parcel", "Name", "Tenant code", "Tenant", "From", "Check", "Found", "Value", "Bar", "Unit", "Lacks",
                   "Source", "Mark"),
        "vacant plant": ("Building", "Parcel", "Name", "Division", "Owner", "Floor area (m²)", "Vacant (m²)",
                         "Vacant share"),
        "unmatched": ("Parcel", "Name", "Rented in (m²)", "Let (m²)"),
    },
}  # fmt: skip
NAMED: Final = """
SELECT c.*, p.name, e.tenant FROM checks c LEFT JOIN parcels p USING (parcel_id) LEFT JOIN (
  SELECT enterprise_id, arg_max(name, coalesce(year, 0)) AS tenant FROM enterprises GROUP BY 1) e USING (enterprise_id)
ORDER BY parcel_id, enterprise_id, from_on, no
"""


def leases(
    ws: Workspace, *, on: date | None = None, output: Path | None = None, lang: str = "zh", full: bool = True
) -> dict[str, Any]:
    """The leases of a workspace and its vacant plant.

    on: the day whose scheme of checks is asked; output: xlsx with all, csv or parquet with the checks. Gives {as_of,
    scheme, label, leases, checks: {id: {label, unit, cite, mark, broken, unknown, fine}}, facts, rows, vacant:
    {buildings, vacant_m2}, register, unmatched, files}; rows: every check of every lease, if full, else the broken
    first. Raises PanhuoError for a workspace with neither leases nor buildings, or where no scheme is in force.
    """
    if output is not None:
        writer_of(output, TABLES)
    tables = _tables(ws)
    if tables["occupancies"] is None and tables["buildings"] is None:
        raise PanhuoError(
            "工作区里没有用地关系，也没有建筑物 neither occupancies nor buildings in the workspace",
            where=str(ws.root),
            remedy="先导入租赁台账或厂房台账：panhuo import 工作区 文件 --as occupancies import them first",
        )
    book, day = Rulebook.load(), on or date.today()
    rule = pick(book, LeaseScheme, str(ws.config.get("place", "")), day)
    rows = named(check_leases(tables, rule), tables)
    register, unmatched = vacant_plants(tables), _with_names(unmatched_leases(tables), tables)
    cites = {
        name: cite_chain(book, Cite(source=one.source, article=one.article))
        for name, one in rule.checks.items()
    }
    files = []
    if output is not None:
        files = write_tables(output, sheets(rows, register, unmatched, rule, cites, lang))
    counted = Counter(zip(rows["check"].to_pylist(), rows["status"].to_pylist(), strict=True))
    return {
        "as_of": day,
        "scheme": rule.id,
        "label": both(rule.label),
        "leases": rows.num_rows // len(rule.checks),
        "checks": {
            name: {
                "label": both(one.label), "unit": one.unit, "cite": cites[name], "mark": one.mark,
                "broken": counted[name, "yes"], "unknown": counted[name, "unknown"], "fine": counted[name, "no"],
            }
            for name, one in rule.checks.items()
        },
        "facts": {name: both(label) for name, label in rule.facts.items()},
        "rows": (rows if full else _broken(rows).slice(0, SHOWN)).to_pylist(),
        "vacant": {"buildings": register.num_rows, "vacant_m2": pc.sum(register["vacant_m2"]).as_py() or 0.0},
        "register": (register if full else register.slice(0, SHOWN)).to_pylist(),
        "unmatched": unmatched.to_pylist() if full else unmatched.slice(0, SHOWN).to_pylist(),
        "unmatched_parcels": unmatched.num_rows,
        "files": files,
    }  # fmt: skip


def _tables(ws: Workspace) -> Tables:
    """The datasets that leases are checked on, only the fields that are needed and held."""
    tables: Tables = {}
    for name, fields in FIELDS.items():
        path = ws.dataset_path(name)
        wanted = (*fields, "name") if name == "enterprises" else fields
        held = [f for f in pq.read_schema(path).names if f in wanted] if path else []
        tables[name] = ws.dataset(name, columns=held) if path else None
    return tables


def named(checks: pa.Table, tables: Tables) -> pa.Table:
    """The checks with the `name` of the parcel and of the `tenant`, in their order."""
    con = connect()
    con.register("checks", checks.append_column("no", pa.array(range(checks.num_rows))))
    con.register("parcels", _of(tables["parcels"], "parcel_id", "name"))
    con.register("enterprises", _of(tables["enterprises"], "enterprise_id", "name", "year"))
    return con.execute(NAMED).to_arrow_table().drop_columns("no")


def _of(table: pa.Table | None, *names: str) -> pa.Table:
    """Some columns of a table, those absent empty."""
    rows = 0 if table is None else table.num_rows
    return pa.table(
        {
            name: table[name] if table is not None and name in table.column_names
            else pa.nulls(rows, pa.int64() if name == "year" else pa.string())
            for name in names
        }
    )  # fmt: skip


def _with_names(rows: pa.Table, tables: Tables) -> pa.Table:
    """Rows of parcels with their names."""
    land = _of(tables["parcels"], "parcel_id", "name")
    at = pc.index_in(rows["parcel_id"], land["parcel_id"].combine_chunks())
    return rows.add_column(1, "name", land["name"].take(at))


def _broken(rows: pa.Table) -> pa.Table:
    return rows.filter(pc.equal(rows["status"], "yes"))


def lacking(missing: str | None, facts: Mapping[str, Any], lang: str) -> str:
    """What an unknown check lacks, in words."""
    return ("、" if lang == "zh" else ", ").join(facts[name][lang] for name in split(missing))


def cited(cite: Mapping[str, Any], lang: str) -> str:
    """A source with its article."""
    return " ".join(word for word in (cite["label"][lang], cite["words"][lang]) if word)


def sheets(
    rows: pa.Table, register: pa.Table, unmatched: pa.Table, rule: LeaseScheme,
    cites: Mapping[str, Mapping[str, Any]], lang: str,
) -> dict[str, pa.Table]:  # fmt: skip
    """Checks, register and disagreements as tables headed in a language."""
    facts = {name: both(label) for name, label in rule.facts.items()}
    checks: list[tuple[Any, ...]] = [
        (r["parcel_id"], r["name"], r["enterprise_id"], r["tenant"], r["from_on"], r[lang], STATES[r["status"]][lang],
         r["value"], r["bar"], units()[r["unit"]].label.model_dump()[lang], lacking(r["missing"], facts, lang),
         cited(cites[r["check"]], lang), r["mark"])
        for r in rows.to_pylist()
    ]  # fmt: skip
    plants: list[tuple[Any, ...]] = [
        (r["building_id"], r["parcel_id"], r["name"], r["division"] and worded(r, "division", lang), r["owner"],
         r["floor_area_m2"], r["vacant_m2"], r["vacant_share"])
        for r in register.to_pylist()
    ]  # fmt: skip
    differing: list[tuple[Any, ...]] = [tuple(r.values()) for r in unmatched.to_pylist()]
    made = zip(SHEETS[lang].items(), (checks, plants, differing), strict=True)
    return {name: headed(heads, listed) for (name, heads), listed in made}
