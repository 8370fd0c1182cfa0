"""The pages of docs/reference about data: datasets, codes, the flow, result tables, problems, words and units."""

import ast
import csv
from typing import Any, Final

from panhuo.inventory.spec import FieldSpec, code_rows, dataset_specs, problem_types, units
from panhuo.report.markdown import both, cell, code, table
from panhuo.rulebook import Rulebook
from panhuo.rulebook.book import PACKAGE, SPEC, read_yaml
from panhuo.rulebook.spec import LONG_LISTS

SPEC_LINK: Final = "../../panhuo/spec"


def headers(field: FieldSpec) -> str:
    """The headers a field is known by; those that count only where the dataset is named stand apart."""
    named = f"；指明数据集时另有 when the dataset is named: {'、'.join(field.named_aliases)}"
    return "、".join(field.aliases) + (named if field.named_aliases else "")


def datasets_page(_: Rulebook) -> str:
    """Every dataset and field, then the code lists."""
    parts = []
    for name, spec in dataset_specs().items():
        rows = (
            (code(field_name), both(field.label), field.type, field.unit, cell(field.required or ""),
             f"[{field.codes}](#codes-{field.codes})" if field.codes else "", headers(field))
            for field_name, field in spec.fields.items()
        )  # fmt: skip
        title = both(spec.label)
        keys = "、".join(map(code, spec.key))
        parts.append(f"## {name}\n\n{title}　[spec/datasets/{name}.yaml]({SPEC_LINK}/datasets/{name}.yaml)\n")
        parts.append(f"{both(spec.definition)}　主键 key：{keys}\n")
        parts.append(table(("字段 field", "含义 meaning", "类型 type", "单位 unit", "必填 required", "代码 codes",
                            "表头 headers"), rows))  # fmt: skip
    for path in sorted((SPEC / "codes").glob("*.csv")):
        parts.append(f"## codes-{path.stem}\n\n[spec/codes/{path.name}]({SPEC_LINK}/codes/{path.name})\n")
        listed = code_rows(path.stem)
        if path.stem in LONG_LISTS or "en" not in listed[0]:
            parts.append(f"{len(listed)} 项，见文件 entries, see the file.\n")
        else:
            parts.append(table(("代码 code", "中文", "English", "别名 aliases"),
                               ((code(r["code"]), r["zh"], r["en"], (r.get("aliases") or "").replace("|", "、"))
                                for r in listed)))  # fmt: skip
    return "\n".join(parts)


def results_page(_: Rulebook) -> str:
    """The stages of the flow and every result table with the function that makes it."""
    stages = (
        (s["name"], "、".join(s["reads"]), "、".join(s["writes"]), code(s["code"])) for s in flow_stages()
    )
    parts = [table(("步骤 stage", "读 reads", "写 writes", "代码 code"), stages)]
    for path in sorted((SPEC / "results").glob("*.yaml")):
        spec = read_yaml(path)
        rows = (
            (code(name), both(column["label"]), column["type"], column.get("unit", ""),
             "；".join(f"{k} {both(v)}" for k, v in column.get("codes", {}).items()), column.get("note", ""))
            for name, column in spec["columns"].items()
        )  # fmt: skip
        parts.append(f"## {path.stem}\n\n{both(spec['label'])}　由 made by `{spec['made_by']}`　"
                     f"主键 key：{'、'.join(map(code, spec['key']))}\n")  # fmt: skip
        headers = ("列 column", "含义 meaning", "类型 type", "单位 unit", "取值 codes", "说明 note")
        parts.append(table(headers, rows))
    return "\n".join(parts)


def flow_stages() -> list[dict[str, Any]]:
    """The stages of panhuo/flow.py, read as text: report stands below flow and may not import it."""
    tree = ast.parse((PACKAGE / "flow.py").read_text(encoding="utf-8"))
    (declared,) = (
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and node.targets[0].id == "FLOW"
    )
    names = ("name", "reads", "writes", "code")
    calls = declared.elts if isinstance(declared, ast.Tuple) else []
    return [
        dict(zip(names, map(ast.literal_eval, call.args), strict=True))
        for call in calls
        if isinstance(call, ast.Call)
    ]


def problems_page(_: Rulebook) -> str:
    """Every kind of fault in the data, who mends it and how."""
    rows = (
        (code(name), both(kind.label), kind.severity, kind.owner, both(kind.remedy))
        for name, kind in problem_types().items()
    )
    headers = ("编号 id", "问题 problem", "程度 severity", "谁来改 owner", "处理 remedy")
    return table(headers, rows)


def glossary_page(_: Rulebook) -> str:
    """The words of the program, each once; then the units."""
    with (SPEC / "glossary.csv").open(encoding="utf-8", newline="") as stream:
        rows = [
            (code(r["id"]), r["zh"], r["en"], r["unit"], r["definition_zh"], r["definition_en"], r["source"])
            for r in csv.DictReader(stream)
        ]
    headers = ("编号 id", "中文", "English", "单位 unit", "释义", "Definition", "出处 source")
    named = ((code(n), both(u.label), u.kind, u.factor, "、".join(u.names)) for n, u in units().items())
    counted = table(("单位 unit", "含义 meaning", "量 kind", "折算 factor", "写法 written"), named)
    return f"{table(headers, rows)}\n## units\n\n单位 Units\n\n{counted}"
