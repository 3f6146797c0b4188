"""Who stands before the patron's pages: the session carries the patron's key and nothing else of theirs.

Strategy: a session is either a staff member's or a patron's. One that carries a staff sign-in is never a patron's,
whatever else is in it; a patron's sign-in throws the old session away.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth import SESSION_KEY as STAFF_KEY
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import rotate_token
from django.shortcuts import redirect
from django.utils import timezone, translation
from django.views.decorators.cache import never_cache

from interlend.circulation.models import Patron
from interlend.libraries.desks import Desk
from interlend.web.shell import PATRON_KEY

#: who stands in the history of what a patron did alone; the patron is named there by key
ACTOR = "the patron"

View = Callable[..., HttpResponse]


def patron_of(request: HttpRequest) -> Patron | None:
    """The signed-in patron; None for everybody else, staff included."""
    key = request.session.get(PATRON_KEY)
    if key is None or STAFF_KEY in request.session:
        return None
    patrons = Patron.objects.select_related("library", "patron_type", "home_branch")
    return patrons.filter(pk=key, kind=Patron.Kind.PERSON).first()


def greet(request: HttpRequest, patron: Patron) -> None:
    """Begin a session of this patron alone, under a new session key."""
    request.session.flush()
    request.session[PATRON_KEY] = patron.pk
    rotate_token(request)


def desk_for(patron: Patron) -> Desk:
    """A patron acting for themselves, at no desk of the library."""
    return Desk(patron.library_id, patron.library.time_zone, ACTOR)


def patron_page(view: View) -> View:
    """A page for the signed-in patron, who is handed to the view; in their library's zone and language, never kept."""

    @never_cache
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        patron = patron_of(request)
        if patron is None:
            return redirect("my_sign_in")
        with timezone.override(patron.library.time_zone), translation.override(patron.library.language):
            return view(request, patron, *args, **kwargs)

    return guarded
