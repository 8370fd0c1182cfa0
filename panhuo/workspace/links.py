"""`panhuo link`: which parcel is which firm's own, by code, by name, and by what a person has confirmed."""

from collections import Counter
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from panhuo.core.problems import PanhuoError, Problem, problem_table
from panhuo.inventory.intake import Options, faults_told, read_tables, take_tables
from panhuo.inventory.land_enterprise import links, recorded, to_confirm, to_own
from panhuo.inventory.mapping import MappingFile
from panhuo.inventory.spec import dataset_spec, problem
from panhuo.rulebook.facts import connect
from panhuo.workspace.exports import writer_of
from panhuo.workspace.imports import import_files
from panhuo.workspace.outputs import TABLES, write_tables
from panhuo.workspace.store import Workspace

LAND: Final = ("parcel_id", "name", "holder", "holder_uscc")
FIRMS: Final = ("enterprise_id", "name", "year")
USES: Final = ("parcel_id", "enterprise_id", "kind")
SETTLED: Final = ("parcel_id", "enterprise_id", "confirmed")
REASONS: Final = {
    "near_name": {"zh": "名称相近", "en": "near name"},
    "same_name": {"zh": "同名企业不止一家", "en": "several firms of this name"},
    "other_owner": {"zh": "宗地登记为其他企业自有", "en": "the parcel is recorded as another firm's own"},
}
"""Why a link waits for a person."""
SHOWN: Final = 20
"""Rows told when not all are."""
SHEET: Final = {"zh": "待确认", "en": "to confirm"}

# The firm's code and 确认 are headed as the dataset `links` knows them, and nothing else as another dataset would.
WAITING: Final = """
SELECT w.parcel_id, p.name, p.holder, w.enterprise_id, e.name AS enterprise, w.how, w.likeness, owners
FROM waiting w LEFT JOIN parcels p USING (parcel_id)
  LEFT JOIN (SELECT enterprise_id, any_value(name) AS name FROM firms GROUP BY 1) e USING (enterprise_id)
  LEFT JOIN (
    SELECT parcel_id, string_agg(DISTINCT coalesce(f.name, u.enterprise_id), '、'
        ORDER BY coalesce(f.name, u.enterprise_id)) AS owners
    FROM uses u LEFT JOIN firms f USING (enterprise_id) WHERE kind = 'own' GROUP BY 1) o USING (parcel_id)
ORDER BY likeness DESC, w.parcel_id, w.enterprise_id
"""
HEADS: Final = {
    "zh": ("宗地编号", "地块", "登记权利人", "关联企业代码", "企业", "缘由", "相似度", "现登记自有企业", "确认"),
    "en": ("Parcel", "Plot", "Registered holder", "Firm linked", "Firm", "Because", "Likeness", "Recorded owner",
           "Confirmed"),
}  # fmt: skip


def link(
    root: Path,
    *,
    confirm: Path | None = None,
    by: str = "",
    output: Path | None = None,
    lang: str = "zh",
    dry_run: bool = False,
    full: bool = True,
) -> dict[str, Any]:
    """Lays links by code, by equal name and those confirmed into the occupancies, and lists those that wait.

    confirm: the list filled in; by: who confirmed it; output: where the list to confirm goes; dry_run: nothing is laid.
    Gives {parcels, linked: {code, name, list}, without, laid, waiting, settled: {yes, no, open, before}, rows,
    snapshot, files}, parcels by how they are linked; rows: what waits, if full. A second run changes nothing. Raises
    PanhuoError, the workspace unchanged, for a list with a row that cannot be taken.
    """
    if output is not None:
        writer_of(output, TABLES)
    if (confirm is None) != (not by.strip()):
        raise PanhuoError(
            "认定须有表和认定人 a list is confirmed by somebody",
            where="--confirm, --by",
            remedy="--confirm 待确认.xlsx --by 姓名 give both",
        )
    ws = Workspace.open(root)
    parcels, firms, uses = _record(ws)
    held = _settled_before(ws, parcels, firms)
    given = pa.table({}) if confirm is None else read_list(confirm, parcels, firms, uses)
    fresh = given if confirm is None else _new(given, held)
    found = links(parcels, firms, _over(held, fresh), uses)
    own, waiting = to_own(found, uses), _told(to_confirm(found, uses), parcels, firms, uses)
    if (own.num_rows or fresh.num_rows) and not dry_run:
        _write(ws, confirm, by.strip(), fresh, own)
    files = [] if output is None else write_tables(output, {SHEET[lang]: confirm_list(waiting, lang)})
    return {
        "parcels": parcels.num_rows,
        **_counts(found, parcels),
        "laid": own.num_rows,
        "waiting": waiting.num_rows,
        "settled": _answers(given, fresh),
        "rows": waiting.to_pylist() if full else waiting.slice(0, SHOWN).to_pylist(),
        "snapshot": Workspace.open(root).snapshot,
        "files": files,
    }


def _record(ws: Workspace) -> tuple[pa.Table, pa.Table, pa.Table]:
    """Parcels, enterprises (the last year last) and occupancies, only the columns that links need."""
    parcels, firms = ws.dataset("parcels", columns=LAND), ws.dataset("enterprises", columns=FIRMS)
    if parcels is None or firms is None:
        raise PanhuoError(
            "需要宗地和企业两个数据集 parcels and enterprises are needed",
            where=str(ws.root),
            remedy="先导入：panhuo import 工作区 宗地.xlsx 企业.xlsx import them first",
        )
    uses = ws.dataset("occupancies", columns=USES)
    empty = pa.schema([(name, pa.string()) for name in USES]).empty_table()
    return parcels, firms.sort_by("year").drop_columns("year"), empty if uses is None else uses


def _settled_before(ws: Workspace, parcels: pa.Table, firms: pa.Table) -> pa.Table:
    """What was settled before of parcels and firms that are still on record."""
    held = ws.dataset("links", columns=SETTLED)
    if held is None:
        return pa.schema(
            [(n, pa.bool_() if n == "confirmed" else pa.string()) for n in SETTLED]
        ).empty_table()
    known = pc.and_(
        pc.is_in(held["parcel_id"], parcels["parcel_id"]), pc.is_in(held["enterprise_id"], firms["enterprise_id"])
    )  # fmt: skip
    return held.filter(pc.and_(known, pc.is_valid(held["confirmed"])))


def read_list(path: Path, parcels: pa.Table, firms: pa.Table, uses: pa.Table) -> pa.Table:
    """(parcel_id, enterprise_id, confirmed) of a list filled in; rows left empty are not settled.

    Raises PanhuoError, naming the rows, where one is of no parcel or firm on record, says neither yes nor no, or denies
    what the occupancies hold; and where nothing was filled in.
    """
    options, mapping = Options(as_dataset="links"), MappingFile()
    taken = take_tables(path, read_tables(path, options, mapping), options, mapping, "")
    rows = pa.concat_tables([one.table for one in taken])
    told = pa.concat_tables([one.problems for one in taken])
    unanswered = pc.and_(pc.equal(told["type"], "not_in_code_list"), pc.equal(told["field"], "confirmed"))
    faults = [
        problem("link_not_answered", file=p["file"], row=p["row"], field=p["field"], value=p["value"])
        for p in told.filter(unanswered).to_pylist()
    ]
    errors = told.filter(pc.equal(told["severity"], "error"))
    faults += _unknown(rows, parcels, firms, uses)
    errors = pa.concat_tables([errors, problem_table(faults)])
    if errors.num_rows:
        raise PanhuoError(
            f"有 {errors.num_rows} 处不能采用，未写入 {errors.num_rows} faults, nothing was laid in",
            **faults_told(errors),
        )
    if not rows.num_rows or rows["confirmed"].null_count == rows.num_rows:
        raise PanhuoError(
            "没有一行填了确认 no row says yes or no",
            where=str(path),
            remedy="在“确认”栏填“是”或“否” write 是 or 否 (yes or no) under confirmed",
        )
    return rows.select(SETTLED)


def _unknown(rows: pa.Table, parcels: pa.Table, firms: pa.Table, uses: pa.Table) -> list[Problem]:
    """Rows of no parcel or no firm on record, and those that deny what the occupancies hold."""
    ids, codes = rows["parcel_id"], rows["enterprise_id"]
    pairs = pc.is_in(_pair(rows), _pair(recorded(uses)))
    wrong = {
        ("link_parcel_unknown", "parcel_id"): pc.invert(pc.is_in(ids, parcels["parcel_id"])),
        ("link_firm_unknown", "enterprise_id"): pc.invert(pc.is_in(codes, firms["enterprise_id"])),
        ("link_recorded", "confirmed"): pc.and_(pairs, pc.fill_null(pc.invert(rows["confirmed"]), False)),
    }
    return [
        problem(kind, file=row["source_file"], row=row["source_row"], field=field,
                value=f"{row['parcel_id']} {row['enterprise_id']}" if field == "confirmed" else row[field])
        for (kind, field), bad in wrong.items()
        for row in rows.filter(bad).to_pylist()
    ]  # fmt: skip


def _pair(table: pa.Table) -> pa.ChunkedArray:
    return pc.binary_join_element_wise(table["parcel_id"], table["enterprise_id"], "\x1f")


def _new(given: pa.Table, held: pa.Table) -> pa.Table:
    """The rows of a list that are answered, and not as they were before."""
    given = given.filter(pc.is_valid(given["confirmed"]))
    said = {(r["parcel_id"], r["enterprise_id"]): r["confirmed"] for r in held.to_pylist()}
    new = [said.get((r["parcel_id"], r["enterprise_id"])) != r["confirmed"] for r in given.to_pylist()]
    return given.filter(pa.array(new, pa.bool_()))


def _over(held: pa.Table, fresh: pa.Table) -> pa.Table:
    """What holds once the fresh rows are laid over: `links` takes the last of a pair."""
    return pa.concat_tables([held, fresh]) if fresh.num_rows else held


def _told(waiting: pa.Table, parcels: pa.Table, firms: pa.Table, uses: pa.Table) -> pa.Table:
    """The links that wait with the names of parcel and firm, and `because`, one of REASONS."""
    con = connect()
    # Of a province a few thousand wait: only theirs is joined.
    mine = parcels.filter(pc.is_in(parcels["parcel_id"], waiting["parcel_id"]))
    theirs = uses.filter(pc.is_in(uses["parcel_id"], waiting["parcel_id"]))
    last = _last_names(firms)
    for name, table in (("waiting", waiting), ("parcels", mine), ("firms", last), ("uses", theirs)):
        con.register(name, table)
    rows = con.execute(WAITING).to_arrow_table()
    because = [
        how if how == "near_name" else "other_owner" if owners else "same_name"
        for how, owners in zip(rows["how"].to_pylist(), rows["owners"].to_pylist(), strict=True)
    ]
    return rows.drop_columns("how").append_column("because", pa.array(because, pa.string()))


def _last_names(firms: pa.Table) -> pa.Table:
    """Each firm once, by its last name."""
    at = np.unique(firms["enterprise_id"].to_numpy()[::-1], return_index=True)[1]
    return firms.take(pa.array(firms.num_rows - 1 - at))


def confirm_list(waiting: pa.Table, lang: str) -> pa.Table:
    """The list as a person fills it in: its last column, to be answered, is empty."""
    reasons = [REASONS[word][lang] for word in waiting["because"].to_pylist()]
    columns = [
        *(waiting[n] for n in ("parcel_id", "name", "holder", "enterprise_id", "enterprise")),
        pa.array(reasons, pa.string()),
        pc.round(waiting["likeness"], 1),
        waiting["owners"],
        pa.nulls(waiting.num_rows, pa.string()),
    ]
    return pa.table(columns, names=list(HEADS[lang]))


def _counts(found: pa.Table, parcels: pa.Table) -> dict[str, Any]:
    """Parcels by how they are linked for certain, and how many have a holder that is linked to none."""
    sure = found.filter(found["confirmed"])
    how = dict(zip(sure["parcel_id"].to_pylist(), sure["how"].to_pylist(), strict=True))
    times = Counter("list" if word in ("near_name", "list") else word for word in how.values())
    named = pc.sum(pc.or_(pc.is_valid(parcels["holder"]), pc.is_valid(parcels["holder_uscc"]))).as_py() or 0
    linked = {word: times[word] for word in ("code", "name", "list")}
    return {"linked": linked, "without": named - len(how)}


def _answers(given: pa.Table, fresh: pa.Table) -> dict[str, int]:
    """The rows of a list: newly yes, newly no, left open, answered so before."""
    if not given.num_columns:
        return dict.fromkeys(("yes", "no", "open", "before"), 0)
    yes = pc.sum(fresh["confirmed"]).as_py() or 0
    unsaid = given["confirmed"].null_count
    return {
        "yes": yes, "no": fresh.num_rows - yes, "open": unsaid, "before": given.num_rows - unsaid - fresh.num_rows,
    }  # fmt: skip


def _write(ws: Workspace, confirm: Path | None, by: str, fresh: pa.Table, own: pa.Table) -> None:
    """Imports what was settled, and the new occupancies, as one snapshot.

    Files of one name are vintages of one ledger, so each bears the snapshot it was made on.
    """
    tables = {f"link-{ws.snapshot}": own}
    if confirm is not None and fresh.num_rows:
        code = dataset_spec("links").fields["enterprise_id"].label.zh
        days = pa.repeat(pa.scalar(date.today(), pa.date32()), fresh.num_rows)
        said = fresh.append_column("by", pa.repeat(by, fresh.num_rows)).append_column("on", days)
        # Under its own head a firm's code would make them occupancies too.
        tables[f"{confirm.stem}-{ws.snapshot}"] = said.rename_columns(
            {"enterprise_id": code, **{n: n for n in said.column_names if n != "enterprise_id"}}
        )
    with TemporaryDirectory() as folder:
        files = _stored(Path(folder), {name: table for name, table in tables.items() if table.num_rows})
        import_files(ws.root, files, Options())


def _stored(folder: Path, tables: dict[str, pa.Table]) -> Sequence[Path]:
    """The tables as files. Each tells of its name in its bytes: rows taken out since are no file taken before."""
    paths = [folder / f"{name}.parquet" for name in tables]
    for path, table in zip(paths, tables.values(), strict=True):
        pq.write_table(table.replace_schema_metadata({"made_as": path.name}), path)
    return paths
