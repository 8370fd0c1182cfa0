"""Work done in the background: what was asked, how far it is, what came of it."""

from django.conf import settings
from django.db import models

from panhuo.site.words import say

STATES = (
    ("queued", say("排队", "Queued")),
    ("running", say("进行中", "Running")),
    ("done", say("完成", "Done")),
    ("failed", say("失败", "Failed")),
)
KINDS = (
    ("import", say("导入", "Import")),
    ("assess", say("评估", "Assess")),
    ("correct", say("更正入库", "Store a correction")),
    ("trial", say("法规试改", "Try a change of the law")),
    ("plan", say("编制计划", "Plan")),
    ("adopt", say("采用计划", "Adopt a plan")),
    ("report", say("报告", "Report")),
)


class Upload(models.Model):
    """A file on its way into the workspace."""

    name = models.CharField(max_length=200)
    digest = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class Job(models.Model):
    """One piece of work. A worker takes it, keeps `beat` moving, and a job whose beat stopped is taken again."""

    kind = models.CharField(max_length=10, choices=KINDS)
    asked = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=STATES, default="queued", db_index=True)
    stage = models.CharField(max_length=200, blank=True)
    percent = models.PositiveSmallIntegerField(default=0)
    result = models.JSONField(default=dict)
    fault = models.TextField(blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="jobs")
    at = models.DateTimeField(auto_now_add=True)
    beat = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"

    @property
    def finished(self) -> bool:
        return self.state in ("done", "failed")
