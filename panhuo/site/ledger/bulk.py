"""The rows an act on several is for: those ticked, or all that the list's conditions find, inside the person's land."""

from typing import Any, Final

from django.http import QueryDict

from panhuo.core.problems import PanhuoError
from panhuo.site.gate import found
from panhuo.site.ledger.query import parse
from panhuo.site.records import KEY, visible
from panhuo.site.shelf import rows
from panhuo.site.words import pick

MOST: Final = {"publish": 5000, "correct": 500, "report": 200}
"""As many rows as one act takes: a person answers for each, and a document is written of each."""


def chosen(person: Any, dataset: str, form: QueryDict, act: str) -> list[str]:
    """The keys of the rows chosen; those of others' land are passed over.

    Raises PanhuoError where none is ticked or too many are asked for; 404 where none of those named is the person's.
    """
    if form.get("all"):
        query = parse(dataset, QueryDict(form.get("query", "")), person)
        sql = f"SELECT {KEY[dataset]} AS key FROM {dataset} WHERE {query.where.sql} ORDER BY 1 LIMIT ?"
        keys = [row["key"] for row in rows(sql, (*query.where.values, MOST[act] + 1))]
    else:
        keys = ticked(person, dataset, form)
    if len(keys) > MOST[act]:
        raise PanhuoError(
            pick(f"一次至多处理 {MOST[act]} 条", f"at most {MOST[act]} rows at a time"),
            remedy=pick("请加条件缩小范围，分批处理", "narrow the list and do it in parts"),
        )
    return keys


def ticked(person: Any, dataset: str, form: QueryDict) -> list[str]:
    """Those ticked that the person may see."""
    if not (ids := form.getlist("id")):
        raise PanhuoError(pick("请先勾选", "tick some rows first"))
    keys: list[str] = found(visible(person, dataset, ids))
    return keys
