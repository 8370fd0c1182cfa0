"""Who of the site may do a step: an actor of a procedure is not a role of the site.

Whoever works cases (clerk, reviewer) records any step but an approval, which is for those who decide. A park, a
land-owning company or a department consulted does the steps that are its own.
"""

from typing import Any, Final

from panhuo.rulebook.procedure import Procedure, Step
from panhuo.site import gate

APPROVING: Final = frozenset({"gov", "province", "discipline"})
"""Actors whose acts are approvals."""
OWN: Final[dict[str, frozenset[str]]] = {
    "park": frozenset({"park", "platform", "taker", "operator"}),
    "land_company": frozenset({"holder", "operator"}),
}
"""Role of the site → the actors it is."""


def needs(step: Step) -> gate.Act:
    """The act of the gate that a step needs."""
    return "decide" if step.role in APPROVING else "work"


def may_do(person: Any, procedure: Procedure, step: Step) -> bool:
    """Whether the person may do the step."""
    if gate.may(person, needs(step)):
        return True
    return gate.may(person, "answer") and _is(person, procedure, step)


def _is(person: Any, procedure: Procedure, step: Step) -> bool:
    """Whether the step is the person's own: by role, or a department by the name of its office."""
    if person.role == "consulted":
        return procedure.roles[step.role].zh in person.office
    return step.role in OWN.get(person.role, frozenset())
