"""What is on the public land market: lots, their photographs, and what strangers ask of them."""

from typing import Any, Final

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.utils import timezone
from simple_history.models import HistoricalRecords

from panhuo.site.words import say

KINDS: Final = (("plot", say("地块", "Plot")), ("plant", say("厂房楼宇", "Plant or building")))
STATES: Final = (
    ("draft", say("草稿", "Draft")),
    ("submitted", say("待审", "To be reviewed")),
    ("published", say("已发布", "On offer")),
    ("withdrawn", say("已撤下", "Withdrawn")),
    ("concluded", say("已供应", "Supplied")),
)
SHOWN: Final = (
    ("outline", say("公开界线", "Its outline")),
    ("point", say("只公开一个点", "A point only")),
    ("none", say("不公开位置", "No position")),
)
PRIORITY: Final = (
    ("none", say("无优先权", "No priority")),
    ("open", say("待行使", "Not yet used")),
    ("exercised", say("已行使", "Exercised")),
    ("waived", say("已放弃", "Waived")),
    ("lapsed", say("逾期未行使", "Lapsed")),
)
ASKED: Final = (
    ("new", say("未处理", "New")),
    ("answered", say("已答复", "Answered")),
    ("closed", say("已了结", "Closed")),
)


NO_LESS_THAN_NOTHING: Final = (MinValueValidator(0),)


class Lot(models.Model):
    """A plot or a plant on offer. What of it is public, `shown.told` says; everything else stays in the office."""

    kind = models.CharField(max_length=5, choices=KINDS)
    way = models.CharField(max_length=40)
    """A tool of the law that `offers` lots of this kind."""
    title = models.CharField(max_length=80)
    parcel_id = models.CharField(max_length=80, db_index=True)
    building_id = models.CharField(max_length=80, blank=True)
    division = models.CharField(max_length=12, db_index=True)
    holder_uscc = models.CharField(max_length=18, blank=True, db_index=True)
    """Division and holder of the parcel when the lot was drafted: whose land it is, should the ledger lose it."""
    address = models.CharField(max_length=200, blank=True)
    area_m2 = models.FloatField(null=True, blank=True, validators=NO_LESS_THAN_NOTHING)
    floor_area_m2 = models.FloatField(null=True, blank=True, validators=NO_LESS_THAN_NOTHING)
    use = models.CharField(max_length=40, blank=True)
    """A code of the land-use list (`use_scheme`) for a plot, of building uses for a plant."""
    use_scheme = models.CharField(max_length=20, blank=True)
    industries = models.CharField(max_length=300, blank=True)
    """Divisions of GB/T 4754 that are wanted, two digits each, spaces between; none named means any."""
    price = models.FloatField(null=True, blank=True, validators=NO_LESS_THAN_NOTHING)
    price_unit = models.CharField(max_length=20, blank=True)
    term_years = models.FloatField(null=True, blank=True, validators=NO_LESS_THAN_NOTHING)
    services = models.CharField(max_length=200, blank=True)
    about = models.TextField(blank=True, max_length=4000)
    commitment = models.TextField(blank=True, max_length=4000)
    office = models.CharField(max_length=80)
    phone = models.CharField(max_length=40)
    valid_until = models.DateField()
    shown = models.CharField(max_length=8, choices=SHOWN, default="point")
    lon = models.FloatField(null=True)
    lat = models.FloatField(null=True)
    outline = models.JSONField(null=True)
    """GeoJSON geometry of the land offered, EPSG:4490; of a part, as it was handed in."""
    indicators = models.JSONField(default=list)
    """What standard land asks, as the law stood on the day of publication; see `standard.indicators`."""

    state = models.CharField(max_length=10, choices=STATES, default="draft", db_index=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)
    edited_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    published_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    published_at = models.DateTimeField(null=True)
    reason = models.TextField(blank=True)
    """Why it was sent back or withdrawn, or published although its tool is closed here."""

    priority = models.CharField(max_length=10, choices=PRIORITY, default="none")
    priority_holder = models.CharField(max_length=120, blank=True)
    priority_until = models.DateField(null=True, blank=True)
    priority_on = models.DateField(null=True)
    priority_note = models.TextField(blank=True)
    priority_file = models.ForeignKey("parcel.Attachment", models.PROTECT, null=True, related_name="+")

    supplied_on = models.DateField(null=True)
    start_by = models.DateField(null=True)
    started_on = models.DateField(null=True)
    taker = models.CharField(max_length=120, blank=True)
    contract_no = models.CharField(max_length=80, blank=True)
    history = HistoricalRecords()

    class Meta:
        ordering = ("-published_at", "-id")

    def __str__(self) -> str:
        return self.title

    def written_by(self, person: Any) -> bool:
        """Whether the person wrote any version of it."""
        return person.pk == self.by_id or self.history.filter(edited_by=person.pk).exists()

    @property
    def version(self) -> int:
        """The number of its last kept version, 0 before it is kept: two people who have the same one see the same."""
        return self.history.order_by("-history_id").values_list("history_id", flat=True).first() or 0

    @property
    def expired(self) -> bool:
        """Whether its day is over: it is out of the public's sight then, whatever its state."""
        return self.state == "published" and self.valid_until < timezone.localdate()

    @property
    def priority_over(self) -> bool:
        """Whether the day by which the former holder had to decide is past."""
        return bool(self.priority_until and self.priority_until < timezone.localdate())


def on_offer() -> Any:
    """The lots the public may see today."""
    return Lot.objects.filter(state="published", valid_until__gte=timezone.localdate())


class Photo(models.Model):
    """A photograph of a lot: made anew from what was handed in, so that it tells neither place nor camera."""

    lot = models.ForeignKey(Lot, models.CASCADE, related_name="photos")
    digest = models.CharField(max_length=64)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        ordering = ("id",)


class Enquiry(models.Model):
    """What a stranger wrote of a lot. It is personal: no history is kept and the office may delete it whole."""

    lot = models.ForeignKey(Lot, models.PROTECT, related_name="enquiries")
    company = models.CharField(max_length=120)
    contact = models.CharField(max_length=60)
    phone = models.CharField(max_length=40)
    email = models.EmailField(blank=True)
    industry = models.CharField(max_length=2, blank=True)
    area_m2 = models.FloatField(null=True, blank=True, validators=NO_LESS_THAN_NOTHING)
    floor_area_m2 = models.FloatField(null=True, blank=True, validators=NO_LESS_THAN_NOTHING)
    investment_wan = models.FloatField(null=True, blank=True, validators=NO_LESS_THAN_NOTHING)
    needs = models.CharField(max_length=200, blank=True)
    message = models.TextField(blank=True, max_length=2000)
    consented_at = models.DateTimeField(auto_now_add=True, db_index=True)
    """When it came, which is when the sender consented to its keeping."""
    sender = models.CharField(max_length=64, db_index=True)
    """A keyed digest of the address it came from, for the limit alone."""
    state = models.CharField(max_length=10, choices=ASKED, default="new", db_index=True)
    answer = models.TextField(blank=True)
    answered_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    answered_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-id",)
