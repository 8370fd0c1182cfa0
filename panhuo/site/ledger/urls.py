from django.urls import path

from panhuo.site.ledger import views

urlpatterns = [
    path("ledger/", views.ledger, name="ledger"),
    path("ledger/publish/", views.publish, name="publish"),
    path("ledger/view/<int:pk>/remove/", views.remove_view, name="view_remove"),
    path("ledger/<str:dataset>/", views.ledger, name="ledger_of"),
    path("ledger/<str:dataset>/correct/", views.correct, name="correct_chosen"),
    path("ledger/<str:dataset>/save/", views.save_view, name="view_save"),
    path("ledger/<str:dataset>.<str:kind>", views.download, name="download"),
    path("public/", views.public, name="public"),
]
