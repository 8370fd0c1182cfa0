from django.urls import path

from panhuo.site.parcel import opened_views, views

urlpatterns = [
    path("parcel/<str:parcel_id>/", views.parcel, name="parcel"),
    path("parcel/<str:parcel_id>/finding/<str:finding_id>/", views.chain, name="chain"),
    path("parcel/<str:parcel_id>/value/<str:name>/", opened_views.parcel_value, name="parcel_value"),
    path("parcel/<str:parcel_id>/tool/<str:tool_id>/", opened_views.option, name="option"),
    path("parcel/<str:subject>/history/", opened_views.history, {"dataset": "parcels"}, name="history"),
    path(
        "enterprise/<str:subject>/history/",
        opened_views.history,
        {"dataset": "enterprises"},
        name="enterprise_history",
    ),
    path(
        "enterprise/<str:enterprise_id>/score/<str:scheme_id>/<str:indicator>/",
        opened_views.score_item,
        name="score_item",
    ),
    path(
        "enterprise/<str:enterprise_id>/value/<str:name>/",
        opened_views.enterprise_value,
        name="enterprise_value",
    ),
    path("enterprise/<str:enterprise_id>/action/<str:action>/", opened_views.action, name="firm_action"),
    path("parcel/<str:subject>/attach/", views.attach, {"dataset": "parcels"}, name="attach"),
    path(
        "enterprise/<str:subject>/attach/", views.attach, {"dataset": "enterprises"}, name="enterprise_attach"
    ),
    path("enterprise/<str:enterprise_id>/", views.enterprise, name="enterprise"),
    path("file/<int:pk>/", views.file, name="file"),
]
