from django.urls import path

from panhuo.site.market import enquiries, office, views

urlpatterns = [
    path("market/", views.market, name="market"),
    path("market/lots.geojson", views.geojson, name="market_geojson"),
    path("market/feed/", views.feed, name="market_feed"),
    path("market/photo/<int:pk>/", views.photo, name="lot_photo"),
    path("market/<int:pk>/", views.lot, name="lot"),
    path("market/<int:pk>/enquire/", views.enquire, name="enquire"),
    path("lots/", office.lots, name="lots"),
    path("lots/new/", office.new, name="lot_new"),
    path("lots/<int:pk>/", office.lot, name="lot_office"),
    path("lots/<int:pk>/edit/", office.edit, name="lot_edit"),
    path("lots/<int:pk>/photo/", office.photo, name="lot_photos"),
    path("lots/<int:pk>/decide/", office.decide, name="lot_decide"),
    path("lots/<int:pk>/<str:do>/", office.act, name="lot_act"),
    path("enquiries/", enquiries.listed, name="enquiries"),
    path("enquiries/<str:name>.xlsx", enquiries.download, name="enquiries_file"),
    path("enquiries/<int:pk>/", enquiries.one, name="enquiry"),
    path("enquiries/<int:pk>/demand/", enquiries.demand, name="enquiry_demand"),
    path("enquiries/<int:pk>/<str:do>/", enquiries.act, name="enquiry_act"),
]
