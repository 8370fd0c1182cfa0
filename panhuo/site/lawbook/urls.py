from django.urls import path

from panhuo.site.lawbook import trials, views

urlpatterns = [
    path("law/", views.law, name="law"),
    path("law/parameters/<str:name>/try/", trials.ask, name="law_try"),
    path("law/trials/<int:pk>/", trials.trial, name="law_trial"),
    path("law/<str:kind>/<str:name>/", views.law_item, name="law_item"),
    path("cases/", views.cases, name="cases"),
    path("cases/<str:name>/", views.case, name="case"),
]
