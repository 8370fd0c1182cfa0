"""The site's address map: one room after another."""

from django.urls import include, path
from django.views.i18n import set_language

from panhuo.site import home
from panhuo.site.doors.api import api
from panhuo.site.gate import open_to_all

urlpatterns = [
    path("", home.home, name="home"),
    path("favicon.ico", home.icon, name="icon"),
    path("healthz", home.health, name="health"),
    path("language/", open_to_all(set_language), name="set_language"),
    path("account/", include("allauth.urls")),
    path("", include("panhuo.site.accounts.urls")),
    path("", include("panhuo.site.ledger.urls")),
    path("", include("panhuo.site.parcel.urls")),
    path("", include("panhuo.site.money.urls")),
    path("", include("panhuo.site.corrections.urls")),
    path("", include("panhuo.site.cases.urls")),
    path("", include("panhuo.site.market.urls")),
    path("", include("panhuo.site.survey.urls")),
    path("", include("panhuo.site.jobs.urls")),
    path("", include("panhuo.site.maps.urls")),
    path("", include("panhuo.site.boards.urls")),
    path("", include("panhuo.site.lawbook.urls")),
    path("", include("panhuo.site.doors.urls")),
    path("api/v1/", api.urls),
    path("ogc/", include("panhuo.site.doors.ogc")),
]
handler403 = "panhuo.site.home.refused"
handler404 = "panhuo.site.home.missing"
