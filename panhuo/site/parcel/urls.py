from django.urls import path

from panhuo.site.parcel import views

urlpatterns = [
    path("parcel/<str:parcel_id>/", views.parcel, name="parcel"),
    path("parcel/<str:parcel_id>/finding/<str:finding_id>/", views.chain, name="chain"),
    path("parcel/<str:parcel_id>/attach/", views.attach, name="attach"),
    path("enterprise/<str:enterprise_id>/", views.enterprise, name="enterprise"),
    path("file/<int:pk>/", views.file, name="file"),
]
