"""Code lists: what people write → the code, once for each distinct text."""

import re
from collections.abc import Callable, Sequence
from functools import cache, partial

import pyarrow as pa
import pyarrow.compute as pc

from panhuo.core.ids import division_stem
from panhuo.inventory.spec import code_rows
from panhuo.inventory.values import (
    Converted,
    Fault,
    as_text,
    each_distinct,
    encoded,
    faults_at,
    plain,
    spread,
)

Resolve = Callable[[str], str | None]
DIVISION_DIGITS = re.compile(r"\d{2}|\d{4}|\d{6}|\d{9}|\d{12}")
"""电子监管号: division, year, kind, serial."""
INDUSTRY_CODE = re.compile(r"[A-T]?(\d{2,4})")
OWN_CITY = ("本级", "市辖区", "直属")
SHORT = re.compile(r"(?:省|市|区|县|自治州|自治县|自治区|地区|盟|旗)$")


def to_code(column: pa.ChunkedArray, codes: str, context: pa.Array | None = None) -> Converted:
    """The codes of list `codes`; texts that no code fits are null and told.

    context: for divisions, the 电子监管号 or parcel code of the row, whose first six digits are the division.
    """
    if codes == "divisions":
        return to_division(as_text(column), context)
    return each_distinct(column, lambda texts: listed(texts, resolver(codes)))


def listed(texts: pa.Array, resolve: Resolve) -> Converted:
    """`resolve` of texts; those that no code fits are null and told."""
    values = pa.array([None if t is None else resolve(t) for t in texts.to_pylist()], pa.string())
    bad = pc.and_(pc.is_valid(texts), pc.is_null(values))
    return values, faults_at("not_in_code_list", bad, texts, "taken as unknown")


def by_distinct(texts: pa.Array, resolve: Resolve) -> pa.Array:
    """`resolve` on each distinct text, spread over the rows."""
    coded = texts.dictionary_encode()
    known = pa.array([resolve(t) for t in coded.dictionary.to_pylist()], pa.string())
    return known.take(coded.indices)


def norm(text: str) -> str:
    """A label as it is compared: narrow forms, no blanks, no brackets' kind."""
    return re.sub(r"\s", "", plain(text)).lower()


@cache
def resolver(codes: str) -> Resolve:
    """The function from text to code for a list with columns code, zh, en, aliases (what it has of them)."""
    table: dict[str, str] = {}
    for row in code_rows(codes):
        labels = [row["code"], row["zh"], row.get("en") or "", *(row.get("aliases") or "").split("|")]
        for label in labels:
            if label:
                table.setdefault(norm(label), row["code"])
    if codes == "industry":
        # Names of GB/T 4754-2002, which older ledgers use.
        table = {**{norm(r["zh"]): r["code"] for r in code_rows("industry_former")}, **table}
        return lambda text: industry(text, table)
    return lambda text: table.get(norm(text))


def industry(text: str, table: dict[str, str]) -> str | None:
    """A GB/T 4754-2017 code from a code with or without its section letter, a name, or both."""
    word = norm(text).upper()
    match = INDUSTRY_CODE.match(word)
    if match and match[1].lower() in table:
        return match[1]
    return table.get(word.lower()) or table.get(re.sub(r"^[A-T]?\d*[、.\-]?", "", word).lower())


# --- land use ------------------------------------------------------------------------------------------------------


@cache
def land_uses() -> dict[str, dict[str, str]]:
    """Scheme → code or name → code."""
    table: dict[str, dict[str, str]] = {}
    for row in code_rows("land_use"):
        scheme = table.setdefault(row["scheme"], {})
        scheme[norm(row["code"])] = row["code"]
        scheme.setdefault(norm(row["zh"]), row["code"])
    return table


@cache
def land_use_names() -> dict[tuple[str, str], str]:
    """(scheme, code) → name as it is compared."""
    return {(row["scheme"], row["code"]): norm(row["zh"]) for row in code_rows("land_use")}


def to_land_use(column: pa.ChunkedArray, scheme: pa.Array | None) -> tuple[pa.Array, pa.Array, list[Fault]]:
    """(code, scheme, faults) of a land-use column. `scheme`: the row's own, where the file gives one.

    Otherwise the one scheme is taken that fits every row; names settle it, and codes that fit several leave it open.
    What no code fits is kept as written.
    """
    if scheme is not None:
        return land_use_of(as_text(column), scheme)
    coded = encoded(column)
    code, own, faults = land_use_of(as_text(coded.dictionary), None)
    return code.take(coded.indices), own.take(coded.indices), spread(faults, coded)


def land_use_of(texts: pa.Array, scheme: pa.Array | None) -> tuple[pa.Array, pa.Array, list[Fault]]:
    """The same of trimmed texts."""
    distinct = [t for t in pc.unique(texts).to_pylist() if t]
    chosen = pa.scalar(fitting_scheme(distinct), pa.string())
    own = pc.coalesce(scheme, chosen) if scheme is not None else pa.repeat(chosen, len(texts))
    own = pc.if_else(pc.is_valid(texts), own, pa.scalar(None, pa.string()))
    code = pa.repeat(pa.scalar(None, pa.string()), len(texts))
    for name in (s for s in pc.unique(own).to_pylist() if s in land_uses()):
        code = pc.if_else(pc.equal(own, name), by_distinct(texts, partial(land_use_code, scheme=name)), code)
    unsaid = pc.and_(pc.is_valid(texts), pc.is_null(own))
    known = pc.is_in(own, pa.array(sorted(land_uses())))
    unlisted = pc.and_(pc.and_(pc.is_valid(texts), known), pc.is_null(code))
    return pc.coalesce(code, texts), own, [
        *faults_at("land_use_scheme_unknown", unsaid, texts, "kept as written, scheme unknown"),
        *faults_at("not_in_code_list", unlisted, texts, "kept as written"),
    ]  # fmt: skip


def land_use_code(text: str, scheme: str) -> str | None:
    """The code of a text that is a code, a name, or a code followed by its name (which must agree)."""
    table = land_uses()[scheme]
    word = norm(text)
    if word in table:
        return table[word]
    match = re.fullmatch(r"([0-9][0-9a-z]{1,5})[-—、.]?(\D.*)", word)
    if match:
        code = table.get(match[1])
        return code if code and land_use_names()[scheme, code] == match[2] else None
    first = re.split(r"[、,，;；/]", word)[0]
    return table.get(first)


def fitting_scheme(texts: Sequence[str]) -> str | None:
    """The scheme that knows most of the texts.

    None when none knows half of them, or when several know as many and mean different things by them.
    """
    hits = {name: [land_use_code(t, name) for t in texts] for name in land_uses()}
    counts = {name: sum(code is not None for code in codes) for name, codes in hits.items()}
    best = max(counts.values())
    if not best or best * 2 < len(texts):
        return None
    winners = [name for name, count in counts.items() if count == best]
    meanings = {tuple(land_use_names()[n, c] if c else None for c in hits[n]) for n in winners}
    return winners[0] if len(meanings) == 1 else None


# --- divisions -----------------------------------------------------------------------------------------------------


@cache
def divisions() -> tuple[frozenset[str], dict[str, list[str]]]:
    """The codes, and name → codes (current ones first), names with and without their kind."""
    names: dict[str, list[str]] = {}
    rows = sorted(code_rows("divisions"), key=lambda r: (r["status"] == "former", r["code"]))
    for row in rows:
        names.setdefault(row["zh"], []).append(row["code"])
    for row in rows:
        short = SHORT.sub("", row["zh"])
        if len(short) >= 2:
            names.setdefault(short, []).append(row["code"])
    return frozenset(r["code"] for r in rows), names


@cache
def meridians() -> dict[str, float]:
    """Division → longitude of its middle [degrees], where the list has it."""
    return {r["code"]: float(r["lon"]) for r in code_rows("divisions") if r["lon"]}


def zone_of_division(code: str) -> int | None:
    """The 3° zone that a division works in, by its middle; None where the list does not say."""
    lon = meridians().get(code[:6].ljust(6, "0"))
    return None if lon is None else round(lon / 3)


def to_division(texts: pa.Array, context: pa.Array | None) -> Converted:
    """Division codes from codes or from names such as 湖南省,长沙市,长沙县, wide to narrow, some parts missing."""
    plainly_coded = texts.null_count == 0 and all(
        DIVISION_DIGITS.fullmatch(t) for t in pc.unique(texts).to_pylist()
    )
    if context is not None and not plainly_coded:
        head = pc.extract_regex(context, r"^(?P<d>\d{6})\d{4}[A-Z]\d{5}")
        head = pc.struct_field(head, "d")
        pairs = pc.binary_join_element_wise(texts, head, "\t", null_handling="replace", null_replacement="")
        pairs = pc.if_else(pc.or_(pc.is_valid(texts), pc.is_valid(head)), pairs, pa.scalar(None, pa.string()))
    else:
        pairs = texts  # codes need no settling
    values = by_distinct(pairs, lambda t: division(*t.split("\t")))
    bad = pc.and_(pc.is_valid(texts), pc.is_null(values))
    six = pc.utf8_slice_codeunits(values, 0, 6)
    listed = pc.is_in(six, pa.array(sorted(divisions()[0])))
    former = pc.and_(pc.is_valid(six), pc.invert(listed))
    return values, [
        *faults_at("division_unresolved", bad, texts, "taken as unknown"),
        *faults_at("division_former", former, texts, "kept"),
    ]


def division(text: str, head: str = "") -> str | None:
    """The code of one division text; `head`, six digits of the row's number, settles names that occur twice."""
    codes, names = divisions()
    parts = [p for p in re.split(r"[,，、/\s>]+", plain(text)) if p]
    last = parts[-1] if parts else ""
    if DIVISION_DIGITS.fullmatch(last):
        six = last[:6].ljust(6, "0")
        return last if len(last) > 6 else six
    candidates: list[str] | None = None
    for part in parts:
        found = named(part, names)
        if not found:
            continue
        within = [c for c in found if candidates is None or any(inside(c, p) for p in candidates)]
        candidates = within or candidates
    if head in codes and (not candidates or any(inside(head, c) or inside(c, head) for c in candidates)):
        return candidates[0] if candidates and len(candidates) == 1 else head
    if candidates and len({c[:4] for c in candidates}) == 1:
        return candidates[0]
    if candidates and len({c[:2] for c in candidates}) == 1 and candidates[0].endswith("0000"):
        return candidates[0]
    return head if head in codes and not candidates else None


def named(part: str, names: dict[str, list[str]]) -> list[str]:
    """The codes a name may mean; 长沙市本级 is the city."""
    for tail in OWN_CITY:
        part = part.removesuffix(tail) or part
    return names.get(part) or names.get(SHORT.sub("", part)) or []


def inside(code: str, outer: str) -> bool:
    """Whether a six-digit code lies in `outer`."""
    return code.startswith(division_stem(outer))
