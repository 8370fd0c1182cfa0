# ruff: noqa: PLC0415 - what names a code loads only where it is shown
"""The results of the verbs in words: one function for each, named after its verb."""

from typing import Any

from rich.console import Console
from rich.table import Table

from panhuo.cli_words import escape, out, session


def show_import(result: dict[str, Any]) -> None:
    """The import report in words."""
    from panhuo.inventory.spec import problem_types

    for entry in result["imports"]:
        out.print(
            f"{escape(entry['file'])} → [bold]{entry['dataset']}[/bold]: "
            + session.pick(
                f"{entry['rows']} 行，导入 {entry['taken']}，拒绝 {entry['refused']}，未变 {entry['unchanged']}",
                f"{entry['rows']} rows, {entry['taken']} taken, {entry['refused']} refused, "
                f"{entry['unchanged']} unchanged",
            )
            + (f"  {entry['crs']}" if entry["crs"] else "")
        )
        notes: dict[str, list[str]] = {}
        for note in entry["notes"]:
            notes.setdefault(note["type"], []).append(" ".join(filter(None, (note["field"], note["value"]))))
        for name, count in sorted(entry["problems"].items(), key=lambda item: -item[1]):
            kind = problem_types()[name]
            said = escape("; ".join(notes.get(name, ())))
            out.print(
                f"    {count:>7}  {session.pick(kind.label.zh, kind.label.en)}  [dim]{name}  {said}[/dim]"
            )
    out.print(session.pick("快照", "snapshot") + f" {result['snapshot']}")


def show_check(result: dict[str, Any]) -> None:
    """The problems counted by kind, each with an example."""
    from panhuo.inventory.spec import problem_types

    kinds: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for row in result["problems"]:
        kinds.setdefault((row["severity"], row["owner"], row["type"]), []).append(row)
    table = Table(box=None, header_style="bold")
    for zh, en in (
        ("程度", "severity"),
        ("谁来改", "owner"),
        ("问题", "problem"),
        ("数", "n"),
        ("例", "example"),
        ("处理", "remedy"),
    ):
        table.add_column(session.pick(zh, en), overflow="fold")
    for (severity, owner, name), rows in kinds.items():
        kind = problem_types()[name]
        first = rows[0]
        where = f"{first['file']} {first['row'] or ''} {first['field']} {first['value'][:40]}"
        label, remedy = (session.pick(w.zh, w.en) for w in (kind.label, kind.remedy))
        table.add_row(severity, owner, label, str(len(rows)), escape(where), remedy)
    Console(highlight=False).print(table)


def show_assess(result: dict[str, Any]) -> None:
    """Findings counted, with those not judged and why."""
    from panhuo.report.names import not_judged
    from panhuo.rulebook import Rulebook

    rules = Rulebook.load().rules
    table = Table(box=None, header_style="bold")
    for zh, en in (("结论", "finding"), ("成立", "holds"), ("待核", "unknown")):
        table.add_column(session.pick(zh, en), justify="left" if zh == "结论" else "right")
    for name, counts in sorted(result["findings"].items(), key=lambda item: (-item[1]["yes"], item[0])):
        label = session.pick(rules[name].label.zh, rules[name].label.en) if name in rules else name
        table.add_row(f"{label} [dim]{name}[/dim]", str(counts["yes"]), str(counts["unknown"]))
    out.print(table)
    for why, what in not_judged(result["not_assessed"], Rulebook.load(), session.lang):
        named = session.pick("、", "; ").join(what)
        out.print(session.pick(f"未判（{why}）：{named}", f"not judged ({why}): {named}"), style="dim")
    seconds = sum(result["seconds"].values())
    out.print(
        session.pick(
            f"{result['parcels']} 宗，{result['options']} 条工具建议，用时 {seconds:.1f} 秒 → {result['assessment']}",
            f"{result['parcels']} parcels, {result['options']} options, {seconds:.1f} s → {result['assessment']}",
        )
    )


def show_tree(name: str, chain: dict[str, Any]) -> None:
    """A nested object as a tree."""
    from panhuo.report.tree import tree

    out.print(tree(name, chain, session.lang))


def show_audit(result: dict[str, Any]) -> None:
    """What disagrees, with its arithmetic; then how many figures agree and how many cannot be checked."""
    faults = [row for row in result["checks"] if row["status"] == "disagree"]
    if faults:
        table = Table(box=None, header_style="bold")
        for zh, en in (("数字", "figure"), ("位置", "place"), ("核算", "arithmetic"), ("可能原因", "hint")):
            table.add_column(session.pick(zh, en), overflow="fold")
        for row in faults:
            where = row["where"] or f"{row['start']}–{row['end']}"
            table.add_row(escape(row["text"]), where, escape(row["arithmetic"]), row["hint"])
        Console(highlight=False).print(table)
    counts = result["counts"]
    out.print(
        session.pick(
            f"相符 {counts['agree']}，不符 {counts['disagree']}，无法核对 {counts['uncheckable']}",
            f"{counts['agree']} agree, {counts['disagree']} disagree, {counts['uncheckable']} cannot be checked",
        )
    )
    if result["copy"]:
        out.print(escape(result["copy"]))


def show_compare(result: dict[str, Any]) -> None:
    """Tools by party, then the differences, then what was refused and the inputs it lacks, each by name and id."""
    from panhuo.appraise.inputs import money_spec
    from panhuo.rulebook import Rulebook
    from panhuo.workspace.compares import label_of

    book, spec = Rulebook.load(), money_spec()

    def said(label: Any) -> str:
        return session.pick(label.zh, label.en)

    def lacking(need: str) -> str:
        """`a|b+c` in words: a, or else b and c."""
        ways = (
            " + ".join(f"{said(spec.inputs[name].label)} [dim]{name}[/dim]" for name in way.split("+"))
            for way in need.split("|")
        )
        return session.pick(" 或 ", " or ").join(ways)

    heads = (("工具", "tool"), ("当事方", "party"), ("现金", "cash"), ("净现值", "NPV"), ("税费", "tax"),
             ("最大垫付", "peak"), ("月", "months"))  # fmt: skip
    table = Table(*(session.pick(*head) for head in heads))
    for tool in result["tools"]:
        for party, row in tool["parties"].items():
            figures = [f"{row[k]:,.2f}" for k in ("cash_wan", "npv_wan", "tax_wan", "peak_exposure_wan")]
            months = "" if tool["months"] is None else f"{tool['months']:g}"
            name = session.pick(tool["label"]["zh"], tool["label"]["en"])
            table.add_row(name, said(spec.parties[party]), *figures, months)
    out.print(table)
    for line in result["differences"]:
        out.print(f"• {session.pick(line['zh'], line['en'])}")
    for tool in result["tools"]:
        told = [*figures_of(tool), *(said(spec.notes[note]) for note in tool["notes"])]
        if told:
            name = session.pick(tool["label"]["zh"], tool["label"]["en"])
            out.print(escape(f"{name}{session.pick('：', ': ')}{session.pick('；', '; ').join(told)}"))
    for tool in result["tools"]:
        if tool["unverified"]:
            name = session.pick(tool["label"]["zh"], tool["label"]["en"])
            out.print(f"{session.pick('未核实', 'unverified')} · {name}: {', '.join(tool['unverified'])}")
    for name, missing in result["refused"].items():
        needs = session.pick("、", ", ").join(lacking(need) for need in missing)
        out.print(
            f"{session.pick('缺输入', 'missing')} · {said(label_of(name, book))} [dim]{name}[/dim]: {needs}"
        )


def figures_of(tool: dict[str, Any]) -> list[str]:
    """What a tool comes to beside cash (covers, payments avoided, FAR), then what hangs on a doubtful rule."""
    from panhuo.appraise.inputs import money_spec
    from panhuo.inventory.spec import units

    spec = money_spec()

    def figure(row: dict[str, Any]) -> str:
        name = row["unit"]
        unit = "" if name == "ratio" else session.pick(units()[name].label.zh, name.replace("_per_", "/"))
        label = spec.figures[row["name"]]
        return f"{session.pick(label.zh, label.en)} {row['value']:,.2f} {unit}".rstrip()

    doubtful = [
        session.pick(
            f"或有{spec.flows[f['kind']].label.zh} {abs(f['amount_wan']):,.2f} 万元，未计入",
            f"contingent {spec.flows[f['kind']].label.en} {abs(f['amount_wan']):,.2f} wan, not counted",
        )
        for f in tool["contingent"]
    ]
    return [*map(figure, tool["figures"]), *doubtful]


def show_plan(result: dict[str, Any]) -> None:
    """The chosen routes in order, then what the limits are worth."""
    table = Table(
        "次序 no", "宗地 parcel", "工具 tool", "年度 year", "支出 cost", "收益 benefit", "状态 status"
    )
    for row in result["chosen"]:
        money = [f"{row[k]:,.2f}" for k in ("cost_wan", "benefit_wan")]
        table.add_row(
            str(row["order_no"]), row["parcel_id"], row["tool_id"], str(row["year"]), *money, row["status"]
        )
    out.print(table)
    out.print(
        f"收益 benefit {result['objective_wan']:,.2f} 万元 · 支出 spent {result['spent_wan']:,.2f} 万元 · "
        f"差距 gap {result['gap']:.2%} · 先易后难 easy-first {result['easy_first']['objective_wan']:,.2f} 万元"
    )
    for price in result["shadow_prices"]:
        out.print(f"• {session.pick(price['zh'], price['en'])}")
    if result["refused"]:
        out.print(f"缺输入未测算 refused for missing inputs: {len(result['refused'])}")
    if result["area_unknown"]:
        ids = ", ".join(result["area_unknown"][:5]) + (" …" if len(result["area_unknown"]) > 5 else "")
        out.print(
            f"面积不明，不计入用地目标 area unknown, towards no target: {len(result['area_unknown'])} ({escape(ids)})"
        )
    if result["left_to_check"]:
        out.print(f"待核未列入 left out until verified (--with-check): {result['left_to_check']}")


def show_place(result: dict[str, Any]) -> None:
    """Each project with its plot and reasons."""
    table = Table("项目 demand", "地块 plot", "得分 score", "待核 to verify")
    for row in result["placed"]:
        name, best = row["name"] or row["demand_id"], row["assigned"]
        if best is None:
            why = ", ".join(f"{k} × {n}" for k, n in row["ruled_out"].items() if n)
            table.add_row(name, "—", "", f"排除 ruled out: {why}")
        else:
            table.add_row(name, best["parcel_id"], f"{best['score']:.2f}", ", ".join(best["to_verify"]))
    out.print(table)


def show_demo(result: dict[str, Any]) -> None:
    """Case → findings → first tools → what was really done."""
    table = Table(header_style="bold", show_lines=True)
    for zh, en in (
        ("案例", "case"),
        ("诊断", "findings"),
        ("首选工具", "first tools"),
        ("实际做法", "really done"),
        ("命中", "hits"),
    ):
        table.add_column(session.pick(zh, en), overflow="fold")
    for case in result["cases"]:
        name = (
            f"{case['case'].removeprefix('case_')} {session.pick(case['label']['zh'], case['label']['en'])}"
        )
        listed = (
            "\n".join(session.pick(item["zh"], item["en"]) for item in case[key][:5])
            for key in ("findings", "offered", "used")
        )
        table.add_row(f"{name}\n{case['as_of']}", *listed, f"{case['hits']}/{len(case['units'])}")
    Console(highlight=False).print(table)
    hits, units = (sum(n) for n in zip(*((c["hits"], len(c["units"])) for c in result["cases"]), strict=True))
    out.print(
        session.pick(
            f"{units} 个地块中 {hits} 个的实际做法都在前三项内",
            f"in {hits} of {units} units every tool really used is among the first three",
        )
    )
    out.print(f"{escape(result['workspace'])}  {escape(result['ledgers'])}")
    for path in result["documents"]:
        out.print(f"  {escape(path)}")
