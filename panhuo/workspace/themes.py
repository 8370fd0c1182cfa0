"""`panhuo themes`: the fourteen themes of land and enterprises, how far each is known, and the map that joins them."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import shapely

from panhuo.core.problems import PanhuoError
from panhuo.inventory.geometry import read_shapes
from panhuo.inventory.land_enterprise_map import KEYS, Column, coverage, fields_read, records, themes
from panhuo.inventory.spec import dataset_spec, dataset_specs, units
from panhuo.report.names import worded
from panhuo.rulebook.facts import connect
from panhuo.workspace.exports import writer_of
from panhuo.workspace.outputs import WRITERS, write_tables
from panhuo.workspace.store import Workspace

Of = Literal["parcel", "enterprise"]
FILES: Final = {kind: WRITERS[kind] for kind in (".gpkg", ".xlsx", ".parquet")}
LAYERS: Final[Mapping[Of, str]] = {"parcel": "parcels", "enterprise": "enterprises"}
SHEETS: Final = {
    "zh": {"parcel": "宗地", "enterprise": "企业", "themes": "专题"},
    "en": {"parcel": "parcels", "enterprise": "enterprises", "themes": "themes"},
}
HEADS: Final = {
    "zh": {"parcel": "宗地编号", "enterprise": "企业代码", "enterprises": "企业",
           "themes": ("专题", "归属", "有数", "记录数")},
    "en": {"parcel": "Parcel", "enterprise": "Enterprise", "enterprises": "Enterprises",
           "themes": ("Theme", "Of", "Known", "Records")},
}  # fmt: skip
USED_BY: Final = """
SELECT parcel_id, string_agg(name, '、' ORDER BY name) AS enterprises FROM (
  SELECT DISTINCT parcel_id, coalesce(e.name, enterprise_id) AS name FROM uses LEFT JOIN (
    SELECT enterprise_id, arg_max(name, coalesce(year, 0)) AS name FROM firms GROUP BY 1) e USING (enterprise_id))
GROUP BY 1
"""
# What was assessed and flagged for nothing has no finding; what was not assessed has an unknown number.
JUDGED: Final = """
SELECT u.parcel_id, f.finding_id, f.status, f.since FROM units u LEFT JOIN found f ON f.parcel_id = u.parcel_id
"""


def theme_map(ws: Workspace, *, output: Path | None = None, lang: str = "zh") -> dict[str, Any]:
    """How far each theme is known, and the map of them.

    output: gpkg with the parcels and, drawn on the land they use, the enterprises; xlsx with both in words; parquet
    with the parcels. Findings and scores are those of the latest assessment, unknown where there is none. Gives {as_of,
    assessment, parcels, enterprises, without_outline, themes: [{theme, zh, en, of, known, records}], files}. Raises
    PanhuoError for a workspace that holds neither parcels nor enterprises.
    """
    if output is not None:
        writer_of(output, FILES)
    if not {"parcels", "enterprises"} & set(ws.dataset_names()):
        raise PanhuoError(
            "工作区里没有宗地也没有企业 neither parcels nor enterprises in the workspace",
            where=str(ws.root),
            remedy="先导入 import them first",
        )
    found: dict[Of, pa.Table] = {of: records(tables_of(ws, of), of) for of in LAYERS}
    shapes = outlines(ws, found["parcel"]["parcel_id"])
    folder = ws.assessment_dir()
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8")) if folder else {}
    told = [{**row, "of": of} for of, table in found.items() for row in coverage(table, of).to_pylist()]
    result = {
        "as_of": manifest.get("as_of"),
        "assessment": folder.name if folder else None,
        "parcels": found["parcel"].num_rows,
        "enterprises": found["enterprise"].num_rows,
        "without_outline": int(shapely.is_missing(shapes).sum()),
        "themes": told,
    }
    if output is None:
        return result | {"files": []}
    found["parcel"] = with_firms(ws, found["parcel"])
    if output.suffix.lower() == ".xlsx":
        return result | {"files": write_tables(output, sheets(found, told, lang))}
    layers = {"parcels": found["parcel"].append_column("geometry", drawn(shapes))}
    if output.suffix.lower() == ".gpkg":
        layers["enterprises"] = found["enterprise"].append_column(
            "geometry", drawn(land_of(ws, found, shapes))
        )
    return result | {"files": write_tables(output, layers)}


def tables_of(ws: Workspace, of: Of) -> dict[str, pa.Table | None]:
    """The datasets and results that the themes of parcels or enterprises read, only the fields they need."""
    tables: dict[str, pa.Table | None] = {}
    for name, fields in fields_read(of).items():
        if name == "findings":
            tables[name] = judged(ws, fields)
        elif name in dataset_specs():
            tables[name] = some(ws, name, fields)
        else:
            tables[name] = ws.assessment(name, columns=fields)
    return tables


def some(ws: Workspace, name: str, fields: list[str]) -> pa.Table | None:
    """Of some fields of a dataset those that its file holds; None where the dataset is absent."""
    path = ws.dataset_path(name)
    return path and ws.dataset(name, columns=[f for f in pq.read_schema(path).names if f in fields])


def judged(ws: Workspace, fields: list[str]) -> pa.Table | None:
    """The findings of every parcel assessed, with a row of none for one that has none."""
    found, assessed = (
        ws.assessment("findings", columns=fields), ws.assessment("facts", columns=("parcel_id",)),
    )  # fmt: skip
    if found is None or assessed is None:
        return found
    con = connect()
    con.register("found", found)
    con.register("units", assessed)
    return con.execute(JUDGED).to_arrow_table()


def outlines(ws: Workspace, parcel_ids: pa.ChunkedArray) -> Any:
    """The outline of each parcel, None where none is held."""
    held = some(ws, "parcels", ["parcel_id", "geometry"])
    if held is None or "geometry" not in held.column_names:
        return np.full(len(parcel_ids), None, object)
    at = pc.index_in(parcel_ids, held["parcel_id"].combine_chunks())
    return read_shapes(held["geometry"].take(at))[0]


def drawn(shapes: Any) -> pa.Array:
    """Shapes as WKB."""
    return pa.array(shapely.to_wkb(shapes), pa.binary())


def land_of(ws: Workspace, found: Mapping[Of, pa.Table], shapes: Any) -> Any:
    """The land that each enterprise owns or rents, as the parts of all its parcels; None where it has none drawn."""
    firms = found["enterprise"]["enterprise_id"]
    land = np.full(len(firms), None, object)
    uses = some(ws, "occupancies", ["parcel_id", "enterprise_id", "kind"])
    if uses is None:
        return land
    uses = uses.filter(pc.fill_null(pc.not_equal(uses["kind"], "lease_out"), True))
    pairs = uses.group_by(["enterprise_id", "parcel_id"]).aggregate([])
    who = pc.index_in(pairs["enterprise_id"], firms.combine_chunks()).to_numpy()
    where = pc.index_in(pairs["parcel_id"], found["parcel"]["parcel_id"].combine_chunks()).to_numpy()
    parts, of_pair = shapely.get_parts(shapes[where], return_index=True)
    areal = shapely.get_type_id(parts) == shapely.GeometryType.POLYGON
    parts, owner = parts[areal], who[of_pair[areal]]
    order = np.argsort(owner, kind="stable")
    if len(order):
        shapely.multipolygons(parts[order], indices=owner[order], out=land)
    return land


def with_firms(ws: Workspace, table: pa.Table) -> pa.Table:
    """The parcels with the names of the enterprises on them, `enterprises`."""
    uses = some(ws, "occupancies", ["parcel_id", "enterprise_id"])
    firms = some(ws, "enterprises", ["enterprise_id", "name", "year"])
    if uses is None or firms is None:
        return table.append_column("enterprises", pa.nulls(table.num_rows, pa.string()))
    con = connect()
    con.register("uses", uses)
    con.register("firms", firms)
    told = con.execute(USED_BY).to_arrow_table()
    at = pc.index_in(table["parcel_id"], told["parcel_id"].combine_chunks())
    return table.append_column("enterprises", told["enterprises"].take(at))


def sheets(found: Mapping[Of, pa.Table], told: list[dict[str, Any]], lang: str) -> dict[str, pa.Table]:
    """Parcels, enterprises and how far each theme is known, headed and in words."""
    names = SHEETS[lang]
    made = {names[of]: in_words(table, of, lang) for of, table in found.items()}
    heads, rows = HEADS[lang]["themes"], [(r[lang], names[r["of"]], r["known"], r["records"]) for r in told]
    columns = zip(heads, zip(*rows, strict=True), strict=True)
    return made | {names["themes"]: pa.table({head: pa.array(column) for head, column in columns})}


def in_words(table: pa.Table, of: Of, lang: str) -> pa.Table:
    """The records with the heads and words of a language; what is unknown stays empty."""
    heads = {KEYS[of]: HEADS[lang][of], "enterprises": HEADS[lang]["enterprises"]} | dict(labels(of, lang))
    columns = {}
    for name in table.column_names:
        column = table[name]
        if pa.types.is_string(column.type) and name in WORDED:
            words = {v: worded({name: v}, name, lang) for v in pc.unique(column).drop_null().to_pylist()}
            column = pa.array([words.get(v) for v in column.to_pylist()], pa.string())
        elif pa.types.is_date(column.type):
            column = column.cast(pa.string())
        columns[str(heads[name])] = column
    return pa.table(columns)


WORDED: Final = ("division", "tenure", "planned_use", "work_state", "industry", "status")
"""The columns of the themes that hold codes."""


def labels(of: Of, lang: str) -> Iterator[tuple[str, str]]:
    """Column → its head with the unit, of every theme of parcels or enterprises."""
    for theme in themes().values():
        if theme.of == of:
            for name, column in theme.columns.items():
                yield name, head(theme.dataset, name, column, lang)


def head(dataset: str, name: str, column: Column, lang: str) -> str:
    """A column's own name, else that of its field, with the unit where it has one."""
    field = None if column.zh else dataset_spec(dataset).fields[name]
    words = {"zh": column.zh, "en": column.en} if field is None else field.label.model_dump()
    unit = units().get(column.unit if field is None else field.unit)
    # A share or a count needs no unit beside it.
    told = "" if unit is None or unit.kind in ("ratio", "count") else unit.label.model_dump()[lang]
    return (
        f"{words[lang]}（{told}）"
        if told and lang == "zh"
        else f"{words[lang]} ({told})"
        if told
        else words[lang]
    )
