"""The look: each component partial with sample data, the accent's contrast, and the scan box in a real browser.

Strategy: a few gallery pages are served from this file alone (no database), so that what is checked here is the look
and its script and nothing else. INTERLEND_GALLERY=DIR also keeps pictures of the gallery. Follows pages.md.
"""

from __future__ import annotations

import datetime as dt
import os
import re
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from socketserver import ThreadingMixIn
from types import SimpleNamespace
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server
from zoneinfo import ZoneInfo

import pytest
from django import forms
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template import engines
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from django.urls import path
from hypothesis import example, given
from hypothesis import strategies as st
from lxml import html

from interlend.web import look
from interlend.web.templatetags import interlend_tags as tags

THIS = sys.modules[__name__]
STATIC = Path(look.__file__).parent / "static" / "interlend"
ROME = ZoneInfo("Europe/Rome")
AT = dt.datetime(2026, 5, 12, 7, 41, tzinfo=dt.UTC)  # 09:41 in Rome


@pytest.fixture(autouse=True)
def _own_addresses(settings: Any) -> None:
    settings.ROOT_URLCONF = THIS
    settings.STATIC_ROOT = None  # the files come straight from the package


# --- sample data -----------------------------------------------------------------------------------------------------


def row(**changes: Any) -> SimpleNamespace:
    """One answer to one scan."""
    plain = {
        "meaning": "good",
        "word": "Hold",
        "at": AT,
        "title": "L’autre monde, mythes et légendes : le purgatoire",
        "barcode": "30007001319044",
        "detail": "for Devi, A. at Main Library · request ALD-10051 · mail goes at 10:00",
        "alerts": [],
        "slip_url": "/slip",
        "slip_label": "Hold receipt",
        "state_word": "shelf until 19 May",
    }
    return SimpleNamespace(**plain | changes)


ROWS = [
    row(
        meaning="look",
        word="Route to ILL",
        title="Friendly fire / Kurt Rosenwinkel",
        barcode="30007007467409",
        detail="temporary item · returned by M. Okafor, due 12 May",
        state_word="now Unavailable",
        slip_label="Slip",
        alerts=[
            SimpleNamespace(
                sentence="Update request ALD-10042 (from Brook Public Library): it is back at the desk.",
                links=[("ALD-10042", "/request")],
                actions=[("Mark returned and print the return slip", "/act", "post")],
            )
        ],
    ),
    row(),
    row(
        word="Send to Annex",
        title="La-Torah vela-moʻadim : resise hegyonot",
        barcode="31492017344211",
        detail="pickup at Annex for a hold · second scan here would mark it dispatched",
        slip_label="Routing slip",
        state_word="In Transit",
    ),
    row(
        meaning="stop",
        word="Not checked in",
        title="",
        barcode="30007009999999",
        detail="",
        slip_url="",
        state_word="",
        alerts=[
            SimpleNamespace(
                sentence="No item has this barcode here. It looks like one of Cedar College’s;"
                " request ALD-10047 expects such a parcel.",
                links=[],
                actions=[("Receive it for ALD-10047", "/act", "post")],
            )
        ],
    ),
    row(
        word="Reshelve",
        title="A light in the attic",
        barcode="31492032220628",
        detail="Alder · Stacks · PS3569.I47224 L5",
        slip_label="Slip",
        state_word="Available",
    ),
]


def entry(label: str, count: int | None = None, **more: Any) -> SimpleNamespace:
    return SimpleNamespace(
        name=label.lower().replace(" ", "_"),
        url="/check-in",
        label=label,
        count=count,
        attention=more.get("attention", False),
        current=more.get("current", False),
    )


NAV = [
    SimpleNamespace(
        title="Circulation",
        entries=[
            entry("Assist Patrons"),
            entry("Check In", current=True),
            entry("Discover Items"),
            entry("Pull List", 14),
            entry("Hold Shelf", 31),
            entry("In Transit", 8),
            entry("Temporary Items", 47),
        ],
    ),
    SimpleNamespace(
        title="Sharing",
        entries=[
            entry("Needs attention", 4, attention=True),
            entry("Borrowing", 62),
            entry("Lending", 55),
            entry("Receive", 0),
            entry("Return", 6),
            entry("Ship", 12),
            entry("Complete", 3),
            entry("New request"),
            entry("Partners"),
        ],
    ),
    SimpleNamespace(title="Library", entries=[entry("Notices"), entry("Reports"), entry("Settings")]),
]
MAIN, ANNEX = SimpleNamespace(pk=1, name="Main Library"), SimpleNamespace(pk=2, name="Annex")
LIBRARY = SimpleNamespace(name="Alder University", symbol="ALD", time_zone="Europe/Rome", accent="")
SHELL = {
    "library": LIBRARY,
    "here": MAIN,
    "branches": [MAIN, ANNEX],
    "nav": NAV,
    "staff_name": "R. Ito",
    "staff_role": "Circulation desk",
    "health": [
        SimpleNamespace(meaning="good", word="Mail", detail="Last letter sent 09:00"),
        SimpleNamespace(meaning="look", word="Brook’s circulation: 3 steps wait", detail="No answer since 09:10"),
    ],
}
ENTRIES = [
    SimpleNamespace(
        lane="circulation",
        at=AT,
        actor="R. Ito",
        sentence="Returned at the desk, Main Library",
        detail="Temporary item Unavailable",
        step=SimpleNamespace(meaning="look", word="waits for you"),
    ),
    SimpleNamespace(
        lane="sharing",
        at=AT,
        actor="Brook",
        sentence="Renewal refused: “on hold for another reader”",
        detail="",
        step=None,
    ),
    SimpleNamespace(
        lane="circulation",
        at=AT,
        actor="",
        sentence="Temporary item and hold made",
        detail="First try 09:12: circulation did not answer; checked, not there, done again",
        step=SimpleNamespace(meaning="good", word="2nd try"),
    ),
    SimpleNamespace(
        lane="circulation",
        at=AT,
        actor="",
        sentence="Check-in at Brook’s circulation",
        detail="",
        step=SimpleNamespace(meaning="unknown", word="unknown"),
    ),
    SimpleNamespace(
        lane="sharing", at=AT, actor="R. Ito", sentence="Received by scanning at ILL", detail="", step=None
    ),
]
FACTS = [
    SimpleNamespace(label="Title", value="Friendly fire", big=True),
    SimpleNamespace(label="Pieces", value=0),
    SimpleNamespace(label="Lender", value="Brook Public Library", url="/partner"),
    SimpleNamespace(label="Volume", value=""),
    SimpleNamespace(label="Barcode", value="30007007467409", mono=True),
]
ACTIONS = [
    SimpleNamespace(label="Mark returned", url="/act", method="post", main=True, key="r"),
    SimpleNamespace(label="Print return slip", url="/slip", method="get", slip=True),
    SimpleNamespace(
        label="Delete", url="/act", confirm="Delete the temporary item?", confirm_word="Delete it", danger=True
    ),
    SimpleNamespace(label="Edit hold", url="/fragment", method="get", dialog=True),
    SimpleNamespace(label="Undo", url="/act", why_not="Brook has already closed it"),
]
SLIP = SimpleNamespace(
    kind="Routing slip",
    big="Send to Annex",
    number="ALD-10042",
    barcode="30007007467409",
    title="Friendly fire",
    lines=[("From", "Brook Public Library"), ("Due", "Tue 12 May"), ("Note", "")],
    foot="Return to: Brook Public Library\nInterlibrary Loan, bay 3",
)


class HoldForm(forms.Form):
    barcode = forms.CharField(help_text="Scan the card, or type the number beneath the bars.")
    note = forms.CharField(required=False)
    keep = forms.BooleanField(required=False, label="Keep on the shelf")
    pickup = forms.ChoiceField(choices=[("1", "Main Library"), ("2", "Annex")], widget=forms.RadioSelect)


def parsed(text: str) -> Any:
    """A whole page, to be asked by `xpath`."""
    return html.document_fromstring(text)


def draw(name: str, **context: Any) -> Any:
    """The component, drawn and parsed; `find` and `xpath` on what is returned look at it."""
    request = RequestFactory().get("/check-in?x=1")
    text = render_to_string(f"components/{name}.html", {"library": LIBRARY} | context, request)
    return html.fragment_fromstring(text, create_parent="div")


def words(element: Any) -> str:
    return " ".join(" ".join(element.itertext()).split())


# --- the partials ----------------------------------------------------------------------------------------------------


def test_scan_box_is_labelled_focused_and_posts_plainly_too() -> None:
    drawn = draw("scan_box", action="/scan", label="Item barcode")
    (field,) = drawn.xpath("//input[@id='scan' and @class='scan-input']")
    assert (field.get("name"), field.get("autocomplete"), "autofocus" in field.attrib) == ("barcode", "off", True)
    assert words(drawn.xpath("//label[@for='scan']")[0]) == "Item barcode"
    (form,) = drawn.xpath("//form")
    assert (form.get("method"), form.get("action"), form.get("hx-post")) == ("post", "/scan", "/scan")
    assert (form.get("hx-target"), form.get("hx-swap")) == ("#rows", "afterbegin")
    assert drawn.xpath("//input[@name='csrfmiddlewaretoken']")


def test_scan_box_takes_fields_of_a_page_by_block_or_by_form() -> None:
    by_block = engines["django"].from_string(
        "{% extends 'components/scan_box.html' %}{% block extra %}<input name='mode'>{% endblock %}"
    )
    assert "name='mode'" in by_block.render({"action": "/scan", "label": "Item barcode"})
    drawn = draw("scan_box", action="/scan", label="Item", fields=[HoldForm()["note"]])
    assert drawn.xpath("//label[@for='id_note']")
    assert drawn.xpath("//input[@id='id_note']")


def test_result_row_says_word_title_barcode_alert_and_slip() -> None:
    drawn = draw("result_row", row=ROWS[0])
    (article,) = drawn.xpath("//article")
    assert article.get("data-meaning") == "look"
    assert article.get("data-say") == "Route to ILL. Friendly fire / Kurt Rosenwinkel"
    text = words(article)
    for part in ("Route to ILL", "09:41", "now Unavailable", "30007007467409", "Update request ALD-10042"):
        assert part in text
    (form,) = article.xpath(".//div[@class='alert']//form")
    assert (form.get("method"), form.get("action"), form.get("hx-target")) == ("post", "/act", "#rows")
    assert article.xpath(".//a[@href='/slip' and @target='slip']")
    assert article.xpath(".//*[@class='icon icon-look']")


def test_result_row_without_a_title_shows_the_barcode_and_no_slip() -> None:
    drawn = draw("result_row", row=ROWS[3])
    assert words(drawn.xpath("//*[contains(@class, 'row-title')]")[0]) == "30007009999999"
    assert not drawn.xpath("//a[@data-slip]")


def test_result_row_escapes_what_others_wrote() -> None:
    drawn = draw("result_row", row=row(title="<script>alert(1)</script>", detail="<b>x</b>"))
    assert not drawn.xpath("//script | //b")


def test_rows_show_what_will_appear_until_something_does() -> None:
    assert "Nothing scanned yet" in words(draw("rows", rows=[]))
    assert "Nothing scanned yet" not in words(draw("rows", rows=ROWS))
    assert len(draw("rows", rows=ROWS).xpath("//section[@id='rows']/article")) == len(ROWS)


@pytest.mark.parametrize(
    ("meaning", "drawing"), [("good", "good"), ("look", "look"), ("stop", "stop"), ("wait", "wait"), ("", "plain")]
)
def test_status_chip_has_word_and_shape(meaning: str, drawing: str) -> None:
    drawn = draw("status_chip", meaning=meaning, word="On its way")
    assert words(drawn) == "On its way"
    assert drawn.xpath("//use")[0].get("href").endswith(f"#{drawing}")


def test_every_icon_asked_for_is_drawn() -> None:
    drawn = set(re.findall(r'<symbol id="([a-z]+)"', (STATIC / "icons.svg").read_text()))
    asked = set(tags.MEANING_ICONS.values()) | {"plain"}
    for template in (STATIC.parents[1] / "templates").rglob("*.html"):
        asked |= set(re.findall(r'{% icon "([a-z]+)" %}', template.read_text()))
    assert asked <= drawn


def test_timeline_keeps_the_lanes_apart_and_the_step_in_words() -> None:
    drawn = draw("timeline", entries=ENTRIES)
    entries = drawn.xpath("//ol/li")
    assert [one.get("class").split()[1] for one in entries] == [one.lane for one in ENTRIES]
    assert "Circulation Returned at the desk, Main Library waits for you" in words(entries[0])
    assert "R. Ito" in words(entries[0])
    assert not entries[1].xpath(".//*[contains(@class, 'timeline-word')]")


def test_timeline_without_entries_says_what_will_stand_there() -> None:
    assert "Nothing has happened yet" in words(draw("timeline", entries=[]))


def test_explain_shows_date_and_reasons_in_order() -> None:
    reasons = ["Brook asked for it by 12 May.", "Your policy would have said 26 May."]
    drawn = draw("explain", explain=SimpleNamespace(date=dt.date(2031, 5, 12), reasons=reasons))
    assert "12 May 2031" in words(drawn)
    assert [words(one) for one in drawn.xpath("//li")] == reasons


def test_facts_leave_out_what_is_empty_but_show_zero() -> None:
    drawn = draw("facts", facts=FACTS)
    assert [words(one) for one in drawn.xpath("//dt")] == ["Title", "Pieces", "Lender", "Barcode"]
    assert words(drawn.xpath("//dd")[1]) == "0"
    assert drawn.xpath("//dd/a[@href='/partner']")


def test_field_ties_help_and_errors_to_the_input() -> None:
    drawn = draw("form", form=HoldForm(data={"pickup": "9"}))
    (field,) = drawn.xpath("//input[@id='id_barcode']")
    assert field.get("aria-invalid") == "true"
    for one in field.get("aria-describedby").split():
        assert len(drawn.xpath(f"//*[@id='{one}']")) == 1
    assert drawn.xpath("//label[@for='id_barcode']")
    assert "(if any)" in words(drawn.xpath("//label[@for='id_note']")[0])
    (group,) = drawn.xpath("//fieldset[legend]")
    assert drawn.xpath(f"//*[@id='{group.get('aria-describedby')}']")


def test_actions_post_link_ask_and_explain_why_not() -> None:
    drawn = draw("actions", actions=ACTIONS)
    assert drawn.xpath("//button[@data-key='r' and contains(@class, 'main')]")
    (asked,) = drawn.xpath("//form[@data-confirm]")
    assert asked.get("data-confirm") == "Delete the temporary item?"
    (barred,) = drawn.xpath("//button[@aria-disabled='true']")
    assert words(barred) == "Undo: Brook has already closed it"
    assert drawn.xpath("//a[@hx-target='#dialog-body']")


def test_totals_show_zero_and_ride_along_with_an_answer() -> None:
    drawn = draw("totals", totals=[("this sitting", 5), ("stopped", 0)], totals_links=[("Clear", "/clear")], oob=True)
    assert "5 this sitting" in words(drawn)
    assert "0 stopped" in words(drawn)
    assert drawn.xpath("//p[@id='totals' and @hx-swap-oob]")


def test_slip_has_the_number_big_both_barcodes_and_no_empty_line() -> None:
    drawn = draw("slip", slip=SLIP)
    assert words(drawn.xpath("//p[@class='slip-number']")[0]) == "ALD-10042"
    labels = [one.get("aria-label") for one in drawn.xpath("//*[local-name()='svg']")]
    assert labels == ["Barcode ALD-10042", "Barcode 30007007467409"]
    assert "Note" not in words(drawn)


def test_tabs_card_table_and_empty() -> None:
    drawn = draw("tabs", tabs=[SimpleNamespace(label="Holds", url="/h", current=True, count=0)])
    assert words(drawn.xpath("//a[@aria-current='page']")[0]) == "Holds 0"
    card = SimpleNamespace(
        meaning="good", word="Ready for you", title="Friendly fire", lines=["Main Library"], actions=[]
    )
    assert "Ready for you Friendly fire Main Library" in words(draw("card", card=card))
    assert [words(one) for one in draw("table", headings=["Title"], table_rows=[["Tea"]]).xpath("//th | //td")] == [
        "Title",
        "Tea",
    ]
    assert words(draw("empty", title="No holds", text="They will stand here.")) == "No holds They will stand here."


# --- dates, barcodes, accent -----------------------------------------------------------------------------------------


def test_dates_are_told_in_the_library_s_zone() -> None:
    late = dt.datetime(2026, 5, 11, 22, 30, tzinfo=dt.UTC)
    assert tags.local_time(late, "Europe/Rome") == "00:30"
    assert tags.in_zone(late, ROME) == dt.datetime(2026, 5, 12, 0, 30, tzinfo=ROME)
    assert tags.day_words(dt.date(2026, 5, 12), dt.date(2026, 1, 1)) == "Tue 12 May"
    assert tags.day_words(dt.date(2027, 5, 12), dt.date(2026, 1, 1)) == "12 May 2027"


@pytest.mark.parametrize(
    ("days", "told"), [(0, "today 09:41"), (1, "yesterday 09:41"), (-1, "tomorrow 09:41"), (4, "Tue 12 May 09:41")]
)
def test_moments_near_are_told_by_name(days: int, told: str) -> None:
    moment = AT.astimezone(ROME)
    assert tags.moment_words(moment, moment + dt.timedelta(days=days)) == told


def test_words_pass_through_the_date_filters() -> None:
    assert tags.local_date("no date") == "no date"
    assert tags.when({"library": LIBRARY}, "now") == "now"  # type: ignore[arg-type]
    assert tags.when({}, None) == ""  # type: ignore[arg-type]


def decoded(runs: list[tuple[int, int]]) -> str:
    """Read the bars back: module widths to Code 128 values to text (sets B and C), the check value verified."""
    from barcode.charsets import code128

    end = runs[-1][0] + runs[-1][1]
    line = ["0"] * end
    for start, width in runs:
        line[start : start + width] = "1" * width
    modules = "".join(line[tags.QUIET : end])
    assert modules.endswith("1100011101011")
    values = [code128.CODES.index(modules[at : at + 11]) for at in range(0, len(modules) - 13, 11)]
    first, *data, check = values
    assert (first + sum(place * value for place, value in enumerate(data, 1))) % 103 == check
    in_c, text = first == 105, ""
    for value in data:
        if value == (100 if in_c else 99):  # go to the other set
            in_c = not in_c
        else:
            text += f"{value:02}" if in_c else chr(value + 32)
    return text


@given(st.from_regex(r"[A-Z0-9 -]{1,20}", fullmatch=True))
@example("99")
@example("99007007467409")
def test_barcodes_read_back_as_what_was_written(text: str) -> None:
    assert decoded(tags.code128_runs(text)) == text


def test_a_number_that_code_128_cannot_carry_is_shown_as_text() -> None:
    assert "<svg" not in tags.barcode_svg("Ωμέγα-1")
    assert "Ωμέγα-1" in tags.barcode_svg("Ωμέγα-1")
    assert tags.barcode_svg(None) == ""


colours = st.tuples(*[st.integers(0, 255)] * 3)


@given(colours, st.booleans())
def test_any_accent_reads_on_every_background(colour: look.Colour, dark: bool) -> None:
    tokens = look.accent_tokens(colour, dark=dark)
    page, surface = (look.DARK_PAGE, look.DARK_SURFACE) if dark else (look.LIGHT_PAGE, look.LIGHT_SURFACE)
    for background in (page, surface, tokens["accent-soft"]):
        assert look.contrast(tokens["accent"], background) >= 4.5
    assert look.contrast(tokens["accent"], tokens["accent-ink"]) >= 4.5


def token_blocks() -> tuple[dict[str, str], dict[str, str]]:
    light, dark = (STATIC / "tokens.css").read_text().split("@media")
    first, second = (dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", part)) for part in (light, dark))
    return first, first | second


def test_the_style_sheet_and_the_reckoning_know_the_same_colours() -> None:
    accent = look.parse_colour(look.DEFAULT_ACCENT)
    assert accent is not None
    for dark, tokens in enumerate(token_blocks()):
        page, surface = (look.DARK_PAGE, look.DARK_SURFACE) if dark else (look.LIGHT_PAGE, look.LIGHT_SURFACE)
        assert (tokens["page"], tokens["surface"]) == (look.hex_colour(page), look.hex_colour(surface))
        for name, colour in look.accent_tokens(accent, dark=bool(dark)).items():
            assert tokens[name] == look.hex_colour(colour), name


@pytest.mark.parametrize("dark", [False, True])
def test_fixed_colours_read_on_their_backgrounds(dark: bool) -> None:
    tokens = token_blocks()[dark]
    pairs = [
        ("ink", "page"),
        ("ink", "surface"),
        ("muted", "page"),
        ("muted", "surface"),
        ("muted", "sunken"),
        ("muted", "accent-soft"),
        ("muted", "plain-soft"),
        ("ink", "plain-soft"),
    ]
    pairs += [(name, on) for name in ("good", "look", "stop") for on in (f"{name}-soft", "surface", "page", "sunken")]
    for ink, background in pairs:
        one, other = look.parse_colour(tokens[ink]), look.parse_colour(tokens[background])
        assert one is not None
        assert other is not None
        assert look.contrast(one, other) >= 4.5, (ink, background)
    edge, surface = look.parse_colour(tokens["edge"]), look.parse_colour(tokens["surface"])
    assert edge is not None
    assert surface is not None
    assert look.contrast(edge, surface) >= 3


def test_accent_sheet_is_served_and_kept_and_nonsense_is_not_found() -> None:
    answer = Client().get("/look/8a1538.css")
    assert answer.headers["Content-Type"].startswith("text/css")
    assert "immutable" in answer.headers["Cache-Control"]
    assert "--accent:#8a1538" in answer.text
    assert Client().get("/look/red;}.css").status_code == 404


def test_accent_sheet_is_linked_only_when_it_differs() -> None:
    assert "/look/8a1538.css" in tags.accent_sheet({"accent": "#8A1538"})  # type: ignore[arg-type]
    assert tags.accent_sheet({"library": SimpleNamespace(accent="#0b5c63")}) == ""  # type: ignore[arg-type]
    assert tags.accent_sheet({"accent": "javascript:x"}) == ""  # type: ignore[arg-type]


def test_ink_is_picked_by_luminance() -> None:
    assert tags.accent_ink("#0b5c63") == "#ffffff"
    assert tags.accent_ink("#f2c200") == "#101416"


# --- the gallery -----------------------------------------------------------------------------------------------------

SCANNED: list[tuple[str, str, str]] = []  # barcode, mode, scan_key: as the server got them
GATE = threading.Event()  # "SLOW" scans wait here


def page(source: str, **context: Any) -> Any:
    """A view that draws `source` (blocks of a frame) with the sample data."""

    def view(request: HttpRequest) -> HttpResponse:
        request.user = SimpleNamespace(is_authenticated=True, pk=7)  # type: ignore[assignment]
        template = engines["django"].from_string(source)
        return HttpResponse(template.render(SHELL | context, request))

    return view


def frame(name: str, heading: str, content: str) -> str:
    return (
        "{% extends '" + name + "' %}{% load interlend_tags %}{% block title %}Gallery{% endblock %}"
        "{% block heading %}" + heading + "{% endblock %}{% block content %}" + content + "{% endblock %}"
    )


CHECK_IN = frame(
    "base.html",
    "<h1>Check In</h1>",
    """
  {% include "components/scan_box.html" with action="/scan" label="Item barcode" fields=scan_fields %}
  {% include "components/totals.html" %}{% include "components/rows.html" %}
""",
)
REQUEST = frame(
    "base.html",
    """<h1>ALD-10042</h1>
  {% include "components/status_chip.html" with meaning="look" word="Back at the desk" %}
  <span class="muted">borrowing · from Brook Public Library</span>""",
    """
  <section class="box">{% include "components/facts.html" %}</section>
  <section class="box">{% include "components/explain.html" with label="Due" %}</section>
  {% include "components/actions.html" with after="Expected within 2 open days in this state" %}
  <section class="box">{% include "components/timeline.html" %}</section>
  <div class="band">ILL request <a href="/request">ALD-10042</a>, from Brook Public Library</div>
  {% include "components/tabs.html" %}
  <div class="columns"><form class="box form">{% include "components/form.html" %}</form>
  <section>{% include "components/table.html" %}
  {% include "components/empty.html" with title="No messages" text="Messages will stand here." %}</section></div>
  <p>{% for meaning in meanings %}{% include "components/status_chip.html" with word=meaning %} {% endfor %}</p>""",
)
PATRON = frame(
    "patron_base.html",
    "<h1>My library</h1>",
    """<h2>Ready and borrowed</h2>
  {% for card in cards %}{% include "components/card.html" %}{% endfor %}""",
)
PRINT = (
    "{% extends 'print_base.html' %}{% block title %}Routing slip{% endblock %}{% block content %}"
    "<h1 class='sr-only'>Routing slip</h1>{% include 'components/slip.html' %}{% endblock %}"
)


class ScanFields(forms.Form):
    mode = forms.ChoiceField(label="Mode", choices=[("auto", "Auto"), ("route", "Route")])
    backdate = forms.CharField(label="Back-date to", required=False)


CARDS = [
    SimpleNamespace(
        meaning="good",
        word="Ready for you",
        title="L’autre monde, mythes et légendes",
        actions=[],
        lines=["Main Library, hold shelf, until Tue 19 May.", "Borrowed from Brook Public Library."],
    ),
    SimpleNamespace(
        meaning="look",
        word="Due Tue 12 May",
        title="Friendly fire / Kurt Rosenwinkel",
        lines=["From Brook Public Library."],
        actions=[SimpleNamespace(label="Ask to keep it", url="/act")],
    ),
    SimpleNamespace(
        meaning="wait", word="On its way", title="A light in the attic", lines=["Sent yesterday."], actions=[]
    ),
]


def scan(request: HttpRequest) -> HttpResponse:
    barcode = request.POST["barcode"]
    SCANNED.append((barcode, request.POST.get("mode", ""), request.POST.get("scan_key", "")))
    if barcode.startswith("SLOW"):
        GATE.wait(10)
    if barcode == "BROKEN" and len(SCANNED) == 1:
        return HttpResponse("boom", status=500)
    if barcode == "OUT":
        return HttpResponseRedirect("/sign-in")
    answer = row(word="Not checked in", meaning="stop", barcode=barcode) if barcode == "BAD" else row(barcode=barcode)
    totals = render_to_string("components/totals.html", {"totals": [("this sitting", len(SCANNED))], "oob": True})
    return HttpResponse(
        render_to_string("components/result_row.html", {"row": answer, "library": LIBRARY}, request) + totals
    )


urlpatterns = [
    path(
        "check-in",
        page(
            CHECK_IN,
            rows=ROWS,
            scan_fields=list(ScanFields()),
            totals=[("this sitting", 5), ("hold shelf", 2), ("stopped", 1)],
            totals_links=[("Print 3 slips", "/slip"), ("Clear", "/check-in")],
        ),
    ),
    path("empty", page(CHECK_IN, rows=[], totals=[("this sitting", 0)])),
    path(
        "request",
        page(
            REQUEST,
            facts=FACTS,
            actions=ACTIONS,
            entries=ENTRIES,
            form=HoldForm(data={"pickup": "9"}),
            explain=SimpleNamespace(
                date=AT, reasons=["Brook asked for it by 12 May.", "Your policy would have said 26 May."]
            ),
            tabs=[
                SimpleNamespace(label="Checkout", url="/", current=True),
                SimpleNamespace(label="Holds", url="/", count=2),
            ],
            headings=["Title", "Due"],
            table_rows=[["Friendly fire", "Tue 12 May"], ["A light in the attic", "Fri 15 May"]],
            meanings=["good", "look", "stop", "wait", "unknown", ""],
        ),
    ),
    path("me", page(PATRON, cards=CARDS, patron_name="M. Okafor")),
    path("slip", page(PRINT, slip=SLIP)),
    path(
        "fragment",
        page(
            "<h2>Edit existing hold request</h2><p>Request ALD-10042</p><button class='btn' data-closes>Close</button>"
        ),
    ),
    path("sign-in", page('<!doctype html><title>Sign in</title><input type="password">')),
    path("scan", scan),
    path("act", page("{% include 'components/result_row.html' %}", row=row(word="Returned"))),
    path("find", page(""), name="find"),
    path("health", page(""), name="health"),
    path("counts", page(""), name="counts"),
    path("here/", page(""), name="here"),
    path("sign-out", page(""), name="sign_out"),
    path("look/<str:colour>.css", look.accent_css, name="look"),
]


@pytest.mark.parametrize("address", ["/check-in", "/request", "/me", "/slip"])
def test_pages_carry_no_script_and_no_style_of_their_own(address: str) -> None:
    drawn = parsed(Client().get(address).text)
    assert not drawn.xpath("//script[not(@src)] | //style | //*[@style] | //@*[starts-with(name(), 'on')]")
    ids = drawn.xpath("//@id")
    assert sorted(set(ids)) == sorted(ids)


def test_the_frame_has_its_places() -> None:
    drawn = parsed(Client().get("/check-in").text)
    assert drawn.xpath("//a[@class='skip' and @href='#work']")
    assert drawn.xpath("//main[@id='work']")
    (current,) = drawn.xpath("//nav[@id='side']//a[@aria-current='page']")
    assert words(current) == "Check In"
    assert "Receive 0" in [words(one) for one in drawn.xpath("//nav[@id='side']//a")]
    (switch,) = drawn.xpath("//form[.//button[@name='branch']]")
    assert (switch.get("action"), switch.get("method")) == ("/here/", "post")
    assert [one.get("value") for one in switch.xpath(".//button")] == ["1", "2"]
    assert drawn.xpath("//div[@id='messages' and @role='status']")
    assert drawn.xpath("//form[@action='/find']//input[@name='q']")


# --- in a browser ----------------------------------------------------------------------------------------------------


class ThreadingServer(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """The test's own output is enough."""


@pytest.fixture
def served() -> Iterator[str]:
    """The gallery on a loopback port."""
    SCANNED.clear()
    GATE.clear()
    with make_server("127.0.0.1", 0, WSGIHandler(), server_class=ThreadingServer, handler_class=Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        GATE.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def desk(browser: Any, served: str) -> Iterator[Any]:
    """The Check In page, empty, with a note of every tone it gives."""
    opened = browser.new_page(base_url=served, viewport={"width": 1280, "height": 720})
    faults: list[str] = []
    opened.on("pageerror", lambda fault: faults.append(str(fault)))
    opened.on("console", lambda line: faults.append(line.text) if "Content Security" in line.text else None)
    opened.goto("/empty")
    opened.evaluate("window.tones = []; document.addEventListener('interlend:tone', (e) => tones.push(e.detail))")
    yield opened
    opened.close()
    assert faults == []


def scan_in(desk: Any, text: str) -> None:
    desk.keyboard.type(text)
    desk.keyboard.press("Enter")


def barcodes(desk: Any) -> list[str]:
    found: list[str] = desk.locator("#rows > article").evaluate_all(
        "rows => rows.map(row => row.querySelector('.mono').textContent)"
    )
    return found


def selected(desk: Any) -> str:
    text: str = desk.evaluate("document.activeElement.value.slice(document.activeElement.selectionStart)")
    return text


def until(condition: Any) -> None:
    """Wait up to five seconds for what happens on the server's side."""
    end = time.monotonic() + 5
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    assert condition()


@pytest.mark.browser
def test_scans_are_queued_answered_in_order_and_the_box_is_ready_again(desk: Any) -> None:
    scan_in(desk, "SLOW-1")
    until(lambda: len(SCANNED) == 1)
    scan_in(desk, "2222")
    scan_in(desk, "3333")
    assert desk.locator("#scan-waiting").inner_text() == "3 scans on their way"
    desk.keyboard.type("44")  # typed while the answers come in: nothing may disturb it
    GATE.set()
    desk.locator("#rows > article").nth(2).wait_for()
    assert barcodes(desk) == ["3333", "2222", "SLOW-1"]
    assert [barcode for barcode, _, _ in SCANNED] == ["SLOW-1", "2222", "3333"]
    desk.keyboard.type("44")
    assert desk.locator("#scan").input_value() == "4444"
    assert desk.locator("#totals").inner_text() == "3 this sitting"
    desk.keyboard.press("Enter")
    desk.locator("#rows > article").nth(3).wait_for()
    assert selected(desk) == "4444"
    desk.keyboard.press("Escape")
    assert desk.locator("#scan").input_value() == ""
    assert desk.evaluate("document.activeElement.id") == "scan"


@pytest.mark.browser
def test_each_meaning_has_its_tone_and_is_said(desk: Any) -> None:
    scan_in(desk, "1111")
    desk.locator("#announce", has_text="Hold. L’autre monde").wait_for(state="attached")
    scan_in(desk, "BAD")
    desk.locator("#announce-stop", has_text="Not checked in").wait_for(state="attached")
    assert desk.evaluate("tones") == ["good", "stop"]


@pytest.mark.browser
def test_a_scan_the_server_did_not_answer_is_kept_and_tried_again(desk: Any) -> None:
    scan_in(desk, "BROKEN")
    desk.get_by_role("button", name="Try again").wait_for()
    assert barcodes(desk) == ["BROKEN"]
    assert "The scan is kept here" in desk.locator("#rows > article").inner_text()
    desk.reload()
    assert barcodes(desk) == ["BROKEN"]
    desk.get_by_role("button", name="Try again").click()
    desk.locator("#rows > article.good").wait_for()
    assert barcodes(desk) == ["BROKEN"]
    assert SCANNED[0][2] == SCANNED[1][2] != ""
    assert desk.evaluate("document.activeElement.id") == "scan"
    desk.reload()
    assert barcodes(desk) == []


@pytest.mark.browser
def test_a_scan_is_kept_when_the_network_is_down_or_one_was_signed_out(desk: Any) -> None:
    desk.context.set_offline(True)
    scan_in(desk, "1111")
    desk.locator("#rows > article.stop").wait_for()
    desk.context.set_offline(False)
    scan_in(desk, "OUT")
    desk.locator("#rows > article.stop").nth(1).wait_for()
    assert barcodes(desk) == ["OUT", "1111"]
    assert "signed out" in desk.locator("#rows > article").first.inner_text()
    assert desk.evaluate("tones") == ["stop", "stop"]


@pytest.mark.browser
def test_slash_escape_menus_and_muting(desk: Any) -> None:
    desk.keyboard.press("/")
    assert desk.evaluate("document.activeElement.id") == "find"
    desk.keyboard.press("Escape")
    assert desk.evaluate("document.activeElement.id") == "scan"
    desk.get_by_text("Here: Main Library").click()
    assert desk.get_by_role("button", name="Annex").is_visible()
    desk.keyboard.press("Escape")
    assert not desk.get_by_role("button", name="Annex").is_visible()
    desk.get_by_text("R. Ito").click()
    sounds = desk.get_by_role("button", name="Sounds")
    sounds.click()
    assert sounds.get_attribute("aria-pressed") == "false"
    desk.reload()
    desk.get_by_text("R. Ito").click()
    assert sounds.get_attribute("aria-pressed") == "false"


@pytest.mark.browser
def test_questions_dialogs_and_shortcuts_return_the_focus(desk: Any) -> None:
    desk.goto("/request")
    delete = desk.get_by_role("button", name="Delete", exact=True)
    delete.click()
    assert desk.locator("#confirm-question").inner_text() == "Delete the temporary item?"
    desk.keyboard.press("Escape")
    assert delete.evaluate("button => button === document.activeElement")
    assert desk.url.endswith("/request")
    desk.get_by_role("link", name="Edit hold").click()
    desk.get_by_role("heading", name="Edit existing hold request").wait_for()
    desk.get_by_role("button", name="Close", exact=True).click()
    assert not desk.locator("#dialog").is_visible()
    delete.click()
    desk.get_by_role("button", name="Delete it").click()
    desk.wait_for_url("**/act")
    desk.goto("/request")
    desk.locator("h1").click()
    desk.keyboard.press("r")
    desk.wait_for_url("**/act")


@pytest.mark.browser
def test_nothing_jumps_when_a_row_comes(desk: Any) -> None:
    before = desk.locator("#scan").bounding_box(), desk.locator("#rows").bounding_box()
    scan_in(desk, "SLOW")
    until(lambda: len(SCANNED) == 1)
    GATE.set()
    desk.locator("#rows > article").wait_for()
    after = desk.locator("#scan").bounding_box(), desk.locator("#rows").bounding_box()
    assert before[0] == after[0]
    assert [before[1][side] for side in ("x", "y", "width")] == [after[1][side] for side in ("x", "y", "width")]


RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(1280, 720), (390, 844)])
def test_every_page_of_the_gallery_is_accessible(
    browser: Any, served: str, scheme: str, width: int, height: int
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    opened = browser.new_page(base_url=served, viewport={"width": width, "height": height}, color_scheme=scheme)
    pictures = os.environ.get("INTERLEND_GALLERY")
    for address in ("check-in", "empty", "request", "me", "slip", "slip?size=a5"):
        opened.goto(f"/{address}")
        if pictures:
            name = re.sub(r"\W", "-", f"{address}-{scheme}-{width}")
            opened.screenshot(path=f"{pictures}/{name}.png", full_page=width < 800 or address == "request")
        found = Axe().run(opened, options={"runOnly": RULES})
        assert found.violations_count == 0, f"/{address}: {found.generate_report()}"
        assert opened.evaluate("document.documentElement.scrollWidth <= innerWidth"), address
    opened.close()
