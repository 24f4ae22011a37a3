"""A route on plain ground as a picture, and the whole route on paper."""

from __future__ import annotations

import io
from collections.abc import Sequence
from math import cos, radians
from typing import Any

from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure

from fleetdesk.model.places import Parking
from fleetdesk.outputs.crew.stops import HEADERS, CrewRoute, CrewStop
from fleetdesk.outputs.palette import Palette, palette

_PAPER_IN = (8.27, 11.69)  # A4 upright
_ROWS = 34  # stops on one page of the list
_WIDTHS = (0.05, 0.07, 0.14, 0.22, 0.28, 0.06, 0.08, 0.10)
_KM_PER_DEGREE = 111.32


def picture(route: CrewRoute, parkings: Sequence[Parking], *, dots: int = 150) -> bytes:
    """The route as a PNG of 8 x 6 inches: numbered stops in order, parkings, a scale."""
    figure = Figure(figsize=(8, 6), layout="constrained")
    _draw(figure.add_subplot(), route, parkings, palette())
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=dots, metadata={"Software": None})
    return out.getvalue()


def paper(route: CrewRoute, parkings: Sequence[Parking]) -> bytes:
    """The route as a PDF in A4: the picture, then the list of stops."""
    out, colours = io.BytesIO(), palette()
    # Without dates, equal routes give equal files.
    about = {"Title": f"{route.city}: {route.title}", "CreationDate": None, "Creator": "FleetDesk"}
    with PdfPages(out, metadata=about) as pages:
        first = Figure(figsize=_PAPER_IN)
        _heading(first, route, colours)
        _draw(first.add_axes((0.06, 0.42, 0.88, 0.46)), route, parkings, colours)
        _list(first, route.stops[:12], colours, top=0.38)
        pages.savefig(first)
        for begin in range(12, len(route.stops), _ROWS):
            page = Figure(figsize=_PAPER_IN)
            _heading(page, route, colours)
            _list(page, route.stops[begin : begin + _ROWS], colours, top=0.88)
            pages.savefig(page)
    return out.getvalue()


def _draw(axes: Any, route: CrewRoute, parkings: Sequence[Parking], colours: Palette) -> None:
    way, ink = colours.category(0), colours.ink
    points = [route.start, *(stop.at for stop in route.stops), route.end]
    lon, lat = [point.lon for point in points], [point.lat for point in points]
    around = _frame(lon, lat)
    near = [p.at for p in parkings if _inside(p.at.lon, p.at.lat, around)]
    axes.scatter([p.lon for p in near], [p.lat for p in near], s=40, marker="s", c="#D8DEE3",
                 zorder=1, label="parking")  # fmt: skip
    axes.plot(lon, lat, color=way, linewidth=1.6, zorder=2)
    axes.scatter(lon[:1], lat[:1], s=130, marker="D", c=ink, zorder=4)
    axes.annotate("start", (lon[0], lat[0]), textcoords="offset points", xytext=(9, 7), color=ink)
    for stop in route.stops:
        axes.scatter(stop.at.lon, stop.at.lat, s=210, c="white", edgecolors=way, zorder=3)
        axes.annotate(str(stop.number), (stop.at.lon, stop.at.lat), ha="center", va="center",
                      fontsize=8, color=ink, zorder=5)  # fmt: skip
    left, right, low, high = around
    axes.set(xlim=(left, right), ylim=(low, high))
    axes.set_aspect(1 / cos(radians((low + high) / 2)))
    axes.set_axis_off()
    _scale(axes, around, colours.ink)


def _scale(axes: Any, around: tuple[float, float, float, float], ink: str) -> None:
    left, right, low, high = around
    km_per_degree = _KM_PER_DEGREE * cos(radians((low + high) / 2))
    width_km = (right - left) * km_per_degree
    length = max(step for step in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 1000)
                 if step <= max(width_km / 4, 0.1))  # fmt: skip
    begin, height = left + (right - left) * 0.03, low + (high - low) * 0.03
    axes.plot([begin, begin + length / km_per_degree], [height, height], color=ink, linewidth=2)
    axes.annotate(f"{length:g} km, no basemap", (begin, height), textcoords="offset points",
                  xytext=(0, 5), fontsize=8, color=ink)  # fmt: skip


def _frame(lon: Sequence[float], lat: Sequence[float]) -> tuple[float, float, float, float]:
    """The stops with air around them, at least some hundred metres wide."""
    wide = max((max(lon) - min(lon)) * 0.08, 0.003)
    high = max((max(lat) - min(lat)) * 0.08, 0.002)
    return min(lon) - wide, max(lon) + wide, min(lat) - high, max(lat) + high


def _inside(lon: float, lat: float, around: tuple[float, float, float, float]) -> bool:
    left, right, low, high = around
    return left <= lon <= right and low <= lat <= high


def _heading(figure: Figure, route: CrewRoute, colours: Palette) -> None:
    figure.text(0.06, 0.95, route.title, fontsize=16, fontweight="bold", color=colours.ink)
    figure.text(0.06, 0.925, f"{route.city}: {route.summary}", fontsize=10, color=colours.ink)


def _list(figure: Figure, stops: Sequence[CrewStop], colours: Palette, *, top: float) -> None:
    step = 0.024
    for row, texts in enumerate([HEADERS, *(stop.cells for stop in stops)]):
        place = 0.06
        weight = "bold" if row == 0 else "normal"
        for text, width in zip(texts, _WIDTHS, strict=True):
            shown, height = _short(text, width), top - row * step
            figure.text(place, height, shown, fontsize=7.5, color=colours.ink, fontweight=weight)
            place += width * 0.88


def _short(text: str, width: float) -> str:
    """Cut to what its column can show."""
    room = int(width * 105)
    return text if len(text) <= room else text[: room - 1] + "…"
