from django.urls import path

from panhuo.site.doors import webhooks

urlpatterns = [
    path("webhooks/", webhooks.webhooks, name="webhooks"),
    path("webhooks/<int:pk>/", webhooks.webhook, name="webhook"),
    path("webhooks/<int:pk>/<str:do>/", webhooks.act, name="webhook_act"),
]
