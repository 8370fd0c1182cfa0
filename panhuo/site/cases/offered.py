"""Which procedures a parcel may be carried through: those of its tools, those that start an inquiry, and follow-ons."""

from collections.abc import Mapping
from typing import Any

from panhuo.core.problems import PanhuoError
from panhuo.rulebook.procedure import Procedure, load_procedures
from panhuo.site.cases.models import ACTIVE, Case
from panhuo.site.labels import rulebook, tool
from panhuo.site.shelf import Row, rows
from panhuo.site.words import pick


def procedures() -> Mapping[str, Procedure]:
    return load_procedures(rulebook().root)


def told(procedure_id: str) -> str:
    """A procedure's label."""
    found = procedures()[procedure_id]
    return pick(found.label.zh, found.label.en)


def of_parcel(parcel_id: str) -> list[Row]:
    """(procedure, its label, the tools that lead to it) of what may be opened, those of the best tool first."""
    weighed = rows(
        "SELECT tool_id FROM options WHERE parcel_id = ? AND status <> 'closed' ORDER BY rank NULLS LAST",
        (parcel_id,),
    )
    found: dict[str, list[str]] = {}
    for row in weighed:
        held = rulebook().tools.get(row["tool_id"])
        if held and held.procedure:
            found.setdefault(held.procedure, []).append(row["tool_id"])
    told_ = [{"id": name, "label": told(name), "tools": [tool(t) for t in tools], "tool": tools[0]}
             for name, tools in found.items()]  # fmt: skip
    rest: list[Row] = [
        {"id": name, "label": told(name), "tools": [], "tool": ""}
        for name, procedure in procedures().items()
        if procedure.any_parcel and name not in found
    ]
    return told_ + rest


def after(case: Case) -> list[Row]:
    """The procedures that may follow a case that has ended."""
    names = case.procedure.then.get(case.end, ()) if case.state == "ended" else ()
    return [{"id": name, "label": told(name)} for name in names if name in procedures()]


def beside(case: Case) -> list[Row]:
    """The procedures that may run beside a case while it runs, not opened yet."""
    if case.state not in ACTIVE:
        return []
    names = dict.fromkeys(name for step in case.procedure.steps for name in step.beside)
    held = set(
        case.children.filter(link="beside").exclude(state="closed").values_list("procedure_id", flat=True)
    )
    return [{"id": name, "label": told(name)} for name in names if name not in held and name in procedures()]


def demand(parcel_id: str, procedure_id: str, parent: Case | None, link: str) -> None:
    """Raises PanhuoError for a procedure that is not open to the parcel, or does not belong to the case before."""
    open_ = of_parcel(parcel_id) if parent is None else after(parent) if link == "follows" else beside(parent)
    if procedure_id not in {row["id"] for row in open_}:
        raise PanhuoError(
            pick("这个程序不向这宗地开放", "this procedure is not open to the parcel"), where="procedure",
            remedy=pick("可选：", "open: ") + (pick("、", ", ").join(row["label"] for row in open_) or "—"),
        )  # fmt: skip


def tool_of(parcel_id: str, procedure_id: str) -> Any:
    """The best tool of the parcel that leads to the procedure, or ""."""
    return next((row["tool"] for row in of_parcel(parcel_id) if row["id"] == procedure_id), "")
