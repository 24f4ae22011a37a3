"""Pictures about riders: the tree of groups within groups."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

from fleetdesk.outputs.palette import palette
from fleetdesk.sheets.base import Image

if TYPE_CHECKING:
    from fleetdesk.riders.hierarchy import Hierarchy

_DPI = 96
_WIDTH_IN, _HEIGHT_IN = 8.0, 4.5
_LEAVES = 30


def dendrogram(found: Hierarchy) -> Image | None:
    """Ward's tree down to 30 branches, each with its number of riders; None without a tree."""
    if not len(found.tree):
        return None
    from matplotlib.figure import Figure
    from scipy.cluster.hierarchy import dendrogram as draw

    colours = palette()
    figure = Figure(figsize=(_WIDTH_IN, _HEIGHT_IN), dpi=_DPI, facecolor=colours.paper)
    axes = figure.add_subplot()
    draw(
        found.tree, p=_LEAVES, truncate_mode="lastp", ax=axes, leaf_rotation=90,
        color_threshold=0, above_threshold_color=colours.category(0),
    )  # fmt: skip
    axes.set_title("Groups within groups", color=colours.ink)
    axes.set_xlabel("Riders in each branch, or one rider's place", color=colours.ink)
    axes.set_ylabel("Ward distance", color=colours.ink)
    axes.tick_params(colors=colours.ink)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    figure.tight_layout()
    drawn = BytesIO()
    figure.savefig(drawn, format="png", metadata={"Software": None})
    alt = f"Tree of {found.sampled} riders by Ward's method, cut at {_LEAVES} branches"
    return Image(drawn.getvalue(), alt)
