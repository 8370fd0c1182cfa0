from django.urls import path

from panhuo.site.lawbook import views

urlpatterns = [
    path("law/", views.law, name="law"),
    path("law/<str:kind>/<str:name>/", views.law_item, name="law_item"),
    path("cases/", views.cases, name="cases"),
    path("cases/<str:name>/", views.case, name="case"),
]
