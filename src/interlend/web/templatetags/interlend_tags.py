"""Template filters and tags that every page shares: dates in the library's zone, icons, barcodes, the accent's address.

Strategy: plain functions with the moment and the zone as arguments do the work; the filters and tags only fetch those.
Dates follow `pages.md`, Words: with the weekday when near, with the year when it differs.
"""

from __future__ import annotations

import datetime as dt
import itertools
from typing import Final
from zoneinfo import ZoneInfo

from barcode import Code128
from barcode.errors import BarcodeError
from django import template
from django.template import Context
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.dateformat import format as format_date
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from interlend.web.look import DEFAULT_ACCENT, hex_colour, ink_on, parse_colour
from interlend.web.told import told

register = template.Library()

# One drawing per meaning; `plain` is for states that ask nothing of anyone.
MEANING_ICONS: Final = {"good": "good", "look": "look", "stop": "stop", "wait": "wait", "unknown": "unknown"}
MESSAGE_MEANINGS: Final = {"success": "good", "warning": "look", "error": "stop"}


# --- Dates -----------------------------------------------------------------------------------------------------------


def _zone(name: object) -> dt.tzinfo:
    """The zone called `name`, else the one this request runs in."""
    return ZoneInfo(str(name)) if name else timezone.get_current_timezone()


def in_zone(value: object, zone: dt.tzinfo) -> dt.date | None:
    """`value` as it stands on a clock in `zone`: datetimes are moved there, plain dates stay, all else is None."""
    if isinstance(value, dt.datetime):
        return value.astimezone(zone) if timezone.is_aware(value) else value
    return value if isinstance(value, dt.date) else None


def day_words(value: dt.date, today: dt.date) -> str:
    """`Tue 12 May` in the year of `today`, `12 May 2027` in another; other languages have their own order."""
    # Translators: how a day is written, as Django's `date` filter takes it.
    near, far = pgettext("date", "D j M"), pgettext("date", "j M Y")
    return format_date(value, near if value.year == today.year else far)


def moment_words(value: dt.datetime, now: dt.datetime) -> str:
    """`today 09:41`, `yesterday 16:40`, `Sat 2 May 11:20`; both moments in the same zone."""
    days = (now.date() - value.date()).days
    day = {0: _("today"), 1: _("yesterday"), -1: _("tomorrow")}.get(days) or day_words(value, now.date())
    return f"{day} {format_date(value, 'H:i')}"


@register.filter
def local_date(value: object, zone: str = "") -> object:
    """A date or moment as `Tue 12 May`. Anything else (a word, nothing) is shown as it is."""
    local = in_zone(value, _zone(zone))
    return value if local is None else day_words(local, timezone.now().astimezone(_zone(zone)).date())


@register.filter
def local_time(value: object, zone: str = "") -> object:
    """A moment as `09:41`. Anything else is shown as it is."""
    local = in_zone(value, _zone(zone))
    return format_date(local, "H:i") if isinstance(local, dt.datetime) else value


@register.filter
def local_moment(value: object, zone: str = "") -> object:
    """A moment as `today 09:41` or `Sat 2 May 11:20`; a plain date as `local_date` has it."""
    local = in_zone(value, _zone(zone))
    if not isinstance(local, dt.datetime):
        return local_date(value, zone)
    return moment_words(local, timezone.now().astimezone(_zone(zone)))


@register.simple_tag(takes_context=True)
def when(context: Context, value: object, show: str = "moment") -> str:
    """A `<time>` element in the library's zone; `show` is `moment`, `date` or `time`. Words pass through as text."""
    zone = str(context.get("zone") or getattr(context.get("library"), "time_zone", ""))
    words = {"moment": local_moment, "date": local_date, "time": local_time}[show](value, zone)
    local = in_zone(value, _zone(zone))
    if local is None:
        return "" if value is None else str(words)
    exact = local.isoformat(timespec="minutes") if isinstance(local, dt.datetime) else local.isoformat()
    return format_html('<time datetime="{}">{}</time>', exact, words)


# --- Words of the rooms below ----------------------------------------------------------------------------------------


@register.filter(name="told")
def told_filter(text: object) -> str:
    """A sentence or a word that was kept in English, in the reader's language."""
    return told(str(text or ""))


# --- Icons and meanings ----------------------------------------------------------------------------------------------


@register.simple_tag
def icon(name: str) -> SafeString:
    """One drawing of `icons.svg`. It is decoration beside a word, so it is hidden from screen readers."""
    return format_html(
        '<svg class="icon icon-{}" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>',
        name,
        static("interlend/icons.svg"),
        name,
    )


@register.filter
def meaning_icon(meaning: object) -> str:
    """The icon of a meaning: good, look, stop, wait, unknown; else plain."""
    return MEANING_ICONS.get(str(meaning), "plain")


@register.filter
def message_meaning(tags: object) -> str:
    """The meaning of a Django message by its tags: success is good, warning is look, error is stop, the rest plain."""
    found = (MESSAGE_MEANINGS[tag] for tag in str(tags or "").split() if tag in MESSAGE_MEANINGS)
    return next(found, "plain")


# --- Accent ----------------------------------------------------------------------------------------------------------


@register.filter
def accent_ink(colour: object) -> str:
    """White or near-black, whichever reads on this colour, as `#rrggbb`."""
    return hex_colour(ink_on(parse_colour(str(colour)) or (0, 0, 0)))


@register.simple_tag(takes_context=True)
def accent_sheet(context: Context) -> str:
    """The `<link>` to the library's accent, from `accent` or `library.accent`; nothing for the default colour."""
    wanted = context.get("accent") or getattr(context.get("library"), "accent", "")
    colour = parse_colour(str(wanted or ""))
    digits = hex_colour(colour).removeprefix("#") if colour else DEFAULT_ACCENT
    if digits == DEFAULT_ACCENT:
        return ""
    return format_html('<link rel="stylesheet" href="{}">', reverse("look", args=[digits]))


# --- Barcodes --------------------------------------------------------------------------------------------------------

QUIET: Final = 10  # modules of white on each side, ISO/IEC 15417
BAR_HEIGHT: Final = 44


class Bars(Code128):  # type: ignore[misc, unused-ignore]
    """Code 128 that keeps a leading 99: python-barcode 0.16 takes those digits for a change of set and drops them."""

    def _try_to_optimize(self, encoded: list[int]) -> list[int]:
        return encoded if self.code.startswith("99") else list(super()._try_to_optimize(encoded))


def code128_runs(text: str) -> list[tuple[int, int]]:
    """The dark bars of `text` in Code 128 as (start, width) in modules, the quiet zone included in the start.

    Raises BarcodeError for a text that Code 128 cannot carry.
    """
    modules = Bars(text).build()[0]
    runs, at = [], QUIET
    for dark, group in itertools.groupby(modules):
        width = len(list(group))
        if dark == "1":
            runs.append((at, width))
        at += width
    return runs


@register.simple_tag
def barcode_svg(value: object, text: bool = True) -> str:
    """`value` as an inline Code 128 drawing that scales, with its text beneath unless `text` is false.

    A value that Code 128 cannot carry (Greek letters, say) is shown as text only: staff can still type it.
    """
    code = str(value or "").strip()
    if not code:
        return ""
    try:
        runs = code128_runs(code)
    except BarcodeError:
        return format_html('<span class="barcode-text">{}</span>', code)
    width = runs[-1][0] + runs[-1][1] + QUIET
    path = "".join(f"M{start} 0h{bar}v{BAR_HEIGHT}h-{bar}z" for start, bar in runs)
    drawing = format_html(
        '<svg class="barcode-bars" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}"'
        ' shape-rendering="crispEdges"><path d="{}"/></svg>',
        width,
        BAR_HEIGHT,
        _("Barcode %(code)s") % {"code": code},
        path,
    )
    words = format_html('<span class="barcode-text">{}</span>', code) if text else ""
    return format_html('<span class="barcode">{}{}</span>', drawing, words)


# --- Small helps for the partials ------------------------------------------------------------------------------------


@register.filter
def worded(value: object) -> bool:
    """True when there is something to show: 0 counts, None and an empty text do not."""
    return value is not None and value != ""
