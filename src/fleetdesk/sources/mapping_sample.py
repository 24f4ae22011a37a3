"""Some rows of a file to guess from, and what their values tell: forms, units, the city."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from fleetdesk.features.cells import haversine
from fleetdesk.model.tables import Column, DType
from fleetdesk.sources.base import Tally
from fleetdesk.sources.mapped_readers import RowFile
from fleetdesk.sources.mapping import DATE, TIME_OF_DAY
from fleetdesk.sources.mapping_forms import HOURS_MINUTES, POSITIONS, UNITS, read_positions, trimmed
from fleetdesk.sources.mapping_forms import read_values as read
from fleetdesk.sources.mapping_times import (
    CLOCK,
    DAY_FIRST,
    MONTH_FIRST,
    SINCE_1970,
    WRITTEN,
    YEAR_FIRST,
    read_times,
)

Floats = npt.NDArray[np.float64]
_MOST_ROWS = 200_000  # looked at
_ON_END = 2_000  # rows of each piece in a row, so that steps can be seen
_EVERY = 10  # of the others
_MOST = 0.9
_UTC = ZoneInfo("UTC")
_USUAL_KMH = 9.0  # a shared scooter's trip, ridden distance over ridden time
_NEAR = 2.0
_DAY_S = 86_400.0
_SHORT_STEP_S = 120.0
_ENOUGH = 30


@dataclass(frozen=True)
class Sample:
    """Rows of one or several files with one header; all columns are texts, nothing is null."""

    header: Sequence[str]
    texts: dict[str, pa.Array]

    @property
    def rows(self) -> int:
        """How many."""
        return len(next(iter(self.texts.values()), ()))

    def examples(self, name: str, most: int = 3) -> list[str]:
        """The first few distinct values."""
        return list(pc.unique(self.texts[name].drop_null()).slice(0, most).to_pylist())

    def given(self, name: str) -> pa.Array:
        """The values that are there."""
        return self.texts[name].drop_null()


@dataclass(frozen=True, slots=True)
class Told:
    """What the values say of a form: how sure that is, and what to ask the planner."""

    form: str
    sure: bool = True
    remark: str = ""


def sample_of(files: Sequence[RowFile]) -> Sample:
    """Rows from all over the files, or from the beginnings of big ones."""
    header = list(dict.fromkeys(name for file in files for name in file.header))
    pieces: list[pa.Table] = []
    for file in files:
        seen = 0
        for rows in file.rows(Tally()):
            places = np.arange(rows.texts.num_rows)
            chosen = places[(places < _ON_END) | (places % _EVERY == 0)]
            pieces.append(rows.texts.take(pa.array(chosen)).rename_columns(list(file.header)))
            seen += len(places)
            if seen * len(files) >= _MOST_ROWS:
                break
    if not pieces:
        return Sample(header, {name: pa.array([], pa.string()) for name in header})
    together = pa.concat_tables(pieces, promote_options="default")
    return Sample(header, {name: trimmed(together.column(name)) for name in header})


def time_form(texts: pa.Array) -> Told | None:
    """How times are written; None when they are none."""
    values = pc.unique(texts.drop_null())
    if not len(values):
        return Told(YEAR_FIRST)
    if _share(pc.match_substring_regex(values, CLOCK)) > 1 / _NEAR:
        return Told(TIME_OF_DAY)
    numbers = read(values, _NUMBER, "", _UTC).values.drop_null()
    if len(numbers) > len(values) / _NEAR:
        return _since_1970(float(np.median(np.asarray(numbers))))
    lost = {form: float(read_times(values, form, _UTC).bad.mean()) for form in WRITTEN}
    if _share(pc.match_substring_regex(values, r"^\d{4}")) <= 1 / _NEAR:
        lost[YEAR_FIRST] = 1.0
    form = min(lost, key=lambda name: lost[name])
    if lost[form] >= 1 / _NEAR:
        return None
    prefix = "" if _share(pc.match_substring(values, ":")) > 1 - _MOST else DATE
    if form == YEAR_FIRST or lost[DAY_FIRST] != lost[MONTH_FIRST]:
        return Told(prefix + form)
    halves = _share(pc.match_substring_regex(values, r"[AaPp]\.?[Mm]\.?$")) > _MOST
    dotted = _share(pc.match_substring_regex(values, r"^\d+\.")) > _MOST
    form = MONTH_FIRST if halves and not dotted else DAY_FIRST
    return Told(prefix + form, False, "no date here tells day from month: check")


def position_form(texts: pa.Array, header: str) -> Told | None:
    """How points are written in one text; None when they are none."""
    values = texts.drop_null()
    if not len(values):
        return None
    for form in POSITIONS:
        lat, lon = read_positions(values, form)
        if lat.bad.mean() >= 1 / _NEAR:
            continue
        if form != POSITIONS[0] and "coordinates" in header:
            return Told(POSITIONS[2], False, "taken as in GeoJSON, longitude first: check")
        if float(pc.max(pc.abs(lat.values)).as_py()) <= 90:  # degrees
            either = float(pc.max(pc.abs(lon.values)).as_py()) <= 90
            if form == POSITIONS[0] or not either:
                return Told(form)
            return Told(form, False, "taken with latitude first: check")
    return None


def fits(texts: pa.Array, column: Column, decimal: str) -> bool:
    """Whether most values can be what the column holds; none at all fit everything."""
    values = texts.drop_null()
    if not len(values) or column.dtype is DType.STRING:
        return True
    if column.dtype is DType.TIMESTAMP:
        return time_form(values) is not None
    good = ~read(values, column, "", _UTC, decimal).bad
    if column.unit == "s" and good.mean() < 1 / _NEAR:
        good = ~read(values, column, HOURS_MINUTES, _UTC, decimal).bad
    return bool(good.mean() >= 1 / _NEAR)


def decimal_of(sample: Sample) -> str:
    """The sign before the fraction in most numbers."""
    signs = dict.fromkeys(".,", 0)
    for texts in sample.texts.values():
        for sign in signs:
            # Not three digits, which thousands have too.
            numbers = pc.match_substring_regex(texts, rf"^-?\d+[{sign}](\d{{1,2}}|\d{{4,}})$")
            signs[sign] += len(texts.filter(numbers))
    return "," if signs[","] > signs["."] else "."


def duration_form(seconds_if_s: Floats, between_s: Floats | None) -> Told:
    """By the time between start and end, else by size."""
    usable = np.isfinite(seconds_if_s) & (seconds_if_s > 0)
    if between_s is not None:
        # Totals, because published times are rounded to as much as an hour.
        both = usable & (between_s >= 0) & (between_s < _DAY_S)
        if both.sum() >= _ENOUGH and between_s[both].sum() > 0:
            ratio = between_s[both].sum() / seconds_if_s[both].sum()
            units = UNITS["s"]
            best = min(units, key=lambda name: abs(np.log(ratio / units[name])))
            sure = abs(np.log(ratio / units[best])) < np.log(_NEAR)
            return Told(best, bool(sure), "" if sure else "does not agree with start and end")
    middle = float(np.median(seconds_if_s[usable])) if usable.any() else 600.0
    return Told("s" if middle >= 60 else "min", False, "by the size of the values: check")


def distance_form(metres_if_m: Floats, duration_s: Floats | None, crow_m: Floats | None) -> Told:
    """By the mean speed of trips, and because none is shorter than the straight line."""
    usable = np.isfinite(metres_if_m) & (metres_if_m >= 0)
    ridden = usable & (duration_s > 0) & (duration_s < _DAY_S) if duration_s is not None else usable
    if duration_s is None or ridden.sum() < _ENOUGH or not metres_if_m[ridden].sum():
        middle = float(np.median(metres_if_m[usable])) if usable.any() else 1000.0
        return Told("m" if middle >= 100 else "km", False, "by the size of the values: check")
    kmh = float(metres_if_m[ridden].sum() / duration_s[ridden].sum()) * 3.6
    faults = {}
    for name in ("m", "km", "mi", "ft"):
        factor = UNITS["m"][name]
        faults[name] = abs(np.log(kmh * factor / _USUAL_KMH))
        if crow_m is not None:
            far = usable & (crow_m > 200)  # metres; nearer, errors weigh more
            short = metres_if_m[far] * factor < 0.8 * crow_m[far]
            faults[name] += 3 * float(short.mean()) if far.any() else 0.0
    best, second = sorted(faults, key=lambda name: faults[name])[:2]
    sure = faults[second] - faults[best] > 0.7  # twice as likely a speed
    told = f"trips at {kmh * UNITS['m'][best]:.0f} km/h" + ("" if sure else f"; {second}? check")
    return Told(best, bool(sure), told)


def speed_form(
    kmh_if_kmh: Floats, vehicle: pa.Array | None, micros: Floats, lat: Floats, lon: Floats
) -> Told:
    """By the speed from one position to the next."""
    step_s = np.diff(micros) / 1e6
    step_m = haversine(lat[:-1], lon[:-1], lat[1:], lon[1:])
    usable = (step_s > 0) & (step_s <= _SHORT_STEP_S) & (step_m > 5) & (kmh_if_kmh[1:] > 0)
    if vehicle is not None:
        same = np.asarray(pc.fill_null(pc.equal(vehicle[1:], vehicle[:-1]), False))
        usable &= same
    if usable.sum() < _ENOUGH:
        return Told("km/h", False, "check the unit")
    ratio = float(np.median(step_m[usable] / step_s[usable] * 3.6 / kmh_if_kmh[1:][usable]))
    units = UNITS["km/h"]
    best = min(units, key=lambda name: abs(np.log(ratio / units[name])))
    sure = abs(np.log(ratio / units[best])) < 0.25  # mph and kn differ by less
    return Told(best, bool(sure), "" if sure else "check the unit")


def share_form(values: Floats) -> Told:
    """Charge from 0 to 1 or from 0 to 100; some feeds of the first kind go up to 1.2."""
    most = float(np.nanmax(values)) if np.isfinite(values).any() else 100.0
    return Told("0 to 1" if most <= 1.2 else "%")


def degree_form(values: Floats) -> Told:
    """Degrees, or millionths of them as trackers send."""
    middle = float(np.nanmedian(np.abs(values))) if np.isfinite(values).any() else 0.0
    if middle <= 180:
        return Told("deg")
    return Told("deg x 1e6" if middle <= 180e6 else "deg x 1e7", False, "check")


def densest(lat: Floats, lon: Floats) -> tuple[float, float] | None:
    """The middle of the half degree that holds the most positions."""
    known = np.isfinite(lat) & np.isfinite(lon) & ((lat != 0) | (lon != 0))
    if not known.any():
        return None
    lat, lon = lat[known], lon[known]
    squares = np.round(lat * 2) * 1000 + np.round(lon * 2)
    found, counts = np.unique(squares, return_counts=True)
    there = squares == found[counts.argmax()]
    return round(float(np.median(lat[there])), 4), round(float(np.median(lon[there])), 4)


def _since_1970(middle: float) -> Told | None:
    for form, factor in SINCE_1970.items():
        if 9e14 < middle * factor < 4e15:  # microseconds, years 1998 to 2096
            return Told(form)
    return None


def _share(mask: pa.Array) -> float:
    return float(pc.mean(mask.cast(pa.float64())).as_py() or 0.0)


_NUMBER = Column("number", DType.FLOAT, "")
