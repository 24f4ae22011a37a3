"""Where work pays, as a picture for the sheet ROI: cells coloured by the ROI of their tasks."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from math import cos, radians

from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from fleetdesk.model.places import cell_bounds
from fleetdesk.outputs.map.data import cell_colour, roi_edges
from fleetdesk.outputs.map.view import MapCell
from fleetdesk.outputs.palette import Palette, palette
from fleetdesk.outputs.wording import roi_name
from fleetdesk.settings.schema import Settings
from fleetdesk.sheets.base import Image

_DPI = 96
_WIDTH_IN, _HEIGHT_IN = 7.0, 5.5
_MARGIN = 0.08


def roi_picture(roi_by_cell: Mapping[str, float], settings: Settings) -> Image | None:
    """North up, no map below; the legend says which colour means how much, in city currency.

    Takes the summed ROI by geohash cell. None where there is no cell to draw.
    """
    if not roi_by_cell:
        return None
    colours, name = palette(), f"{roi_name(settings)} ({settings.city.currency})"
    cells = [MapCell(cell, roi, 0) for cell, roi in sorted(roi_by_cell.items())]
    edges = roi_edges(cells)
    figure = Figure(figsize=(_WIDTH_IN, _HEIGHT_IN), dpi=_DPI, facecolor=colours.paper)
    axes = figure.add_subplot()
    bounds = [cell_bounds(cell.cell) for cell in cells]
    for cell, (low, high) in zip(cells, bounds, strict=True):
        axes.add_patch(
            Rectangle(
                (low.lon, low.lat), high.lon - low.lon, high.lat - low.lat,
                facecolor=cell_colour(cell.roi, edges, colours), edgecolor=colours.ink,
                linewidth=0.4,
            )
        )  # fmt: skip
    south, north = min(b[0].lat for b in bounds), max(b[1].lat for b in bounds)
    west, east = min(b[0].lon for b in bounds), max(b[1].lon for b in bounds)
    axes.set_xlim(west - _MARGIN * (east - west), east + _MARGIN * (east - west))
    axes.set_ylim(south - _MARGIN * (north - south), north + _MARGIN * (north - south))
    axes.set_aspect(1 / cos(radians((south + north) / 2)))
    axes.set_facecolor(colours.ground)
    axes.set_xlabel("Longitude (°)", color=colours.ink)
    axes.set_ylabel("Latitude (°)", color=colours.ink)
    axes.ticklabel_format(useOffset=False)
    axes.locator_params(nbins=5)
    axes.set_title("Where work pays: ROI of all tasks by cell", color=colours.ink)
    axes.legend(
        handles=_legend(edges, colours), title=name, loc="center left", bbox_to_anchor=(1.01, 0.5),
        frameon=False, fontsize="small", title_fontsize="small",
    )  # fmt: skip
    figure.tight_layout()
    return Image(_png(figure), _told(roi_by_cell, name))


def _legend(edges: tuple[float, ...], colours: Palette) -> list[Patch]:
    """From low to high, as the classes of the route map."""
    upper = [f"to {edge:g}" for edge in edges[1:]]
    names = [f"{edge:g} {end}" for edge, end in zip(edges, [*upper, "and more"], strict=True)]
    return [
        Patch(facecolor=colours.below, edgecolor=colours.ink, label="below 0"),
        *(
            Patch(facecolor=colours.steps[i], edgecolor=colours.ink, label=label)
            for i, label in enumerate(names)
        ),
    ]


def _png(figure: Figure) -> bytes:
    """The same bytes for the same figure: no date and no version in the file."""
    out = BytesIO()
    figure.savefig(out, format="png", metadata={"Software": None})
    return out.getvalue()


def _told(roi_by_cell: Mapping[str, float], name: str) -> str:
    best = max(sorted(roi_by_cell), key=lambda cell: roi_by_cell[cell])
    losing = sum(roi < 0 for roi in roi_by_cell.values())
    return (
        f"Map of {len(roi_by_cell)} cells coloured by {name}. Highest: {best} with "
        f"{roi_by_cell[best]:.2f}; {losing} cells are below 0."
    )
