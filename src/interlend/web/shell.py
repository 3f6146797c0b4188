"""What every staff page shares: who is signed in, where they stand, what they may do, and the frame around the work."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth import authenticate, login, logout
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from interlend.bridge.queries import HostHealth, host_health
from interlend.circulation import queries as circulation
from interlend.libraries import guesses
from interlend.libraries.desks import Desk
from interlend.libraries.models import Branch, StaffMember
from interlend.libraries.policies import ADMINISTER, CIRCULATE, DUTIES, ROLES, SHARE, may
from interlend.notices.queries import for_a_person
from interlend.outbox.lifecycles import RUNNING, WAITING
from interlend.outbox.models import Errand
from interlend.outbox.queries import parked, unsettled
from interlend.sharing import queries as sharing
from interlend.sharing.models import IllRequest
from interlend.web.circulation.words import clock, item_status, letter_status, moment
from interlend.web.sharing import words

View = Callable[..., HttpResponse]
PATRON_KEY = "patron"  # in the session of a patron; staff sessions never carry it


def staff_of(request: HttpRequest) -> StaffMember:
    """The signed-in staff member; views behind `staff_page` always have one."""
    user = request.user
    if not isinstance(user, StaffMember):
        raise PermissionDenied
    return user


def desk_of(request: HttpRequest) -> Desk:
    """The desk at which the person stands: their name, their library and its zone, the chosen service location."""
    cached: Desk | None = getattr(request, "kept_desk", None)
    if cached is None:
        staff = staff_of(request)
        here = here_of(request)
        cached = Desk(
            staff.library_id, staff.library.time_zone, staff.name, here.pk if here else None, here.name if here else ""
        )
        request.kept_desk = cached  # type: ignore[attr-defined]
    return cached


def here_of(request: HttpRequest) -> Branch | None:
    """The service location of this sign-in; None until one is chosen."""
    if not hasattr(request, "kept_here"):
        key = request.session.get("branch")
        staff = staff_of(request)
        request.kept_here = Branch.objects.filter(library_id=staff.library_id, pk=key).first() if key else None  # type: ignore[attr-defined]
    return request.kept_here  # type: ignore[attr-defined, no-any-return]


def staff_page(duty: str = "") -> Callable[[View], View]:
    """A page for staff, in their library's zone and language.

    Looking is everybody's right; `duty` (CIRCULATE, SHARE, ADMINISTER) is asked for writing: GET stays open to all
    staff and only other methods need it, except ADMINISTER, which closes both.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not isinstance(request.user, StaffMember):
                return _to_sign_in(request)
            writes = request.method not in ("GET", "HEAD") or duty == ADMINISTER
            lacking = bool(duty) and not may(request.user.roles, duty)
            allowed = not writes or not lacking
            request.only_looks = duty if lacking else ""  # type: ignore[attr-defined]
            library = request.user.library
            with timezone.override(library.time_zone), translation.override(library.language):
                response = view(request, *args, **kwargs) if allowed else no_right(request, duty)
            response.headers.setdefault("Content-Language", library.language)
            return response

        return guarded

    return decorate


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    if request.headers.get("HX-Request"):
        response = HttpResponse(status=401)
        response["HX-Redirect"] = reverse("sign_in")
        return response
    return redirect_to_login(request.get_full_path())


def no_right(request: HttpRequest, duty: str) -> HttpResponse:
    """403 with the sentence that says who may; as a row for a scan, as a page otherwise."""
    known = {"sentence": _(DUTIES[duty])}
    if request.headers.get("HX-Request"):
        row = {"meaning": "stop", "word": _("Not done"), "at": timezone.now(), "title": "", "alerts": [known]}
        return render(request, "components/result_row.html", {"row": row}, status=422)
    return render(request, "shell/no_right.html", known, status=403)


def own(found: Any) -> Any:
    """Found in this library, or 404: another library's thing looks just like one that does not exist."""
    if found is None:
        raise Http404
    return found


# --- signing in -------------------------------------------------------------------------------------------------


def sign_in(request: HttpRequest) -> HttpResponse:
    """Name and password, then the service location of this sign-in (asked only where the library has several)."""
    known: dict[str, Any] = {"next": request.GET.get("next", request.POST.get("next", ""))}
    if request.method == "POST":
        name = "".join(c for c in request.POST.get("sign_in", "") if c.isprintable()).strip()[:80]
        attempt = guesses.begin("staff", name, timezone.now())
        if attempt.wait_until is not None:
            return _too_many(request, known | {"name": name}, attempt.wait_until)
        user = authenticate(request, username=name, password=request.POST.get("password", ""))
        if isinstance(user, StaffMember):
            attempt.succeeded()
            login(request, user)
            request.session.pop(PATRON_KEY, None)
            branches = list(Branch.objects.filter(library_id=user.library_id))
            start = user.branch or (branches[0] if branches else None)
            request.session["branch"] = start.pk if start else None
            return redirect(_safe_next(request) or reverse("home"))
        known |= {
            "name": name,
            "problem": _("This name and password do not belong together. Check both and try again."),
        }
    return render(request, "shell/sign_in.html", known, status=422 if "problem" in known else 200)


def _too_many(request: HttpRequest, known: dict[str, Any], until: datetime) -> HttpResponse:
    minutes = max(1, -(-int((until - timezone.now()).total_seconds()) // 60))
    sentence = ngettext(
        "Too many tries with this name. Wait %(n)d minute, then try again.",
        "Too many tries with this name. Wait %(n)d minutes, then try again.", minutes,
    ) % {"n": minutes}  # fmt: skip
    return render(request, "shell/sign_in.html", known | {"problem": sentence}, status=429)


def _safe_next(request: HttpRequest) -> str:
    to = str(request.POST.get("next", ""))
    return to if url_has_allowed_host_and_scheme(to, {request.get_host()}, request.is_secure()) else ""


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    return redirect("sign_in")


@require_POST
@staff_page()
def here(request: HttpRequest) -> HttpResponse:
    """Stand somewhere else."""
    branch = own(Branch.objects.filter(library_id=staff_of(request).library_id, pk=_number(request, "branch")).first())
    request.session["branch"] = branch.pk
    messages.success(request, _("You are now at %(branch)s.") % {"branch": branch.name})
    return redirect(_safe_next(request) or reverse("home"))


def _number(request: HttpRequest, name: str) -> int:
    text = str(request.POST.get(name, ""))
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


@staff_page()
def home(request: HttpRequest) -> HttpResponse:
    """Where a person begins: ILL staff at what needs attention, the desk at Check In, who only looks at the search."""
    roles = staff_of(request).roles
    desk = "check_in" if may(roles, CIRCULATE) else "discover_items"
    return redirect("needs_attention" if may(roles, SHARE) else desk)


@staff_page()
def find(request: HttpRequest) -> HttpResponse:
    """The one scan box: an item, a patron or a request opens at once; anything else becomes a search."""
    text = "".join(c for c in request.GET.get("q", "") if c.isprintable()).strip()[:200]
    library_id = staff_of(request).library_id
    if not text:
        return redirect("home")
    if len(requests := sharing.find(library_id, text)) == 1:
        return redirect("ill_request", requests[0].pk)
    item = circulation.item_by_barcode(library_id, text)
    if item is not None:
        return redirect("item", item.pk)
    patron = circulation.patron_by_barcode(library_id, text)
    if patron is not None:
        return redirect("patron", patron.pk)
    items = circulation.discover(library_id, text, temporary=False)
    items += circulation.discover(library_id, text, temporary=True)
    known = {
        "q": text, "requests": [(ill, words.chip(ill)) for ill in requests],
        "patrons": circulation.find_patrons(library_id, text), "items": [(item, item_status(item)) for item in items],
    }  # fmt: skip
    return render(request, "shell/found.html", known)


@staff_page()
def health(request: HttpRequest) -> HttpResponse:
    """What waits, what failed, and whose turn it is."""
    library_id, now = staff_of(request).library_id, timezone.now()
    host = host_health(library_id, now)
    going_on = unsettled(library_id).filter(state__in=(WAITING, RUNNING))
    known = {
        "host": host, "host_silent": silent(host, now) if host else "",
        "may_set_up": may(staff_of(request).roles, ADMINISTER),
        "parked": _steps(request, parked(library_id)[:50]), "waiting": _steps(request, going_on[:50]),
        "letters": [(letter, letter_status(letter)) for letter in for_a_person(library_id)[:50]],
    }  # fmt: skip
    return render(request, "shell/health.html", known)


def _steps(request: HttpRequest, errands: Iterable[Errand]) -> list[dict[str, Any]]:
    """Steps towards circulation and partners in plain words, with the buttons of those who may press them."""
    owed = list(errands)
    keys = [errand.payload.get("ill") for errand in owed]
    ills = {ill.pk: ill for ill in sharing.some(staff_of(request).library_id, keys)}
    return [_step(request, errand, ills.get(errand.payload.get("ill") or 0)) for errand in owed]


def _step(request: HttpRequest, errand: Errand, ill: IllRequest | None) -> dict[str, Any]:
    partner = ill.partner.name if ill and ill.partner else ""
    pressing = may(staff_of(request).roles, SHARE)
    return {
        "errand": errand, "name": words.step_name(errand, partner), "state": words.step_meaning(errand),
        "why": words.step_detail(errand), "url": reverse("ill_request", args=[ill.pk]) if ill else "",
        "actions": words.settling(errand, reverse("health")) if pressing else [],
    }  # fmt: skip


# --- the frame --------------------------------------------------------------------------------------------------


@dataclass
class Entry:
    """One line of the navigation."""

    name: str
    url: str
    label: str
    count: int | None = None
    attention: bool = False
    current: bool = False


@dataclass
class Section:
    """A group of the navigation."""

    title: str
    entries: list[Entry] = field(default_factory=list)


@dataclass
class Dot:
    """One health dot: a meaning, a word, and a sentence."""

    meaning: str
    word: str
    detail: str
    silent: bool = False


def frame(request: HttpRequest) -> dict[str, Any]:
    """Context processor: navigation with counts, health, where one stands. Only for staff, and only for whole pages."""
    user = getattr(request, "user", None)
    if not isinstance(user, StaffMember) or request.headers.get("HX-Request"):
        return {}
    library_id = user.library_id
    return {
        "library": user.library, "here": here_of(request), "staff_name": user.name,
        "branches": Branch.objects.filter(library_id=library_id),
        "staff_role": ", ".join(_(ROLES[role][0]) for role in user.roles if role in ROLES),
        "nav": _nav(request, library_id, user), "health": _health(library_id, timezone.now()),
        "only_looks": _(DUTIES[lacks]) if (lacks := getattr(request, "only_looks", "")) else "",
    }  # fmt: skip


@require_GET
@staff_page()
def counts(request: HttpRequest) -> HttpResponse:
    """The numbers of the frame as they are now: script asks when a burst of scans is over, so that no scan pays.

    `?patron=` (a key) brings the number on that account's tab of holds too.
    """
    user = staff_of(request)
    key = request.GET.get("patron", "")
    patron = (
        circulation.one_patron(user.library_id, int(key)) if key.isascii() and key.isdigit() and len(key) < 19 else None
    )
    known = {
        "nav": _nav(request, user.library_id, user), "health": _health(user.library_id, timezone.now()),
        "holds": circulation.holds_of_patron(patron).count() if patron else None,
    }  # fmt: skip
    return render(request, "shell/counts.html", known)


def _nav(request: HttpRequest, library_id: int, user: StaffMember) -> list[Section]:
    desk, ill = circulation.counts(library_id), sharing.counts(library_id)
    attention = parked(library_id).exclude(verb__startswith="notices.").values("request").distinct().count()
    attention += ill["attention"]
    at = request.path

    def entry(name: str, label: str, count: int | None = None, attention: bool = False) -> Entry:
        url = reverse(name)
        return Entry(name, url, label, count, attention, current=at == url or at.startswith(f"{url.rstrip('/')}/"))

    return [
        Section(_("Circulation"), [
            entry("assist_patrons", _("Assist Patrons")), entry("check_in", _("Check In")),
            entry("discover_items", _("Discover Items")), entry("pull_list", _("Pull List")),
            entry("hold_shelf", _("Hold Shelf"), desk["hold_shelf"]),
            entry("in_transit", _("In Transit"), desk["in_transit"]),
            entry("temporary_items", _("Temporary Items"), desk["temporary_items"]),
        ]),
        Section(_("Sharing"), [
            entry("needs_attention", _("Needs attention"), attention, attention > 0),
            entry("borrowing", _("Borrowing"), ill["borrowing"]), entry("lending", _("Lending"), ill["lending"]),
            entry("receive", _("Receive"), ill["receive"]), entry("return_loans", _("Return"), ill["return"]),
            entry("ship", _("Ship"), ill["ship"]), entry("complete", _("Complete"), ill["complete"]),
            entry("new_request", _("New request")), entry("partners", _("Partners")),
        ]),
        Section(_("Library"), [
            entry("notices", _("Notices")),
            *([entry("exchanges", _("Exchanges"))] if may(user.roles, SHARE) else []),
            *([entry("settings", _("Settings"))] if may(user.roles, ADMINISTER) else []),
        ]),
    ]  # fmt: skip


def _health(library_id: int, now: datetime) -> list[Dot]:
    letters, waiting = for_a_person(library_id).count(), unsettled(library_id).count()
    failed = parked(library_id).count()
    wait = ngettext("%d letter waits for a person", "%d letters wait for a person", letters)
    mail = wait % letters if letters else _("Every letter went")
    dots = _of_host(host_health(library_id, now), now)
    dots += [Dot("look" if letters else "good", _("Mail: %d to see to") % letters if letters else _("Mail"), mail)]
    if failed:
        steps = ngettext("Steps: %d needs a person", "Steps: %d need a person", failed) % failed
        dots.append(Dot("look", steps, _("Open to see which and why")))
    elif waiting:
        steps = ngettext("Steps: %d waits", "Steps: %d wait", waiting) % waiting
        dots.append(Dot("look", steps, _("They are tried again by themselves")))
    else:
        dots.append(Dot("good", _("Steps"), _("Nothing waits")))
    return dots


def _of_host(host: HostHealth | None, now: datetime) -> list[Dot]:
    """The circulation system, where it is another one."""
    if host is None:
        return []
    if host.silent_since is None:
        seen = _("%(name)s answers") % {"name": host.name}
        return [Dot("good", _("Circulation"), seen)]
    paused = host.paused_until is not None
    return [Dot("look", _("Circulation: paused") if paused else _("Circulation: no answer"), silent(host, now), True)]


def silent(host: HostHealth, now: datetime) -> str:
    """`Alder’s circulation has not answered since 09:10; your work is safe, 12 steps wait.` Empty where it answers."""
    if host.silent_since is None:
        return ""
    here = timezone.localtime(host.silent_since)
    today = here.date() == timezone.localdate(now)
    told = {"name": host.name, "since": clock(here) if today else moment(here), "n": host.waiting}
    return ngettext(
        "%(name)s has not answered since %(since)s; your work is safe, %(n)d step waits.",
        "%(name)s has not answered since %(since)s; your work is safe, %(n)d steps wait.", host.waiting,
    ) % told  # fmt: skip


__all__ = ["ADMINISTER", "CIRCULATE", "SHARE", "desk_of", "frame", "here_of", "own", "staff_of", "staff_page"]
