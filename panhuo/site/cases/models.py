"""Cases: a parcel carried through a procedure, every step done with its day, outcome, evidence and person."""

from functools import cached_property
from typing import Any, Final

from django.conf import settings
from django.db import models
from django.utils import timezone
from simple_history.models import HistoricalRecords

from panhuo.rulebook.procedure import Procedure
from panhuo.site.words import pick, say

STATES = (
    ("running", say("在办", "Running")),
    ("paused", say("暂停", "Paused")),
    ("ended", say("办结", "Ended")),
    ("closed", say("终止", "Closed")),
)
ACTIVE: Final = ("running", "paused")
LINKS = (("follows", say("接续", "Follows")), ("beside", say("并行", "Beside")))

READ: Final[dict[tuple[str, str], Procedure]] = {}
"""The procedures read so far: an edition of the law has one of each name."""


class Case(models.Model):
    """One case. `law` is the procedure as it read when the case began: a later edition does not alter it."""

    parcel_id = models.CharField(max_length=80, db_index=True)
    procedure_id = models.CharField(max_length=60, db_index=True)
    tool_id = models.CharField(max_length=60, blank=True)
    law = models.JSONField()
    law_version = models.CharField(max_length=12)
    began = models.DateField()
    """The day of the event the procedure starts from."""
    parent = models.ForeignKey("self", models.PROTECT, null=True, related_name="children")
    link = models.CharField(max_length=10, choices=LINKS, blank=True)
    carried = models.JSONField(default=dict)
    """Fact → value, as corrections write it, that the case before it settled."""
    state = models.CharField(max_length=10, choices=STATES, default="running", db_index=True)
    end = models.CharField(max_length=60, blank=True)
    reason = models.TextField(blank=True)
    """Why it is paused or closed."""
    frontier = models.JSONField(default=list)
    """The steps that nothing but a day, a fact or a person keeps from being done, as of the last act."""
    turns = models.CharField(max_length=60, blank=True)
    """The acts of the gate that those steps need, each between commas."""
    due_step = models.CharField(max_length=60, blank=True)
    due_on = models.DateField(null=True, db_index=True)
    """Which of them is due first, and by when."""
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)
    history = HistoricalRecords(excluded_fields=["law"])

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=("parcel_id", "procedure_id"),
                condition=models.Q(state__in=ACTIVE),
                name="one_active_case",
            ),
        )

    def __str__(self) -> str:
        return f"{self.pk} {self.parcel_id} {self.procedure_id}"

    @cached_property
    def procedure(self) -> Procedure:
        """The procedure the case runs on."""
        key = (self.procedure_id, self.law_version)
        if key not in READ:
            READ[key] = Procedure.model_validate(self.law)
        return READ[key]

    @property
    def label(self) -> str:
        return pick(self.procedure.label.zh, self.procedure.label.en)

    @property
    def end_label(self) -> str:
        found = self.procedure.ends.get(self.end)
        return pick(found.zh, found.en) if found else ""

    def step_label(self, step_id: str) -> str:
        """What a step is called."""
        label = self.procedure.step(step_id).label
        return pick(label.zh, label.en)

    @property
    def last_note(self) -> str:
        """What was noted at the last step that says anything: a filing's number, an approval's."""
        noted = self.doings.filter(undone_at=None).exclude(note="").last()
        return noted.note if noted else ""

    @property
    def doing(self) -> list[str]:
        """The labels of the steps on hand."""
        return [self.step_label(name) for name in self.frontier]

    @property
    def due_label(self) -> str:
        return self.step_label(self.due_step) if self.due_step else ""

    @property
    def days_late(self) -> int:
        """By how many days the next limit is past."""
        return max(0, -(self.days_left or 0))

    @property
    def days_left(self) -> int | None:
        """Days to the next limit; negative when it is past."""
        return (self.due_on - timezone.localdate()).days if self.due_on and self.state == "running" else None


class Doing(models.Model):
    """A step done in a case. One undone stays on record with who undid it and why."""

    case = models.ForeignKey(Case, models.PROTECT, related_name="doings")
    step = models.CharField(max_length=60)
    day = models.DateField()
    outcome = models.CharField(max_length=60, blank=True)
    note = models.TextField(blank=True)
    confirmed = models.JSONField(default=list)
    """What the person confirmed, in words `{zh, en}`."""
    head = models.ForeignKey("self", models.PROTECT, null=True, related_name="others")
    """The first of a chain done at once; none for the first itself."""
    files = models.ManyToManyField("parcel.Attachment", related_name="doings")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)
    undone_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    undone_at = models.DateTimeField(null=True)
    undone_why = models.TextField(blank=True)

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return f"{self.case_id} {self.step} {self.day}"

    @property
    def step_label(self) -> str:
        return self.case.step_label(self.step)

    @property
    def outcome_label(self) -> str:
        way = self.case.procedure.step(self.step).outcomes.get(self.outcome)
        return pick(way.label.zh, way.label.en) if way else ""

    @property
    def confirmed_words(self) -> list[str]:
        return [pick(words["zh"], words["en"]) for words in self.confirmed]


class Given(models.Model):
    """A fact found out in a case: its value as corrections write it, and on what evidence."""

    case = models.ForeignKey(Case, models.PROTECT, related_name="given")
    fact = models.CharField(max_length=60)
    value = models.TextField()
    note = models.TextField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return f"{self.case_id} {self.fact}"


def standing(done: Any) -> Any:
    """Those of a query of doings that were not undone, in the order done."""
    return done.filter(undone_at=None).order_by("id")
