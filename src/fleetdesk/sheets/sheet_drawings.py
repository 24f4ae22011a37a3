"""The charts and pictures of an owned sheet, put beside its table and renewed where they are.

A sheet has one drawing, so ours stand in it beside the planner's: ours are told by the names that
the manifest keeps (or, where a program gave new names, by their title), and everything else in
the drawing stays byte for byte. A chart that the planner moved or resized stays where it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from fleetdesk.model.charts import Chart
from fleetdesk.sheets.a1 import Area, rectangle
from fleetdesk.sheets.base import Image, ResultSheet
from fleetdesk.sheets.chart_xml import chart_xml
from fleetdesk.sheets.drawing_xml import (
    Anchor,
    Names,
    anchors,
    blank_drawing,
    cells_of,
    chart_anchor,
    free_id,
    picture_anchor,
    picture_size,
    renamed,
)
from fleetdesk.sheets.package_zip import Content
from fleetdesk.sheets.parts import Book, package_targets, relationships_of, rels_name
from fleetdesk.sheets.sheet_links import SheetRelations
from fleetdesk.sheets.xml_spans import Edit, Node, append_child, apply, as_utf8, parse, put_attr

CHART_ROWS, CHART_COLUMNS = 17, 10
_NOTE_COLUMNS = 2
"""Columns beside the table that stay free for the planner's notes."""
_FARTHEST = 30
"""Columns right of the table within which a free place is sought; beyond, charts go below."""
_DRAWING = "application/vnd.openxmlformats-officedocument.drawing+xml"
_CHART = "application/vnd.openxmlformats-officedocument.drawingml.chart+xml"

FreePart = Callable[[str, str], str]
"""(`xl/charts/chart`, `.xml`) -> a part name that nobody uses."""


@dataclass
class Drawn:
    """What the drawing of a sheet changes: parts, their content types, the manifest's record.

    `link` is the sheet's relationship to its drawing, set when the drawing is new.
    """

    record: tuple[tuple[str, str], ...] = ()
    changes: dict[str, Content] = field(default_factory=dict)
    added: list[tuple[str, str]] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    link: str | None = None


def draw(
    book: Book,
    sheet: ResultSheet,
    known: Sequence[tuple[str, str]],
    root: Node,
    relations: SheetRelations,
    shown_as: str,
    area: Area,
    cells: Sequence[Area],
    free_part: FreePart,
) -> Drawn:
    """Put the sheet's charts and pictures on its drawing; `known` are those of the last run.

    `root` is the sheet's XML, `area` the table, `cells` what else is filled on the sheet.
    """
    wanted = _wanted(sheet)
    if not wanted and not known:
        return Drawn()
    easel = _Easel(book, root, relations, free_part)
    old = easel.find(known)
    for name, _ in known:
        if name in old and name not in {item.name for item in wanted}:
            easel.remove(old[name])
    taken = [area, *cells]
    kept = {
        item.name
        for item in wanted
        if item.name in old and not _in_the_way(old[item.name], taken) and easel.holds(old, item)
    }
    covered = [a.area for a in easel.anchors if a.area and (a.name in kept or not easel.ours(a))]
    taken += covered
    for item in wanted:
        content = item.content(sheet, area, shown_as, easel.strict)
        if item.name in kept:
            easel.renew(old[item.name], item, content)
            continue
        if item.name in old:
            easel.remove(old[item.name])
        place = _free_place(area, item.size, len(wanted), taken)
        taken.append(place)
        easel.add(item, content, place)
    return easel.finish(tuple((item.name, item.title) for item in wanted))


@dataclass(frozen=True)
class _Item:
    """One chart or picture to be shown; `size` is (rows, columns)."""

    name: str
    title: str
    alt: str
    size: tuple[int, int]
    what: Chart | Image

    def content(self, sheet: ResultSheet, area: Area, shown_as: str, strict: bool) -> bytes:
        if isinstance(self.what, Image):
            return self.what.png
        return chart_xml(self.what, sheet, area, shown_as, strict)


def _wanted(sheet: ResultSheet) -> list[_Item]:
    items = []
    for number, chart in enumerate(sheet.charts if sheet.rows else (), start=1):
        name = f"FleetDesk {sheet.table_name} chart {number}"
        size = CHART_ROWS, CHART_COLUMNS
        items.append(_Item(name, chart.title, chart.alt_text, size, chart))
    for number, image in enumerate(sheet.images, start=1):
        name = f"FleetDesk {sheet.table_name} picture {number}"
        items.append(_Item(name, "", image.alt, cells_of(picture_size(image.png)), image))
    return items


def _in_the_way(anchor: Anchor, taken: Sequence[Area]) -> bool:
    return anchor.area is not None and any(area.meets(anchor.area) for area in taken)


def _free_place(area: Area, size: tuple[int, int], count: int, taken: Sequence[Area]) -> Area:
    """Right of the table, one under the other; else below all that stands on the sheet."""
    rows, columns = size
    first, left = area.top + 1, area.right + _NOTE_COLUMNS + 1
    near = [one for one in taken if one.top <= first + count * (rows + 1)]
    for column in range(left, left + _FARTHEST):
        for slot in range(count):
            top = first + slot * (CHART_ROWS + 1)
            place = rectangle(top, column, top + rows - 1, columns)
            if not any(one.meets(place) for one in near):
                return place
    below = max(one.bottom for one in taken) + 2
    return rectangle(below, area.left, below + rows - 1, columns)


class _Easel:
    """The drawing while it is worked on: edits of its text, its arrows, its parts."""

    def __init__(
        self, book: Book, root: Node, relations: SheetRelations, free_part: FreePart
    ) -> None:
        self.book, self.free_part = book, free_part
        self.strict = not book.main_namespace.startswith("http://schemas.")
        self.names = Names.of(self.strict)
        self.drawn = Drawn()
        node = root.child("drawing")
        link = node.get("id") if node else ""
        targets = {r.id: r.target for r in relations.existing if r.kind == "drawing"}
        part = targets.get(link, "")
        if part and book.package.has(part):
            self.part = book.package.stored_name(part)
            self.xml = as_utf8(book.package.part(self.part))
        else:
            self.part = free_part(f"{book.folder}/drawings/drawing", ".xml")
            self.xml = blank_drawing(self.names)
            self.drawn.added.append((self.part, _DRAWING))
            self.drawn.link = relations.add("drawing", "/" + self.part, False)
        self.root = parse(self.xml, self.part)
        self.anchors = anchors(self.xml, self.root)
        self.relations = SheetRelations(book, self.part)
        self.targets = {r.id: r.target for r in self.relations.existing}
        self.next_id = free_id(self.root)
        self.edits: list[Edit] = []
        self.new: list[bytes] = []
        self._ours: set[int] = set()

    def find(self, known: Sequence[tuple[str, str]]) -> dict[str, Anchor]:
        """Our anchors by the name that the manifest has for them."""
        found: dict[str, Anchor] = {}
        for name, _ in known:
            match = next((a for a in self.anchors if a.name == name), None)
            if match is not None:
                found[name] = match
        self._ours = {id(anchor) for anchor in found.values()}
        for name, title in known:
            if name in found or not title:
                continue
            strangers = (a for a in self.anchors if id(a) not in self._ours)
            match = next((a for a in strangers if self._title(a) == title), None)
            if match is not None:
                found[name] = match
                self._ours.add(id(match))
        return found

    def ours(self, anchor: Anchor) -> bool:
        """Whether the anchor is one of those that were found as ours."""
        return id(anchor) in self._ours

    def holds(self, old: dict[str, Anchor], item: _Item) -> bool:
        """Whether the old anchor leads to a part of the right kind."""
        target = self.targets.get(old[item.name].link, "")
        is_picture = target.lower().endswith(".png")
        return self.book.package.has(target) and is_picture == isinstance(item.what, Image)

    def renew(self, anchor: Anchor, item: _Item, content: bytes) -> None:
        """New content in the old place; a picture gets a part of its own."""
        self.edits += renamed(self.xml, anchor, item.name, item.alt)
        target = self.book.package.stored_name(self.targets[anchor.link])
        if isinstance(item.what, Chart):
            self.drawn.changes[target] = content
        elif self.book.package.part(target) != content and anchor.link_node is not None:
            # Spreadsheet programs share one part between equal pictures, the planner's included.
            link = self._new_part(item, content)
            name = next(key for key in anchor.link_node.attrs if key.endswith("embed"))
            self.edits.append(put_attr(self.xml, anchor.link_node, name, link))
            self._drop_target(anchor)

    def remove(self, anchor: Anchor) -> None:
        """Take a chart or picture of ours off the drawing, with its parts."""
        self.edits.append((anchor.node.start, anchor.node.end, b""))
        self._drop_target(anchor)

    def add(self, item: _Item, content: bytes, place: Area) -> None:
        """Put something new on the drawing, above what is there."""
        link = self._new_part(item, content)
        id_, self.next_id = self.next_id, self.next_id + 1
        if isinstance(item.what, Image):
            size = picture_size(item.what.png)
            anchor = picture_anchor(self.names, place, size, id_, item.name, item.alt, link)
        else:
            anchor = chart_anchor(self.names, place, id_, item.name, item.alt, link)
        self.new.append(anchor)

    def finish(self, record: tuple[tuple[str, str], ...]) -> Drawn:
        """Everything that changes."""
        drawn = self.drawn
        edits = [*self.edits, append_child(self.root, b"".join(self.new))]
        drawn.changes[self.part] = apply(self.xml, edits)
        drawn.changes |= self.relations.changes()
        drawn.record = record
        return drawn

    def _new_part(self, item: _Item, content: bytes) -> str:
        if isinstance(item.what, Image):
            part = self.free_part(f"{self.book.folder}/media/image", ".png")
            kind, content_type = "image", "image/png"
        else:
            part = self.free_part(f"{self.book.folder}/charts/chart", ".xml")
            kind, content_type = "chart", _CHART
        self.drawn.changes[part] = content
        self.drawn.added.append((part, content_type))
        return self.relations.add(kind, "/" + part, False)

    def _drop_target(self, anchor: Anchor) -> None:
        """Remove the part behind an anchor, with what only it needs."""
        self.relations.drop(anchor.link, "chart")
        self.relations.drop(anchor.link, "image")
        target = self.targets.get(anchor.link, "")
        for part in _owned_parts(self.book, target):
            self.drawn.changes[part] = None
            self.drawn.removed.append(part)

    def _title(self, anchor: Anchor) -> str:
        part = self.targets.get(anchor.link, "")
        if not part.lower().endswith(".xml") or not self.book.package.has(part):
            return ""
        xml = as_utf8(self.book.package.part(part))
        chart = parse(xml, part).child("chart")
        title = chart.child("title") if chart else None
        first = next(_paragraphs(title), None) if title else None
        return _text(xml, first) if first else ""


def _owned_parts(book: Book, part: str) -> Iterator[str]:
    """A part, its arrows and the parts that nothing else leads to."""
    package = book.package
    if not package.has(part) or package_targets(package).count(part.lower()) > 1:
        return
    yield package.stored_name(part)
    if package.has(rels_name(part)):
        for relationship in relationships_of(package, part):
            if not relationship.external:
                yield from _owned_parts(book, relationship.target)
        yield package.stored_name(rels_name(part))


def _paragraphs(node: Node) -> Iterator[Node]:
    for child in node.children:
        if child.local == "p":
            yield child
        yield from _paragraphs(child)


def _text(xml: bytes, node: Node) -> str:
    if node.local == "t":
        raw = xml[node.open_end : node.close_start].decode()
        return raw.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return "".join(_text(xml, child) for child in node.children)
