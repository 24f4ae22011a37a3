"""Times as people and programs write them, whole columns at once, to naive UTC microseconds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from fleetdesk.model.tables import DType
from fleetdesk.sources.parsing import Parsed, floats, parse

YEAR_FIRST, DAY_FIRST, MONTH_FIRST = "year-month-day", "day/month/year", "month/day/year"
WRITTEN = (YEAR_FIRST, DAY_FIRST, MONTH_FIRST)
SINCE_1970 = {
    "seconds since 1970": 1e6,
    "milliseconds since 1970": 1e3,
    "microseconds since 1970": 1.0,
}
CLOCK = r"^\d{1,2}:\d\d(:\d\d(\.\d+)?)?( ?[AaPp]\.?[Mm]\.?)?$"
_DAY_US = 86_400_000_000
_STEP_US = 900_000_000  # zones change their offset on a quarter of an hour
_TEXT = (
    r"^(?P<a>\d{1,4})[-/.](?P<b>\d{1,2})[-/.](?P<c>\d{1,4})"
    r"(?:[T ,]+(?P<h>\d{1,2}):(?P<m>\d\d)(?::(?P<s>\d\d)(?:[.,](?P<f>\d{1,9}))?)?)?"
    r" ?(?P<half>[AaPp]?)(?:\.?[Mm]\.?)? ?(?P<zone>Z|UTC|[+-]\d\d:?\d\d|[+-]\d\d)?$"
)


def read_times(texts: pa.Array, form: str, zone: ZoneInfo) -> Parsed:
    """Texts in one of the forms above; those without a zone of their own are taken in `zone`."""
    if form in SINCE_1970:
        numbers = parse(texts, DType.FLOAT)
        exact = floats(numbers.values) * SINCE_1970[form]
        good = np.isfinite(exact) & (np.abs(exact) < 2**62)
        return _parsed(np.where(good, exact, 0).round().astype(np.int64), good, texts)
    fields = pc.extract_regex(texts, _TEXT)
    shown, good = _written(fields, form)
    offsets, own = _own_zones(fields)
    micros = shown - np.where(own, offsets, _offsets(shown, zone))
    return _parsed(micros, good & np.asarray(pc.is_valid(fields)), texts)


def joined(dates: pa.Array, clocks: pa.Array) -> pa.Array:
    """A date and the time of day beside it as one text; null where either is missing."""
    dates = pc.replace_substring_regex(dates, r"[T ]00:00(:00(\.0+)?)?$", "")
    return pc.binary_join_element_wise(dates, clocks, " ")


def doubtful_hours(micros: npt.NDArray[np.int64], zone: ZoneInfo) -> int:
    """How many of these UTC times fall into an hour that the local clock shows twice."""
    before, after = (_shown(micros + step, zone) for step in (-3_600_000_000, 3_600_000_000))
    here = _shown(micros, zone)
    return int(((here == before) | (here == after)).sum())


def _shown(micros: npt.NDArray[np.int64], zone: ZoneInfo) -> npt.NDArray[np.int64]:
    steps, places = np.unique(micros // _STEP_US, return_inverse=True)
    shown = [
        step * _STEP_US + _offset_of_utc(int(step) * _STEP_US, zone) for step in steps.tolist()
    ]
    return np.array(shown, np.int64)[places]


def _written(fields: Any, form: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Microseconds since 1970 of what the clock shows, and which of them are real dates."""
    first, second, third = (_whole(fields, name) for name in "abc")
    year, month, day = {
        YEAR_FIRST: (first, second, third),
        DAY_FIRST: (third, second, first),
        MONTH_FIRST: (third, first, second),
    }[form]
    year = np.where(year < 100, year + 2000, year)
    hour, minute, second = (_whole(fields, name) for name in "hms")
    half = np.asarray(pc.utf8_lower(pc.struct_field(fields, "half")).to_pylist(), dtype=object)
    good = (month >= 1) & (month <= 12) & (day >= 1) & (year >= 1900) & (year < 2200)
    good &= (minute < 60) & (second < 60) & (hour <= np.where(half != "", 12, 24))
    good &= (hour < 24) | ((minute == 0) & (second == 0))
    hour = np.where(half == "p", hour % 12 + 12, np.where(half == "a", hour % 12, hour))
    months = np.where(good, (year - 1970) * 12 + month - 1, 0)
    days = months.astype("datetime64[M]").astype("datetime64[D]") + (day - 1)
    good &= days.astype("datetime64[M]").astype(np.int64) == months
    clock = ((hour * 60 + minute) * 60 + second) * 1_000_000 + _fraction(fields)
    return np.where(good, days.astype(np.int64) * _DAY_US + clock, 0), good


def _whole(fields: Any, name: str) -> npt.NDArray[np.int64]:
    texts = pc.struct_field(fields, name)
    texts = pc.fill_null(pc.if_else(pc.equal(texts, ""), "0", texts), "0")
    return np.array(texts.cast(pa.int64()).to_numpy(zero_copy_only=False))


def _fraction(fields: Any) -> npt.NDArray[np.int64]:
    digits = pc.utf8_slice_codeunits(pc.struct_field(fields, "f"), 0, 6)
    digits = pc.fill_null(pc.utf8_rpad(digits, 6, "0"), "0")
    return np.array(digits.cast(pa.int64()).to_numpy(zero_copy_only=False))


def _own_zones(fields: Any) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Each row's own offset in microseconds, and whether it has one."""
    coded = pc.fill_null(pc.struct_field(fields, "zone"), "").dictionary_encode()
    known = coded.dictionary.to_pylist()
    offsets = np.array([_offset_of_text(text) for text in known] or [0], np.int64)
    places = np.asarray(coded.indices)
    return offsets[places], np.array([text != "" for text in known] or [False])[places]


def _offset_of_text(text: str) -> int:
    if not text.startswith(("+", "-")):
        return 0
    digits = text[1:].replace(":", "").ljust(4, "0")
    minutes = int(digits[:2]) * 60 + int(digits[2:])
    return minutes * 60_000_000 * (-1 if text[0] == "-" else 1)


def _offsets(micros: npt.NDArray[np.int64], zone: ZoneInfo) -> npt.NDArray[np.int64]:
    """Local time less UTC of what local clocks show; of an hour that comes twice, the first."""
    steps, places = np.unique(micros // _STEP_US, return_inverse=True)
    return np.array([_offset(int(step), zone) for step in steps] or [0], np.int64)[places]


@lru_cache(maxsize=100_000)
def _offset(step: int, zone: ZoneInfo) -> int:
    shown = datetime(1970, 1, 1, tzinfo=zone) + timedelta(microseconds=step * _STEP_US)
    offset = shown.utcoffset()
    return round(offset.total_seconds() * 1e6) if offset else 0


@lru_cache(maxsize=100_000)
def _offset_of_utc(micros: int, zone: ZoneInfo) -> int:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)
    offset = moment.astimezone(zone).utcoffset()
    return round(offset.total_seconds() * 1e6) if offset else 0


def _parsed(micros: npt.NDArray[np.int64], good: npt.NDArray[np.bool_], texts: pa.Array) -> Parsed:
    values = pa.array(micros, mask=~good).cast(pa.timestamp("us"))
    return Parsed(values, ~good & np.asarray(pc.is_valid(texts)))
