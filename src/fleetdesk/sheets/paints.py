"""The planner's own colours and letters in our cells: told from ours, and put on them again."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from fleetdesk.sheets.xml_spans import Node

Letters = tuple[bool, bool, bool, bool, str]
"""Bold, italic, underlined, struck, and the colour ("" = as in any cell)."""

_PLAIN_COLOURS = {"", "theme 1", "indexed 64", "indexed 8", "auto 1", "rgb FF000000"}
_NO_FILLS = {"none", "gray125"}


def painted_styles(
    root: Node, our_fills: Collection[str], our_letters: Collection[Letters]
) -> dict[int, tuple[int | None, int | None]]:
    """The cell formats (by place) with a fill or a font that is not ours: which of them it has.

    `our_fills` are ARGB colours. The workbook's first font is everybody's.
    """
    fills = [_has_own_fill(node, our_fills) for node in _items(root, "fills")]
    fonts = [letters(node) for node in _items(root, "fonts")]
    known = {*our_letters, *fonts[:1]}
    found: dict[int, tuple[int | None, int | None]] = {}
    for place, node in enumerate(_items(root, "cellXfs")):
        fill, font = int(node.get("fillId", "0")), int(node.get("fontId", "0"))
        own_fill = fill if fill < len(fills) and fills[fill] else None
        own_font = font if font < len(fonts) and fonts[font] not in known else None
        if own_fill is not None or own_font is not None:
            found[place] = own_fill, own_font
    return found


def letters(font: Node) -> Letters:
    """What a planner changes in a font."""
    marks = [_is_on(font.child(name)) for name in ("b", "i", "u", "strike")]
    colour = font.child("color")
    told = next(iter(sorted((colour.attrs if colour else {}).items())), ("", ""))
    name = f"{told[0]} {told[1].upper()}".strip() if told[0] != "tint" else ""
    return marks[0], marks[1], marks[2], marks[3], "" if name in _PLAIN_COLOURS else name


def with_paint(xf: bytes, fill: int | None, font: int | None) -> bytes:
    """A cell format of ours with the planner's fill, font or both."""
    for name, place in (("fillId", fill), ("fontId", font)):
        if place is not None:
            xf = re.sub(rb'%s="\d+"' % name.encode(), b'%s="%d"' % (name.encode(), place), xf)
    return xf


def _items(root: Node, name: str) -> Sequence[Node]:
    shelf = root.child(name)
    return shelf.children if shelf else ()


def _has_own_fill(fill: Node, ours: Collection[str]) -> bool:
    pattern = fill.child("patternFill")
    if pattern is None:
        return bool(fill.children)  # a gradient
    front = pattern.child("fgColor")
    if pattern.get("patternType", "none") in _NO_FILLS:
        return False
    return front is None or front.get("rgb").upper() not in ours


def _is_on(mark: Node | None) -> bool:
    return mark is not None and mark.get("val", "1") not in ("0", "false", "none")
