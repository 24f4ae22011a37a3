"""The parts of a workbook and how they hang together: sheets, relationships, content types."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import unquote
from xml.sax.saxutils import quoteattr

from fleetdesk.errors import WorkbookRefused
from fleetdesk.sheets.package_zip import Package
from fleetdesk.sheets.xml_spans import (
    Node,
    as_utf8,
    parse,
)

STRICT = "http://purl.oclc.org/ooxml/"
_TRANSITIONAL_RELS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE_RELS = "http://schemas.openxmlformats.org/package/2006/relationships"
_MOST_RELATIONS = 4 * 1024**2
CONTENT_TYPES = "[Content_Types].xml"


@dataclass(frozen=True, slots=True)
class Relationship:
    """One arrow from a part: to another part (its full name) or to a place outside."""

    id: str
    kind: str
    target: str
    external: bool
    node: Node


@dataclass(frozen=True, slots=True)
class SheetEntry:
    """A sheet as the workbook lists it; `part` is "" when its relationship is missing."""

    name: str
    sheet_id: int
    state: str
    part: str
    kind: str
    node: Node

    @property
    def hidden(self) -> bool:
        """Whether the planner does not see it."""
        return self.state in ("hidden", "veryHidden")


@dataclass(frozen=True)
class Book:
    """A workbook's skeleton."""

    package: Package
    part: str
    xml: bytes
    root: Node
    relationships: tuple[Relationship, ...]
    sheets: tuple[SheetEntry, ...]
    date1904: bool

    @property
    def main_namespace(self) -> str:
        """The namespace of sheets: transitional or strict, as this workbook has it."""
        strict = any(value.startswith(STRICT) for value in self.root.attrs.values())
        if strict:
            return STRICT + "spreadsheetml/main"
        return "http://schemas.openxmlformats.org/spreadsheetml/2006/main"

    @property
    def relation_namespace(self) -> str:
        """The namespace of relationship types and of `r:id`."""
        strict = self.main_namespace.startswith(STRICT)
        return STRICT + "officeDocument/relationships" if strict else _TRANSITIONAL_RELS

    @property
    def folder(self) -> str:
        """Where the workbook's parts live, usually `xl`."""
        return posixpath.dirname(self.part)

    def related(self, kind: str) -> str | None:
        """The workbook's part of a kind (`styles`, `sharedStrings`, `calcChain`), if any."""
        for relationship in self.relationships:
            if relationship.kind == kind and self.package.has(relationship.target):
                return relationship.target
        return None

    @property
    def names(self) -> frozenset[str]:
        """The names that the workbook gives to cells."""
        listed = self.root.child("definedNames")
        return frozenset(node.get("name") for node in (listed.children if listed else ()))

    def sheet(self, name: str) -> SheetEntry | None:
        """A sheet by its name; Excel does not tell capitals from small letters."""
        wanted = name.casefold()
        return next((sheet for sheet in self.sheets if sheet.name.casefold() == wanted), None)


def open_book(package: Package) -> Book:
    """Find the workbook part, its relationships and its sheets."""
    start = _relationships(package, "")
    main = next((r.target for r in start if r.kind == "officeDocument"), None)
    if main is None or not package.has(main):
        raise no_workbook(package)
    main = package.stored_name(main)
    xml = as_utf8(package.part(main))
    root = parse(xml, main)
    relationships = _relationships(package, main)
    by_id = {relationship.id: relationship for relationship in relationships}
    listed = root.child("sheets")
    if root.local != "workbook" or listed is None:
        raise no_workbook(package)
    sheets = []
    for node in listed.all("sheet"):
        target = by_id.get(node.get("id"))
        known = target is not None and package.has(target.target)
        sheets.append(
            SheetEntry(
                name=node.get("name"),
                sheet_id=int(node.get("sheetId") or 0),
                state=node.get("state", "visible"),
                part=package.stored_name(target.target) if target and known else "",
                kind=target.kind if target else "",
                node=node,
            )
        )
    properties = root.child("workbookPr")
    date1904 = properties is not None and properties.get("date1904") in ("1", "true")
    return Book(package, main, xml, root, relationships, tuple(sheets), date1904)


def relationships_of(package: Package, part: str) -> tuple[Relationship, ...]:
    """The arrows that start at a part."""
    return _relationships(package, part)


def typed_parts(package: Package) -> list[str]:
    """The parts that the content types name, in small letters, whether they are there or not."""
    root = parse(as_utf8(package.part(CONTENT_TYPES)), CONTENT_TYPES)
    return [node.get("PartName").lstrip("/").lower() for node in root.all("Override")]


def package_targets(package: Package) -> list[str]:
    """Where all arrows of the package lead, in small letters, each as often as it is named.

    Broken or huge relationships of parts that nobody else reads are passed over.
    """
    targets: list[str] = []
    for name, info in package.members.items():
        folder, _, file = name.rpartition("/")
        arrows = file.endswith(".rels") and (folder == "_rels" or folder.endswith("/_rels"))
        if not arrows or info.file_size > _MOST_RELATIONS:
            continue
        source = posixpath.join(folder.removesuffix("_rels"), file.removesuffix(".rels"))
        with suppress(WorkbookRefused):
            targets += [r.target.lower() for r in _relationships(package, source) if not r.external]
    return targets


def rels_name(part: str) -> str:
    """`xl/worksheets/sheet1.xml` -> `xl/worksheets/_rels/sheet1.xml.rels`."""
    folder, name = posixpath.split(part)
    return posixpath.join(folder, "_rels", name + ".rels")


def relationship_xml(book: Book, prefix: str, items: Iterable[tuple[str, str, str, bool]]) -> bytes:
    """Relationship elements from (id, kind, target, external)."""
    return "".join(
        f"<{prefix}Relationship Id={quoteattr(id_)} "
        f'Type="{book.relation_namespace}/{kind}" Target={quoteattr(target)}'
        + (' TargetMode="External"/>' if external else "/>")
        for id_, kind, target, external in items
    ).encode()


def relationships_part(content: bytes) -> bytes:
    """A whole relationships part around elements without prefix."""
    return (
        b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
        b'<Relationships xmlns="' + _PACKAGE_RELS.encode() + b'">' + content + b"</Relationships>"
    )


def free_name(stem: str, used: Iterable[str], end: str = "") -> str:
    """The first of `stem1`, `stem2` ... that is not used, whatever its case."""
    taken = {name.lower() for name in used}
    number = 1
    while f"{stem}{number}{end}".lower() in taken:
        number += 1
    return f"{stem}{number}{end}"


def _relationships(package: Package, part: str) -> tuple[Relationship, ...]:
    name = rels_name(part)
    if not package.has(name):
        return ()
    root = parse(as_utf8(package.part(name)), name)
    found = []
    for node in root.all("Relationship"):
        external = node.get("TargetMode").lower() == "external"
        target = node.get("Target")
        if not external:
            target = _full_name(package, part, target)
        kind = node.get("Type").rstrip("/").rpartition("/")[2]
        found.append(Relationship(node.get("Id"), kind, target, external, node))
    return tuple(found)


def _full_name(package: Package, part: str, target: str) -> str:
    target = target.replace("\\", "/")
    path = target if target.startswith("/") else posixpath.join(posixpath.dirname(part), target)
    path = posixpath.normpath(path).lstrip("/")
    return path if package.has(path) else unquote(path)


def no_workbook(package: Package) -> WorkbookRefused:
    """A package that is no workbook, in a sentence."""
    return WorkbookRefused(
        f"{package.where} has no workbook inside",
        fix="Open it in Excel or LibreOffice and save it as .xlsx",
    )
