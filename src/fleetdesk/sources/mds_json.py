"""JSON of any length as a stream of MDS records: documents, lines, pages, lists.

Memory is bounded by the longest record that is taken (`LONGEST` characters) whatever the length
of the text; what follows a place that is not JSON is not read, but what came before counts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from fleetdesk.sources.mds_shapes import ARRAYS, OTHER_PARTS

LONGEST = 16 * 2**20  # characters of one record; the longest real ones are routes of some 100 kB
HELD = 4 * 2**20  # a document of up to so many characters is read at once
_SPACE = re.compile(r"[ \t\r\n]*")
_LONGEST_WORD = len("Infinity") + 1  # a word cut in two is no other mistake
MEMBERS = 10_000  # a page of MDS has five, a record some twenty
_DECODER = json.JSONDecoder()


@dataclass
class Page:
    """What a document says of itself; known only in part while its records are still read."""

    version: str = ""
    last_updated: int | None = None
    next_url: str = ""
    other_part: str = ""

    def learn(self, name: str, value: Any) -> None:
        """Take note of a member of the document."""
        if name == "version" and isinstance(value, str):
            self.version = value
        elif name == "last_updated":
            inner = value.get(name) if isinstance(value, dict) else value
            self.last_updated = inner if type(inner) is int else None
        elif name == "links" and isinstance(value, dict):
            onward = value.get("next")
            self.next_url = onward if isinstance(onward, str) else ""


@dataclass(frozen=True, slots=True)
class Record:
    """One record: its value, the name of its list as in `ARRAYS`, and the page it is on.

    `broken` says why there is no value.
    """

    value: Any
    name: str
    page: Page
    broken: str = ""


class Broken(Exception):
    """The text is not, or no longer, JSON; says in a few words what it is instead."""


def records_in(document: Any, page: Page) -> Iterator[Record]:
    """The records of a decoded document: a page, a list of records, or a single record."""
    if not isinstance(document, dict):
        for value in document if isinstance(document, list) else [document]:
            yield Record(value, "", page)
        return
    lists = list(_lists(document, page))
    for name, values in lists:
        for value in values:
            yield Record(value, name, page)
    if page.other_part:
        yield _declined(page)
    elif not lists and document.keys() - {"version", "data", "links"}:
        yield Record(document, "", page)


def _declined(page: Page) -> Record:
    return Record(None, "", page, f"{page.other_part} of MDS, which are not needed here")


def _lists(document: dict[str, Any], page: Page) -> Iterator[tuple[str, list[Any]]]:
    for name, value in document.items():
        page.learn(name, value)
        if name in OTHER_PARTS:
            page.other_part = name
        elif name in ARRAYS and isinstance(value, list):
            yield ARRAYS[name], value
        elif name == "data" and isinstance(value, list):
            yield "", value
        elif name == "data" and isinstance(value, dict):
            yield from _lists(value, page)


@dataclass
class Text:
    """A text of which only a window is held; `more` gives the next characters, "" at the end."""

    more: Callable[[], str]
    window: str = ""
    at: int = 0
    ended: bool = False
    since_record: int = 0

    def grow(self) -> bool:
        """Hold more; false at the end of the text."""
        self.window, self.at = self.window[self.at :], 0
        wanted = max(len(self.window), 1)
        pieces = [self.window]
        while wanted > 0 and not self.ended:
            piece = self.more()
            self.ended = not piece
            wanted -= len(piece)
            self.since_record += len(piece)
            pieces.append(piece)
        if self.since_record > 2 * LONGEST:
            raise Broken(f"{2 * LONGEST // 2**20} MB without a record of MDS")
        grew = len(pieces) > 1 and bool(pieces[1])
        self.window = "".join(pieces)
        return grew

    def peek(self) -> str:
        """The next character that is no space, "" at the end."""
        while True:
            if space := _SPACE.match(self.window, self.at):
                self.at = space.end()
            if self.at < len(self.window):
                return self.window[self.at]
            if not self.grow():
                return ""

    def expect(self, mark: str) -> None:
        """Go past this character; Broken when another one stands there."""
        found = self.peek()
        if found != mark:
            raise Broken("breaks off" if not found else f"not JSON: {found!r} instead of {mark!r}")
        self.at += 1

    def value(self, most: int | None = None) -> Any:
        """Decode the value that stands here and go past it; Broken when that cannot be done."""
        most = LONGEST if most is None else most
        self.peek()
        while True:
            try:
                value, end = _DECODER.raw_decode(self.window, self.at)
                if end < len(self.window) or self.ended:
                    self.at = end
                    return value
                problem = ""
            except RecursionError:
                raise Broken("nested too deeply") from None
            except json.JSONDecodeError as error:
                at_end = len(self.window) - error.pos < _LONGEST_WORD
                cut_off = at_end or error.msg.startswith("Unterminated")
                problem = "breaks off" if cut_off else f"not JSON: {error.msg}"
            except ValueError:
                raise Broken("a number that cannot be read") from None
            if self.ended and problem:
                raise Broken(problem)
            if len(self.window) - self.at > most:
                raise Broken(f"a value of more than {most / 2**20:.0f} MB")
            self.grow()

    def line(self) -> str:
        """The next line, without its end."""
        start = self.at
        while (end := self.window.find("\n", start)) < 0:
            if self.ended:
                end = len(self.window)
                break
            if len(self.window) - self.at > LONGEST:
                raise Broken(f"a line of more than {LONGEST / 2**20:.0f} MB")
            start = len(self.window) - self.at
            self.grow()
        found = self.window[self.at : end]
        self.at = min(end + 1, len(self.window))
        return found


def records_of(text: Text) -> Iterator[Record]:
    """All records of a text; at a place where it is no longer JSON the last one says so."""
    try:
        if _is_lines(text):
            yield from _by_line(text)
            return
        while text.peek():
            yield from _document(text)
    except Broken as broken:
        yield Record(None, "", Page(), str(broken))


def _is_lines(text: Text) -> bool:
    """Whether each line is JSON for itself; the first may be the one that is damaged."""
    while not text.ended and text.window.count("\n") < 2 and len(text.window) <= HELD:
        text.grow()
    text.peek()
    head = [line.strip() for line in text.window[text.at :].split("\n", 2)]
    if len(head) < 2:
        return False
    first, second = head[:2] if len(head) > 2 or text.ended else (head[0], "")
    if not first.startswith(("{", "[")) or len(first) < 2:
        return False
    return _is_json(first) or (second.startswith("{") and _is_json(second))


def _is_json(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict | list)
    except (ValueError, RecursionError):
        return False


def _by_line(text: Text) -> Iterator[Record]:
    while text.peek():
        line, page = text.line(), Page()
        try:
            document = json.loads(line)
        except (ValueError, RecursionError):
            yield Record(None, "", page, "a line that is not JSON")
        else:
            yield from records_in(document, page)
        text.since_record = 0


def _document(text: Text) -> Iterator[Record]:
    """One document, at once where it is short, else member by member."""
    page = Page()
    kind = text.peek()
    if kind not in ("{", "["):
        raise Broken(f"not JSON: begins with {text.window[text.at : text.at + 20]!r}")
    while not text.ended and len(text.window) - text.at <= HELD:
        text.grow()
    try:
        document = text.value(most=HELD) if text.ended else None
    except Broken:
        document = None
    if document is not None:
        yield from records_in(document, page)
        text.since_record = 0
        return
    members: dict[str, Any] = {}
    if kind == "[":
        yield from _list(text, "", page)
        return
    yield from _members(text, page, members)
    if members:
        yield Record(members, "", page)
        text.since_record = 0


def _members(text: Text, page: Page, members: dict[str, Any]) -> Iterator[Record]:
    """The records in an object's lists; its other members are put into `members`."""
    text.expect("{")
    lists, count = False, 0
    while text.peek() != "}":
        count += 1
        if count > MEMBERS:
            raise Broken(f"an object of more than {MEMBERS} members")
        name = text.value()
        if not isinstance(name, str):
            raise Broken("not JSON: a name that is no text")
        text.expect(":")
        if name in OTHER_PARTS:
            page.other_part = name
            raise Broken(_declined(page).broken)
        kind = text.peek()
        if kind == "[" and (name in ARRAYS or name == "data"):
            lists = True
            yield from _list(text, ARRAYS.get(name, ""), page)
        elif kind == "{" and name == "data":
            lists = True
            yield from _members(text, page, {})
        else:
            members[name] = text.value()
            page.learn(name, members[name])
        if text.peek() == ",":
            text.at += 1
        elif text.peek() != "}":
            text.expect("}")
    text.expect("}")
    if lists:
        members.clear()


def _list(text: Text, name: str, page: Page) -> Iterator[Record]:
    text.expect("[")
    while text.peek() != "]":
        value = text.value()
        text.since_record = 0
        yield Record(value, name, page)
        if text.peek() == ",":
            text.at += 1
        elif text.peek() != "]":
            text.expect("]")
    text.expect("]")
