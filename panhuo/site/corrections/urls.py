from django.urls import path

from panhuo.site.corrections import views

urlpatterns = [
    path("corrections/", views.corrections, name="corrections"),
    path("corrections/<int:pk>/", views.correction, name="correction"),
    path("corrections/<int:pk>/decide/", views.decide, name="decide"),
    path("correct/<str:dataset>/<path:key>/", views.propose, name="propose"),
]
