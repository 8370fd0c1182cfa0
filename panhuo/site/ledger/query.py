"""A list's address as SQL: filters on every field, sort, columns, page. Names are checked, values bound.

q=湘江              text in the id, name, holder or address
division=4301       code prefix
<field>=v           equal to v (given twice: either); for a list field: contains v
<list>.and=v        contains v too
<field>.has=text    contains the text        <field>.min= .max=   bounds
<field>.empty=1     unknown; beside other tests of the field: or unknown       <field>.empty=0   known
box=x0,y0,x1,y1     outlines whose own box meets this one (°)
area=x,y;x,y;…      outlines that meet the polygon (°)
sort=-area_m2       col=name&col=…           page=2   size=50
add=<field>         the form shows a condition on the field, whatever it asks
"""

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from django.http import QueryDict

from panhuo.core.problems import PanhuoError
from panhuo.inventory.spec import dataset_specs
from panhuo.site.gate import Rows
from panhuo.site.ledger.area import area_condition
from panhuo.site.records import of
from panhuo.site.shelf import Row, kept, rows
from panhuo.site.words import pick

EXTRA: Final[dict[str, dict[str, str]]] = {
    "parcels": {
        "drawn_area_m2": "float", "findings": "list", "unknowns": "list", "since": "date", "severity": "text",
        "tools": "list", "first_tool": "text", "tier": "text", "plan_tool": "text", "plan_year": "int",
        "stage": "text", "potential": "text", "easy_first": "int", "source_file": "text", "source_row": "int",
    },
    "enterprises": {"score": "float", "tier": "text", "parcels": "int"},
    "contracts": {"division": "text", "name": "text"},
}  # fmt: skip
SHOWN: Final[dict[str, tuple[str, ...]]] = {
    "parcels": (
        "parcel_id",
        "name",
        "division",
        "holder",
        "area_m2",
        "land_use",
        "findings",
        "since",
        "first_tool",
    ),
    "enterprises": (
        "enterprise_id",
        "name",
        "division",
        "industry",
        "status",
        "revenue_wan",
        "tax_wan",
        "tier",
        "score",
    ),
    "contracts": (
        "contract_no",
        "parcel_id",
        "name",
        "division",
        "signed_on",
        "start_by",
        "work_state",
        "invested_wan",
    ),
}
KEYS: Final = {"parcels": "parcel_id", "enterprises": "enterprise_id", "contracts": "contract_no"}
BESIDE: Final = {
    "parcels": ("parcel_id", "land_use_scheme"),
    "enterprises": ("enterprise_id", "year"),
    "contracts": ("contract_no",),
}
"""What a row of a list always holds: its key, and what its cells are read by."""
SEARCHED: Final = {
    "parcels": ("parcel_id", "name", "holder", "address"),
    "enterprises": ("enterprise_id", "name"),
    "contracts": ("contract_no", "parcel_id", "name"),
}
RESERVED: Final = frozenset({"q", "sort", "col", "page", "size", "box", "area", "view", "as", "add"})
SIZES: Final = (20, 50, 100, 200)
FIRST: Final = 200
"""As many rows are remembered by number when a list is counted: its first pages need not look for them again."""


@dataclass(frozen=True, slots=True)
class Query:
    """A list as asked for."""

    dataset: str
    where: Rows
    sort: str
    shown: tuple[str, ...]
    page: int
    size: int

    def order(self) -> str:
        """The ORDER BY clause; rows of one value, and those of an unsorted list, lie as they do: by division and id."""
        name = self.sort.lstrip("-")
        if not name:
            return ""
        return f'ORDER BY "{name}" {"DESC" if self.sort.startswith("-") else "ASC"} NULLS LAST, rowid'


def fields(dataset: str) -> dict[str, str]:
    """Every field a list can show, filter and sort, with its type word."""
    given = {n: f.type for n, f in dataset_specs()[dataset].fields.items() if f.type != "geometry"}
    return given | EXTRA[dataset]


def parse(dataset: str, given: QueryDict, person: Any) -> Query:
    """The query that `given` asks for, narrowed to what the person may see.

    Raises PanhuoError for an unknown field or a value that does not fit: a slip must not widen a list.
    """
    known = fields(dataset)
    where = of(person, dataset)
    for asked in _by_field(given):
        where = where.also(*field_condition(known, asked))
    if text := given.get("q", "").strip():
        parts = " OR ".join(f"contains({c}, ?)" for c in SEARCHED[dataset])
        where = where.also(parts, (text,) * len(SEARCHED[dataset]))
    if dataset != "parcels" and (given.get("box") or given.get("area")):
        raise PanhuoError(pick("只有宗地可按范围查", "only parcels are found by where they lie"))
    if box := given.get("box"):
        where = where.also(*box_condition(box))
    if area := given.get("area"):
        where = where.also(*area_condition(area))
    shown = tuple(_known(known, c) for c in given.getlist("col")) or SHOWN[dataset]
    sort = given.get("sort", "")
    if sort:
        _known(known, sort.lstrip("-"))
    size = _whole(given.get("size", ""), 50)
    return Query(dataset, where, sort, shown, _whole(given.get("page", ""), 1), size if size in SIZES else 50)


def _whole(text: str, otherwise: int) -> int:
    """A whole number from 1, as far as lists go, or `otherwise`."""
    fits = text.isascii() and text.isdigit() and len(text) < 10
    return max(1, int(text)) if fits else otherwise


def _known(known: dict[str, str], name: str) -> str:
    if name not in known:
        raise PanhuoError(pick("没有这个字段", "no such field") + f": {name}")
    return name


def _by_field(given: QueryDict) -> list[dict[str, list[str]]]:
    """The filters of the address, those of one field together: name with its test → values."""
    found: dict[str, dict[str, list[str]]] = {}
    for name in given:
        if name not in RESERVED and (texts := [v for v in given.getlist(name) if v != ""]):
            found.setdefault(name.partition(".")[0], {})[name] = texts
    return list(found.values())


def field_condition(known: dict[str, str], asked: dict[str, list[str]]) -> tuple[str, tuple[Any, ...]]:
    """All that is asked of one field: every test holds, or else the field is unknown where that is asked for too."""
    unknown = next((name for name in asked if name.endswith(".empty") and asked[name] != ["0"]), None)
    tests = [condition(known, name, texts) for name, texts in asked.items() if name != unknown]
    sql = " AND ".join(f"({sql})" for sql, _ in tests)
    values = tuple(v for _, held in tests for v in held)
    if unknown is None:
        return sql, values
    empty, _ = condition(known, unknown, asked[unknown])
    return (f"({sql}) OR {empty}" if sql else empty), values


def condition(known: dict[str, str], name: str, texts: list[str]) -> tuple[str, tuple[Any, ...]]:
    """The SQL condition of one filter, `field` or `field.test`. Raises PanhuoError."""
    column, _, test = name.partition(".")
    kind = known[_known(known, column)]
    if test == "empty":
        known_only = texts == ["0"]
        sql = f"len({column}) = 0" if kind == "list" else f"{column} IS NULL"
        return f"NOT ({sql})" if known_only else sql, ()
    if test == "has":
        return f"contains(CAST({column} AS VARCHAR), ?)", (texts[0],)
    if test in ("min", "max") and kind != "list":
        return f"{column} {'>=' if test == 'min' else '<='} ?", (_typed(kind, texts[0]),)
    if test and (test, kind) != ("and", "list"):
        raise PanhuoError(pick("没有这种条件", "no such test") + f": {name}")
    return _equal(column, kind, texts, " AND " if test == "and" else " OR ")


def _equal(column: str, kind: str, texts: list[str], joined: str) -> tuple[str, tuple[Any, ...]]:
    if kind == "list":
        return joined.join(f"list_contains({column}, ?)" for _ in texts), tuple(texts)
    if column == "division":
        return " OR ".join("(division >= ? AND division < ?)" for _ in texts), tuple(
            v for code in texts for v in (code, code + "~")
        )
    return f"{column} IN ({', '.join('?' * len(texts))})", tuple(_typed(kind, v) for v in texts)


def _typed(kind: str, text: str) -> Any:
    try:
        match kind:
            case "float":
                return float(text.replace(",", ""))
            case "int" if len(text) < 19:
                return int(text)
            case "int":
                raise ValueError
            case "date":
                return date.fromisoformat(text)
            case "bool":
                return text.lower() in ("1", "true", "yes", "是")
            case _:
                return text
    except ValueError:
        raise PanhuoError(
            pick("值与字段类型不符", "the value does not fit the field") + f": {text}"
        ) from None


def box_condition(text: str) -> tuple[str, tuple[float, ...]]:
    try:
        x0, y0, x1, y1 = (float(part) for part in text.split(","))
    except ValueError:
        raise PanhuoError(pick("范围应为四个数", "a box is four numbers") + f": {text}") from None
    return "xmax >= ? AND xmin <= ? AND ymax >= ? AND ymin <= ?", (x0, x1, y0, y1)


def totals(query: Query) -> Row:
    """How many rows, their land [m²] where the dataset has any, and the numbers of the `first` of them as they lie."""
    area = ", sum(area_m2) AS area_m2" if query.dataset == "parcels" else ""
    first = f"min(rowid, {FIRST})"
    sql = f"SELECT count(*) AS n{area}, {first} AS first FROM {query.dataset} WHERE {query.where.sql}"
    return kept(sql, query.where.values)[0]


def page_rows(query: Query) -> list[Row]:
    """One page of the list, its rows found by number: those that were counted first, or those that lead the order."""
    columns = ", ".join(f'"{c}"' for c in dict.fromkeys((*BESIDE[query.dataset], *query.shown)))
    begin = (query.page - 1) * query.size
    total = totals(query)
    if not query.sort and min(begin + query.size, total["n"]) <= FIRST:
        return numbered(query, columns, (total["first"] or [])[begin : begin + query.size])
    page = f"FROM {query.dataset} WHERE {query.where.sql} {query.order()} LIMIT ? OFFSET ?"
    values = (*query.where.values, query.size, begin)
    if not query.sort:
        return rows(f"SELECT {columns} {page}", values)
    return numbered(query, columns, [row["at"] for row in rows(f"SELECT rowid AS at {page}", values)])


def numbered(query: Query, columns: str, numbers: list[int]) -> list[Row]:
    """The rows of those numbers, in the list's order. The bounds let the engine skip the blocks of all others."""
    if not numbers:
        return []
    chosen = "SEMI JOIN (SELECT unnest(?::BIGINT[]) AS at) AS chosen"
    sql = (
        f"SELECT {columns} FROM {query.dataset} {chosen} ON {query.dataset}.rowid = chosen.at "
        f"WHERE {query.dataset}.rowid BETWEEN ? AND ? {query.order() or 'ORDER BY rowid'}"
    )
    return rows(sql, (numbers, min(numbers), max(numbers)))
