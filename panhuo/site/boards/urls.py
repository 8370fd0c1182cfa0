from django.urls import path

from panhuo.site.boards import views

urlpatterns = [
    path("boards/", views.page, name="boards"),
    path("boards/trend/", views.past, name="trend"),
]
