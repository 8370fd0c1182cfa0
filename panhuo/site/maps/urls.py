from django.urls import path

from panhuo.site.maps import views

urlpatterns = [
    path("map/", views.map_page, name="map"),
    path("tiles/<str:name>.pmtiles", views.archive, name="tiles"),
]
