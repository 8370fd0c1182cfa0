"""What a land officer does with the law: check it, read one item with its chain, compare two editions, begin a file."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from panhuo.appraise.run import Case, appraise
from panhuo.core.problems import PanhuoError
from panhuo.diagnose.findings import BATCH_UNIT
from panhuo.match.options import clauses
from panhuo.rulebook.book import LAW, SPEC, Rulebook, read_yaml
from panhuo.rulebook.evaluate import VERDICT
from panhuo.rulebook.predicate import PARAMETER, parse
from panhuo.workspace.assess import Part, judged, only, read
from panhuo.workspace.compares import case_of, given_inputs
from panhuo.workspace.law_body import Body, article_of
from panhuo.workspace.law_check import check
from panhuo.workspace.space import land, land_law
from panhuo.workspace.store import Workspace

__all__ = ["check", "diff", "listing", "new", "show"]

KINDS: Final[Mapping[str, str]] = {
    "rule": "rules",
    "tool": "tools",
    "procedure": "procedures",
    "notice": "notices",
    "scheme": "schemes",
    "model": "models",
    "precedent": "precedents",
    "source": "sources",
    "place": "places",
}
"""Kinds whose items are files, with their folder."""

NEW: Final = ("rule", "tool", "parameter", "procedure", "situation")
SCAFFOLDS: Final = SPEC / "scaffolds"
ID: Final = re.compile(r"[a-z][a-z0-9_]*")

Row = dict[str, Any]


# --- show ----------------------------------------------------------------------------------------------------------


def show(item_id: str, root: Path | None = None, on: date | None = None) -> Row:
    """Everything of the law of that id: `{id, items: [{kind, label, definition, values, cites, used_by, file}]}`.

    A parameter goes by its dotted name. values: the dated values of the parameter, or those in force on `on` of the
    parameters the item names. Raises PanhuoError when nothing has that id.
    """
    body = Body(Path(root or LAW).resolve())
    items = [_parameter(body, item_id)] if item_id in body.book.parameters else []
    if item_id in body.book.facts:
        fact = body.book.facts[item_id]
        items.append(_item(body, "fact", item_id, fact.model_dump(exclude_defaults=True), "facts", on))
    for kind, folder in KINDS.items():
        path = body.root / folder / f"{item_id}.yaml"
        if ID.fullmatch(item_id) and path.is_file():
            file = path.relative_to(body.root).as_posix()
            items.append(_item(body, kind, item_id, read_yaml(path), file, on))
    if not items:
        near = [name for names in listing(root).values() for name in names if item_id in name]
        raise PanhuoError(
            f"法规中没有 {item_id} (nothing in the law of that id)",
            remedy=f"相近 near: {', '.join(near[:8])}"
            if near
            else "panhuo law show 列出全部编号 lists every id",
        )
    return {"id": item_id, "items": items}


def listing(root: Path | None = None) -> dict[str, list[str]]:
    """Every id of the law by kind."""
    folder = Path(root or LAW).resolve()
    book = Rulebook.load(folder)
    files = {kind: sorted(p.stem for p in (folder / name).glob("*.yaml")) for kind, name in KINDS.items()}
    return files | {"parameter": sorted(book.parameters), "fact": sorted(book.facts)}


def _parameter(body: Body, name: str) -> Row:
    parameter = body.book.parameters[name]
    dated = [("", day, leaf) for day, leaf in parameter.values.items()]
    for prefix, place in body.book.places.items():
        dated += [(prefix, day, leaf) for day, leaf in place.parameters.get(name, {}).items()]
    return {
        "kind": "parameter",
        "label": parameter.label.model_dump(),
        "definition": {"unit": parameter.unit, "note": parameter.note},
        "values": [
            {"name": name, "place": place, "from": day.isoformat(), "value": leaf.value, "unit": parameter.unit,
             "mark": leaf.mark, "unverified": leaf.mark == "M", "checked_on": leaf.checked_on.isoformat(),
             "note": leaf.note, "cite": _cite(body, leaf.source, leaf.article)}
            for place, day, leaf in dated
        ],
        "cites": [],
        "used_by": sorted({f"{m.file} · {m.field}" for m, named in body.named if named == name}),
        "file": f"parameters/{name.partition('.')[0]}.yaml",
    }  # fmt: skip


def _item(body: Body, kind: str, item_id: str, content: Row, file: str, on: date | None) -> Row:
    own = [(m, s, a) for m, s, a in body.cites if m.file == file]
    named = {f"{hit[1]}.{hit[2]}" for text in _texts(content) for hit in PARAMETER.finditer(text)}
    return {
        "kind": kind,
        "label": content.get("label"),
        "definition": {key: value for key, value in content.items() if key != "label"},
        "values": [_now(body, name, on or date.today()) for name in sorted(named)],
        "cites": list({(s, a): _cite(body, s, a) for _, s, a in own}.values()),
        "used_by": _users(body, item_id, file),
        "file": file,
    }


def _now(body: Body, name: str, on: date) -> Row:
    if not body.book.has_value(name, on):
        return {"name": name, "value": None, "on": on.isoformat()}
    value = body.book.parameter(name, on)
    return {
        "name": name, "label": body.book.parameters[name].label.model_dump(), "value": value.value,
        "unit": value.unit, "from": value.start.isoformat(), "mark": value.mark, "unverified": value.unverified,
        "cite": _cite(body, value.source, value.article),
    }  # fmt: skip


def _cite(body: Body, source: str, article: str) -> Row:
    card = body.book.sources.get(source)
    key = article_of(card, article) if card and article else None
    return {
        "source": source,
        "article": article,
        "label": card.label.model_dump() if card else None,
        "number": card.number if card else "",
        "words": card.articles[key].model_dump() if card and key else None,
    }


def _users(body: Body, item_id: str, file: str) -> list[str]:
    """Where an id stands in other files: as a value, inside a predicate (bare or as is_<id>), or as a key."""
    word = re.compile(rf"(?<![\w.]|/)(?:{VERDICT})?{re.escape(item_id)}(?![\w.])")
    return sorted(
        {
            f"{m.file} · {m.field}"
            for m in body.mentions
            if m.file != file
            and ((isinstance(m.value, str) and word.search(m.value)) or m.field.split(".")[-1] == item_id)
        }
    )


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _texts(item)


# --- diff ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Change:
    """What differs between two law folders: a dated value (`place` "" for the nation), or a whole item."""

    kind: str
    name: str
    place: str = ""
    start: str = ""
    old: Any = None
    new: Any = None

    def as_dict(self) -> Row:
        """For `--json`; items carry no values, their text differs."""
        dated = {"place": self.place, "from": self.start, "old": self.old, "new": self.new}
        return {"kind": self.kind, "name": self.name, **(dated if self.kind == "parameter" else {})}


@dataclass(frozen=True)
class Judged:
    """A workspace under one law: per unit its findings and options, and its facts."""

    findings: Mapping[tuple[str, str], Row]
    options: Mapping[tuple[str, str], Row]
    facts: Mapping[str, Row]


def diff(ws: Workspace, old: Path | None, new: Path | None, as_of: date | None = None) -> Row:
    """What the workspace's results would be under law `new` instead of `old` (None: the packaged law); writes nothing.

    The snapshot is judged on the dates of the latest assessment, or all on `as_of`. Gives `{as_of, changes,
    parcels}`; a parcel lists its findings, tools and appraised totals that differ, each with the changed items of
    law behind it (`because`). Raises PanhuoError when nothing was assessed and no date is given.
    """
    books = Rulebook.load(old), Rulebook.load(new)
    changes = list(changed(*books))
    parts = [Part(as_of)] if as_of else list(assessed_parts(ws))
    tables = read(ws)
    latest = max(part.as_of for part in parts)
    ground = {law: land(ws, tables, law).facts for law in {land_law(book, latest) for book in books}}
    before, after = (
        _judged({**tables, "spatial": ground[land_law(book, latest)]}, book, parts) for book in books
    )
    reach = Reach(books, {change.name for change in changes})
    found: dict[str, list[Row]] = {}
    for unit, row in _differences(before, after, reach):
        found.setdefault(unit, []).append(row)
    if any(change.kind in ("parameter", "model") for change in changes):
        for unit, row in _money(ws, before, after, books, {c.name for c in changes}):
            found.setdefault(unit, []).append(row)
    return {
        "old": books[0].version,
        "new": books[1].version,
        "as_of": sorted({part.as_of.isoformat() for part in parts}),
        "changes": [change.as_dict() for change in changes],
        "judged": len(before.facts),
        "parcels": [{"parcel_id": unit, "changes": rows} for unit, rows in sorted(found.items())],
    }


def changed(old: Rulebook, new: Rulebook) -> Iterator[Change]:
    """Dated values that differ, then facts, rules, tools and other files that differ."""
    sides = [{(n, p, d): leaf for n, p, d, leaf in _leaves(book)} for book in (old, new)]
    for key in sorted(sides[0].keys() | sides[1].keys()):
        values = [side[key].value if key in side else None for side in sides]
        if values[0] != values[1]:
            yield Change("parameter", key[0], key[1], key[2], values[0], values[1])
    for kind in ("facts", "rules", "tools"):
        items = [getattr(book, kind) for book in (old, new)]
        for name in sorted(items[0].keys() | items[1].keys()):
            if items[0].get(name) != items[1].get(name):
                yield Change(kind.removesuffix("s"), name)
    for kind in ("schemes", "models", "procedures", "notices", "precedents"):
        texts = [{p.stem: p.read_bytes() for p in (b.root / kind).glob("*.yaml")} for b in (old, new)]
        for name in sorted(texts[0].keys() | texts[1].keys()):
            if texts[0].get(name) != texts[1].get(name):
                yield Change(kind.removesuffix("s"), name)


def _leaves(book: Rulebook) -> Iterator[tuple[str, str, str, Any]]:
    for name, parameter in book.parameters.items():
        yield from ((name, "", day.isoformat(), leaf) for day, leaf in parameter.values.items())
    for prefix, place in book.places.items():
        for name, dated in place.parameters.items():
            yield from ((name, prefix, day.isoformat(), leaf) for day, leaf in dated.items())


def assessed_parts(ws: Workspace) -> Iterator[Part]:
    """The dates of the latest assessment, each with the units judged on it."""
    units: dict[date, set[str]] = {}
    for name in ("facts", "batch_facts"):
        rows = ws.assessment(name)
        if rows is not None and rows.num_rows:
            for unit, day in zip(rows["parcel_id"].to_pylist(), rows["as_of"].to_pylist(), strict=True):
                units.setdefault(day, set()).add(unit.removeprefix(BATCH_UNIT))
    if not units:
        raise PanhuoError(
            "尚未诊断 nothing assessed yet",
            where=str(ws.root),
            remedy="先运行 panhuo assess，或给 --as-of 日期 run panhuo assess first, or give --as-of",
        )
    if len(units) == 1:
        yield Part(next(iter(units)))
    else:
        yield from (Part(day, frozenset(ids)) for day, ids in sorted(units.items()))


def _judged(tables: Mapping[str, pa.Table], book: Rulebook, parts: Iterable[Part]) -> Judged:
    rows: dict[str, list[Row]] = {"findings": [], "options": [], "facts": [], "batch_facts": []}
    for part in parts:
        for name, table in judged(only(tables, part.units), book, part.as_of):
            if name in rows:
                rows[name] += table.to_pylist()
    return Judged(
        {(row["parcel_id"], row["finding_id"]): row for row in rows["findings"]},
        {(row["parcel_id"], row["tool_id"]): row for row in rows["options"]},
        {row["parcel_id"]: row for row in (*rows["facts"], *rows["batch_facts"])},
    )


@dataclass(frozen=True)
class Reach:
    """Which changed items of law stand behind a rule or tool, through facts and findings, in either edition."""

    books: tuple[Rulebook, Rulebook]
    names: Collection[str]

    @cached_property
    def _cache(self) -> dict[str, frozenset[str]]:
        return {}

    def behind(self, item: str) -> list[str]:
        """Names of the changed items behind a rule or tool id."""
        return sorted(self._closure(item, ()) & set(self.names))

    def _closure(self, item: str, above: tuple[str, ...]) -> frozenset[str]:
        if item not in self._cache:
            found = {item}
            for text in (t for book in self.books for t in _texts_of(book, item)):
                expression = parse(text, aggregate=True)
                found.update(expression.parameters)
                for name in (n.removeprefix(VERDICT) for n in expression.names):
                    if name not in above and name != item:
                        found |= self._closure(name, (*above, item))
            for book in self.books:
                if item in book.tools:
                    for finding in book.tools[item].addresses:
                        found |= self._closure(finding, (*above, item))
            if above:
                return frozenset(found)
            self._cache[item] = frozenset(found)
        return self._cache[item]


def _texts_of(book: Rulebook, item: str) -> Iterator[str]:
    if item in book.facts:
        yield from filter(None, (book.facts[item].sql, book.facts[item].join))
    if item in book.rules:
        rule = book.rules[item]
        yield from filter(None, (rule.applies, rule.when, rule.since))
    if item in book.tools:
        tool = book.tools[item]
        yield from (part.item.when for part in clauses(tool))


def _differences(before: Judged, after: Judged, reach: Reach) -> Iterator[tuple[str, Row]]:
    sides = (("finding", before.findings, after.findings, ("status", "since", "severity")),
             ("tool", before.options, after.options, ("status", "fit")))  # fmt: skip
    for kind, old, new, fields in sides:
        for key in sorted(old.keys() | new.keys()):
            rows = [{f: side[key][f] for f in fields} if key in side else None for side in (old, new)]
            if rows[0] != rows[1]:
                yield (
                    key[0],
                    {
                        "kind": kind,
                        "id": key[1],
                        "old": rows[0],
                        "new": rows[1],
                        "because": reach.behind(key[1]),
                    },
                )


def _money(
    ws: Workspace, before: Judged, after: Judged, books: tuple[Rulebook, Rulebook], names: Collection[str]
) -> Iterator[tuple[str, Row]]:
    """Tools not closed under either law whose appraised cash [万元] differs for a party."""
    given = given_inputs(ws, None)
    for unit, tool in sorted(before.options.keys() & after.options.keys()):
        if "closed" in (before.options[unit, tool]["status"], after.options[unit, tool]["status"]):
            continue
        old, new = (
            _cash(case_of(side.facts[unit], given, None, "inputs.yaml"), tool, book)
            for side, book in zip((before, after), books, strict=True)
        )
        if old and new and old[0] != new[0]:
            because = sorted((old[1] | new[1]) & set(names))
            yield unit, {"kind": "appraisal", "id": tool, "old": old[0], "new": new[0], "because": because}


def _cash(case: Case, tool: str, book: Rulebook) -> tuple[dict[str, float], frozenset[str]] | None:
    """Cash by party and the parameters it rests on; None where inputs are missing or no model appraises the tool."""
    try:
        found = appraise(tool, case, book)
    except PanhuoError:
        return None
    cash: dict[str, float] = {party: round(total.cash_wan, 6) for party, total in found.totals.items()}
    return cash, frozenset(leaf.name for leaf in found.leaves)


# --- new -----------------------------------------------------------------------------------------------------------


def new(kind: str, item_id: str, root: Path | None = None) -> Row:
    """Begins a law file with every required key, to be filled in; gives `{file, next}`.

    A parameter `topic.name` is added at the end of its topic's file. Raises PanhuoError for an unknown kind, a bad id
    or one that exists.
    """
    if kind not in NEW:
        raise PanhuoError(f"不能新建这一种 no such kind: {kind}", remedy=" | ".join(NEW))
    folder = Path(root or LAW).resolve()
    topic, _, name = item_id.partition(".")
    wanted = [topic, name] if kind == "parameter" else [item_id]
    if not all(ID.fullmatch(part) for part in wanted):
        raise PanhuoError(
            f"编号不合规则 bad id: {item_id}",
            remedy="小写字母、数字、下划线；参数写作 主题.名称 lower case, digits, _; a parameter is topic.name",
        )
    where = {"parameter": "parameters", "situation": "tests"}.get(kind) or KINDS[kind]
    path = folder / where / f"{topic}.yaml"
    text = (SCAFFOLDS / f"{kind}.yaml").read_text(encoding="utf-8").replace("ITEM_ID", name or item_id)
    held = path.read_text(encoding="utf-8") if path.is_file() else ""
    if held and (kind != "parameter" or name in (read_yaml(path) or {})):
        raise PanhuoError(
            f"已有 {item_id} it exists", where=str(path), remedy="直接编辑该文件 edit that file"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{held.rstrip()}\n{text}" if held else text, encoding="utf-8")
    return {"file": str(path), "kind": kind, "id": item_id, "next": "panhuo law check"}
