"""People, the land each answers for, their tokens, and the trail of what everybody did."""

from typing import Any

from django.contrib.auth.models import AbstractUser
from django.core.validators import RegexValidator
from django.db import models
from simple_history.models import HistoricalRecords

from panhuo.site.gate import ROLES
from panhuo.site.words import say


class Person(AbstractUser):
    """One account. Its role says what it may do, its area scopes on which land."""

    role = models.CharField(say("角色", "role"), max_length=20, choices=list(ROLES.items()), default="public")
    office = models.CharField(say("单位", "office"), max_length=120, blank=True)
    full_name = models.CharField(say("姓名", "name"), max_length=60, blank=True)
    history = HistoricalRecords(excluded_fields=["password", "last_login"])

    def shown_name(self) -> str:
        return self.full_name or self.get_username()


class AreaScope(models.Model):
    """Land a person answers for: a division-code prefix (empty: everywhere) or a holder's 统一社会信用代码."""

    person = models.ForeignKey(Person, models.CASCADE, related_name="scopes")
    kind = models.CharField(
        max_length=10, choices=[("division", say("行政区", "Division")), ("holder", say("权利人", "Holder"))]
    )
    value = models.CharField(max_length=18, blank=True, validators=[RegexValidator(r"^[0-9A-Z]*$")])

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "kind", "value"], name="one_scope_once")]

    def __str__(self) -> str:
        return f"{self.kind}:{self.value or '*'}"


class SetupToken(models.Model):
    """The one-time key that makes the first administrator; only its digest is kept."""

    digest = models.CharField(max_length=64)
    made_at = models.DateTimeField(auto_now_add=True)


class ApiToken(models.Model):
    """A key by which a program acts as its person, with that person's role and land, until revoked."""

    person = models.ForeignKey(Person, models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=60)
    digest = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField(auto_now_add=True)
    used_on = models.DateField(null=True)
    revoked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name


class Trail(models.Model):
    """What was done, by whom, to what. Rows are added, never changed or removed."""

    at = models.DateTimeField(auto_now_add=True, db_index=True)
    person = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    name = models.CharField(max_length=150)
    what = models.CharField(max_length=60, db_index=True)
    subject = models.CharField(max_length=80, blank=True, db_index=True)
    detail = models.JSONField(default=dict)

    class Meta:
        ordering = ["-id"]

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.pk is not None:
            raise TypeError("the trail is only ever added to")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise TypeError("the trail is only ever added to")
