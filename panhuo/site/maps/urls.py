from django.urls import path

from panhuo.site.maps import find, views

urlpatterns = [
    path("map/", views.map_page, name="map"),
    path("map/find/", find.find, name="map_find"),
    path("map/selected/", find.selected, name="map_selected"),
    path("tiles/<str:name>.pmtiles", views.archive, name="tiles"),
    path("imagery/<str:name>/<int:z>/<int:x>/<int:y>.png", views.picture, name="imagery"),
]
