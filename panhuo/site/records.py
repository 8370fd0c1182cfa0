"""The records people work on, one by one: a parcel, a firm's year, a contract, found by key inside a person's land."""

from collections.abc import Iterable
from typing import Any, Final

from django.urls import reverse

from panhuo.site import gate
from panhuo.site.gate import Rows, found
from panhuo.site.shelf import Row, one, rows
from panhuo.workspace.reading import BORROWED

KEY: Final = {
    "parcels": "parcel_id",
    "enterprises": "concat(enterprise_id, '|', year)",
    "contracts": "contract_no",
    "buildings": "building_id",
}
"""The datasets that are worked on, with the SQL of a row's key as corrections write it."""


def of(person: Any, dataset: str) -> Rows:
    """The rows of a dataset the person may see."""
    return gate.enterprises(person) if dataset == "enterprises" else gate.parcels(person)


def key_of(dataset: str, row: Row) -> str:
    """The key of a row as corrections write it."""
    match dataset:
        case "parcels":
            return str(row["parcel_id"])
        case "contracts":
            return str(row["contract_no"])
        case "buildings":
            return str(row["building_id"])
        case _:
            return f"{row['enterprise_id']}|{'' if row['year'] is None else row['year']}"


def record(person: Any, dataset: str, key: str) -> Row:
    """The row, without what lists borrow of other tables. 404 where it is not of the person's land."""
    where = of(person, found(dataset in KEY and dataset)).also(f"{KEY[dataset]} = ?", (key,))
    lent = [c for c in BORROWED.get(dataset, ()) if c != "name"]
    columns = f"* EXCLUDE ({', '.join(lent)})" if lent else "*"
    row: Row = found(one(f"SELECT {columns} FROM {dataset} WHERE {where.sql}", where.values))
    return row


def visible(person: Any, dataset: str, keys: Iterable[str]) -> list[str]:
    """Those of `keys` that the person may see."""
    where = of(person, dataset).also(f"list_contains(?::VARCHAR[], {KEY[dataset]})", (list(keys),))
    sql = f"SELECT {KEY[dataset]} AS key FROM {dataset} WHERE {where.sql} ORDER BY 1"
    return [row["key"] for row in rows(sql, where.values)]


def page(dataset: str, row: Row) -> tuple[str, str]:
    """Whose page tells of the row, (dataset, id): a contract belongs to its parcel. Files are kept there."""
    if dataset == "enterprises":
        return "enterprises", row["enterprise_id"]
    return "parcels", row["parcel_id"]


def address(dataset: str, subject: str) -> str:
    """Where the page of a parcel or an enterprise is."""
    return reverse("enterprise" if dataset == "enterprises" else "parcel", args=[subject])
