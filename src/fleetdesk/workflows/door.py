"""The door: no rider's own id gets past it, whatever the source and the table.

A pseudonym is an HMAC-SHA256 of the id, cut to 128 bits, behind a prefix by which it is known
again, so that tables that were pseudonymised before are left as they are.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator

import pyarrow as pa

from fleetdesk.sources.base import Checkpoint, Piece

RIDER = "rider_id"
PREFIX = "rp-"
_DIGITS = 32
_PSEUDONYM = re.compile(rf"{PREFIX}[0-9a-f]{{{_DIGITS}}}\Z")
_BLOCK = 64


def through_the_door(pieces: Iterable[Piece], key: Callable[[], bytes]) -> Iterator[Piece]:
    """The same pieces with riders' ids replaced; `key` is asked for when the first is met."""
    names: Pseudonyms | None = None
    for piece in pieces:
        if isinstance(piece, Checkpoint) or RIDER not in piece[1].column_names:
            yield piece
            continue
        table, rows = piece
        if names is None and any(map(_is_raw, _ids(rows))):
            names = Pseudonyms(key())
        yield table, names.of(rows) if names else rows


class Pseudonyms:
    """The pseudonyms under one key: equal ids get equal ones."""

    def __init__(self, key: bytes) -> None:
        # HMAC by its definition (RFC 2104): the two keyed states are set up once and copied for
        # each id, which takes half the time of the library's one call per id.
        block = (hashlib.sha256(key).digest() if len(key) > _BLOCK else key).ljust(_BLOCK, b"\0")
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in block))

    def of(self, rows: pa.Table) -> pa.Table:
        """The rows with every raw id replaced; gaps and pseudonyms stay."""
        column = rows.column(RIDER)
        place = rows.schema.get_field_index(RIDER)
        coded = _texts(column).combine_chunks().dictionary_encode()
        names = [self.name_of(text) for text in coded.dictionary.to_pylist()]
        replaced = pa.array(names, pa.string()).take(coded.indices)
        return rows.set_column(place, pa.field(RIDER, pa.string()), replaced)

    def name_of(self, text: str) -> str:
        """The pseudonym of one id; that of a pseudonym is itself."""
        if not _is_raw(text):
            return text
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(text.encode())
        outer.update(inner.digest())
        return PREFIX + outer.hexdigest()[:_DIGITS]


def _ids(rows: pa.Table) -> Iterator[str]:
    """The distinct ids, gaps left out."""
    for text in _texts(rows.column(RIDER)).unique().to_pylist():
        if text is not None:
            yield text


def _texts(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Ids as texts, so that one that comes as a number cannot slip past."""
    return column.cast(pa.string())


def is_pseudonym(text: str) -> bool:
    """Whether this is no rider's own id."""
    return _PSEUDONYM.match(text) is not None


def _is_raw(text: str) -> bool:
    return not is_pseudonym(text)
