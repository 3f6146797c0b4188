"""The library's accent colour as a small style sheet, safe to read on whatever colour a library chooses.

Strategy: the address carries the colour, so the answer needs no database, is the same for everyone and may be kept for
ever; ink is picked by luminance and the colour is moved toward black or white until WCAG 2.2 (1.4.3) contrast holds.
"""

from __future__ import annotations

import colorsys
import re
from collections.abc import Sequence
from typing import Final

from django.http import Http404, HttpRequest, HttpResponse

Colour = tuple[int, int, int]

DEFAULT_ACCENT: Final = "0b5c63"
READABLE: Final = 4.6  # 4.5 by WCAG 1.4.3, and a little more so that rounding never falls below it
BLACK: Final[Colour] = (0, 0, 0)
WHITE: Final[Colour] = (255, 255, 255)
DARK_INK: Final[Colour] = (16, 20, 22)

# The same page and surface colours as tokens.css; a test holds the two together.
LIGHT_PAGE: Final[Colour] = (245, 245, 241)
LIGHT_SURFACE: Final[Colour] = WHITE
DARK_PAGE: Final[Colour] = (20, 22, 25)
DARK_SURFACE: Final[Colour] = (29, 32, 36)


def parse_colour(text: str) -> Colour | None:
    """Read `#0b5c63` or `0b5c63`; None when it is not six hexadecimal digits."""
    found = re.fullmatch(r"#?([0-9a-fA-F]{6})", text.strip())
    if found is None:
        return None
    digits = found.group(1)
    return int(digits[0:2], 16), int(digits[2:4], 16), int(digits[4:6], 16)


def hex_colour(colour: Colour) -> str:
    """`(11, 92, 99)` as `#0b5c63`."""
    return "#{:02x}{:02x}{:02x}".format(*colour)


def luminance(colour: Colour) -> float:
    """Relative luminance, 0 (black) to 1 (white), as WCAG 2.2 defines it."""

    def linear(channel: int) -> float:
        part = channel / 255
        return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(channel) for channel in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: Colour, other: Colour) -> float:
    """Contrast ratio of two colours, 1 to 21, as WCAG 2.2 defines it."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """`share` (0 to 1) of `one`, the rest of `other`."""
    red, green, blue = (round(a * share + b * (1 - share)) for a, b in zip(one, other, strict=True))
    return red, green, blue


def ink_on(background: Colour) -> Colour:
    """White or near-black, whichever reads better on `background`. One of the two reaches 4.3 to 1 on any colour."""
    return max((WHITE, DARK_INK), key=lambda ink: contrast(ink, background))


def _with_lightness(colour: Colour, lightness: float, most_saturation: float) -> Colour:
    """The same hue at another lightness (0 black to 1 white), no more vivid than `most_saturation`."""
    hue, _, saturation = colorsys.rgb_to_hls(*(channel / 255 for channel in colour))
    red, green, blue = colorsys.hls_to_rgb(hue, lightness, min(saturation, most_saturation))
    return round(red * 255), round(green * 255), round(blue * 255)


def _readable_on(colour: Colour, backgrounds: Sequence[Colour], *, lighter: bool) -> Colour:
    """Keep the hue and move the lightness, a fiftieth at a time, until `colour` reads on every background."""
    if all(contrast(colour, background) >= READABLE for background in backgrounds):
        return colour
    _, start, _ = colorsys.rgb_to_hls(*(channel / 255 for channel in colour))
    goal = 1.0 if lighter else 0.0
    for step in range(1, 50):
        tried = _with_lightness(colour, start + (goal - start) * step / 50, 0.6 if lighter else 1.0)
        if all(contrast(tried, background) >= READABLE for background in backgrounds):
            return tried
    return WHITE if lighter else BLACK


def accent_tokens(accent: Colour, *, dark: bool) -> dict[str, Colour]:
    """The accent tokens of one colour scheme: `accent` (links, borders, the main button), its ink, its soft tint."""
    page, surface = (DARK_PAGE, DARK_SURFACE) if dark else (LIGHT_PAGE, LIGHT_SURFACE)
    soft = mix(accent, surface, 0.14 if dark else 0.12)
    shown = _readable_on(accent, (page, surface, soft), lighter=dark)
    return {"accent": shown, "accent-ink": ink_on(shown), "accent-soft": soft}


def accent_style(accent: Colour) -> str:
    """The style sheet's text: the tokens for light, then those for dark."""

    def block(tokens: dict[str, Colour]) -> str:
        return ":root{" + "".join(f"--{name}:{hex_colour(value)};" for name, value in tokens.items()) + "}"

    light, dark = (block(accent_tokens(accent, dark=dark)) for dark in (False, True))
    return (
        f"@media screen and (prefers-color-scheme:light){{{light}}}"
        f"@media screen and (prefers-color-scheme:dark){{{dark}}}"
    )


def accent_css(_request: HttpRequest, colour: str) -> HttpResponse:
    """GET /look/<colour>.css. Public and the same for everyone: the answer is a function of the address alone."""
    accent = parse_colour(colour)
    if accent is None:
        raise Http404("An accent colour is six hexadecimal digits.")
    response = HttpResponse(accent_style(accent), content_type="text/css; charset=utf-8")
    response["Cache-Control"] = "public, max-age=31536000, immutable"
    return response
