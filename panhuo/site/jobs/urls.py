from django.urls import path

from panhuo.site.jobs import views

urlpatterns = [
    path("jobs/", views.jobs, name="jobs"),
    path("jobs/<int:pk>/", views.job, name="job"),
    path("jobs/upload/", views.upload, name="upload"),
    path("jobs/upload/<int:pk>/", views.preview, name="preview"),
    path("jobs/assess/", views.assess, name="assess"),
    path("jobs/report/", views.report, name="report"),
    path("jobs/<int:pk>/file/", views.report_file, name="report_file"),
]
