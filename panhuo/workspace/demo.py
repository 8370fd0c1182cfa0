"""The demonstration: the twenty cases as they stood before, through the whole flow, each on its own date."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from panhuo.core.progress import Tick, silent
from panhuo.rulebook import Rulebook
from panhuo.rulebook.precedents import Precedent, load_precedents
from panhuo.rulebook.schema import Label
from panhuo.workspace.assess import Part, assess
from panhuo.workspace.compares import INPUTS_FILE
from panhuo.workspace.demo_inputs import inputs_text
from panhuo.workspace.demo_ledgers import write_all
from panhuo.workspace.imports import Options, Say, import_files
from panhuo.workspace.reports import Pictures, report_board, report_parcel
from panhuo.workspace.store import Workspace

NAME: Final = "二十个典型案例"
LEDGERS: Final = "files/台账"
OFFERED: Final = 3
REPORTS: Final = "reports"
PRINTED: Final = "09"
"""The case whose plan is written as pdf too, which takes longest."""
KINDS: Final = ((".docx",), (".docx", ".html", ".pdf"))


@dataclass(frozen=True, slots=True)
class Told:
    """A unit of a case (parcel or batch) for which the source says what was done."""

    unit: str
    offered: Sequence[str]
    used: Sequence[str]

    @property
    def hit(self) -> bool:
        """Whether every tool used is among the first three offered."""
        return set(self.used) <= set(self.offered)


def make_demo(root: Path, *, say: Say = lambda _: None, tick: Tick = silent) -> dict[str, Any]:
    """A workspace at `root` with the twenty cases imported and assessed; gives what `panhuo demo` prints.

    The result is assess's with `workspace`, `ledgers`, `documents` and `cases`: for each case its findings, and
    for each unit the tools offered first and those really used. Raises PanhuoError when `root` holds other things.
    """
    cases = load_precedents()
    ws = Workspace.create(root, name=NAME, place="43")
    say("写出台账 writing ledgers")
    files = write_all(cases, root / LEDGERS)
    (root / INPUTS_FILE).write_text(inputs_text(cases), encoding="utf-8")
    imported = import_files(root, files, Options(), say)
    result = assess(ws, parts=list(parts(cases)), tick=tick)
    documents = list(written(ws, cases, say))
    return result | {
        "workspace": str(root),
        "ledgers": str(root / LEDGERS),
        "imported": sum(entry["taken"] for entry in imported["imports"]),
        "cases": list(compared(ws, cases)),
        "documents": documents,
    }


def written(ws: Workspace, cases: Mapping[str, Precedent], say: Say) -> Iterator[str]:
    """Writes the board and, for each case, the 一地一策 of its first unit; gives their paths."""
    folder = ws.root / REPORTS
    folder.mkdir(exist_ok=True)
    pictures = Pictures(ws)
    yield str(report_board(ws, folder / "看板.html")["file"])
    for name, case in cases.items():
        say(f"编写一地一策 writing the plan of {name}")
        unit = case.unit_ids(next(iter(case.tools_by_parcel)))[0]
        number = name.removeprefix("case_")
        for kind in KINDS[number == PRINTED]:
            yield str(
                report_parcel(ws, unit, folder / f"案例{number}_一地一策{kind}", pictures=pictures)["file"]
            )


def parts(cases: Mapping[str, Precedent]) -> Iterator[Part]:
    """The units of the cases by the date each is to be judged on."""
    by_date: dict[date, set[str]] = {}
    for case in cases.values():
        for row in case.rows("parcels"):
            by_date.setdefault(case.assessed_on(row["parcel_id"]), set()).add(row["parcel_id"])
        for row in case.rows("batches"):
            by_date.setdefault(case.as_of, set()).add(row["batch_id"])
    for on in sorted(by_date):
        yield Part(on, frozenset(by_date[on]))


def compared(ws: Workspace, cases: Mapping[str, Precedent]) -> Iterator[dict[str, Any]]:
    """Each case: what was found, what was offered first, what was really done."""
    found, offered = _findings(ws), _offers(ws)
    book = Rulebook.load()
    for name, case in cases.items():
        units = [row["parcel_id"] for row in case.rows("parcels")]
        units += [f"batch:{row['batch_id']}" for row in case.rows("batches")]
        told = [
            Told(unit, offered.get(unit, [])[:OFFERED], used)
            for given, used in case.tools_by_parcel.items()
            for unit in case.unit_ids(given)
        ]
        yield {
            "case": name,
            "label": _words(case.label),
            "as_of": case.as_of.isoformat(),
            "findings": _labelled(
                dict.fromkeys(f for unit in units for f in found.get(unit, [])), book.rules
            ),
            "offered": _labelled(_most(told), book.tools),
            "used": _labelled(case.tools, book.tools),
            "hits": sum(unit.hit for unit in told),
            "units": [
                {"unit": t.unit, "offered": list(t.offered), "used": list(t.used), "hit": t.hit} for t in told
            ],
        }


def _most(told: Sequence[Told]) -> list[str]:
    """The tools offered to the units of a case, those offered first and oftenest leading."""
    weight: dict[str, int] = {}
    for unit in told:
        for place, tool in enumerate(unit.offered):
            weight[tool] = weight.get(tool, 0) + OFFERED - place
    return sorted(weight, key=lambda tool: -weight[tool])


def _findings(ws: Workspace) -> dict[str, list[str]]:
    table = ws.assessment("findings")
    found: dict[str, list[str]] = {}
    for row in table.to_pylist() if table else []:
        if row["status"] == "yes":
            found.setdefault(row["parcel_id"], []).append(row["finding_id"])
    return found


def _offers(ws: Workspace) -> dict[str, list[str]]:
    """Tools of each unit by rank, those that are closed left out."""
    table = ws.assessment("options")
    rows = [row for row in (table.to_pylist() if table else []) if row["status"] != "closed"]
    offers: dict[str, list[str]] = {}
    for row in sorted(rows, key=lambda row: (row["parcel_id"], row["rank"])):
        offers.setdefault(row["parcel_id"], []).append(row["tool_id"])
    return offers


def _labelled(ids: Sequence[str] | dict[str, None], known: Mapping[str, Any]) -> list[dict[str, str]]:
    return [
        {"id": name} | (_words(known[name].label) if name in known else {"zh": name, "en": name})
        for name in ids
    ]


def _words(label: Label) -> dict[str, str]:
    return {"zh": label.zh, "en": label.en}
