"""What a dataset's fields are called and typed, read from spec/datasets/<dataset>.yaml."""

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
