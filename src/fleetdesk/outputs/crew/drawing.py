"""A route on plain ground as a picture, and the whole route on paper."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Iterator, Sequence
from math import cos, radians
from typing import Any

from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from fleetdesk.model.places import Parking, Point
from fleetdesk.outputs.as_written import as_written
from fleetdesk.outputs.crew.signs import Box, signs
from fleetdesk.outputs.crew.stops import CrewRoute
from fleetdesk.outputs.crew.words import ENGLISH, Words
from fleetdesk.outputs.ground import PLAIN, Ground
from fleetdesk.outputs.palette import Palette, palette
from fleetdesk.routes.roads import RoadClass

_PAPER_IN = (8.27, 11.69)  # A4 upright
_PICTURE_IN, _DOTS = (4.0, 3.6), 240
_LEFT, _RIGHT = 0.06, 0.94
_SHARES = (0.06, 0.08, 0.15, 0.22, 0.25, 0.06, 0.09, 0.09)  # of the width, the columns of the list
_PAY, _PAY_OF_TODO = 0.10, 0.03  # what a further column takes from the two widest
_LINE, _FIRST_TOP, _TOP, _BOTTOM = 0.0145, 0.40, 0.895, 0.05  # heights as shares of the page
_KM_PER_DEGREE = 111.32
_ROAD_WIDTHS = {
    RoadClass.MAIN: 2.4, RoadClass.THROUGH: 1.6, RoadClass.STREET: 0.9, RoadClass.SERVICE: 0.5,
}  # fmt: skip
_ROAD, _MOST_ROAD_POINTS = "#DDDAD2", 15_000
_STEPS_KM = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 1000)


@as_written
def picture(
    route: CrewRoute,
    parkings: Sequence[Parking],
    words: Words = ENGLISH,
    ground: Ground = PLAIN,
) -> bytes:
    """The route as a PNG: numbered stops in order, parkings, roads, a scale; for a phone."""
    figure = Figure(figsize=_PICTURE_IN, layout="constrained")
    _draw(figure.add_subplot(), _PICTURE_IN, route, parkings, words, ground, palette())
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=_DOTS, metadata={"Software": None})
    return out.getvalue()


@as_written
def paper(
    route: CrewRoute,
    parkings: Sequence[Parking],
    words: Words = ENGLISH,
    ground: Ground = PLAIN,
) -> bytes:
    """The route as a PDF in A4: the picture, then the list of stops."""
    out, colours = io.BytesIO(), palette()
    # Without dates, equal routes give equal files.
    title = f"{route.city}: {words.title(route)}"
    about = {"Title": title, "CreationDate": None, "Creator": "FleetDesk"}
    lines = list(_lines(route, words))
    with PdfPages(out, metadata=about) as pages:
        page, number = Figure(figsize=_PAPER_IN), 1
        _heading(page, route, words, colours)
        wide, high = _RIGHT - _LEFT, 0.46
        axes = page.add_axes((_LEFT, _FIRST_TOP + 0.03, wide, high))
        size_in = (wide * _PAPER_IN[0], high * _PAPER_IN[1])
        _draw(axes, size_in, route, parkings, words, ground, colours)
        lines = _list(page, route, lines, words, colours, top=_FIRST_TOP)
        while True:
            page.text(_RIGHT, 0.025, str(number), ha="right", fontsize=8, color=colours.ink)
            pages.savefig(page, dpi=_DOTS)
            if not lines:
                break
            page, number = Figure(figsize=_PAPER_IN), number + 1
            _heading(page, route, words, colours)
            lines = _list(page, route, lines, words, colours, top=_TOP)
    return out.getvalue()


def _draw(
    axes: Any,
    size_in: tuple[float, float],
    route: CrewRoute,
    parkings: Sequence[Parking],
    words: Words,
    ground: Ground,
    colours: Palette,
) -> None:
    way, ink = colours.category(0), colours.ink
    points = [route.start, *(stop.at for stop in route.stops), route.end]
    lon, lat = [point.lon for point in points], [point.lat for point in points]
    around = _filling(_frame(lon, lat), size_in)
    roads_by = _roads(axes, around, ground)
    near = [p.at for p in parkings if _inside(p.at.lon, p.at.lat, around)]
    axes.scatter([p.lon for p in near], [p.lat for p in near], s=40, marker="s", c="#D8DEE3",
                 zorder=1)  # fmt: skip
    axes.plot(lon, lat, color=way, linewidth=1.6, zorder=2)
    axes.scatter(lon[:1], lat[:1], s=110, marker="D", c=ink, zorder=2.5)
    axes.annotate(
        words.start, (lon[0], lat[0]), textcoords="offset points", xytext=(0, -9), color=ink,
        ha="center", va="top", fontsize=9, zorder=2.6,
        bbox={"boxstyle": "square,pad=0.1", "fc": "white", "ec": "none", "alpha": 0.75},
    )  # fmt: skip
    axes.scatter(lon[1:-1], lat[1:-1], s=14, c=way, edgecolors="white", linewidths=0.5, zorder=3)
    _number(axes, size_in, route, around, colours)
    left, right, low, high = around
    axes.set(xlim=(left, right), ylim=(low, high))
    axes.set_aspect(1 / cos(radians((low + high) / 2)))
    axes.set_axis_off()
    under = words.roads.format(roads_by) if roads_by else words.no_basemap
    _scale(axes, around, words, under, colours.ink, has_parkings=bool(near))


def _roads(axes: Any, around: tuple[float, float, float, float], ground: Ground) -> str:
    """Grey lines, drawn as one picture in a PDF, which would be megabytes of lines else.

    Returns whom to thank for them; "" where there are none.
    """
    if ground.roads is None:
        return ""
    left, right, low, high = around
    found = ground.roads.within((low, left, high, right), _MOST_ROAD_POINTS)
    for kind, lines in found.items():
        axes.add_collection(
            LineCollection(
                [line[:, ::-1] for line in lines], linewidths=_ROAD_WIDTHS[kind], colors=_ROAD,
                capstyle="round", zorder=0, rasterized=True,
            ),
            autolim=False,
        )  # fmt: skip
    return ground.roads.credit if found else ""


def _number(
    axes: Any,
    size_in: tuple[float, float],
    route: CrewRoute,
    around: tuple[float, float, float, float],
    colours: Palette,
) -> None:
    """Write the stops' numbers where they have room, with a line to the stop if that is beside."""
    left, _, low, high = around
    shrink = cos(radians((low + high) / 2))
    per_in = (high - low) / size_in[1]

    def inches(point: Point) -> tuple[float, float]:
        return (point.lon - left) * shrink / per_in, (point.lat - low) / per_in

    def degrees(spot: tuple[float, float]) -> tuple[float, float]:
        return left + spot[0] * per_in / shrink, low + spot[1] * per_in

    start_x, start_y = inches(route.start)
    start = Box(start_x, start_y - 0.07, 0.18, 0.2)  # the diamond and its word
    taken = [start, Box(1.0, 0.15, 1.0, 0.2)]  # and the scale
    frame = {"boxstyle": "round,pad=0.25", "fc": "white", "ec": colours.category(0), "lw": 1.2}
    for sign in signs([inches(stop.at) for stop in route.stops], size_in, taken):
        x, y = degrees(sign.middle)
        at_x, at_y = degrees(sign.at)
        axes.plot([at_x, x], [at_y, y], color=colours.ink, linewidth=0.5, zorder=4)
        axes.annotate(sign.label, (x, y), ha="center", va="center", fontsize=7.5,
                      color=colours.ink, zorder=5, bbox=frame)  # fmt: skip


def _scale(
    axes: Any, around: tuple[float, float, float, float], words: Words, under: str, ink: str, *,
    has_parkings: bool,
) -> None:  # fmt: skip
    left, right, low, high = around
    km_per_degree = _KM_PER_DEGREE * cos(radians((low + high) / 2))
    width_km = (right - left) * km_per_degree
    length = max(step for step in _STEPS_KM if step <= max(width_km / 4, 0.1))
    begin, height = left + (right - left) * 0.03, low + (high - low) * 0.03
    axes.plot([begin, begin + length / km_per_degree], [height, height], color=ink, linewidth=2)
    text = f"{length:g} km, {under}"
    axes.annotate(text, (begin, height), textcoords="offset points",
                  xytext=(0, 5), fontsize=8, color=ink)  # fmt: skip
    if has_parkings:
        axes.annotate(f"■ {words.parking}", (right, height), textcoords="offset points",
                      xytext=(-6, 5), fontsize=8, ha="right", color="#7A8894")  # fmt: skip


def _frame(lon: Sequence[float], lat: Sequence[float]) -> tuple[float, float, float, float]:
    """The stops with air around them, at least some hundred metres; more below for the scale."""
    wide = max((max(lon) - min(lon)) * 0.08, 0.003)
    high = max((max(lat) - min(lat)) * 0.08, 0.002)
    return min(lon) - wide, max(lon) + wide, min(lat) - 2 * high, max(lat) + high


def _filling(
    around: tuple[float, float, float, float], size_in: tuple[float, float]
) -> tuple[float, float, float, float]:
    """The same with more to its sides, or above and below, until it fills the picture."""
    left, right, low, high = around
    shrink = cos(radians((low + high) / 2))
    wide, tall = (right - left) * shrink, high - low
    per_in = max(wide / size_in[0], tall / size_in[1])
    more_lon = (per_in * size_in[0] - wide) / shrink / 2
    more_lat = (per_in * size_in[1] - tall) / 2
    return left - more_lon, right + more_lon, low - more_lat, high + more_lat


def _inside(lon: float, lat: float, around: tuple[float, float, float, float]) -> bool:
    left, right, low, high = around
    return left <= lon <= right and low <= lat <= high


def _heading(figure: Figure, route: CrewRoute, words: Words, colours: Palette) -> None:
    title, city = words.title(route), f"{route.city}: {words.summary(route)}"
    figure.text(_LEFT, 0.95, title, fontsize=16, fontweight="bold", color=colours.ink)
    figure.text(_LEFT, 0.925, city, fontsize=10, color=colours.ink)


def _lines(route: CrewRoute, words: Words) -> Iterator[tuple[str, ...]]:
    """The stops as texts, with breaks and reloads between them as a line of one text."""
    for number in range(len(route.stops) + 1):
        if number > 0:
            yield words.cells(route, route.stops[number - 1])
        for pause in route.pauses:
            if pause.after_stop == number:
                yield (words.pause(route, pause),)


def _list(
    figure: Figure,
    route: CrewRoute,
    lines: Sequence[tuple[str, ...]],
    words: Words,
    colours: Palette,
    *,
    top: float,
) -> list[tuple[str, ...]]:
    """Write as many lines as the page holds, each as high as its longest text; return the rest."""
    if not lines:
        return []
    widths = _widths(route)
    height = _row(figure, words.heads(route), widths, top, colours, bold=True)
    left_over = list(lines)
    while left_over:
        rows = max(len(cell) for cell in _wrapped(left_over[0], widths))
        if height - rows * _LINE < _BOTTOM:
            break
        line = left_over.pop(0)
        shaded = len(line) == 1 or (len(lines) - len(left_over)) % 2 == 0
        height = _row(figure, line, widths, height, colours, shaded=shaded)
    return left_over


def _row(
    figure: Figure,
    texts: Sequence[str],
    widths: Sequence[float],
    top: float,
    colours: Palette,
    *,
    bold: bool = False,
    shaded: bool = False,
) -> float:
    """Write one line of the list below `top`; returns where the next one begins."""
    cells = _wrapped(texts, widths)
    height = max(len(cell) for cell in cells) * _LINE + 0.006
    if shaded:
        band = Rectangle((_LEFT - 0.008, top - height), _RIGHT - _LEFT + 0.016, height,
                         color=colours.ground, zorder=0, linewidth=0)  # fmt: skip
        figure.add_artist(band)
    place = _LEFT
    for cell, width in zip(cells, widths, strict=False):
        # Line by line on one base line: the tops of texts differ with their letters.
        for line, text in enumerate(cell, start=1):
            figure.text(place, top - line * _LINE + 0.002, text, fontsize=7.5, color=colours.ink,
                        fontweight="bold" if bold else "normal")  # fmt: skip
        place += width * (_RIGHT - _LEFT)
    return top - height


def _wrapped(texts: Sequence[str], widths: Sequence[float]) -> list[list[str]]:
    """Each text in lines that its column can show; a single text takes the whole width."""
    if len(texts) == 1:
        return [[texts[0]]]
    return [
        textwrap.wrap(text, max(4, int(width * 118))) or [""]
        for text, width in zip(texts, widths, strict=True)
    ]


def _widths(route: CrewRoute) -> tuple[float, ...]:
    if route.pay is None:
        return _SHARES
    stop, arrive, vehicle, todo, place, *others = _SHARES
    return (stop, arrive, vehicle, todo - _PAY_OF_TODO, place - _PAY + _PAY_OF_TODO, *others, _PAY)
