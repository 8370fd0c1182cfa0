"""Who of the site may do a step: an actor of a procedure is not a role of the site.

Whoever works cases (clerk, reviewer) records any step but an approval, which is for those who decide. A park, a
land-owning company or a department consulted files what is its own to file; what settles a case is not.
"""

from typing import Any, Final

from panhuo.rulebook.procedure import ActorKind, Procedure, Step
from panhuo.site import gate

OWN: Final[dict[str, frozenset[ActorKind]]] = {
    "park": frozenset({"park", "platform", "taker", "operator"}),
    "land_company": frozenset({"holder", "operator"}),
}
"""Role of the site → the kinds of actor it is."""


def needs(procedure: Procedure, step: Step) -> gate.Act:
    """The act of the gate that a step needs."""
    return "decide" if procedure.roles[step.role].kind == "approver" else "work"


def may_do(person: Any, procedure: Procedure, step: Step) -> bool:
    """Whether the person may do the step."""
    if gate.may(person, needs(procedure, step)):
        return True
    return gate.may(person, "answer") and _is(person, procedure, step) and is_filing(procedure, step)


def is_filing(procedure: Procedure, step: Step) -> bool:
    """Whether the step only hands something in or asks for something: it settles no fact, is not the last to be
    done, and leads to no end and to nothing that must be done."""
    if any(way.sets for way in step.outcomes.values()):
        return False
    optional = {other.id for other in procedure.steps if other.optional}
    last = not step.optional and not any(step.id in other.after for other in procedure.steps)
    return not last and all(optional.issuperset(way.to) for way in step.outcomes.values())


def _is(person: Any, procedure: Procedure, step: Step) -> bool:
    """Whether the step is the person's own: by role, or a department by the name of its office."""
    actor = procedure.roles[step.role]
    if person.role == "consulted":
        return actor.zh in person.office
    return actor.kind in OWN.get(person.role, ())
