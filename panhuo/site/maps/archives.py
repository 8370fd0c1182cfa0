"""Tile archives: whose land each holds, and their making ahead, so that no reader of the map waits for it."""

import logging
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from django.db import close_old_connections
from django.db.models import Max

from panhuo.site import gate
from panhuo.site.accounts.models import AreaScope, Person
from panhuo.site.gate import Scope
from panhuo.site.shelf import kept, shelf
from panhuo.workspace import tiles
from panhuo.workspace.reading import key_of

log = logging.getLogger(__name__)
PAUSE_S: Final = 2.0
LAYER: Final = "layer-"
CONFLICTS: Final = "conflicts-"


def archives(person: Any) -> dict[str, Scope]:
    """The archives that together hold the person's land: one for everywhere, or one per prefix and holder."""
    scope = gate.scope_of(person)
    if scope.everywhere:
        return {"d-all": Scope(("",))}
    found = {f"d-{code}": Scope((code,)) for code in scope.divisions}
    return found | {f"h-{code}": Scope((), (code,)) for code in scope.holders}


def has_conflicts(scope: Scope) -> bool:
    """Whether a conflict that can be drawn touches the scope's land: an archive of nothing is no archive."""
    one, other = scope.rows(), scope.rows("other_holder_uscc", "other_division")
    sql = (
        f"SELECT 1 FROM placed_conflicts WHERE geometry IS NOT NULL AND ((is_held AND ({one.sql})) "
        f"OR (other_is_held AND ({other.sql}))) LIMIT 1"
    )
    return bool(kept(sql, one.values + other.values))


def made(person: Any, name: str) -> Path:
    """The archive `name` of the person's own land or of a layer, made if need be; 404 for anybody else's.

    Raises: tiles.BeingMadeError.
    """
    workspace = shelf().workspace
    if name.startswith(LAYER):
        kind = gate.found(
            name.removeprefix(LAYER) in tiles.layer_kinds(workspace) and name.removeprefix(LAYER)
        )
        return tiles.layer_tiles(workspace, kind)
    scope: Scope = gate.found(archives(person).get(name.removeprefix(CONFLICTS)))
    where = scope.rows()
    if not name.startswith(CONFLICTS):
        return tiles.parcel_tiles(workspace, name, where.sql, where.values)
    gate.found(has_conflicts(scope))
    return tiles.conflict_tiles(workspace, name.removeprefix(CONFLICTS), where.sql, where.values)


def ahead() -> None:
    """Makes the archives of everybody's land and of the layers where they are missing."""
    for person in Person.objects.filter(is_active=True).order_by("pk"):
        if gate.may(person, "see"):
            for name in wanted(person):
                with suppress(tiles.BeingMadeError):
                    made(person, name)


def wanted(person: Any) -> Iterator[str]:
    """What the person's map asks for, in the order it does."""
    held = archives(person)
    yield from held
    yield from (LAYER + kind for kind in tiles.layer_kinds(shelf().workspace))
    yield from (CONFLICTS + name for name, scope in held.items() if has_conflicts(scope))


def ahead_forever() -> None:
    """Makes archives ahead after every change of the data or of anybody's land."""
    known: tuple[str, int | None] | None = None
    while True:
        try:
            close_old_connections()
            state = (key_of(shelf().workspace), AreaScope.objects.aggregate(last=Max("pk"))["last"])
            if state != known:
                shelf().follow()
                ahead()
                known = state
        except Exception:
            log.exception("tiles")
        time.sleep(PAUSE_S)
