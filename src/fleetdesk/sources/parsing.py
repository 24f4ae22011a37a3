"""Texts turned into numbers, times and flags, whole columns at once; what fails is pointed at."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from fleetdesk.model.tables import DType

Mask = npt.NDArray[np.bool_]
_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?$"
_WHOLE = r"^[+-]?\d{1,18}$"
_TRUE = ("1", "true", "yes", "t", "y", "1.0")
_FALSE = ("0", "false", "no", "f", "n", "0.0")
_SECONDS_BELOW = 1e11  # as seconds the year 5138; what is above are milliseconds
_ZONELESS = r"^\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d+)?)?$"
_ZONE_WITHOUT_COLON = re.compile(r"([+-]\d\d)(\d\d)$")


@dataclass(frozen=True)
class Parsed:
    """A column of the wanted type, null where the text was empty or `bad`."""

    values: pa.Array
    bad: Mask


def parse(texts: Any, dtype: DType, *, zoneless_utc: bool = False) -> Parsed:
    """A column of texts as `dtype`; times become naive UTC microseconds.

    Times are taken as seconds or milliseconds since 1970, or as RFC 3339 with a zone; with
    `zoneless_utc` also without one, as the canonical tables are defined.
    """
    if isinstance(texts, pa.ChunkedArray):
        texts = texts.combine_chunks()
    texts = pc.utf8_trim_whitespace(texts)
    texts = _where(pc.not_equal(texts, ""), texts)
    if zoneless_utc and dtype is DType.TIMESTAMP:
        texts = pc.replace_substring_regex(texts, _ZONELESS, r"\0Z")
    values = _PARSERS[dtype](texts)
    bad = np.asarray(pc.and_(pc.is_null(values), pc.is_valid(texts)))
    return Parsed(values, bad)


def text_column(texts: Sequence[str | None]) -> pa.Array:
    """Texts as a column, null where there is none.

    Arrow's own way from a list loads pandas, for which an import without news has no time.
    """
    letters = [b"" if text is None else text.encode() for text in texts]
    ends = np.zeros(len(letters) + 1, np.int64)
    np.cumsum(np.array([len(text) for text in letters], np.int64), out=ends[1:])
    there = np.packbits(np.array([text is not None for text in texts], bool), bitorder="little")
    column = pa.Array.from_buffers(
        pa.large_string(), len(letters),
        [pa.py_buffer(there.tobytes()), pa.py_buffer(ends), pa.py_buffer(b"".join(letters))],
    )  # fmt: skip
    return column.cast(pa.string())


def floats(values: Any) -> npt.NDArray[np.float64]:
    """A column of numbers in numpy, NaN where it is empty."""
    return np.asarray(values.to_numpy(zero_copy_only=False), dtype=np.float64)


def _texts(texts: pa.Array) -> pa.Array:
    return texts


def _numbers(texts: pa.Array) -> pa.Array:
    values = _where(pc.match_substring_regex(texts, _NUMBER), texts).cast(pa.float64())
    return _where(pc.is_finite(values), values)


def _whole_numbers(texts: pa.Array) -> pa.Array:
    return _where(pc.match_substring_regex(texts, _WHOLE), texts).cast(pa.int64())


def _flags(texts: pa.Array) -> pa.Array:
    lower = pc.utf8_lower(texts)
    yes = pc.is_in(lower, pa.array(_TRUE))
    known = pc.or_(yes, pc.is_in(lower, pa.array(_FALSE)))
    return _where(known, yes)


def _times(texts: pa.Array) -> pa.Array:
    numbers = np.array(_numbers(texts).to_numpy(zero_copy_only=False), dtype=np.float64)
    micros = np.where(np.abs(numbers) < _SECONDS_BELOW, numbers * 1e6, numbers * 1e3)
    known = np.isfinite(micros) & (np.abs(micros) < 2**62)
    whole = np.where(known, np.round(np.where(known, micros, 0)), 0).astype(np.int64)
    from_numbers = pa.array(whole, mask=~known).cast(pa.timestamp("us"))
    if known.all() or texts.null_count == len(texts) - int(known.sum()):
        return from_numbers
    # Written times repeat (one per snapshot), so each distinct one is read once.
    coded = _where(pa.array(~known), texts).dictionary_encode()
    read = pa.array([_written_time(text) for text in coded.dictionary.to_pylist()],
                    pa.timestamp("us"))  # fmt: skip
    return pc.coalesce(from_numbers, read.take(coded.indices))


def _written_time(text: str) -> datetime | None:
    try:
        value = datetime.fromisoformat(_ZONE_WITHOUT_COLON.sub(r"\1:\2", text))
        return value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _where(mask: Any, values: Any) -> pa.Array:
    return pc.if_else(mask, values, pa.scalar(None, values.type))


_PARSERS = {
    DType.STRING: _texts,
    DType.FLOAT: _numbers,
    DType.INT: _whole_numbers,
    DType.BOOL: _flags,
    DType.TIMESTAMP: _times,
}
