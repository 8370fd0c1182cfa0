from django.urls import path

from panhuo.site.corrections import views

urlpatterns = [
    path("corrections/", views.corrections, name="corrections"),
    path("corrections/<int:pk>/decide/", views.decide, name="decide"),
    path("parcel/<str:parcel_id>/correct/", views.propose, name="propose"),
]
