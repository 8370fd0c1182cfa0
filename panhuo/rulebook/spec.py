"""What a dataset's fields are called and typed, read from spec/datasets/<dataset>.yaml."""

import csv
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from panhuo.core.problems import PanhuoError
from panhuo.rulebook.book import SPEC, read_yaml

SQL_TYPES: Final = {
    "text": "VARCHAR",
    "code": "VARCHAR",
    "int": "BIGINT",
    "float": "DOUBLE",
    "date": "DATE",
    "bool": "BOOLEAN",
    "geometry": "BLOB",
}
LONG_LISTS: Final = ("divisions", "industry", "land_use")
"""Code lists whose codes are shown as they are."""


@lru_cache
def dataset_fields(dataset: str) -> Mapping[str, str]:
    """Field name → type word of one dataset, in the order of its spec file.

    Raises PanhuoError when there is no such dataset.
    """
    path = SPEC / "datasets" / f"{dataset}.yaml"
    if not path.is_file():
        raise PanhuoError(f"没有名为 {dataset} 的数据集 (no dataset of that name)", where=str(path))
    return {name: field["type"] for name, field in read_yaml(path)["fields"].items()}


def datasets() -> list[str]:
    """Names of all datasets."""
    return sorted(path.stem for path in (SPEC / "datasets").glob("*.yaml"))


@lru_cache
def field_labels() -> Mapping[str, Mapping[str, str]]:
    """Field name → its label zh/en, over all datasets; the land's come first, then its users'."""
    labels: dict[str, Mapping[str, str]] = {}
    first = ("parcels", "contracts", "batches", "enterprises")
    for dataset in (*first, *(name for name in datasets() if name not in first)):
        for name, field in read_yaml(SPEC / "datasets" / f"{dataset}.yaml")["fields"].items():
            labels.setdefault(name, field["label"])
    return labels


@lru_cache
def code_labels() -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    """Field name → code → its label zh/en, for fields with a short code list of their own."""
    labels: dict[str, Mapping[str, Mapping[str, str]]] = {}
    for dataset in datasets():
        for name, field in read_yaml(SPEC / "datasets" / f"{dataset}.yaml")["fields"].items():
            path = SPEC / "codes" / f"{field.get('codes', '')}.csv"
            if name not in labels and path.is_file() and path.stem not in LONG_LISTS:
                with path.open(encoding="utf-8-sig", newline="") as stream:
                    rows = csv.DictReader(stream)
                    labels[name] = {row["code"]: {"zh": row["zh"], "en": row["en"]} for row in rows}
    return labels
