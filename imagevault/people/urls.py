from django.urls import path

from imagevault.people import views

urlpatterns = [
    path("family/", views.people, name="people"),
    path("family/<int:user_id>/role/", views.role, name="role"),
    path("family/<int:user_id>/account/", views.account, name="account"),
    path(
        "family/<int:user_id>/password-link/",
        views.password_link,
        name="password_link",
    ),
    path(
        "family/invitations/<int:invitation_id>/revoke/",
        views.revoke,
        name="revoke_invitation",
    ),
    path("invitation/<str:token>/", views.invitation, name="invitation"),
    path("password/", views.OwnPassword.as_view(), name="own_password"),
    path(
        "password/new/<str:uidb64>/<str:token>/",
        views.NewPassword.as_view(),
        name="new_password",
    ),
]
