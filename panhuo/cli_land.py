# ruff: noqa: PLC0415 - use cases load with their verb, so that the others start fast
"""The verbs `panhuo land …`: what the land itself says, and what may be made of it."""

from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.table import Table

from panhuo.cli_words import Json, Root, emit, escape, not_negative, out, parse_day, session, working
from panhuo.core.problems import PanhuoError

land: Final = typer.Typer(
    no_args_is_help=True,
    help="土地图形：叠置、冲突、同一场地、分割、合并、台地、日照、选址、功能、集中设施、多层养殖 The land itself.",
)

Folder = Annotated[Path, typer.Option("-o", "--output", help="输出文件夹 output folder")]
File = Annotated[Path | None, typer.Option("-o", "--output", help="结果文件 gpkg geojson parquet csv xlsx")]
Day = Annotated[str | None, typer.Option("--on", help="口径的日期 day of the law, 2025-06-30")]
Parcel = Annotated[str, typer.Argument(metavar="PARCEL", help="宗地编号 parcel id")]

STATUSES: Final = {"pass": ("合格", "pass"), "unknown": ("待核", "unknown"), "fail": ("不合格", "fail")}
SITES_SHOWN: Final = 20
SITE_MEASURES: Final = {"area": ("面积", "area"), "slope": ("坡度", "slope")}


@land.command("overlay")
def overlay_(
    ws: Root,
    layers: Annotated[
        str, typer.Option("--layers", help="图层种类，逗号分隔，缺省全部 kinds, all by default")
    ] = "",
    by: Annotated[str, typer.Option("--by", help="按图层的一列分开 code | name | feature_id")] = "",
    output: File = None,
    as_json: Json = False,
) -> None:
    """各宗地在各图层内的面积和占比 Area and share of each parcel under each layer."""
    from panhuo.workspace.screens import overlay_layers
    from panhuo.workspace.store import Workspace

    with working():
        result = overlay_layers(Workspace.open(ws), listed(layers), by=by, output=output)
    columns = (("layer", "图层"), ("parcels", "宗数"), ("area_m2", "面积 m²"), ("slivers", "碎屑宗数"))
    emit(result, as_json, lambda r: show_rows(r["layers"], columns, r))


@land.command("conflicts")
def conflicts_(
    ws: Root,
    gap_m: Annotated[
        float, typer.Option("--gap", callback=not_negative, help="缝隙最宽 widest gap, m")
    ] = 1.0,
    sliver_m2: Annotated[
        float, typer.Option("--sliver", callback=not_negative, help="碎屑面积 sliver, m²")
    ] = 0.1,
    paper: Annotated[
        float,
        typer.Option("--paper", callback=not_negative, help="面积不符的容差 tolerance of areas on paper"),
    ] = 0.01,
    output: File = None,
    as_json: Json = False,
) -> None:
    """压盖、缝隙、重复、证图不符 Overlaps, gaps, duplicates, papers that differ."""
    from panhuo.inventory.conflicts import Limits
    from panhuo.workspace.screens import conflict_list
    from panhuo.workspace.store import Workspace

    limits = Limits(sliver_m2=sliver_m2, gap_width_m=gap_m, paper_tolerance_share=paper)
    with working():
        result = conflict_list(Workspace.open(ws), limits=limits, output=output)
    emit(result, as_json, show_conflicts)


def show_conflicts(result: dict[str, Any]) -> None:
    """Kinds counted."""
    from panhuo.report.land_chain import conflict_kinds

    rows = [
        {"kind": session.pick(conflict_kinds()[kind]["zh"], conflict_kinds()[kind]["en"]), **counts}
        for kind, counts in result["kinds"].items()
    ]
    columns = (("kind", "种类"), ("yes", "成立"), ("unknown", "待核"), ("area_m2", "面积 m²"))
    show_rows(rows, columns, result)


@land.command("sites")
def sites_(ws: Root, output: File = None, on: Day = None, as_json: Json = False) -> None:
    """同一场地：合起来的权利、面积、容积率、密度 Parcels used as one site, measured as one."""
    from panhuo.workspace.screens import one_sites
    from panhuo.workspace.store import Workspace

    with working():
        result = one_sites(Workspace.open(ws), output=output, on=parse_day(on))
    emit(result, as_json, show_sites)


def show_sites(result: dict[str, Any]) -> None:
    """How many sites, those of several tenures or holders first, each with its indices against the plan's."""
    counts = result["counts"]
    out.print(
        session.pick(
            f"同一场地 {counts['sites']:,} 处，其中权利性质或权利人不一 {counts['split']:,} 处",
            f"{counts['sites']:,} sites of several parcels, {counts['split']:,} of several tenures or holders",
        )
    )
    columns = (
        ("parcels", "宗地"), ("tenures", "权利性质"), ("holders", "权利人"), ("mu", "亩"), ("FAR/max", "容积率/上限"),
        ("density/max", "密度/上限"), ("green", "绿地率下限"),
    )  # fmt: skip
    rows = [
        {
            "parcels": "\n".join(one["members"]),
            "tenures": one["tenures"],
            "holders": one["holders"],
            "mu": one["area_mu"],
            "FAR/max": f"{said(one['far'])}/{said(one['far_planned_max'])}",
            "density/max": f"{said(one['density'])}/{said(one['density_max'])}",
            "green": one["green_min"],
        }
        for one in result["sites"][:SITES_SHOWN]
    ]
    show_rows(rows, columns, result)
    if (more := len(result["sites"]) - SITES_SHOWN) > 0:
        out.print(session.pick(f"… 还有 {more:,} 处", f"… {more:,} more"), style="dim")


@land.command("split")
def split_(
    ws: Root,
    parcel: Parcel,
    shares: Annotated[str, typer.Option("--shares", help="各份面积之比，如 28,102,98 areas in proportion")],
    output: Folder,
    area_min: Annotated[
        float | None, typer.Option("--area-min", callback=not_negative, help="每份最小面积 least area, m²")
    ] = None,
    width_min: Annotated[
        float | None, typer.Option("--width-min", callback=not_negative, help="每份最小宽度 least width, m")
    ] = None,
    frontage_min: Annotated[
        float | None,
        typer.Option("--frontage-min", callback=not_negative, help="每份最小临路 least frontage, m"),
    ] = None,
    proposals: Annotated[int, typer.Option("--proposals", min=1, help="方案数 how many")] = 3,
    take: Annotated[
        int, typer.Option("--take", min=1, help="输出第几个方案的界址 boundary files of which")
    ] = 1,
    on: Day = None,
    as_json: Json = False,
) -> None:
    """按面积比分割一宗，保临路、宽度和建筑 Cuts a parcel, keeping access, width and buildings."""
    from panhuo.workspace.reshape import split
    from panhuo.workspace.store import Workspace

    with working():
        result = split(
            Workspace.open(ws), parcel, numbers(shares), output, area_min_m2=area_min, width_min_m=width_min,
            frontage_min_m=frontage_min, proposals=proposals, take=take, on=parse_day(on),
        )  # fmt: skip
    emit(result, as_json, show_split)


def show_split(result: dict[str, Any]) -> None:
    """Each proposal's parts."""
    from panhuo.workspace.reshape import SIGNS

    rows = [
        {
            "no": number if first else "",
            **part,
            "frontage_m": session.pick("未判断", "not judged")
            if part["frontage_m"] is None
            else part["frontage_m"],
            "broken": ", ".join(session.pick(SIGNS[b]["zh"], SIGNS[b]["en"]) for b in part["broken"]),
        }
        for proposal in result["proposals"]
        for number, part, first in (
            (proposal["proposal"], part, part is proposal["parts"][0]) for part in proposal["parts"]
        )
    ]
    columns = (
        ("no", "方案"), ("parcel_id", "新编号"), ("area_mu", "亩"), ("area_m2", "m²"), ("width_m", "宽 m"),
        ("frontage_m", "临路 m"), ("broken", "不满足"),
    )  # fmt: skip
    show_rows(rows, columns, result)


@land.command("join")
def join_(
    ws: Root,
    parcels: Annotated[list[str], typer.Argument(metavar="PARCEL…", help="相邻宗地 adjoining parcels")],
    output: Folder,
    on: Day = None,
    as_json: Json = False,
) -> None:
    """合并相邻宗地 Joins adjoining parcels into one."""
    from panhuo.workspace.reshape import join
    from panhuo.workspace.store import Workspace

    with working():
        result = join(Workspace.open(ws), parcels, output, on=parse_day(on))
    columns = (("parcel_id", "新编号"), ("area_mu", "亩"), ("area_m2", "m²"), ("closed_m2", "合缝 m²"))
    emit(result, as_json, lambda r: show_rows([r], columns, r))


@land.command("platforms")
def platforms_(
    ws: Root,
    parcel: Parcel,
    output: Folder,
    density: Annotated[
        float, typer.Option("--density", callback=not_negative, help="建筑密度 share built on")
    ] = 0.4,
    storeys: Annotated[int, typer.Option("--storeys", help="层数 storeys")] = 3,
    wall_max: Annotated[
        float | None, typer.Option("--wall-max", callback=not_negative, help="挡墙上限 highest wall, m")
    ] = None,
    depth_min: Annotated[
        float | None, typer.Option("--depth-min", callback=not_negative, help="台面最小进深 least depth, m")
    ] = None,
    on: Day = None,
    as_json: Json = False,
) -> None:
    """坡地分台：挖填平衡、可用面积、容积率 Stepped platforms on the elevation held."""
    from panhuo.workspace.reshape import step
    from panhuo.workspace.store import Workspace

    if not 0 < density <= 1 or storeys < 1:
        raise PanhuoError("密度或层数有误 bad density or storeys", remedy="0 < 密度 ≤ 1，层数 ≥ 1")
    with working():
        result = step(
            Workspace.open(ws), parcel, output, density=density, storeys=storeys, on=parse_day(on),
            wall_max_m=wall_max, depth_min_m=depth_min,
        )  # fmt: skip
    emit(result, as_json, show_platforms)


def show_platforms(result: dict[str, Any]) -> None:
    """The platforms from the lowest up, then the totals."""
    columns = (
        ("platform", "台"), ("level_m", "高程 m"), ("area_m2", "面积 m²"), ("usable_m2", "可用 m²"),
        ("cut_m3", "挖 m³"), ("fill_m3", "填 m³"), ("wall_height_m", "挡墙高 m"),
    )  # fmt: skip
    show_rows(result["platforms"], columns, result)
    out.print(
        session.pick(
            f"可用 {result['usable_m2']:,.0f} m²，挖 {result['cut_m3']:,.0f}、填 {result['fill_m3']:,.0f} m³，"
            f"{result['storeys']} 层、密度 {result['density']:.0%} 时容积率 {result['far']:.2f}",
            f"usable {result['usable_m2']:,.0f} m², cut {result['cut_m3']:,.0f}, fill {result['fill_m3']:,.0f} m³, "
            f"FAR {result['far']:.2f} with {result['storeys']} storeys on {result['density']:.0%}",
        )
    )


@land.command("sun")
def sun_(
    ws: Root,
    usable: Annotated[
        float,
        typer.Option("--usable", callback=not_negative, help="可铺设面积占比 share that bears panels, 0–1"),
    ],
    parcel: Annotated[str, typer.Option("--parcel", help="只算一宗 one parcel only")] = "",
    weather: Annotated[Path | None, typer.Option("--weather", help="典型年气象 EPW | PVGIS csv")] = None,
    tilt: Annotated[
        float | None, typer.Option("--tilt", min=0, max=90, help="倾角，缺省取纬度 tilt, degrees")
    ] = None,
    azimuth: Annotated[
        float, typer.Option("--azimuth", min=0, max=360, help="方位，正南 180 azimuth, degrees")
    ] = 180.0,
    output: File = None,
    on: Day = None,
    as_json: Json = False,
) -> None:
    """光伏发电量、折煤、减碳 Photovoltaic yield, coal and CO2."""
    from panhuo.workspace.screens import sun
    from panhuo.workspace.store import Workspace

    with working():
        result = sun(
            Workspace.open(ws), usable_share=usable, parcel_id=parcel, weather=weather, tilt_deg=tilt,
            azimuth_deg=azimuth, output=output, on=parse_day(on),
        )  # fmt: skip
    emit(result, as_json, show_sun)


def show_sun(result: dict[str, Any]) -> None:
    """Yield, then what it saves by each set of factors."""
    hours = f"{result['full_load_hours']:,.0f} h ({escape(str(result['hours_from']))})"
    kwp, kwh = result["capacity_kwp"], result["energy_kwh"]
    if kwh is None:
        out.print(
            session.pick("面积未知，发电量不能估算", "the area is unknown, and so is the yield")
            + f" · {hours}"
        )
    else:
        yearly = session.pick(f"{kwh / 1e4:,.1f} 万度/年", f"{kwh / 1e3:,.0f} MWh a year")
        out.print(f"{kwp:,.0f} kWp · {yearly} · {hours}")
        if unknown := result["area_unknown"]:
            out.print(
                session.pick(
                    f"另有 {unknown} 宗面积未知，未计入", f"{unknown} more of unknown area, not counted"
                )
            )
    columns = (("factors", "口径"), ("coal_t", "煤 t"), ("co2_t", "CO2 t"), ("unverified", "未核实"))
    show_rows(result["savings"], columns, result)


@land.command("siting")
def siting_(
    ws: Root,
    avoid: Annotated[
        str, typer.Option("--avoid", help="须避让的图层 layers to lie off")
    ] = "permanent_farmland,red_line",
    area_min: Annotated[
        float | None, typer.Option("--area-min", callback=not_negative, help="最小面积 m²")
    ] = None,
    slope_max: Annotated[
        float | None, typer.Option("--slope-max", callback=not_negative, help="最大平均坡度 degrees")
    ] = None,
    homes_min: Annotated[
        float | None, typer.Option("--homes-min", callback=not_negative, help="距居民点至少 m")
    ] = None,
    water_min: Annotated[
        float | None, typer.Option("--water-min", callback=not_negative, help="距水体至少 m")
    ] = None,
    roads_max: Annotated[
        float | None, typer.Option("--roads-max", callback=not_negative, help="距道路至多 m")
    ] = None,
    output: File = None,
    on: Day = None,
    as_json: Json = False,
) -> None:
    """选址筛选：控制线、面积、坡度、距离 Screens parcels as sites; an absent layer is unknown, never passed."""
    from panhuo.workspace.screens import site_screen
    from panhuo.workspace.store import Workspace

    bounds = {
        "area_min_m2": area_min, "slope_max_deg": slope_max, "homes_min_m": homes_min, "water_min_m": water_min,
        "roads_max_m": roads_max,
    }  # fmt: skip
    with working():
        result = site_screen(
            Workspace.open(ws), bounds=bounds, avoid=listed(avoid), output=output, on=parse_day(on)
        )
    emit(result, as_json, show_siting)


def show_siting(result: dict[str, Any]) -> None:
    """Counts, what is known of no plot, then the first of the ranking."""
    counts, sites = result["counts"], result["sites"]
    out.print(
        session.pick(
            f"合格 {counts['pass']} · 待核 {counts['unknown']} · 不合格 {counts['fail']}",
            f"pass {counts['pass']} · unknown {counts['unknown']} · fail {counts['fail']}",
        )
    )
    everywhere = set.intersection(*(set(listed(s["unknown"])) for s in sites)) if len(sites) > 1 else set()
    if everywhere:
        names = session.pick("、", ", ").join(
            siting_test(t) for t in listed(sites[0]["unknown"]) if t in everywhere
        )
        out.print(session.pick(f"所列各宗均待核：{names}", f"unknown for every plot listed: {names}"))

    def words(tests: str) -> str:
        return session.pick("、", ", ").join(siting_test(t) for t in listed(tests) if t not in everywhere)

    columns = (
        ("rank", "名次"), ("parcel_id", "宗地"), ("status", "结论"), ("margin", "余量"), ("failed", "不合格项"),
        ("unknown", "待核项"),
    )  # fmt: skip
    rows = [
        s
        | {
            "status": session.pick(*STATUSES[s["status"]]),
            "failed": words(s["failed"]),
            "unknown": words(s["unknown"]),
        }
        for s in sites
    ]
    show_rows(rows, columns, result)


def siting_test(name: str) -> str:
    """A test of a site in words: `off_<layer>`, what is near, area or slope."""
    from panhuo.inventory.spec import code_rows

    layers = {row["code"]: (row["zh"], row["en"].lower()) for row in code_rows("layer_kinds")}
    kind = name.removeprefix("off_")
    zh, en = SITE_MEASURES.get(name) or layers.get(kind, (kind, kind))
    return session.pick(f"避让{zh}", f"off {en}") if name.startswith("off_") else session.pick(zh, en)


@land.command("functions")
def functions_(ws: Root, output: File = None, on: Day = None, as_json: Json = False) -> None:
    """桥下等小微空间的功能 Functions of spaces under bridges, by need within a walk."""
    from panhuo.workspace.screens import space_functions
    from panhuo.workspace.store import Workspace

    with working():
        result = space_functions(Workspace.open(ws), output=output, on=parse_day(on))
    emit(result, as_json, show_functions)


def show_functions(result: dict[str, Any]) -> None:
    """Totals by function."""
    columns = (("function", "功能"), ("sites", "处数"), ("area_m2", "面积 m²"))
    show_rows(result["totals"], columns, result)
    if result["not_judged"]:
        out.print(
            session.pick("未给需求、未规划：", "no need given, not planned: ")
            + ", ".join(result["not_judged"])
        )


@land.command("plants")
def plants_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="负荷、候选点、规模 yaml")],
    output: File = None,
    on: Day = None,
    as_json: Json = False,
) -> None:
    """集中供热、治污：选址、规模、各家节约 Shared plants at least cost, and what each firm saves."""
    from panhuo.workspace.plants import plan_plants

    with working():
        result = plan_plants(file, output=output, on=parse_day(on))
    emit(result, as_json, show_plants)


def show_plants(result: dict[str, Any]) -> None:
    """Plants of each service, then what every firm saves."""
    plants = [
        {"service": name, **plant} for name, told in result["services"].items() for plant in told["plants"]
    ]
    columns = (
        ("service", "服务"), ("site_id", "厂址"), ("capacity", "规模"), ("firms", "接入"), ("invest_wan", "投资 万元"),
        ("pipe_m", "管长 m"),
    )  # fmt: skip
    show_rows(plants, columns, {})
    for name, told in result["services"].items():
        out.print(f"{name}: " + session.pick("全年节约", "saved a year") + f" {told['saved_wan']:,.0f} 万元")
    saved = (
        ("firm_id", "企业"), ("services", "服务"), ("land_freed_mu", "腾地 亩"), ("saved_wan", "年节约 万元"),
    )  # fmt: skip
    show_rows(result["firms"], saved, result)


def show_rows(
    rows: list[dict[str, Any]], columns: tuple[tuple[str, str], ...], result: dict[str, Any]
) -> None:
    """Some columns of rows as a table, then the problems and files of a result."""
    table = Table(box=None, header_style="bold")
    numeric = {name for name, _ in columns if any(isinstance(r.get(name), int | float) for r in rows)}
    for name, zh in columns:
        table.add_column(
            session.pick(zh, name), justify="right" if name in numeric else "left", overflow="fold"
        )
    for row in rows:
        table.add_row(*(escape(said(row.get(name))) for name, _ in columns))
    out.print(table)
    problems = result.get("problems", [])
    for problem in problems[:5]:
        out.print(
            f"• {problem['type']} {escape(problem['field'])} {escape(problem['value'])}: {escape(problem['action'])}",
            style="dim",
        )
    if len(problems) > 5:
        out.print(session.pick(f"… 还有 {len(problems) - 5} 处", f"… {len(problems) - 5} more"), style="dim")
    for path in result.get("files", []):
        out.print(escape(path))


def said(value: Any) -> str:
    """A cell."""
    if value is None:
        return "—"
    if isinstance(value, bool):
        return session.pick("是", "yes") if value else ""
    return f"{value:,.2f}" if isinstance(value, float) else str(value)


def listed(text: str) -> list[str]:
    """The words of a comma-separated option."""
    return [word.strip() for word in text.replace("，", ",").split(",") if word.strip()]


def numbers(text: str) -> list[float]:
    """The numbers of a comma-separated option. Raises PanhuoError for a word that is none."""
    try:
        return [float(word) for word in listed(text)]
    except ValueError:
        raise PanhuoError(f"不是数 not numbers: {text}", remedy="写成 28,102,98 write them so") from None
