from django.urls import path

from panhuo.site.cases import views

urlpatterns = [
    path("casework/", views.cases, name="casework"),
    path("casework/due/", views.due, name="casework_due"),
    path("casework/cases.<str:kind>", views.export, name="casework_export"),
    path("casework/of/<str:parcel_id>/", views.of_parcel, name="parcel_cases"),
    path("casework/open/<str:parcel_id>/", views.open_case, name="open_case"),
    path("casework/<int:pk>/", views.case, name="casefile"),
    path("casework/<int:pk>/do/", views.do, name="case_do"),
    path("casework/<int:pk>/notice/<str:kind>.<str:ending>", views.notice, name="case_notice"),
    path("casework/<int:pk>/undo/", views.undo, name="case_undo"),
    path("casework/<int:pk>/state/", views.state, name="case_state"),
    path("casework/<int:pk>/fact/", views.fact, name="case_fact"),
    path("casework/<int:pk>/another/", views.another, name="case_another"),
]
