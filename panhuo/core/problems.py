"""What went wrong, said once and clearly: a `Problem` is a row for the user, a `PanhuoError` ends the command."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

import pyarrow as pa

Severity = Literal["error", "warning", "notice"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault of the data. `type` is an id of spec/problems.yaml, which holds its label, severity and owner.

    `file`, `row` (1-based, as the user counts it in the file), `field` and `value` say where; `action` says what was
    done about it ("refused", "mended: …", "kept").
    """

    type: str
    file: str = ""
    row: int | None = None
    field: str = ""
    value: str = ""
    action: str = ""
    severity: Severity = "warning"
    owner: str = ""


def problem_table(problems: Iterable[Problem]) -> pa.Table:
    """The problems as an Arrow table with one string column per field (`row` is int64)."""
    rows: list[dict[str, Any]] = [asdict(p) for p in problems]
    schema = pa.schema([(f.name, pa.int64() if f.name == "row" else pa.string()) for f in fields(Problem)])
    return pa.Table.from_pylist(rows, schema=schema)


class PanhuoError(Exception):
    """A fault the user can mend: bad input or usage. The command prints it and exits 2, nothing changed.

    what: what is wrong; where: file, row, field; why: the reason; remedy: what to do.
    """

    def __init__(self, what: str, *, where: str = "", why: str = "", remedy: str = "") -> None:
        super().__init__(what)
        self.what, self.where, self.why, self.remedy = what, where, why, remedy

    def __str__(self) -> str:
        parts = [self.what]
        if self.where:
            parts.append(f"位置 where: {self.where}")
        if self.why:
            parts.append(f"原因 why: {self.why}")
        if self.remedy:
            parts.append(f"处理 remedy: {self.remedy}")
        return "\n  ".join(parts)

    def as_dict(self) -> dict[str, str]:
        """The same for `--json`."""
        return {"what": self.what, "where": self.where, "why": self.why, "remedy": self.remedy}
