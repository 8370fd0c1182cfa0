"""A published list of tiers as (enterprise_id, tier), or a word why it cannot be."""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final

import pyarrow as pa

from panhuo.core.problems import PanhuoError
from panhuo.inventory.land_enterprise import whole_name
from panhuo.inventory.mapping import normal
from panhuo.inventory.readers import RawTable, read
from panhuo.inventory.spec import FieldSpec, dataset_spec
from panhuo.inventory.values import as_text
from panhuo.rulebook.book import SPEC, read_yaml
from panhuo.rulebook.scheme_schema import Scheme

SHOWN: Final = 5
TAIL: Final = re.compile(r"(类|档|级|等)?(企业)?$")
"""What may stand behind the letter of a tier: A类, B档企业."""


@cache
def known() -> dict[str, str]:
    """Normal header → enterprise_id, name or tier."""
    fields = {name: dataset_spec("enterprises").fields[name] for name in ("enterprise_id", "name")}
    fields |= {
        name: FieldSpec.model_validate(one) for name, one in read_yaml(SPEC / "published.yaml").items()
    }
    return {normal(w): name for name, one in fields.items() for w in (name, one.label.zh, *one.aliases)}


def known_cells(cells: Sequence[str]) -> int:
    """How many cells of a row are headers of a published list."""
    return sum(normal(cell) in known() for cell in cells if cell)


def tier_words(schemes: Iterable[Scheme]) -> dict[str, str]:
    """How a tier may be written → its id."""
    words: dict[str, str] = {}
    for scheme in schemes:
        for tier, one in scheme.tiers.items():
            words |= {normal(w): tier for w in (tier, one.label.zh, one.label.en)}
        words |= {normal(one.tier): one.tier for one in scheme.classes.values() if one.tier}
    return words


def read_published(
    path: Path, schemes: Sequence[Scheme], names: Mapping[str, Sequence[str]]
) -> tuple[pa.Table, list[str]]:
    """((enterprise_id, tier) of the firms of the workspace, firms of the file that it does not know).

    A firm is told by its code, else by a name that one firm alone bears; names: whole name → ids, and each id by
    itself. A row without a tier is left out. Raises PanhuoError for a file without tiers, a tier that the schemes do
    not have, or a firm given two.
    """
    tables = [table for table in read(path, score=known_cells) if table.rows]
    rows = [row for raw in tables for row in rows_of(raw)]
    words = tier_words(schemes)
    found: dict[str, str] = {}
    strange, unknown = list[str](), list[str]()
    for where, code, name, written in rows:
        firm = name or code
        ids = names.get(whole_name(code)) or names.get(whole_name(name), ())
        tier = words.get(normal(written)) or words.get(TAIL.sub("", normal(written)))
        if tier is None:
            unknown.append(f"{where}: {written}")
        elif len(ids) != 1:
            strange.append(firm)
        elif found.setdefault(ids[0], tier) != tier:
            raise PanhuoError(
                f"一家企业有两个等级 two tiers of one firm: {firm}", where=f"{path.name}, {where}",
                remedy="只留一行 keep one row",
            )  # fmt: skip
    if unknown:
        raise PanhuoError(
            f"认不出的等级 no such tier: {'; '.join(unknown[:SHOWN])}", where=path.name,
            remedy=f"方案的等级 the scheme's tiers: {', '.join(dict.fromkeys(words.values()))}",
        )  # fmt: skip
    if not rows:
        raise PanhuoError(
            "公布结果里没有等级 no tiers in the published file", where=str(path),
            remedy="一行一家企业：统一社会信用代码或企业名称、评价等级 a firm a row: code or name, and its tier",
        )  # fmt: skip
    return pa.table({"enterprise_id": pa.array([*found], pa.string()), "tier": [*found.values()]}), strange


def rows_of(raw: RawTable) -> list[tuple[str, str, str, str]]:
    """(row as the user counts it, code, name, tier as written) of each row that has a tier."""
    feeds: dict[str, list[str | None]] = {}
    for header, column in zip(raw.headers, raw.columns, strict=True):
        if name := known().get(normal(header)):
            if name in feeds:
                raise PanhuoError(
                    f"两列同义 two columns mean one thing: {header}", where=raw.where,
                    remedy="只留一列 keep one column",
                )  # fmt: skip
            feeds[name] = as_text(column).to_pylist()
    if "tier" not in feeds or not feeds.keys() & {"enterprise_id", "name"}:
        raise PanhuoError(
            "公布结果缺列 the published file lacks a column: "
            + ("评价等级 tier" if "tier" not in feeds else "统一社会信用代码或企业名称 code or name"),
            where=raw.where,
            why=f"表头 headers: {', '.join(raw.headers)[:200]}",
            remedy="一行一家企业：统一社会信用代码或企业名称、评价等级 a firm a row: code or name, and its tier",
        )
    blank: list[str | None] = [None] * raw.rows
    told = zip(
        raw.row_numbers.tolist(), feeds.get("enterprise_id", blank), feeds.get("name", blank), feeds["tier"],
        strict=True,
    )  # fmt: skip
    return [
        (f"row {row}", code or "", name or "", tier)
        for row, code, name, tier in told
        if tier and (code or name)
    ]
