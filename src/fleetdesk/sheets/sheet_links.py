"""The clickable cells of an owned sheet: the planner's moved with theirs, ours written anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from fleetdesk.sheets.a1 import Area, address
from fleetdesk.sheets.base import Link
from fleetdesk.sheets.layout import Arrangement
from fleetdesk.sheets.links import MAX_PER_SHEET, Target, resolve
from fleetdesk.sheets.package_zip import Content
from fleetdesk.sheets.parts import (
    Book,
    Relationship,
    relationship_xml,
    relationships_of,
    relationships_part,
    rels_name,
)
from fleetdesk.sheets.planner_cells import drawn
from fleetdesk.sheets.sheet_frame import put_element
from fleetdesk.sheets.sheet_scan import RawCell
from fleetdesk.sheets.values import text_xml
from fleetdesk.sheets.xml_spans import Edit, Node, append_child, apply, as_utf8, parse


def targets_of(
    links: Sequence[tuple[int, int, Link]], area: Area, folder: Path, renamed: Mapping[str, str]
) -> list[tuple[str, Target]]:
    """(address, target) of every link that Excel can hold; the others stay text."""
    found = []
    for row, column, link in links[:MAX_PER_SHEET]:
        target = resolve(link.target, folder, renamed)
        if target is not None:
            found.append((address(area.top + 1 + row, area.left + column), target))
    return found


def hyperlinks(
    root: Node,
    skeleton: bytes,
    book: Book,
    relations: SheetRelations,
    targets: Sequence[tuple[str, Target]],
    body: Area,
    old_area: Area | None,
    plan: Arrangement[RawCell] | None,
) -> Edit:
    """The planner's links, moved with their cells, then ours."""
    node = root.child("hyperlinks")
    moved = drawn(plan)
    p = root.prefix
    kept: list[bytes] = []
    for child in node.children if node else []:
        area = Area.parse(child.get("ref"))
        own = area is not None and (
            body.meets(area)
            or (old_area is not None and plan is not None and _was_ours(area, old_area, moved))
        )
        new = moved.get((area.top, area.left)) if area else None
        if own and not new:
            relations.drop(child.get("id"))
            continue
        raw = skeleton[child.start : child.end]
        if new and area and area.ref == address(area.top, area.left):
            raw = raw.replace(f'ref="{area.ref}"'.encode(), f'ref="{address(*new)}"'.encode(), 1)
        kept.append(raw)
    r = root.namespace("/relationships")
    declare = "" if r else f' xmlns:r="{book.relation_namespace}"'
    for ref, target in targets:
        if target.outside:
            link = relations.add("hyperlink", target.outside, True)
            kept.append(f'<{p}hyperlink{declare} ref="{ref}" {r or "r:"}id="{link}"/>'.encode())
        else:
            location = _attribute(target.inside)
            kept.append(f'<{p}hyperlink ref="{ref}" location={location}/>'.encode())
    xml = b"".join(kept)
    whole = f"<{p}hyperlinks>".encode() + xml + f"</{p}hyperlinks>".encode() if kept else b""
    return put_element(root, "hyperlinks", whole)


def _was_ours(area: Area, old_area: Area, moved: Mapping[tuple[int, int], tuple[int, int]]) -> bool:
    return old_area.meets(area) and (area.top, area.left) not in moved


def _attribute(text: str) -> str:
    return '"' + text_xml(text)[0].replace('"', "&quot;") + '"'


class SheetRelations:
    """The arrows of one sheet or drawing: some dropped, some added, the rest byte for byte."""

    def __init__(self, book: Book, part: str) -> None:
        self.book = book
        self.name = book.package.stored_name(rels_name(part))
        self.existing: tuple[Relationship, ...] = relationships_of(book.package, part)
        self.used = {relationship.id for relationship in self.existing}
        self.dropped: set[tuple[str, str]] = set()
        self.added: dict[tuple[str, str, bool], str] = {}

    def add(self, kind: str, target: str, external: bool) -> str:
        """The id of an arrow to a target, added once."""
        item = (kind, target, external)
        if item not in self.added:
            stem = "fd"
            number = len(self.added) + 1
            while f"{stem}{number}" in self.used:
                number += 1
            self.added[item] = f"{stem}{number}"
            self.used.add(f"{stem}{number}")
        return self.added[item]

    def drop(self, id_: str, kind: str = "hyperlink") -> None:
        """Forget an arrow of a link that is gone; one of another kind stays."""
        self.dropped.add((id_, kind))

    def changes(self) -> dict[str, Content]:
        """The relationships part, when anything changed."""
        gone = [r for r in self.existing if (r.id, r.kind) in self.dropped]
        if not gone and not self.added:
            return {}
        items = [(id_, *item) for item, id_ in self.added.items()]
        if not self.book.package.has(self.name):
            return {self.name: relationships_part(relationship_xml(self.book, "", items))}
        xml = as_utf8(self.book.package.part(self.name))
        root = parse(xml, self.name)
        edits: list[Edit] = [(r.node.start, r.node.end, b"") for r in gone]
        if items:
            edits.append(append_child(root, relationship_xml(self.book, root.prefix, items)))
        return {self.name: apply(xml, edits)}
