"""Layers: which kind a file is, and its other attributes kept as they are."""

import json
from pathlib import Path
from typing import Final

import pyarrow as pa

from panhuo.inventory.codes import divisions
from panhuo.inventory.mapping import Feed, Plan, normal
from panhuo.inventory.readers import RawTable
from panhuo.inventory.spec import code_rows
from panhuo.inventory.values import as_text

DIVISION_HEADERS: Final = frozenset(("adcode", "xzqdm", "行政区划代码", "政区代码"))


def layer_kind(raw: RawTable) -> str | None:
    """The kind of layer that the name of the file or layer says, or boundaries when its columns do; else None."""
    names = [normal(raw.layer), normal(Path(raw.file).stem)]
    for row in code_rows("layer_kinds"):
        words = [normal(w) for w in (row["code"], row["zh"], *row["aliases"].split("|"))]
        if any(word in name for name in names for word in words):
            return row["code"]
    if {normal(h) for h in raw.headers} & DIVISION_HEADERS or Path(raw.file).stem in divisions()[0]:
        return "boundaries"
    return None


def as_layer(raw: RawTable, plan: Plan) -> tuple[RawTable, Plan]:
    """`raw` with the columns that feed no field as JSON in `attributes`; a lone outline is named by its file."""
    used = {f.column for feeds in plan.feeds.values() for f in feeds}
    spare = [i for i in range(len(raw.headers)) if i not in used]
    headers, columns = list(raw.headers), list(raw.columns)
    feeds, constants = dict(plan.feeds), dict(plan.constants)
    if raw.rows == 1 and not headers:
        constants["feature_id"] = Path(raw.file).stem
    if spare:
        cells = zip(*[as_text(raw.columns[i]).to_pylist() for i in spare], strict=True)
        names = [raw.headers[i] for i in spare]
        texts = [
            json.dumps({n: c for n, c in zip(names, row, strict=True) if c is not None}, ensure_ascii=False)
            for row in cells
        ]
        feeds["attributes"] = (Feed(len(headers)),)
        headers.append("attributes")
        columns.append(pa.chunked_array([pa.array(texts, pa.string())]))
    table = RawTable(
        raw.file, raw.layer, tuple(headers), tuple(columns), raw.first_row, raw.geometry, raw.crs
    )
    return table, Plan(plan.dataset, feeds, plan.values, constants, plan.keep_first, lenient=True)
