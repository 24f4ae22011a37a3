"""The workbook's skeleton, edited in place: where new sheets, parts and names are listed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from xml.sax.saxutils import escape, quoteattr

from fleetdesk.sheets.a1 import column_letters
from fleetdesk.sheets.parts import (
    CONTENT_TYPES,
    Book,
    free_name,
    no_workbook,
    relationship_xml,
    rels_name,
)
from fleetdesk.sheets.xml_spans import Edit, Node, append_child, apply, as_utf8, parse, put_attr

_SPREADSHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml."
_RELATIONS = "application/vnd.openxmlformats-package.relationships+xml"
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


@dataclass
class NewSheet:
    """A sheet to be listed in the workbook."""

    name: str
    part: str
    state: str = "visible"
    heads: int = 0
    """The row of heads that is printed on every page; 0 = none."""
    repeated: int = 0
    """How many of the first columns are printed on every page, too."""


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
            *_name_edits(book, edits),
            _calculate_on_load(book),
        ],
    )
    if additions or len(rels_edits) > 1:
        changes[rels_part] = apply(rels, rels_edits)
    if types_edits:
        changes[package.stored_name(CONTENT_TYPES)] = apply(types, types_edits)
    return changes


def _sheet_list_edits(book: Book, added: Sequence[NewSheet], ids: Sequence[str]) -> list[Edit]:
    """List new sheets: visible ones behind the last visible, hidden ones at the very end.

    Some places count sheets by position (names local to a sheet, the active tab), so those behind
    the insertion move on.
    """
    if not added:
        return []
    listed = book.root.child("sheets")
    if listed is None:
        raise no_workbook(book.package)
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


def _print_titles(book: Book, added: Sequence[NewSheet], prefix: str) -> str:
    """The heads of new sheets as names local to them, counted where they will stand."""
    shown = [index for index, sheet in enumerate(book.sheets) if not sheet.hidden]
    first = shown[-1] + 1 if shown else len(book.sheets)
    visible = [sheet for sheet in added if sheet.state == "visible"]
    names = ""
    for place, sheet in enumerate(visible, start=first):
        if sheet.heads:
            quoted = sheet.name.replace("'", "''")
            target = f"'{quoted}'!${sheet.heads}:${sheet.heads}"
            if sheet.repeated:
                target = f"'{quoted}'!$A:${column_letters(sheet.repeated)},{target}"
            names += (
                f'<{prefix}definedName name="_xlnm.Print_Titles" localSheetId="{place}">'
                f"{escape(target)}</{prefix}definedName>"
            )
    return names


def _name_edits(book: Book, edits: SkeletonEdits) -> list[Edit]:
    """New names for cells; a name that is there is left alone."""
    names = edits.names
    listed = book.root.child("definedNames")
    known = {name.casefold() for name in book.names}
    p = book.root.prefix
    new = "".join(
        f"<{p}definedName name={quoteattr(name)}>{escape(target)}</{p}definedName>"
        for name, target in names
        if name.casefold() not in known
    ).encode()
    new += _print_titles(book, edits.sheets, p).encode()
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
