"""The parts of a workbook and how they hang together: sheets, relationships, content types."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import unquote
from xml.sax.saxutils import escape, quoteattr

from fleetdesk.errors import WorkbookRefused
from fleetdesk.sheets.package_zip import Package
from fleetdesk.sheets.xml_spans import (
    Edit,
    Node,
    append_child,
    apply,
    as_utf8,
    parse,
    put_attr,
)

STRICT = "http://purl.oclc.org/ooxml/"
_TRANSITIONAL_RELS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE_RELS = "http://schemas.openxmlformats.org/package/2006/relationships"
_SPREADSHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml."
_RELATIONS = "application/vnd.openxmlformats-package.relationships+xml"
_MOST_RELATIONS = 4 * 1024**2
CONTENT_TYPES = "[Content_Types].xml"
_BEFORE_CALC = [
    "fileVersion",
    "fileSharing",
    "workbookPr",
    "AlternateContent",
    "revisionPtr",
    "absPath",
    "workbookProtection",
    "bookViews",
    "sheets",
    "functionGroups",
    "externalReferences",
    "definedNames",
]


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


@dataclass
class NewSheet:
    """A sheet to be listed in the workbook."""

    name: str
    part: str
    state: str = "visible"


@dataclass
class SkeletonEdits:
    """What changes in the workbook's skeleton."""

    sheets: list[NewSheet] = field(default_factory=list)
    parts: list[tuple[str, str]] = field(default_factory=list)
    """Further new parts of the workbook: (part name, kind: `styles`)."""
    tables: list[str] = field(default_factory=list)
    added: list[tuple[str, str]] = field(default_factory=list)
    """Further new parts, of sheets or drawings: (part name, content type)."""
    relations: list[str] = field(default_factory=list)
    """New parts that hold relationships; nearly every package types them by their ending."""
    removed: list[str] = field(default_factory=list)
    names: list[tuple[str, str]] = field(default_factory=list)
    """New names for cells: (name, what it refers to); one that is there is left alone."""
    drop_calc_chain: bool = False


def open_book(package: Package) -> Book:
    """Find the workbook part, its relationships and its sheets."""
    start = _relationships(package, "")
    main = next((r.target for r in start if r.kind == "officeDocument"), None)
    if main is None or not package.has(main):
        raise _no_workbook(package)
    main = package.stored_name(main)
    xml = as_utf8(package.part(main))
    root = parse(xml, main)
    relationships = _relationships(package, main)
    by_id = {relationship.id: relationship for relationship in relationships}
    listed = root.child("sheets")
    if root.local != "workbook" or listed is None:
        raise _no_workbook(package)
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


def skeleton_changes(book: Book, edits: SkeletonEdits) -> dict[str, bytes | None]:
    """New content for workbook.xml, its relationships and the content types."""
    package = book.package
    rels_part = package.stored_name(rels_name(book.part))
    rels = as_utf8(package.part(rels_part))
    rels_root = parse(rels, rels_part)
    used = {relationship.id for relationship in book.relationships}
    additions: list[tuple[str, str, str, bool]] = []
    ids: list[str] = []
    for part, kind in [(sheet.part, "worksheet") for sheet in edits.sheets] + edits.parts:
        new_id = free_name("rId", used)
        used.add(new_id)
        ids.append(new_id)
        additions.append((new_id, kind, "/" + part, False))
    rels_edits = [append_child(rels_root, relationship_xml(book, rels_root.prefix, additions))]
    changes: dict[str, bytes | None] = {}
    types = as_utf8(package.part(CONTENT_TYPES))
    types_root = parse(types, CONTENT_TYPES)
    overrides = [(sheet.part, _SPREADSHEET + "worksheet+xml") for sheet in edits.sheets]
    overrides += [(part, f"{_SPREADSHEET}{kind}+xml") for part, kind in edits.parts]
    overrides += [(part, _SPREADSHEET + "table+xml") for part in edits.tables]
    overrides += edits.added
    endings = {node.get("Extension").lower() for node in types_root.all("Default")}
    if "rels" not in endings:
        overrides += [(part, _RELATIONS) for part in edits.relations]
    p = types_root.prefix
    new = "".join(
        f"<{p}Override PartName={quoteattr('/' + part)} ContentType={quoteattr(kind)}/>"
        for part, kind in overrides
    )
    types_edits = [append_child(types_root, new.encode())] if new else []
    chain = book.related("calcChain")
    gone = {part.lower() for part in edits.removed}
    if edits.drop_calc_chain and chain:
        changes[chain] = None
        rels_edits += [(r.node.start, r.node.end, b"") for r in book.relationships
                       if r.kind == "calcChain"]  # fmt: skip
        gone.add(chain.lower())
    types_edits += [
        (node.start, node.end, b"")
        for node in types_root.all("Override")
        if node.get("PartName").lstrip("/").lower() in gone
    ]
    changes[book.part] = apply(
        book.xml,
        [
            *_sheet_list_edits(book, edits.sheets, ids),
            *_name_edits(book, edits.names),
            _calculate_on_load(book),
        ],
    )
    if additions or len(rels_edits) > 1:
        changes[rels_part] = apply(rels, rels_edits)
    if types_edits:
        changes[package.stored_name(CONTENT_TYPES)] = apply(types, types_edits)
    return changes


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


def _sheet_list_edits(book: Book, added: Sequence[NewSheet], ids: Sequence[str]) -> list[Edit]:
    """List new sheets: visible ones behind the last visible, hidden ones at the very end.

    Some places count sheets by position (names local to a sheet, the active tab), so those behind
    the insertion move on.
    """
    if not added:
        return []
    listed = book.root.child("sheets")
    if listed is None:
        raise _no_workbook(book.package)
    nodes = listed.all("sheet")
    shown = [index for index, sheet in enumerate(book.sheets) if not sheet.hidden]
    position = shown[-1] + 1 if shown else len(nodes)
    r = book.root.namespace("/relationships")
    declare = "" if r else f' xmlns:r="{book.relation_namespace}"'
    next_id = max((sheet.sheet_id for sheet in book.sheets), default=0) + 1
    visible = hidden = ""
    for sheet, id_ in zip(added, ids, strict=False):
        state = "" if sheet.state == "visible" else f' state="{sheet.state}"'
        xml = (
            f"<{nodes[0].prefix if nodes else listed.prefix}sheet{declare} "
            f'name={quoteattr(sheet.name)} sheetId="{next_id}"{state} {r or "r:"}id="{id_}"/>'
        )
        next_id += 1
        if sheet.state == "visible":
            visible += xml
        else:
            hidden += xml
    edits: list[Edit] = []
    count = sum(sheet.state == "visible" for sheet in added)
    if visible and position < len(nodes):
        at = nodes[position].start
        edits.append((at, at, visible.encode()))
        edits += _moved_positions(book, position, count)
    else:
        hidden = visible + hidden
    if hidden:
        edits.append(append_child(listed, hidden.encode()))
    return edits


def _moved_positions(book: Book, position: int, count: int) -> list[Edit]:
    places: list[tuple[Node, str]] = []
    names = book.root.child("definedNames")
    places += [(node, "localSheetId") for node in (names.all("definedName") if names else [])]
    views = book.root.child("bookViews")
    for view in views.all("workbookView") if views else []:
        places += [(view, "activeTab"), (view, "firstSheet")]
    edits = []
    for node, attribute in places:
        value = node.get(attribute)
        if value.isdigit() and int(value) >= position:
            edits.append(put_attr(book.xml, node, attribute, str(int(value) + count)))
    return edits


def _name_edits(book: Book, names: Sequence[tuple[str, str]]) -> list[Edit]:
    """New names for cells; a name that is there is left alone."""
    listed = book.root.child("definedNames")
    known = {name.casefold() for name in book.names}
    p = book.root.prefix
    new = "".join(
        f"<{p}definedName name={quoteattr(name)}>{escape(target)}</{p}definedName>"
        for name, target in names
        if name.casefold() not in known
    ).encode()
    if not new:
        return []
    if listed is not None:
        return [append_child(listed, new)]
    before = _BEFORE_CALC[: _BEFORE_CALC.index("definedNames")]
    at = [node for node in book.root.children if node.local in before][-1].end
    return [(at, at, f"<{p}definedNames>".encode() + new + f"</{p}definedNames>".encode())]


def _calculate_on_load(book: Book) -> Edit:
    """Ask Excel to calculate everything when it opens the file."""
    calc = book.root.child("calcPr")
    if calc is not None:
        return put_attr(book.xml, calc, "fullCalcOnLoad", "1")
    before = [node for node in book.root.children if node.local in _BEFORE_CALC]
    at = before[-1].end
    return at, at, f'<{book.root.prefix}calcPr fullCalcOnLoad="1"/>'.encode()


def _no_workbook(package: Package) -> WorkbookRefused:
    return WorkbookRefused(
        f"{package.where} has no workbook inside",
        fix="Open it in Excel or LibreOffice and save it as .xlsx",
    )
