from django.urls import path

from panhuo.site.money import views

urlpatterns = [
    path("parcel/<str:parcel_id>/compare/", views.compare, name="compare"),
    path("parcel/<str:parcel_id>/compare/save/", views.save, name="inputs_save"),
    path("plan/", views.plans, name="plans"),
    path("plan/<int:pk>/", views.plan, name="plan"),
    path("plan/<int:pk>.xlsx", views.plan_file, name="plan_file"),
    path("plan/<int:pk>/adopt/", views.adopt, name="plan_adopt"),
]
