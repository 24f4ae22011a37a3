"""A sheet's XML around its rows: new sheets, and edits of the few elements that we own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from xml.sax.saxutils import quoteattr

from fleetdesk.sheets.a1 import MAX_COLUMN, Area, address
from fleetdesk.sheets.base import ResultSheet
from fleetdesk.sheets.xml_spans import Edit, Node, append_child, apply, parse

_ORDER = [
    "sheetPr",
    "dimension",
    "sheetViews",
    "sheetFormatPr",
    "cols",
    "sheetData",
    "sheetCalcPr",
    "sheetProtection",
    "protectedRanges",
    "scenarios",
    "autoFilter",
    "sortState",
    "dataConsolidate",
    "customSheetViews",
    "mergeCells",
    "phoneticPr",
    "conditionalFormatting",
    "dataValidations",
    "hyperlinks",
    "printOptions",
    "pageMargins",
    "pageSetup",
    "headerFooter",
    "rowBreaks",
    "colBreaks",
    "customProperties",
    "cellWatches",
    "ignoredErrors",
    "smartTags",
    "drawing",
    "legacyDrawing",
    "legacyDrawingHF",
    "drawingHF",
    "picture",
    "oleObjects",
    "controls",
    "webPublishItems",
    "tableParts",
    "extLst",
]
_MARK = b"\x01rows\x01"


def blank_sheet(namespace: str, area: Area, one_page: bool = False, pages_wide: int = 1) -> bytes:
    """A new sheet without cells: frozen header, landscape, so many pages wide (and one high)."""
    below = address(area.top + 1, area.left)
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
        f'<worksheet xmlns="{namespace}">'
        '<sheetPr><tabColor rgb="FF1F5A6E"/><pageSetUpPr fitToPage="1"/></sheetPr>'
        '<dimension ref="A1"/><sheetViews><sheetView showGridLines="0" workbookViewId="0">'
        f'<pane ySplit="{area.top}" topLeftCell="{below}" activePane="bottomLeft" state="frozen"/>'
        f'<selection pane="bottomLeft" activeCell="{below}" sqref="{below}"/></sheetView>'
        '</sheetViews><sheetFormatPr defaultRowHeight="15"/><sheetData/>'
        '<pageMargins left="0.4" right="0.4" top="0.6" bottom="0.6" header="0.3" footer="0.3"/>'
        '<pageSetup paperSize="9" orientation="landscape" '
        f'fitToWidth="{pages_wide}" fitToHeight="{int(one_page)}"/>'
        "<headerFooter><oddFooter>&amp;L&amp;A&amp;RPage &amp;P of &amp;N</oddFooter>"
        "</headerFooter><ignoredErrors>"
        f'<ignoredError sqref="{area.ref}" numberStoredAsText="1"/></ignoredErrors></worksheet>'
    ).encode()


def hidden_sheet(namespace: str) -> bytes:
    """A new sheet for the manifest."""
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
        f'<worksheet xmlns="{namespace}"><sheetData/></worksheet>'
    ).encode()


@dataclass
class SheetFrame:
    """A sheet's XML around its rows, ready to be written."""

    head: bytes
    tail: bytes
    prefix: str

    def write(self, rows: Iterator[bytes], write: Callable[[bytes], None]) -> None:
        """Stream the whole part."""
        write(self.head)
        for piece in rows:
            write(piece)
        write(self.tail)


def frame(skeleton: bytes, where: str, edits: Callable[[Node], list[Edit]]) -> SheetFrame:
    """The sheet around its rows, with the given edits made."""
    root = parse(skeleton, where)
    p = root.prefix
    marked = f"<{p}sheetData>".encode() + _MARK + f"</{p}sheetData>".encode()
    old = root.child("sheetData")
    place = (old.start, old.end, marked) if old else put_element(root, "sheetData", marked)
    head, _, tail = apply(skeleton, [*edits(root), place]).partition(_MARK)
    return SheetFrame(head, tail, p)


def put_element(root: Node, local: str, xml: bytes) -> Edit:
    """Replace a child of the sheet, or put it where the schema wants it; empty XML removes it."""
    old = root.child(local)
    if old is not None:
        return old.start, old.end, xml
    rank = _ORDER.index(local)
    before = [node for node in root.children if _rank(node) < rank]
    if not before and root.open_end == root.end:
        return append_child(root, xml)
    at = before[-1].end if before else root.open_end
    return at, at, xml


def columns_xml(
    prefix: str,
    sheet: ResultSheet,
    left: int,
    old: Node | None,
    owned: Mapping[int, str],
    moved: Mapping[int, int],
) -> bytes:
    """Column widths: new columns as planned, those that were there as the planner left them."""
    before = _ColumnFormats(old)
    headers = {header: column for column, header in owned.items()}
    end = max([left + len(sheet.columns) - 1, *owned, *moved, *moved.values()])
    wanted: dict[int, dict[str, str]] = {}
    gone = set(owned) | set(moved)
    for column in range(1, end + 1):
        known = before.at(column)
        if known and column not in gone:
            wanted[column] = known
    for source, target in moved.items():
        wanted[target] = before.at(source) or {}
    for index, planned in enumerate(sheet.columns):
        fresh = {"width": f"{min(max(planned.width, 3), 255):g}", "customWidth": "1"}
        wanted[left + index] = before.at(headers.get(planned.header, 0)) or fresh
    items = [(column, column, attrs) for column, attrs in sorted(wanted.items()) if attrs]
    items += before.beyond(end)
    columns = "".join(
        f'<{prefix}col min="{first}" max="{last}"'
        + "".join(f" {name}={quoteattr(value)}" for name, value in attrs.items())
        + "/>"
        for first, last, attrs in items
    )
    return f"<{prefix}cols>{columns}</{prefix}cols>".encode() if columns else b""


def _rank(node: Node) -> int:
    if node.local in _ORDER:
        return _ORDER.index(node.local)
    # Excel wraps form controls so; they stand where controls do.
    return _ORDER.index("controls")


class _ColumnFormats:
    """The `cols` element of a sheet by column."""

    def __init__(self, node: Node | None) -> None:
        self.items = [
            (
                int(child.get("min") or 1),
                int(child.get("max") or MAX_COLUMN),
                {k: v for k, v in child.attrs.items() if k not in ("min", "max")},
            )
            for child in (node.children if node else [])
        ]

    def at(self, column: int) -> dict[str, str] | None:
        return next((a for first, last, a in self.items if first <= column <= last), None)

    def beyond(self, end: int) -> list[tuple[int, int, dict[str, str]]]:
        return [(max(f, end + 1), last, attrs) for f, last, attrs in self.items if last > end]
