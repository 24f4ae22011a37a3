"""XML as text with known places, so that a part is edited without touching its other bytes.

Names are compared without their prefix: `x:sheet` and `sheet` are the same element.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat
from xml.sax.saxutils import quoteattr

from fleetdesk.errors import WorkbookRefused

Edit = tuple[int, int, bytes]
"""Replace the bytes from the first to the second offset."""

_TAG = re.compile(rb"<(?:[^\"'>]|\"[^\"]*\"|'[^']*')*>")
_DECLARED = re.compile(r"""^(<\?xml[^>]*?encoding=)(["'])([^"']+)\2""")
_XMLNS = "xmlns"


@dataclass(slots=True)
class Node:
    """One element and where it stands: `start`..`end`, its content `open_end`..`close_start`."""

    tag: str
    attrs: dict[str, str]
    start: int
    open_end: int = 0
    close_start: int = 0
    end: int = 0
    children: list[Node] = field(default_factory=list)

    @property
    def local(self) -> str:
        """The name without its prefix."""
        return self.tag.rpartition(":")[2]

    @property
    def prefix(self) -> str:
        """`x:` or nothing, ready to be put before a new element's name."""
        head, colon, _ = self.tag.rpartition(":")
        return head + colon

    def get(self, name: str, default: str = "") -> str:
        """An attribute by its name without prefix; an exact name wins."""
        if name in self.attrs:
            return self.attrs[name]
        for key, value in self.attrs.items():
            if key.rpartition(":")[2] == name and not key.startswith(_XMLNS):
                return value
        return default

    def child(self, local: str) -> Node | None:
        """The first child of that name."""
        return next((child for child in self.children if child.local == local), None)

    def all(self, local: str) -> list[Node]:
        """All children of that name."""
        return [child for child in self.children if child.local == local]

    def namespace(self, uri_end: str) -> str | None:
        """The prefix (`r:`) bound here to a namespace that ends so; None when there is none."""
        for key, value in self.attrs.items():
            if key.startswith(_XMLNS + ":") and value.endswith(uri_end):
                return key[len(_XMLNS) + 1 :] + ":"
        return None


def parse(data: bytes, where: str, depth: int = 99) -> Node:
    """The tree of a part (already UTF-8) with byte offsets, down to `depth` levels."""
    root: list[Node] = []
    stack: list[Node] = []
    level = 0
    parser = new_parser(where)

    def opened(tag: str, attrs: dict[str, str]) -> None:
        nonlocal level
        level += 1
        if level > depth:
            return
        at = parser.CurrentByteIndex
        node = Node(tag, attrs, at, open_end=tag_end(data, at))
        (stack[-1].children if stack else root).append(node)
        stack.append(node)

    def closed(_: str) -> None:
        nonlocal level
        level -= 1
        if level >= depth:
            return
        node = stack.pop()
        if data[node.open_end - 2 : node.open_end] == b"/>":
            node.close_start = node.end = node.open_end
        else:
            node.close_start = parser.CurrentByteIndex
            node.end = tag_end(data, node.close_start)

    parser.StartElementHandler = opened
    parser.EndElementHandler = closed
    feed(parser, data, where)
    return root[0]


def new_parser(where: str) -> Any:
    """An expat parser that refuses document types and entities."""
    parser = expat.ParserCreate()

    def refuse(*_: object) -> None:
        raise WorkbookRefused(
            f"{where} declares a document type, which no spreadsheet program writes",
            fix="Open the workbook in Excel or LibreOffice and save it as a new .xlsx",
        )

    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    return parser


def feed(parser: Any, data: bytes, where: str, final: bool = True) -> None:
    """Parse a piece; malformed XML becomes a refusal that names the part."""
    try:
        parser.Parse(data, final)
    except expat.ExpatError as error:
        raise WorkbookRefused(
            f"{where} is damaged: its XML cannot be read",
            found=str(error),
            fix="Open the workbook in Excel, let it repair the file, save, and run again",
        ) from error


def tag_end(data: bytes, start: int) -> int:
    """The offset just behind the tag that begins at `start`."""
    found = _TAG.match(data, start)
    return found.end() if found else len(data)


def as_utf8(data: bytes) -> bytes:
    """The part in UTF-8, unchanged when it is so already."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text = data.decode("utf-16")
    else:
        found = _DECLARED.match(data[:200].decode("latin-1"))
        if found is None or found[3].lower() in ("utf-8", "utf8", "us-ascii"):
            return data
        text = data.decode(found[3])
    return _DECLARED.sub(r"\1\2UTF-8\2", text).encode("utf-8")


def apply(data: bytes, edits: Iterable[Edit]) -> bytes:
    """The text with all edits made; edits at one place keep the order given."""
    pieces: list[bytes] = []
    at = 0
    for start, end, new in sorted(edits, key=lambda edit: edit[:2]):
        pieces += [data[at:start], new]
        at = end
    pieces.append(data[at:])
    return b"".join(pieces)


def put_attr(data: bytes, node: Node, name: str, value: str) -> Edit:
    """Set an attribute of an element, adding it when it is missing."""
    tag = data[node.start : node.open_end]
    found = re.search(rb"(\s" + re.escape(name.encode()) + rb"\s*=\s*)(\"[^\"]*\"|'[^']*')", tag)
    new = quoteattr(value).encode()
    if found:
        return node.start + found.start(2), node.start + found.end(2), new
    at = node.start + 1 + len(node.tag.encode())
    return at, at, b" " + name.encode() + b"=" + new


def cut_attr(data: bytes, node: Node, name: str) -> Edit | None:
    """Remove an attribute; None when it is not there."""
    tag = data[node.start : node.open_end]
    found = re.search(rb"\s" + re.escape(name.encode()) + rb"\s*=\s*(\"[^\"]*\"|'[^']*')", tag)
    return (node.start + found.start(), node.start + found.end(), b"") if found else None


def append_child(node: Node, xml: bytes) -> Edit:
    """Add content at the end of an element, opening it when it was written as `<a/>`."""
    if node.open_end == node.end:
        return node.end - 2, node.end, b">" + xml + f"</{node.tag}>".encode()
    return node.close_start, node.close_start, xml
