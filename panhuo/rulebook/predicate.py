"""Predicates and expressions of the law: SQL text, parsed, checked against a white list and rendered for DuckDB."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Final

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, TokenError

from panhuo.core.problems import PanhuoError

PARAMETER: Final = re.compile(r"\$([a-z_][a-z0-9_]*)\.([a-z_][a-z0-9_]*)")
HOLDER: Final = "param__"

ALLOWED_NODES: Final = (
    exp.Column, exp.Identifier, exp.Literal, exp.Boolean, exp.Null, exp.Paren, exp.Tuple, exp.Star,
    exp.And, exp.Or, exp.Not, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Is, exp.In, exp.Between, exp.Like,
    exp.NullSafeEQ, exp.NullSafeNEQ,
    exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Neg, exp.Case, exp.If, exp.Interval, exp.Var,
    exp.Coalesce, exp.Nullif, exp.Least, exp.Greatest, exp.Abs, exp.Round, exp.Floor, exp.Ceil,
    exp.Extract, exp.Year, exp.Month, exp.Day, exp.Cast, exp.DataType, exp.StartsWith, exp.Substring, exp.Length,
    exp.ArrayContains,
    exp.Array,
)  # fmt: skip
AGGREGATES: Final = (
    exp.Sum, exp.Count, exp.Min, exp.Max, exp.Avg, exp.LogicalOr, exp.LogicalAnd, exp.Filter, exp.Where, exp.Distinct,
    exp.ArgMax, exp.ArgMin, exp.AnyValue,
)  # fmt: skip
ALLOWED_FUNCTIONS: Final = frozenset(
    {"to_years", "to_months", "to_days", "datediff", "date_diff", "datesub", "date_sub", "starts_with", "list_contains",
     "year", "month", "day", "bool_or", "bool_and", "sum", "count", "arg_max", "arg_min", "any_value"}
)  # fmt: skip


@dataclass(frozen=True)
class Expression:
    """A checked SQL expression over facts and parameters."""

    text: str
    tree: exp.Expr

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Fact names it mentions, in order of first mention; table-qualified columns (d., p.) without the table."""
        found = (c.name for c in self.tree.find_all(exp.Column) if not c.name.startswith(HOLDER))
        return tuple(dict.fromkeys(found))

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        """Dotted names of the parameters it mentions."""
        found = (c.name for c in self.tree.find_all(exp.Column) if c.name.startswith(HOLDER))
        return tuple(dict.fromkeys(name.removeprefix(HOLDER).replace("__dot__", ".") for name in found))

    def sql(self, parameter_sql: Callable[[str], str]) -> str:
        """DuckDB text with each parameter replaced by what `parameter_sql` gives for its dotted name."""

        def substitute(node: exp.Expr) -> exp.Expr:
            if isinstance(node, exp.Column) and node.name.startswith(HOLDER):
                dotted = node.name.removeprefix(HOLDER).replace("__dot__", ".")
                return sqlglot.parse_one(f"({parameter_sql(dotted)})", dialect="duckdb")
            return node

        return str(self.tree.copy().transform(substitute).sql(dialect="duckdb"))


@lru_cache(maxsize=4096)
def parse(text: str, *, aggregate: bool = False) -> Expression:
    """The expression of `text`; raises PanhuoError on a syntax fault or anything outside the white list."""
    held = PARAMETER.sub(lambda m: f"{HOLDER}{m[1]}__dot__{m[2]}", text)
    try:
        tree = sqlglot.parse_one(held, dialect="duckdb")
    except (ParseError, TokenError) as error:
        raise PanhuoError(f"谓词语法错误 (bad predicate): {text}", why=str(error).splitlines()[0]) from None
    allowed = ALLOWED_NODES + AGGREGATES if aggregate else ALLOWED_NODES
    for node in tree.walk():
        if isinstance(node, allowed):
            continue
        if isinstance(node, exp.Func) and _function_name(node) in ALLOWED_FUNCTIONS:
            continue
        raise PanhuoError(
            f"谓词中不许用 {node.key} (not allowed in a predicate): {text}",
            remedy="只用比较、逻辑、算术、日期加减与白名单函数 (use comparisons, logic, dates, listed functions)",
        )
    return Expression(text, tree)


def _function_name(node: exp.Func) -> str:
    return str(node.name if isinstance(node, exp.Anonymous) else node.sql_name()).lower()


def literal(value: Any) -> str:
    """`value` as a DuckDB literal; a whole float is written as an integer so that to_years() takes it."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list | tuple):
        return "[" + ", ".join(literal(item) for item in value) + "]"
    if value is None:
        return "NULL"
    text = str(value).replace("'", "''")
    return f"DATE '{text}'" if hasattr(value, "isoformat") else f"'{text}'"


def by_place(national: Any, overlays: Mapping[str, Any], column: str = "division") -> str:
    """SQL for a parameter that differs by place: the longest matching division prefix decides."""
    if not overlays:
        return literal(national)
    cases = [
        f"WHEN starts_with({column}, '{prefix}') THEN {literal(value)}"
        for prefix, value in sorted(overlays.items(), key=lambda item: (-len(item[0]), item[0]))
    ]
    return f"CASE {' '.join(cases)} ELSE {literal(national)} END"
