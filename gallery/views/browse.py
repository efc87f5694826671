"""The gallery page: every photo the family has, in the order asked for."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe


@require_safe
def browse(request: HttpRequest) -> HttpResponse:
    return render(request, "gallery/browse.html")
