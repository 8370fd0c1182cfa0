"""`filter(Among(F("parcel_id"), ids))`: as `__in`, however many: SQLite binds so many values and no more."""

import json
from typing import Any

from django.db.models import Lookup


class Among(Lookup):
    """Whether a text column is one of a collection of texts, bound as one value."""

    prepare_rhs = False

    def as_sqlite(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        """The value is a JSON array."""
        column, given = self.process_lhs(compiler, connection)
        return f"{column} IN (SELECT value FROM json_each(%s))", [*given, json.dumps(list(self.rhs))]

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        """The value is an array."""
        column, given = self.process_lhs(compiler, connection)
        return f"{column} = ANY(%s)", [*given, list(self.rhs)]
