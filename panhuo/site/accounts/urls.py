from django.urls import path

from panhuo.site.accounts import views

urlpatterns = [
    path("setup/<str:key>/", views.setup, name="setup"),
    path("people/", views.people, name="people"),
    path("people/new/", views.person, name="person_new"),
    path("people/<int:pk>/", views.person, name="person"),
    path("trail/", views.trail, name="trail"),
    path("tokens/", views.tokens, name="tokens"),
    path("tokens/<int:pk>/revoke/", views.revoke, name="token_revoke"),
]
