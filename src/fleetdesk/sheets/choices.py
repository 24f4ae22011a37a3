"""Dropdowns in the columns of a result that a planner may edit; they offer and never forbid."""

from __future__ import annotations

from xml.sax.saxutils import escape

from fleetdesk.sheets.a1 import Area, address
from fleetdesk.sheets.base import ResultSheet
from fleetdesk.sheets.sheet_frame import put_element
from fleetdesk.sheets.xml_spans import Edit, Node

OURS = "FleetDesk"  # written as the error's title, by which a later run knows its own
LONGEST = 255  # characters that a list written into the rule may have


def offered(choices: tuple[str, ...]) -> str | None:
    """The choices as one text with commas; None when they cannot be written so."""
    listed = ",".join(choices)
    unfit = len(listed) > LONGEST or any("," in choice or '"' in choice for choice in choices)
    return None if unfit or not choices else listed


def dropdowns(root: Node, skeleton: bytes, sheet: ResultSheet, area: Area) -> Edit | None:
    """The sheet's rules with ours renewed over the table's rows; the planner's stay as they are."""
    old = root.child("dataValidations")
    p = root.prefix
    theirs = [
        skeleton[node.start : node.end]
        for node in (old.children if old else [])
        if node.get("errorTitle") != OURS
    ]
    ours = [
        f'<{p}dataValidation type="list" allowBlank="1" errorTitle="{OURS}" sqref="{place}">'
        f"<{p}formula1>&quot;{escape(listed)}&quot;</{p}formula1></{p}dataValidation>".encode()
        for place, listed in _places(sheet, area)
    ]
    if old is None and not ours:
        return None
    if not theirs and not ours:
        return put_element(root, "dataValidations", b"")
    rules = b"".join(theirs + ours)
    count = len(theirs) + len(ours)
    return put_element(
        root,
        "dataValidations",
        f'<{p}dataValidations count="{count}">'.encode()
        + rules
        + f"</{p}dataValidations>".encode(),
    )


def _places(sheet: ResultSheet, area: Area) -> list[tuple[str, str]]:
    return [
        (
            f"{address(area.top + 1, area.left + index)}:{address(area.bottom, area.left + index)}",
            listed,
        )
        for index, column in enumerate(sheet.columns)
        if (listed := offered(column.choices)) and area.bottom > area.top
    ]
