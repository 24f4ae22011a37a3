"""A table of numbers as a picture: rows by columns, darker is more."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

from fleetdesk.outputs.palette import palette
from fleetdesk.sheets.base import Image

_DPI = 96
_CELL_IN, _MARGIN_IN = 0.42, 1.6
_LARGEST_IN = 11.0


def heat_map(
    rows: Sequence[str], columns: Sequence[str], values: Sequence[Sequence[float | None]], *,
    title: str, row_title: str, column_title: str,
) -> Image | None:  # fmt: skip
    """One coloured cell per value with its number in it, empty where None; None without rows."""
    if not rows or not columns:
        return None
    # Drawing loads slowly; sheets before the first run need none.
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.figure import Figure

    colours = palette()
    wide = min(_LARGEST_IN, _MARGIN_IN + _CELL_IN * len(columns))
    high = min(_LARGEST_IN, _MARGIN_IN + _CELL_IN * 0.7 * len(rows))
    figure = Figure(figsize=(wide, high), dpi=_DPI, facecolor=colours.paper)
    axes = figure.add_subplot()
    ramp = LinearSegmentedColormap.from_list("steps", list(colours.steps))
    numbers = [[float("nan") if value is None else value for value in row] for row in values]
    image = axes.imshow(numbers, cmap=ramp, aspect="auto")
    axes.set_xticks(range(len(columns)), labels=columns)
    axes.set_yticks(range(len(rows)), labels=rows)
    axes.set_xlabel(column_title, color=colours.ink)
    axes.set_ylabel(row_title, color=colours.ink)
    axes.set_title(title, color=colours.ink)
    middle = sum(image.get_clim()) / 2
    for place, row in enumerate(values):
        for number, value in enumerate(row):
            if value is not None:
                ink = colours.paper if value > middle else colours.ink
                axes.text(number, place, f"{value:.0f}", ha="center", va="center", fontsize=7,
                          color=ink)  # fmt: skip
    out = BytesIO()
    figure.savefig(out, format="png", bbox_inches="tight", metadata={"Software": None})
    return Image(out.getvalue(), f"{title}: {row_title} by {column_title}, darker is more")
