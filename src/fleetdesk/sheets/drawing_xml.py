"""The drawing of a sheet: which charts and pictures stand on it and which cells they cover.

Source: ECMA-376 part 1, 20.5 (spreadsheet drawings).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from xml.sax.saxutils import quoteattr

from fleetdesk.sheets.a1 import Area
from fleetdesk.sheets.values import plain_text
from fleetdesk.sheets.xml_spans import Edit, Node, put_attr

ROW_EMU, COLUMN_EMU = 190_500, 609_600
"""A row of 15 points and a column of Excel's standard width."""
_PIXEL_EMU = 9_525
_ANCHORS = ("twoCellAnchor", "oneCellAnchor", "absoluteAnchor")
_FRAMES = {"graphicFrame": "nvGraphicFramePr", "pic": "nvPicPr"}


@dataclass(frozen=True, slots=True)
class Anchor:
    """One chart or picture; `link` is its relationship, `area` None when it hangs on no cell."""

    node: Node
    properties: Node
    name: str
    link: str
    link_node: Node | None
    area: Area | None


@dataclass(frozen=True, slots=True)
class Names:
    """The namespaces of a drawing, transitional or strict."""

    sheet: str
    main: str
    chart: str
    relations: str

    @classmethod
    def of(cls, strict: bool) -> Names:
        """As the workbook has them."""
        base = "http://purl.oclc.org/ooxml" if strict else "http://schemas.openxmlformats.org"
        year = "" if strict else "2006/"
        return cls(
            f"{base}/drawingml/{year}spreadsheetDrawing",
            f"{base}/drawingml/{year}main",
            f"{base}/drawingml/{year}chart",
            f"{base}/officeDocument/{year}relationships",
        )


def blank_drawing(names: Names) -> bytes:
    """A drawing without anything on it."""
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
        f'<xdr:wsDr xmlns:xdr="{names.sheet}" xmlns:a="{names.main}"></xdr:wsDr>'
    ).encode()


def anchors(xml: bytes, root: Node) -> list[Anchor]:
    """Everything on the drawing that can be told by a name, in its order."""
    found = []
    for node in root.children:
        frame = next((child for child in node.children if child.local in _FRAMES), None)
        if node.local not in _ANCHORS or frame is None:
            continue
        head = frame.child(_FRAMES[frame.local])
        properties = head.child("cNvPr") if head else None
        if properties is None:
            continue
        target = next((n for n in _walk(frame) if n.local in ("chart", "blip")), None)
        link = target.get("id") or target.get("embed") if target else ""
        area = _area(xml, node)
        found.append(Anchor(node, properties, properties.get("name"), link, target, area))
    return found


def places(xml: bytes, root: Node) -> list[Area | None]:
    """What anything on the drawing covers, shapes and groups included; None where that is free."""
    return [_area(xml, node) for node in _walk(root) if node.local in _ANCHORS]


def free_id(root: Node) -> int:
    """A number that nothing on the drawing has; groups and fallbacks count too."""
    used = [node.get("id") for node in _walk(root) if node.local == "cNvPr"]
    return max((int(number) for number in used if number.isdigit()), default=1) + 1


def chart_anchor(names: Names, area: Area, id_: int, name: str, alt: str, link: str) -> bytes:
    """A chart over an area of cells; it moves with them and keeps its size."""
    return (
        f'<xdr:twoCellAnchor xmlns:xdr="{names.sheet}" xmlns:a="{names.main}" editAs="oneCell">'
        f"{_marker('from', area.top - 1, area.left - 1)}{_marker('to', area.bottom, area.right)}"
        f'<xdr:graphicFrame macro=""><xdr:nvGraphicFramePr>{_properties(id_, name, alt)}'
        "<xdr:cNvGraphicFramePr/></xdr:nvGraphicFramePr>"
        '<xdr:xfrm><a:off x="0" y="0"/><a:ext cx="0" cy="0"/></xdr:xfrm>'
        f'<a:graphic><a:graphicData uri="{names.chart}"><c:chart xmlns:c="{names.chart}" '
        f'xmlns:r="{names.relations}" r:id="{link}"/></a:graphicData></a:graphic>'
        "</xdr:graphicFrame><xdr:clientData/></xdr:twoCellAnchor>"
    ).encode()


def picture_anchor(
    names: Names, area: Area, size: tuple[int, int], id_: int, name: str, alt: str, link: str
) -> bytes:
    """A picture in its own size (pixels) at the corner of an area."""
    extent = f'cx="{size[0] * _PIXEL_EMU}" cy="{size[1] * _PIXEL_EMU}"'
    return (
        f'<xdr:oneCellAnchor xmlns:xdr="{names.sheet}" xmlns:a="{names.main}">'
        f"{_marker('from', area.top - 1, area.left - 1)}<xdr:ext {extent}/>"
        f"<xdr:pic><xdr:nvPicPr>{_properties(id_, name, alt)}"
        '<xdr:cNvPicPr><a:picLocks noChangeAspect="1"/></xdr:cNvPicPr></xdr:nvPicPr>'
        f'<xdr:blipFill><a:blip xmlns:r="{names.relations}" r:embed="{link}"/>'
        "<a:stretch><a:fillRect/></a:stretch></xdr:blipFill>"
        f'<xdr:spPr><a:xfrm><a:off x="0" y="0"/><a:ext {extent}/></a:xfrm>'
        '<a:prstGeom prst="rect"><a:avLst/></a:prstGeom></xdr:spPr>'
        "</xdr:pic><xdr:clientData/></xdr:oneCellAnchor>"
    ).encode()


def renamed(xml: bytes, anchor: Anchor, name: str, alt: str) -> list[Edit]:
    """The anchor with another name and alt text, everything else as it is."""
    wanted = {"name": plain_text(name), "descr": plain_text(alt)}
    return [put_attr(xml, anchor.properties, key, text) for key, text in wanted.items()]


def picture_size(png: bytes) -> tuple[int, int]:
    """Width and height of a PNG in pixels; ValueError when it is none."""
    if png[:8] != b"\x89PNG\r\n\x1a\n" or png[12:16] != b"IHDR":
        raise ValueError("a picture for a sheet must be a PNG")
    width, height = struct.unpack(">II", png[16:24])
    return int(width), int(height)


def cells_of(size: tuple[int, int]) -> tuple[int, int]:
    """Rows and columns of standard size that a picture covers."""
    return -(-size[1] * _PIXEL_EMU // ROW_EMU), -(-size[0] * _PIXEL_EMU // COLUMN_EMU)


def _properties(id_: int, name: str, alt: str) -> str:
    return f'<xdr:cNvPr id="{id_}" name={_attribute(name)} descr={_attribute(alt)}/>'


def _marker(tag: str, row: int, column: int) -> str:
    return (
        f"<xdr:{tag}><xdr:col>{column}</xdr:col><xdr:colOff>0</xdr:colOff>"
        f"<xdr:row>{row}</xdr:row><xdr:rowOff>0</xdr:rowOff></xdr:{tag}>"
    )


def _area(xml: bytes, node: Node) -> Area | None:
    start = _place(xml, node.child("from"))
    if start is None:
        return None
    row, column = start["row"], start["col"]
    end = _place(xml, node.child("to"))
    if end is not None:
        # An end exactly on a line does not touch the cell behind it.
        bottom = end["row"] + (end["rowOff"] > 0)
        right = end["col"] + (end["colOff"] > 0)
    else:
        size = node.child("ext")
        bottom = row + -(-_number(size.get("cy") if size else "") // ROW_EMU)
        right = column + -(-_number(size.get("cx") if size else "") // COLUMN_EMU)
    return Area(row + 1, column + 1, max(bottom, row + 1), max(right, column + 1))


def _place(xml: bytes, node: Node | None) -> dict[str, int] | None:
    if node is None:
        return None
    texts = {child.local: xml[child.open_end : child.close_start] for child in node.children}
    return {
        name: _number(texts.get(name, b"").decode(errors="replace").strip())
        for name in ("row", "col", "rowOff", "colOff")
    }


def _number(text: str) -> int:
    return int(text) if text.lstrip("-").isdigit() else 0


def _attribute(text: str) -> str:
    return quoteattr(plain_text(text))


def _walk(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from _walk(child)
