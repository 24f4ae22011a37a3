"""Excel tables: read the ones there are, write the owned one anew or make it.

What a planner set on an owned table (its style, added columns, totals row) is kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import quoteattr

from fleetdesk.sheets.a1 import Area
from fleetdesk.sheets.package_zip import Package
from fleetdesk.sheets.values import escape_xstring, unescape_xstring
from fleetdesk.sheets.xml_spans import Edit, Node, apply, as_utf8, cut_attr, parse, put_attr

STYLE = "TableStyleLight1"


@dataclass(frozen=True)
class TablePart:
    """One table as stored."""

    part: str
    xml: bytes
    root: Node
    id: int
    name: str
    area: Area
    totals: int
    columns: tuple[Node, ...]

    @property
    def headers(self) -> tuple[str, ...]:
        """The columns' names."""
        return tuple(unescape_xstring(node.get("name")) for node in self.columns)


def read_table(package: Package, part: str) -> TablePart | None:
    """A table part; None when it says nothing usable."""
    xml = as_utf8(package.part(part))
    root = parse(xml, part)
    area = Area.parse(root.get("ref"))
    listed = root.child("tableColumns")
    if area is None or listed is None:
        return None
    return TablePart(
        part=part,
        xml=xml,
        root=root,
        id=int(root.get("id") or 0),
        name=root.get("displayName") or root.get("name"),
        area=area,
        totals=int(root.get("totalsRowCount") or 0),
        columns=tuple(listed.all("tableColumn")),
    )


def new_table(
    namespace: str, table_id: int, name: str, headers: Sequence[str], area: Area
) -> bytes:
    """A table part with a filter on every column."""
    columns = "".join(
        f'<tableColumn id="{index}" name={_attr(header)}/>'
        for index, header in enumerate(headers, start=1)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
        f'<table xmlns="{namespace}" id="{table_id}" name={_attr(name)} displayName={_attr(name)} '
        f'ref="{area.ref}" totalsRowShown="0"><autoFilter ref="{area.ref}"/>'
        f'<tableColumns count="{len(headers)}">{columns}</tableColumns>'
        f'<tableStyleInfo name="{STYLE}" showFirstColumn="0" showLastColumn="0" '
        'showRowStripes="1" showColumnStripes="0"/></table>'
    ).encode()


def planner_columns(
    headers: Sequence[str], owned: Sequence[str], new: Sequence[str]
) -> dict[str, str]:
    """The planner's own columns: old name -> name that does not clash with the new headers."""
    taken = {header.casefold() for header in new}
    names: dict[str, str] = {}
    for header in headers:
        if header in owned:
            continue
        name, number = header, 2
        while name.casefold() in taken:
            name, number = f"{header} ({number})", number + 1
        taken.add(name.casefold())
        names[header] = name
    return names


def rewritten_table(
    table: TablePart, headers: Sequence[str], extra: Mapping[str, str], area: Area
) -> bytes:
    """The same table over a new range: owned columns first, then the planner's (`extra`).

    Filters and sorting are cleared, so that every row of the new result is seen.
    """
    p = table.root.prefix
    by_name = dict(zip(table.headers, table.columns, strict=True))
    next_id = max((int(node.get("id") or 0) for node in table.columns), default=0) + 1
    pieces: list[bytes] = []
    for header in headers:
        node = by_name.get(header)
        if node is not None and node.child("calculatedColumnFormula") is None:
            pieces.append(table.xml[node.start : node.end])
            continue
        pieces.append(f'<{p}tableColumn id="{next_id}" name={_attr(header)}/>'.encode())
        next_id += 1
    for old, new in extra.items():
        node = by_name[old]
        raw = table.xml[node.start : node.end]
        if old != new:
            raw = apply(table.xml, [put_attr(table.xml, node, "name", escape_xstring(new))])
            raw = raw[node.start : len(raw) - (len(table.xml) - node.end)]
        pieces.append(raw)
    edits: list[Edit] = [put_attr(table.xml, table.root, "ref", area.ref)]
    for name in ("headerRowCount", "insertRow", "insertRowShift"):
        cut = cut_attr(table.xml, table.root, name)
        if cut:
            edits.append(cut)
    body = Area(area.top, area.left, area.bottom - table.totals, area.right)
    for child in table.root.children:
        if child.local == "autoFilter":
            fresh = f'<{p}autoFilter ref="{body.ref}"/>'.encode()
            edits.append((child.start, child.end, fresh))
        elif child.local == "sortState":
            edits.append((child.start, child.end, b""))
        elif child.local == "tableColumns":
            fresh = f'<{p}tableColumns count="{len(pieces)}">'.encode() + b"".join(pieces)
            edits.append((child.start, child.end, fresh + f"</{p}tableColumns>".encode()))
    return apply(table.xml, edits)


def _attr(text: str) -> str:
    return quoteattr(escape_xstring(text).replace("\n", "_x000a_").replace("\t", "_x0009_"))
