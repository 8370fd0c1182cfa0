"""The one gate: who may do what (role), on which land (area). Pages, API, tiles, files and exports all ask here.

A person has one role and any number of area scopes: a division-code prefix ("" is the whole country) or a holder's
code. Rows outside the scope do not exist for that person (404); an act outside the role is refused (403); a stranger is
sent to the login.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Final, Literal

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode

from panhuo.site.words import say

Role = Literal[
    "clerk", "reviewer", "leader", "park", "land_company", "consulted", "auditor", "administrator", "public"
]
Act = Literal[
    "see", "export", "upload", "assess", "propose", "decide", "attach", "publish", "offer", "plan",
    "work", "answer", "people", "trail", "token", "webhook",
    "survey",
]  # fmt: skip

ROLES: Final[dict[Role, Any]] = {
    "clerk": say("经办", "Clerk"),
    "reviewer": say("审核", "Reviewer"),
    "leader": say("领导", "Leader"),
    "park": say("园区", "Park"),
    "land_company": say("用地企业", "Land-owning company"),
    "consulted": say("会商部门", "Department consulted"),
    "auditor": say("审计", "Auditor"),
    "administrator": say("管理员", "Administrator"),
    "public": say("公众", "Public"),
}

MAY: Final[dict[Role, frozenset[Act]]] = {
    "clerk": frozenset(
        {
            "see",
            "export",
            "upload",
            "assess",
            "propose",
            "attach",
            "offer",
            "plan",
            "work",
            "answer",
            "token",
            "survey",
        }
    ),
    "reviewer": frozenset(
        {
            "see",
            "export",
            "assess",
            "propose",
            "decide",
            "attach",
            "publish",
            "offer",
            "plan",
            "work",
            "answer",
            "token",
        }
    ),
    "leader": frozenset({"see", "export", "assess", "decide", "publish", "plan", "answer", "token"}),
    "park": frozenset({"see", "export", "propose", "attach", "offer", "plan", "answer", "token", "survey"}),
    "land_company": frozenset(
        {"see", "export", "propose", "attach", "offer", "plan", "answer", "token", "survey"}
    ),
    "consulted": frozenset({"see", "answer"}),
    "auditor": frozenset({"see", "export", "trail", "token"}),
    "administrator": frozenset({"see", "export", "upload", "assess", "people", "trail", "token", "webhook"}),
    "public": frozenset(),
}


@dataclass(frozen=True, slots=True)
class Rows:
    """A SQL predicate over a table's `division` and holder columns, with its parameters: the rows a person may see."""

    sql: str
    values: tuple[Any, ...] = ()

    def also(self, sql: str, values: tuple[Any, ...] = ()) -> "Rows":
        """Both this and the further condition."""
        return Rows(f"({self.sql}) AND ({sql})", self.values + values)


EVERYTHING: Final = Rows("TRUE")
NOTHING: Final = Rows("FALSE")


@dataclass(frozen=True, slots=True)
class Scope:
    """The land a person answers for."""

    divisions: tuple[str, ...] = ()
    holders: tuple[str, ...] = ()

    def rows(self, holder_field: str = "holder_uscc", division_field: str = "division") -> Rows:
        """The predicate over a table that has those two columns. No scope, no rows."""
        if "" in self.divisions:
            return EVERYTHING
        parts, values = [], []
        for prefix in self.divisions:
            parts.append(f"({division_field} >= ? AND {division_field} < ?)")
            values += [prefix, prefix + "~"]
        for holder in self.holders:
            parts.append(f"{holder_field} = ?")
            values.append(holder)
        return Rows(" OR ".join(parts), tuple(values)) if parts else NOTHING

    @property
    def everywhere(self) -> bool:
        return "" in self.divisions

    def covers_division(self, division: str) -> bool:
        """Whether all land of `division` lies inside."""
        return any(division.startswith(prefix) for prefix in self.divisions)

    def covers_row(self, division: str | None, holder: str | None) -> bool:
        """Whether a row read without `rows` is one of these."""
        return self.covers_division(division or "") or holder in self.holders

    def covers(self, other: "Scope") -> bool:
        """Whether everything another scope holds lies inside this one, so that a grant never exceeds the granter's."""
        return self.everywhere or (
            all(self.covers_division(d) for d in other.divisions) and set(other.holders) <= set(self.holders)
        )


def scope_of(person: Any) -> Scope:
    """The person's land, read once per request."""
    if not person.is_authenticated:
        return Scope()
    if (known := getattr(person, "_scope", None)) is None:
        rows = list(person.scopes.values_list("kind", "value"))
        known = Scope(
            tuple(sorted(v for k, v in rows if k == "division")),
            tuple(sorted(v for k, v in rows if k == "holder")),
        )
        person._scope = known
    scope: Scope = known
    return scope


def may(person: Any, act: Act) -> bool:
    """Whether the person's role allows the act."""
    return bool(person.is_authenticated and person.is_active and act in MAY[person.role])


def demand(person: Any, act: Act) -> None:
    """Raises PermissionDenied (403) where the role does not allow the act."""
    if not may(person, act):
        raise PermissionDenied(f"{act} is not open to this role")


def parcels(person: Any) -> Rows:
    """The parcels the person may see."""
    return scope_of(person).rows() if may(person, "see") else NOTHING


def enterprises(person: Any) -> Rows:
    """The enterprises the person may see: of the divisions held, or the company itself."""
    return scope_of(person).rows("enterprise_id") if may(person, "see") else NOTHING


View = Callable[..., HttpResponse]


def gated(act: Act) -> Callable[[View], View]:
    """A view open only to roles that may `act`; a stranger goes to the login, a wrong role gets 403."""

    def wrap(view: View) -> View:
        @wraps(view)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not request.user.is_authenticated:
                return redirect(f"{reverse('account_login')}?{urlencode({'next': request.get_full_path()})}")
            demand(request.user, act)
            return view(request, *args, **kwargs)

        checked.gate = act  # type: ignore[attr-defined]
        return checked

    return wrap


def open_to_all(view: View) -> View:
    """Marks a view as meant for strangers too; the sweep of the URL map accepts no unmarked view."""
    view.gate = "open"  # type: ignore[attr-defined]
    return view


def found(row: Any) -> Any:
    """The row, or 404: a row outside the person's land is no different from one that does not exist."""
    if not row:
        raise Http404
    return row
