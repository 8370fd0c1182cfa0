"""`panhuo cluster`: figures per 亩 of a park or an industry of a place, and claims held to its own inputs."""

import re
from collections.abc import Mapping
from datetime import date
from math import isfinite
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from panhuo.core.ids import checked_division, division_stem
from panhuo.core.problems import PanhuoError
from panhuo.core.units import m2_to_mu
from panhuo.inventory.spec import units
from panhuo.measure.cluster import Cluster, check_claims, cluster_sums
from panhuo.rulebook import Rulebook
from panhuo.rulebook.judged import opened
from panhuo.rulebook.scheme import pick_scheme
from panhuo.score.engine import of_year, scored_year
from panhuo.workspace.exports import writer_of
from panhuo.workspace.outputs import TABLES, write_tables
from panhuo.workspace.store import Workspace

INPUTS: Final = {
    "land_m2": ({"zh": "用地", "en": "Land"}, "mu"),
    "floor_m2": ({"zh": "建筑面积", "en": "Floor area"}, "m2"),
    "output_wan": ({"zh": "年产值", "en": "Output a year"}, "wan"),
    "revenue_wan": ({"zh": "年营业收入", "en": "Revenue a year"}, "wan"),
    "tax_wan": ({"zh": "年税收", "en": "Tax a year"}, "wan"),
    "suppliers": ({"zh": "供应商", "en": "Suppliers"}, "count"),
    "local_suppliers": ({"zh": "本地供应商", "en": "Local suppliers"}, "count"),
}
FIGURES: Final = {
    "land_mu": ({"zh": "用地", "en": "Land"}, "mu"),
    "far": ({"zh": "容积率", "en": "FAR"}, "ratio"),
    "output_per_mu": ({"zh": "亩均产值", "en": "Output per mu"}, "wan_per_mu"),
    "revenue_per_mu": ({"zh": "亩均营业收入", "en": "Revenue per mu"}, "wan_per_mu"),
    "tax_per_mu": ({"zh": "亩均税收", "en": "Tax per mu"}, "wan_per_mu"),
    "local_share": ({"zh": "供应链本地化率", "en": "Local share of suppliers"}, "ratio"),
}
STATUSES: Final = {
    "agree": {"zh": "相符", "en": "agrees"},
    "disagree": {"zh": "不符", "en": "disagrees"},
    "uncheckable": {"zh": "无法核对", "en": "cannot be checked"},
}
HEADS: Final = {
    "zh": ("指标", "值", "单位", "已知企业数", "声称", "核对"),
    "en": ("Figure", "Value", "Unit", "Firms known", "Claimed", "Check"),
}
ONCE: Final = "SELECT DISTINCT ON (enterprise_id) * FROM firms ORDER BY enterprise_id, year NULLS LAST"
INDUSTRY: Final = re.compile(r"[A-T]?\d{2,4}")


def cluster_figures(
    source: Path | None,
    given: Mapping[str, float],
    claims: Mapping[str, str],
    *,
    industry: str = "",
    division: str = "",
    on: date | None = None,
    output: Path | None = None,
    lang: str = "zh",
) -> dict[str, Any]:
    """The figures of a cluster and which claims they bear out.

    source: a workspace, whose firms of an industry (GB/T 4754, two to four digits) and a division are the cluster;
    given: fields of panhuo.measure.cluster.Cluster instead of the workspace's, or alone; claims: figure → the number as
    printed. Gives {as_of, year, firms, inputs: {input: {label, value, unit, known}}, figures: {figure: {label, value,
    unit}}, claims: [{figure, stated, computed, status}], files}; `known` is of how many of the firms an input is known,
    None where it was given; an input not known of all is unknown. Raises PanhuoError where there is no cluster, or for
    a claim of nothing.
    """
    if output is not None:
        writer_of(output, TABLES)
    _check(source, given, claims, industry, division)
    on = on or date.today()
    year, firms, sums = (None, None, {}) if source is None else _workspace(source, industry, division, on)
    held = {name: value for name, (value, _) in sums.items()} | dict(given)
    cluster = Cluster(**held)
    result = {
        "as_of": on,
        "year": year,
        "firms": firms,
        "inputs": {
            name: {"label": label, "value": _shown(name, held.get(name)), "unit": unit,
                   "known": None if name in given or name not in sums else sums[name][1]}
            for name, (label, unit) in INPUTS.items()
            if name in held
        },
        "figures": {
            name: {"label": FIGURES[name][0], "value": value, "unit": FIGURES[name][1]}
            for name, value in cluster.figures.items()
        },
        "claims": [vars(claim) for claim in check_claims(cluster, claims)],
    }  # fmt: skip
    files = [] if output is None else write_tables(output, _sheet(result, lang))
    return result | {"files": files}


def _check(
    source: Path | None, given: Mapping[str, float], claims: Mapping[str, str], industry: str, division: str
) -> None:
    """Raises PanhuoError for what cannot be a cluster."""
    if source is None and (industry or division or not given):
        raise PanhuoError(
            "要算哪个集群 which cluster",
            remedy="给工作区（可加 --industry、--division），或用选项给数据，如 --land-mu 149 --floor-m2 200000"
            " give a workspace, or figures as options",
        )
    checked_division(division)
    if industry and not INDUSTRY.fullmatch(industry):
        raise PanhuoError(
            f"不是行业代码 not an industry: {industry}", where="--industry",
            remedy="GB/T 4754 二至四位，如 24、2422 two to four digits",
        )  # fmt: skip
    for name, text in claims.items():
        if name not in FIGURES:
            known = ", ".join(f"{one} {label['zh']}" for one, (label, _) in FIGURES.items())
            raise PanhuoError(
                f"没有指标 no such figure: {name}", where="--claim", remedy=f"可用 use: {known}"
            )
        if not isfinite(float(text)):
            raise PanhuoError(f"不是数 not a number: {name}={text}", where="--claim")
    suppliers, local = given.get("suppliers"), given.get("local_suppliers")
    if suppliers is not None and local is not None and local > suppliers:
        raise PanhuoError(
            f"本地供应商多于供应商 more local suppliers than suppliers: {local:g} > {suppliers:g}",
            where="--local-suppliers",
        )


def _workspace(
    root: Path, industry: str, division: str, on: date
) -> tuple[int, int, dict[str, tuple[float | None, int]]]:
    """(year, firms, sums) of the firms of a workspace in the latest year that is not after the day."""
    ws = Workspace.open(root)
    enterprises = ws.dataset("enterprises")
    if enterprises is None:
        raise PanhuoError(
            "工作区里没有企业 the workspace holds no enterprises",
            where=str(root),
            remedy="先导入：panhuo import 工作区 文件 --as enterprises import them first",
        )
    year = scored_year(enterprises, on)
    # A firm with a row of the year and one without a year counts once, by the row of the year.
    firms = opened(firms=of_year(enterprises, year)).execute(ONCE).to_arrow_table()
    if industry:
        codes = pc.ascii_ltrim(pc.fill_null(firms["industry"], ""), characters="ABCDEFGHIJKLMNOPQRST")
        firms = firms.filter(pc.starts_with(codes, industry.lstrip("ABCDEFGHIJKLMNOPQRST")))
    if division:
        place = pc.fill_null(firms["division"], str(ws.config.get("place", "")))
        firms = firms.filter(pc.starts_with(place, division_stem(division)))
    if not firms.num_rows:
        raise PanhuoError(
            f"{year} 年没有这样的企业 no such firms in {year}",
            where=" ".join(part for part in (str(root), industry, division) if part),
            remedy="核对 --industry、--division 和年度 check the industry, the division and the year",
        )
    land = pick_scheme(Rulebook.load(), division or str(ws.config.get("place", "")), on).land
    parcels = ws.dataset("parcels", columns=["parcel_id", "holder_uscc", "area_m2", "floor_area_m2"])
    return year, firms.num_rows, cluster_sums(firms, ws.dataset("occupancies"), parcels, year, land)


def _shown(name: str, value: float | None) -> float | None:
    """An input in the unit it is told in."""
    return m2_to_mu(value) if name == "land_m2" and value is not None else value


def _sheet(result: Mapping[str, Any], lang: str) -> dict[str, pa.Table]:
    """Inputs and figures as rows, claims beside their figures, headed in a language."""
    claims = {claim["figure"]: claim for claim in result["claims"]}
    rows = [
        (one["label"][lang], one["value"], unit_words(one["unit"], lang), one.get("known"),
         claims[name]["stated"] if name in claims else None,
         STATUSES[claims[name]["status"]][lang] if name in claims else None)
        for part in ("inputs", "figures")
        for name, one in result[part].items()
        if not (part == "figures" and name == "land_mu" and name not in claims)
    ]  # fmt: skip
    table = pa.table(dict(zip(HEADS[lang], map(pa.array, zip(*rows, strict=True)), strict=True)))
    return {"集群" if lang == "zh" else "cluster": table}


def unit_words(unit: str, lang: str) -> str:
    """A unit as a reader writes it; "" for a ratio or a count."""
    return "" if unit in ("ratio", "count") else units()[unit].label.model_dump()[lang]
