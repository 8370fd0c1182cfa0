"""Rows given to a question about one dataset: a table, a yaml list, or a workspace that holds them."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from panhuo.core.problems import PanhuoError, problem_table
from panhuo.inventory.intake import Options, faults_told, read_tables, take_tables
from panhuo.inventory.mapping import MappingFile, find
from panhuo.inventory.readers import RawTable
from panhuo.inventory.spec import dataset_spec
from panhuo.rulebook.book import read_yaml
from panhuo.workspace.store import CONFIG, Workspace

YAML: Final = (".yaml", ".yml")


def given_rows(source: Path, dataset: str) -> tuple[pa.Table, pa.Table, str]:
    """(rows of `dataset`, problems, division that goes for rows without one) of a file or a workspace.

    Raises PanhuoError for rows that cannot be judged: faulty cells, areas in no unit, one id twice, none at all.
    """
    label = dataset_spec(dataset).label
    if (source / CONFIG).is_file():
        ws = Workspace.open(source)
        rows = ws.dataset(dataset)
        if rows is None or not rows.num_rows:
            raise PanhuoError(
                f"工作区里没有{label.zh} the workspace holds no {dataset}",
                where=str(source),
                remedy=f"先导入：panhuo import 工作区 文件 --as {dataset} import them first",
            )
        return rows, problem_table([]), str(ws.config.get("place", ""))
    mapping, options = MappingFile(), Options(as_dataset=dataset)
    tables = [yaml_table(source, dataset)] if source.suffix.lower() in YAML else []
    tables = tables or read_tables(source, options, mapping)
    numbered = [with_ids(raw, dataset, len(tables) > 1) for raw in tables]
    taken = take_tables(source, numbered, options, mapping, "")
    rows, problems = pa.concat_tables([t.table for t in taken]), pa.concat_tables([t.problems for t in taken])
    refuse(source, dataset, rows, problems)
    return rows, problems, ""


def yaml_table(path: Path, dataset: str) -> RawTable:
    """A yaml list of rows, bare or under a key, as a table; the keys of its rows are the headers."""
    if not path.is_file():
        raise PanhuoError("文件不存在 no such file", where=str(path), remedy="检查路径 check the path")
    body = read_yaml(path)
    listed = next((v for v in body.values() if isinstance(v, list)), None) if isinstance(body, dict) else body
    if not isinstance(listed, list) or not listed or not all(isinstance(row, dict) for row in listed):
        raise PanhuoError(
            f"没有{dataset_spec(dataset).label.zh} no {dataset} in the file",
            where=str(path),
            remedy=f"写成 {dataset}: [{{name: …, …}}]，一项一条 write it so",
        )
    headers = tuple(dict.fromkeys(key for row in listed for key in row))
    cells = ([None if row.get(h) is None else str(row[h]) for row in listed] for h in headers)
    columns = tuple(pa.chunked_array([pa.array(column, pa.string())]) for column in cells)
    return RawTable(path.name, "", tuple(map(str, headers)), columns)


def with_ids(raw: RawTable, dataset: str, many: bool) -> RawTable:
    """`raw` with the numbers of its rows for ids where it has none; many: more tables stand in the file."""
    (key,) = dataset_spec(dataset).key
    if any(field == key for header in raw.headers for field, *_ in find(header, dataset, True)):
        return raw
    ids = [f"{raw.layer}:{row}" if many else str(row) for row in raw.row_numbers.tolist()]
    column = pa.chunked_array([pa.array(ids, pa.string())])
    return replace(raw, headers=(*raw.headers, key), columns=(*raw.columns, column))


def refuse(source: Path, dataset: str, rows: pa.Table, problems: pa.Table) -> None:
    """Raises PanhuoError for rows that cannot be judged."""
    spec = dataset_spec(dataset)
    (key,) = spec.key
    errors = problems.filter(pc.equal(problems["severity"], "error"))
    if errors.num_rows:
        raise PanhuoError(
            f"有 {errors.num_rows} 处读不懂，未判断 {errors.num_rows} cells cannot be read, nothing was judged",
            **faults_told(errors),
        )
    if not rows.num_rows:
        raise PanhuoError(
            f"文件里没有{spec.label.zh} no {dataset} in the file",
            where=str(source),
            remedy="每项一行，表头写明单位，见 docs/reference/datasets.md a row for each, units in the headers",
        )
    unsaid = [
        p["value"]
        for p in problems.to_pylist()
        if p["type"] == "unit_assumed" and p["field"] in areas(dataset)
    ]
    if unsaid:
        raise PanhuoError(
            f"面积列没有单位 no unit of area: {', '.join(unsaid)}",
            where=str(source),
            why="亩和平方米相差六百多倍，不能推断 mu and m² differ some 667 times; it is not guessed",
            remedy=f"表头写明单位，如 {unsaid[0]}（亩） write it in the header",
        )
    times = Counter(rows[key].to_pylist())
    if twice := sorted(one for one, n in times.items() if n > 1):
        raise PanhuoError(
            f"{spec.fields[key].label.zh}重复 one id on several rows: {', '.join(twice[:5])}",
            where=str(source),
            remedy="改正编号 mend the ids",
        )


def areas(dataset: str) -> set[str]:
    """The fields of a dataset that hold areas."""
    return {name for name, field in dataset_spec(dataset).fields.items() if field.unit == "m2"}
