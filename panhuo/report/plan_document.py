"""一地一策: what is wrong with a parcel, what may be done, what is unknown and who finds out, as a document."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from panhuo.core.units import m2_to_mu
from panhuo.report.chain import shown
from panhuo.report.document import (
    Block,
    Bullets,
    Document,
    Heading,
    Paragraph,
    Picture,
    Table,
    Tone,
    numbered,
)
from panhuo.report.land_blocks import land_blocks
from panhuo.report.names import worded

Words = Mapping[str, str]
STATUS: Final[Mapping[str, tuple[str, str, Tone]]] = {
    "open": ("可用", "open", "good"), "check": ("待核", "to check", "warn"), "closed": ("不可用", "closed", "bad"),
    "yes": ("成立", "holds", "bad"), "unknown": ("待核", "unknown", "warn"),
}  # fmt: skip
CHECKS: Final = {"title": ("查权属", "title"), "contract": ("验合同", "contract"), "documents": ("核文件", "documents"),
                 "site": ("察实地", "site")}  # fmt: skip
SEVERITY: Final = {
    "high": ("高", "high"),
    "medium": ("中", "medium"),
    "low": ("低", "low"),
    "notice": ("提示", "notice"),
}
BASICS: Final = (
    "holder", "address", "division", "land_use", "planned_use", "tenure", "acquired_on", "price_wan", "term_end",
    "certificate_no", "use_state", "far_planned_min", "far_planned_max", "floor_area_m2", "signed_on", "start_by",
    "finish_by", "work_state",
)  # fmt: skip
AREAS: Final = ("area_m2", "drawn_area_m2", "supplied_m2")
MOST_TOOLS: Final = 6
TOOL_WIDTHS: Final = {
    "zh": [0.06, 0.15, 0.09, 0.08, 0.35, 0.09, 0.18],
    "en": [0.07, 0.15, 0.11, 0.07, 0.3, 0.11, 0.19],
}
MOST_TASKS: Final = 12


def plan_document(
    chain: Mapping[str, Any],
    labels: Mapping[str, Words],
    picture: bytes | None,
    lang: str = "zh",
    money: Sequence[Block] = (),
) -> Document:
    """The document of one parcel's chain (panhuo.report.chain).

    labels: field → its words; picture: the sketch; money: of panhuo.report.money_blocks.
    """
    en = lang == "en"
    name = chain["facts"].get("name") or chain["parcel_id"]
    blocks: list[Block] = [Heading("Basics" if en else "基本情况"), basics(chain["facts"], labels, lang)]
    if picture:
        note = "Sketch drawn from the outline held" if en else "地块示意图（按所存图形绘制）"
        blocks.append(Picture(picture, note))
    blocks += land_blocks(chain, lang)
    blocks += findings(chain, lang) + options(chain, lang) + remedies(chain, lang) + routes(chain, lang)
    blocks += verification(chain, lang)
    blocks += money
    manifest = chain["manifest"]
    words = ("snapshot", "law", "code", "assessment") if en else ("快照", "法规版本", "程序", "诊断")
    keys = ("snapshot", "law_version", "code_version", "assessment")
    footer = " · ".join(f"{word} {manifest[key]}" for word, key in zip(words, keys, strict=True))
    title = f"{name} — one parcel, one plan" if en else f"{name} 一地一策"
    subtitle = f"{chain['parcel_id']} · {'as of' if en else '诊断基准日'} {shown(chain['as_of'], lang)}"
    return Document(title, subtitle, blocks if en else numbered(blocks), footer, lang)


def basics(facts: Mapping[str, Any], labels: Mapping[str, Words], lang: str) -> Table:
    """What the ledger says of the parcel; unknown fields are left out."""
    rows = []
    for field in AREAS:
        if facts.get(field) is not None:
            area = facts[field]
            rows.append(
                [
                    labels[field][lang],
                    f"{m2_to_mu(area):,.2f} {'mu' if lang == 'en' else '亩'} ({area:,.2f} m²)",
                ]
            )
    rows += [[labels[f][lang], worded(facts, f, lang)] for f in BASICS if facts.get(f) is not None]
    return Table(["Item", "Value"] if lang == "en" else ["项目", "内容"], rows, [0.28, 0.72])


def findings(chain: Mapping[str, Any], lang: str) -> list[Block]:
    """What holds, under which article; what is undecided is told in the last section."""
    en = lang == "en"
    held = [f for f in chain["findings"] if f["status"] == "yes"]
    blocks: list[Block] = [Heading("Findings" if en else "诊断结论")]
    if not held:
        blocks.append(
            Paragraph(
                "No finding holds on the facts known." if en else "按现有事实，没有成立的结论。", "muted"
            )
        )
        return blocks
    rows: list[list[str]] = []
    tones: dict[tuple[int, int], Tone] = {}
    for number, finding in enumerate(held):
        rows.append([
            finding["label"][lang], finding["message"][lang],
            shown(finding["since"], lang) if finding["since"] else "—",
            SEVERITY[finding["severity"]][en], cites(finding["cites"], lang),
        ])  # fmt: skip
        tones[(number, 3)] = "bad" if finding["severity"] == "high" else ""
    header = (
        ["Finding", "Why", "Since", "Severity", "Article"] if en else ["结论", "理由", "起始", "程度", "依据"]
    )
    blocks.append(
        Table(header, rows, [0.16, 0.32, 0.12, 0.13, 0.27] if en else [0.16, 0.36, 0.13, 0.08, 0.27], tones)
    )
    flags = list(dict.fromkeys(flag[lang] for finding in held for flag in finding["flags"]))
    if flags:
        blocks += [Paragraph("Points of law to mind" if en else "适用提示"), Bullets(flags)]
    doubted = [v for finding in held for v in finding["values"] if v["unverified"]]
    if doubted:
        named = listed(dict.fromkeys(f"{v['label'][lang]} {v['value']}" for v in doubted), lang)
        blocks.append(
            Paragraph(
                ("Unverified values of law used: " if en else "所用参数中尚未核实原文的：") + named, "warn"
            )
        )
    return blocks


def options(chain: Mapping[str, Any], lang: str) -> list[Block]:
    """The tools ranked, each with its reasons, time, papers, risks and precedents; refusals with their reason."""
    en = lang == "en"
    offered = [o for o in chain["options"] if o["status"] != "closed"][:MOST_TOOLS]
    blocks: list[Block] = [Heading("Tools" if en else "处置工具")]
    rows: list[list[str]] = []
    tones: dict[tuple[int, int], Tone] = {}
    for number, option in enumerate(offered):
        zh, en_word, tone = STATUS[option["status"]]
        months = option["months"]
        rows.append([
            str(option["rank"]), option["label"][lang], en_word if en else zh, f"{option['fit']:g}",
            clauses(reasons(option, lang), lang) or "—",
            f"{months['low']:g}–{months['high']:g}" if months else "—",
            clauses((case["label"][lang] for case in option["precedents"]), lang) or "—",
        ])  # fmt: skip
        tones[(number, 2)] = tone
    header = (
        ["No.", "Tool", "Status", "Fit", "Why", "Months", "Precedents"] if en
        else ["序", "工具", "状态", "适配", "理由与待核", "月数", "先例"]
    )  # fmt: skip
    blocks.append(Table(header, rows, TOOL_WIDTHS[lang], tones))
    for option in offered[:1]:
        blocks.append(Heading(option["label"][lang], 2))
        blocks.append(Paragraph(option["summary"][lang]))
        for key, word in (("papers", "Papers" if en else "所需材料"), ("risks", "Risks" if en else "风险")):
            if option[key]:
                blocks += [Paragraph(word, "muted"), Bullets([item[lang] for item in option[key]])]
        blocks.append(Paragraph(("Articles: " if en else "依据：") + cites(option["cites"], lang), "muted"))
    shut = [o for o in chain["options"] if o["status"] == "closed"]
    if shut:
        blocks.append(Heading("Refused, and why" if en else "不可用的工具及原因", 2))
        blocks.append(
            Table(["Tool", "Why"] if en else ["工具", "原因"],
                  [[o["label"][lang], clauses(refusals(o, lang), lang)] for o in shut], [0.28, 0.72])
        )  # fmt: skip
    return blocks


def reasons(option: Mapping[str, Any], lang: str) -> list[str]:
    """What favours a tool, then what must still be checked."""
    favours = [b[lang] for b in option["because"] if b["clause"].startswith("favoured_by") and b["value"]]
    open_ = [
        b[lang] for b in option["because"] if not b["clause"].startswith("favoured_by") and b["value"] is None
    ]
    mark = "to check: " if lang == "en" else "待核："
    return favours + [mark + words for words in open_]


def refusals(option: Mapping[str, Any], lang: str) -> list[str]:
    """Why a tool is closed: requirements that fail and bars that hold."""
    mark = "fails: " if lang == "en" else "不满足："
    return [
        (mark if b["clause"].startswith("requires") else "") + b[lang]
        for b in option["because"]
        if (b["clause"].startswith("requires") and b["value"] is False)
        or (b["clause"].startswith("blocked_by") and b["value"])
    ]


def remedies(chain: Mapping[str, Any], lang: str) -> list[Block]:
    """The measures of the place for the classes of land the parcel is of, and the classes it may be of."""
    found = chain.get("remedies")
    if not found or all(land["status"] == "no" for land in found["classes"]):
        return []
    en = lang == "en"
    rows: list[list[str]] = []
    tones: dict[tuple[int, int], Tone] = {}
    for land in found["classes"]:
        for one in land["remedies"] if land["status"] == "yes" else ():
            if one["status"] in STATUS:
                tones[len(rows), 2] = STATUS[one["status"]][2]
            leads = [*(tool["label"][lang] for tool in one["tools"]), *(to[lang] for to in one["registers"])]
            status = remedy_word(one["status"], lang)
            rows.append([land["label"][lang], one["label"][lang], status, listed(leads, lang) or "—"])
    header = (
        ["Class of land", "Measure", "Status", "Tools, registration"]
        if en
        else ["土地类别", "举措", "状态", "对应工具与登记"]
    )
    blocks: list[Block] = [Heading("Measures of the place" if en else "本地分类施策")]
    if rows:
        blocks.append(Table(header, rows, [0.3, 0.18, 0.14, 0.38], tones=tones))
    doubtful = [
        f"{land['label'][lang]} ({facts})" if en else f"{land['label'][lang]}（{facts}）"
        for land in found["classes"]
        if land["status"] == "unknown"
        for facts in [listed((fact["label"][lang] for fact in land["missing"]), lang)]
    ]
    if doubtful:
        named = listed(doubtful, lang)
        blocks.append(
            Paragraph(f"To verify whether it is: {named}" if en else f"是否属下列类别待核：{named}", "muted")
        )
    cite = found["cite"]
    blocks.append(Paragraph(f"{found['label'][lang]} · {cite['label'][lang]} {cite['words'][lang]}", "muted"))
    return blocks  # fmt: skip


def remedy_word(status: str, lang: str) -> str:
    """How a measure stands; absent: nothing found on the parcel calls for it."""
    en = lang == "en"
    return STATUS[status][en] if status in STATUS else ("not called for" if en else "不涉及")


def routes(chain: Mapping[str, Any], lang: str) -> list[Block]:
    """Ordered sets of tools that clear the blocking findings together."""
    if not chain["routes"]:
        return []
    en = lang == "en"
    rows = [
        [
            str(route["route_no"]),
            " → ".join(tool["label"][lang] for tool in route["tools"]),
            listed((f["label"][lang] for f in route["clears"]), lang) or "—",
            listed((f["label"][lang] for f in route["leaves"]), lang) or "—",
        ]
        for route in chain["routes"]
    ]
    header = ["No.", "Route", "Clears", "Leaves"] if en else ["序", "路线", "解决", "遗留"]
    return [Heading("Routes" if en else "组合路线"), Table(header, rows, [0.07, 0.43, 0.3, 0.2])]


def verification(chain: Mapping[str, Any], lang: str) -> list[Block]:
    """What is unknown and which of the four checks finds it."""
    en = lang == "en"
    tasks = chain["verify"][:MOST_TASKS]
    blocks: list[Block] = [Heading("To find out (four checks)" if en else "待核事实（四结合）")]
    if not tasks:
        blocks.append(Paragraph("Nothing is missing." if en else "没有缺少的事实。", "muted"))
        return blocks
    rows = [
        [
            CHECKS[task["check"]][en],
            task["label"][lang],
            listed((words[lang] for words in task["decides"][:4]), lang),
        ]
        for task in tasks
    ]
    header = ["Check", "Fact", "Decides"] if en else ["核查", "事实", "影响的结论"]
    blocks.append(Table(header, rows, [0.15, 0.3, 0.55]))
    if more := [task["label"][lang] for task in chain["verify"][MOST_TASKS:]]:
        named = listed(more, lang)
        blocks.append(Paragraph(f"Also: {named}" if en else f"另有 {len(more)} 项：{named}", "muted"))
    return blocks


def listed(words: Iterable[str], lang: str) -> str:
    """Words in a row, as the language sets them."""
    return (", " if lang == "en" else "、").join(words)


def clauses(words: Iterable[str], lang: str) -> str:
    """Sentences in a row, as the language sets them."""
    return ("; " if lang == "en" else "；").join(words)


def cites(rows: list[Mapping[str, Any]], lang: str) -> str:
    """Articles in words: 《闲置土地处置办法》第2条."""
    mark = ("{}", " ") if lang == "en" else ("《{}》", "")
    named = [mark[1].join((mark[0].format(row["label"][lang]), row["words"][lang])).strip() for row in rows]
    return ("; " if lang == "en" else "、").join(named)
