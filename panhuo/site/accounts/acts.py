"""What can be done to accounts: first administrator, people, scopes, tokens."""

import hashlib
import secrets
from collections.abc import Iterable
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from panhuo.site import gate
from panhuo.site.accounts.models import ApiToken, AreaScope, Person, SetupToken, Trail
from panhuo.site.trail import performing


def digest(key: str) -> str:
    """What is stored of a key."""
    return hashlib.sha256(key.encode()).hexdigest()


def setup_needed() -> bool:
    """Whether nobody can manage people yet."""
    return not Person.objects.filter(role="administrator", is_active=True).exists()


@transaction.atomic
def make_setup_token() -> str:
    """A fresh one-time key for the first administrator; earlier ones stop working."""
    SetupToken.objects.all().delete()
    key = secrets.token_urlsafe(24)
    SetupToken.objects.create(digest=digest(key))
    return key


def setup_token_valid(key: str) -> bool:
    return setup_needed() and SetupToken.objects.filter(digest=digest(key)).exists()


@transaction.atomic
def make_first_administrator(key: str, username: str, password: str, full_name: str = "") -> Person:
    """The first administrator, over the whole country. The key works once."""
    if not setup_token_valid(key):
        raise PermissionDenied("this set-up key is not valid")
    person = Person(username=username, role="administrator", full_name=full_name)
    validate_password(password, person)
    person.set_password(password)
    person.save()
    AreaScope.objects.create(person=person, kind="division", value="")
    SetupToken.objects.all().delete()
    Trail.objects.create(person=person, name=username, what="people.first_administrator", subject=username)
    return person


@transaction.atomic
def first_sign_on(username: str, identity: str) -> Person:
    """An account for a person whom the sign-on server vouches for: no role, no land, no password.

    Raises ValidationError for a user name that cannot be one.
    """
    person = Person(username=username, role="public")
    person.set_unusable_password()
    person.full_clean()
    person.save()
    Trail.objects.create(
        person=person, name=username, what="people.first_sign_on", subject=username[:80],
        detail={"identity": identity},
    )  # fmt: skip
    return person


def save_person(by: Any, person: Person, password: str, scope: gate.Scope) -> Person:
    """Makes or changes an account; its land lies inside the giver's. An empty password keeps the old."""
    new = person.pk is None
    with performing(by, "people", "people.make" if new else "people.change", person.username) as detail:
        if not gate.scope_of(by).covers(scope):
            raise PermissionDenied("a scope outside your own cannot be given")
        if not new and person.pk == by.pk and (person.role != by.role or not person.is_active):
            raise PermissionDenied("nobody changes their own role or closes their own account")
        if password:
            validate_password(password, person)
            person.set_password(password)
        elif new:
            person.set_unusable_password()
        person.save()
        person.scopes.all().delete()
        AreaScope.objects.bulk_create(_scope_rows(person, scope))
        if not person.is_active:
            person.tokens.filter(revoked_at=None).update(revoked_at=timezone.now())
        detail |= {
            "role": person.role,
            "active": person.is_active,
            "divisions": scope.divisions,
            "holders": scope.holders,
        }
    return person


def _scope_rows(person: Person, scope: gate.Scope) -> Iterable[AreaScope]:
    yield from (AreaScope(person=person, kind="division", value=v) for v in scope.divisions)
    yield from (AreaScope(person=person, kind="holder", value=v) for v in scope.holders)


def make_token(by: Any, name: str) -> str:
    """A new API key, shown once."""
    key = f"ph_{secrets.token_urlsafe(32)}"
    with performing(by, "token", "token.make", name):
        ApiToken.objects.create(person=by, name=name, digest=digest(key))
    return key


def revoke_token(by: Any, token: ApiToken) -> None:
    """Ends a key of one's own."""
    if token.person_id != by.pk:
        raise PermissionDenied("this is another person's key")
    with performing(by, "token", "token.revoke", token.name):
        token.revoked_at = timezone.now()
        token.save(update_fields=["revoked_at"])


def person_of_token(key: str) -> Person | None:
    """Whose key this is, if it still works. Notes the day of use."""
    token = ApiToken.objects.select_related("person").filter(digest=digest(key), revoked_at=None).first()
    if token is None or not token.person.is_active:
        return None
    today = timezone.localdate()
    if token.used_on != today:
        ApiToken.objects.filter(pk=token.pk).update(used_on=today)
    owner: Person = token.person
    return owner
