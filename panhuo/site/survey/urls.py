from django.urls import path

from panhuo.site.survey import checks, field, views

urlpatterns = [
    path("survey/", views.survey, name="survey"),
    path("survey/of/<str:parcel_id>/", checks.of_parcel, name="parcel_checks"),
    path("survey/visit/<int:pk>/", views.visit, name="visit"),
    path("survey/visit/<int:pk>/photo/<int:number>/", views.photo, name="visit_photo"),
    path("survey/visit/<int:pk>/decide/", views.decide, name="visit_decide"),
    path("survey/take/", views.take, name="survey_take"),
    path("survey/form/<str:name>.zip", views.form, name="survey_form"),
    path("survey/field/", field.page, name="survey_field"),
    path("survey/worker.js", field.worker, name="survey_worker"),
    path("survey/list/<str:name>/", field.to_visit, name="survey_list"),
    path("survey/send/", field.send, name="survey_send"),
]
