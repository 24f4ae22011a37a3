"""What a file's columns seem to mean, by names and values, for the planner to confirm."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from fleetdesk.features.cells import haversine
from fleetdesk.model.tables import TABLES, Column, DType, Table
from fleetdesk.sources import mapping_sample as look
from fleetdesk.sources.mapping import (
    DATE,
    FILE_NAME,
    POSITION,
    RIDER,
    TIME_OF_DAY,
    ColumnMapping,
    ColumnRule,
    missing,
    prefixes,
    target_columns,
)
from fleetdesk.sources.mapping_forms import (
    HOURS_MINUTES,
    LAT_LON,
    UNITS,
    read_positions,
    read_values,
)
from fleetdesk.sources.mapping_sample import Sample, Told
from fleetdesk.sources.mapping_times import SINCE_1970, joined, read_times
from fleetdesk.sources.mapping_words import Header, header_of, rank
from fleetdesk.sources.parsing import floats

Floats = npt.NDArray[np.float64]
SURE, LIKELY, CHECK = "sure", "likely", "check"
_DEFAULTS: dict[str, tuple[tuple[str, str], ...]] = {
    "trips": (("inferred", "no"),),
    "sightings": (("is_reserved", "no"), ("is_disabled", "no")),
    "vehicles": (("vehicle_type", "unknown"),),
    "parkings": (("radius_m", "25"), ("minimum", "0"), ("swap_cabinet", "no")),
    "riders": (("consent", "no"), ("referrals", "0")),
}
_TABLES = (
    "trips", "telemetry", "parkings", "vehicles", "service_tasks", "events", "riders",
    "subscriptions", "payments", "rider_swaps", "complaints", "weather", "sightings",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Guess:
    """One line of the proposal; `target` is empty where the column is not used."""

    column: str
    examples: tuple[str, ...]
    target: str = ""
    form: str = ""
    confidence: str = ""
    remark: str = ""


@dataclass(frozen=True)
class Proposal:
    """All that was guessed of a file; `local` says that it holds times without a zone."""

    table: str
    guesses: tuple[Guess, ...]
    constants: tuple[tuple[str, str], ...]
    timezone: str
    decimal: str
    local: bool
    confirmed: bool = False

    @property
    def mapping(self) -> ColumnMapping:
        """The same, as a file is read by it."""
        rules = tuple(ColumnRule(g.column, g.target, g.form) for g in self.guesses if g.target)
        return ColumnMapping(self.table, rules, self.constants, self.timezone, self.decimal)

    @property
    def missing(self) -> tuple[str, ...]:
        """Needed columns that nothing was found for."""
        return missing(self.mapping)

    @property
    def either_way(self) -> bool:
        """Whether a position's two numbers could be latitude and longitude in either order."""
        return any(g.target.endswith(POSITION) and g.form == LAT_LON for g in self.doubtful)

    @property
    def doubtful(self) -> tuple[Guess, ...]:
        """The lines that somebody should look at."""
        return tuple(guess for guess in self.guesses if guess.confidence == CHECK)


_HIDDEN = "(riders are not shown)"


def guess(sample: Sample, *, table: str = "", timezone: str = "", folder: bool = False) -> Proposal:
    """The likeliest meaning of a file; `folder` says that there are several like it.

    `table` and `timezone` are what the planner has said of them; else the table that most of the
    columns fit, and UTC.
    """
    decimal = look.decimal_of(sample)
    tables = [TABLES[table]] if table else [TABLES[name] for name in _TABLES]
    found = [(_matched(sample, one, decimal), one) for one in tables]
    matched, best = max(found, key=lambda pair: _score(*pair))
    lines = {name: Guess(name, tuple(sample.examples(name))) for name in sample.header}
    for target, names in matched.items():
        for name, sure in names:
            lines[name] = replace(lines[name], target=target, confidence=SURE if sure else LIKELY)
            if target == RIDER:
                lines[name] = replace(lines[name], examples=(_HIDDEN,))
    forms = _Forms(sample, best, {line.column: line for line in lines.values()}, decimal)
    guesses = list(forms.filled())
    if best.name == "telemetry" and "vehicle_id" not in matched:
        remark = "one file per vehicle? else a line (value) with its id"
        guesses.append(Guess(FILE_NAME, (), "vehicle_id", "", LIKELY if folder else CHECK, remark))
    given = {line.target for line in guesses}
    constants = tuple(pair for pair in _DEFAULTS.get(best.name, ()) if pair[0] not in given)
    return Proposal(best.name, tuple(guesses), constants, timezone or "UTC", decimal, forms.local)


def _score(matched: dict[str, list[tuple[str, bool]]], table: Table) -> float:
    """How much of what the table needs was found, and how much of the rest."""
    rules = tuple(ColumnRule(n, t) for t, names in matched.items() for n, _ in names[:1])
    defaults = {name for name, _ in _DEFAULTS.get(table.name, ())}
    bare = set(missing(ColumnMapping(table.name, ())))
    lacking = set(missing(ColumnMapping(table.name, rules))) - defaults
    needed = len(bare - defaults)
    return 2 * (1 - len(lacking) / max(1, needed)) + 0.1 * len(matched)


def _matched(sample: Sample, table: Table, decimal: str) -> dict[str, list[tuple[str, bool]]]:
    """Target -> its columns (two where date and time are apart), and whether the name is sure."""
    targets = target_columns(table)
    pairs = sorted(
        (place, order, target, name)
        for order, name in enumerate(sample.header)
        for target, place in _ranks(name, table, targets)
    )
    matched: dict[str, list[tuple[str, bool]]] = {}
    taken: set[str] = set()
    for place, _, target, name in pairs:
        if name in taken or not _is_free(target, matched):
            continue
        column = targets.get(target)
        if column is None:
            if look.position_form(sample.given(name), header_of(name).text) is None:
                continue
        elif not look.fits(sample.texts[name], column, decimal):
            continue
        if column is not None and column.dtype is DType.TIMESTAMP:
            other = _other_part(sample, name, target, pairs, taken)
            told = look.time_form(sample.given(name))
            if told and told.form == TIME_OF_DAY and other is None:
                continue
            if other is not None:
                matched[target] = [(name, True), (other, True)]
                taken |= {name, other}
                continue
        matched[target] = [(name, place == 0)]
        taken.add(name)
    return matched


def _ranks(name: str, table: Table, targets: dict[str, Column]) -> Iterator[tuple[str, int]]:
    wanted = [*targets, *(f"{prefix}{POSITION}" for prefix in prefixes(table))]
    for target in wanted:
        ranks = [
            (found + 10 * cut) for cut, header in enumerate(_readings(name))
            if (found := rank(header, target)) is not None
        ]  # fmt: skip
        if ranks:
            # Two columns are better than one text with both.
            yield target, min(ranks) + (100 if target.endswith(POSITION) else 0)


def _readings(name: str) -> Iterator[Header]:
    """A path of JSON may be read from any of its steps on."""
    steps = name.split(".")
    for start in range(len(steps)):
        yield header_of(" ".join(steps[start:]) if start else name)


def _is_free(target: str, matched: dict[str, list[tuple[str, bool]]]) -> bool:
    if target.endswith(POSITION):
        prefix = target.removesuffix(POSITION)
        return target not in matched and f"{prefix}lat" not in matched
    return target not in matched


def _other_part(
    sample: Sample,
    name: str,
    target: str,
    pairs: list[tuple[int, int, str, str]],
    taken: set[str],
) -> str | None:
    """The column with the time of day of a date, or with the date of a time of day."""
    told = look.time_form(sample.given(name))
    if told is None or not (told.form == TIME_OF_DAY or told.form.startswith(DATE)):
        return None
    for _, _, other_target, other in pairs:
        if other_target != target or other == name or other in taken:
            continue
        also = look.time_form(sample.given(other)) if len(sample.given(other)) else None
        if also and (also.form == TIME_OF_DAY) != (told.form == TIME_OF_DAY):
            return other if also.form == TIME_OF_DAY or also.form.startswith(DATE) else None
    return None


class _Forms:
    """Fills units and forms in: times and positions first, then what they tell of the others."""

    def __init__(self, sample: Sample, table: Table, lines: dict[str, Guess], decimal: str) -> None:
        self._sample = sample
        self._columns = target_columns(table)
        self._lines = lines
        self._decimal = decimal
        self.local = False

    def filled(self) -> Iterator[Guess]:
        """All lines in the order of the file."""
        self._times()
        self._positions()
        for unit in ("s", "m", "km/h", "%", "deg"):
            self._units(unit)
        for line in self._lines.values():
            yield self._finished(line)

    def _times(self) -> None:
        for name, line in self._lines.items():
            column = self._columns.get(line.target)
            if column is None or column.dtype is not DType.TIMESTAMP:
                continue
            told = look.time_form(self._sample.given(name)) or Told("")
            self._tell(name, told)
            zoned = pc.match_substring_regex(
                self._sample.given(name), r"(Z|UTC|:\d\d ?[+-]\d\d:?\d\d)$"
            )
            if told.form not in SINCE_1970 and not pc.all(zoned).as_py():
                self.local = True

    def _positions(self) -> None:
        for name, line in self._lines.items():
            if line.target.endswith(POSITION):
                told = look.position_form(self._sample.given(name), header_of(name).text)
                self._tell(name, told or Told(""))

    def _units(self, unit: str) -> None:
        for name, line in self._lines.items():
            column = self._columns.get(line.target)
            if column is None or column.unit != unit:
                continue
            hinted = header_of(name).unit
            if hinted in UNITS[unit] and unit != "%":
                self._tell(name, Told(hinted))
            elif unit == "s" and _is_clock(self._sample.given(name)):
                self._tell(name, Told(HOURS_MINUTES))
            else:
                self._tell(name, self._by_values(name, unit))

    def _by_values(self, name: str, unit: str) -> Told:
        values = self._numbers(name, unit)
        if unit == "s":
            start, end = self._micros("started_at"), self._micros("ended_at")
            between = (end - start) / 1e6 if start is not None and end is not None else None
            return look.duration_form(values, between)
        if unit == "m":
            return self._distance(values) if self._lines[name].target == "distance_m" else Told("m")
        if unit == "km/h":
            at = self._micros("recorded_at")
            point = self._point("")
            if at is None or point is None:
                return Told("km/h", False, "check the unit")
            vehicle = self._column_of("vehicle_id")
            texts = self._sample.texts[vehicle] if vehicle else None
            return look.speed_form(values, texts, at, *point)
        return look.share_form(values) if unit == "%" else look.degree_form(values)

    def _distance(self, values: Floats) -> Told:
        duration = self._column_of("duration_s")
        seconds = None
        if duration:
            rule = self._lines[duration]
            column = self._columns["duration_s"]
            texts = self._sample.texts[duration]
            seconds = floats(read_values(texts, column, rule.form, _UTC, self._decimal).values)
        start, end = self._point("start_"), self._point("end_")
        crow = haversine(*start, *end) if start and end else None
        return look.distance_form(values, seconds, crow)

    def _micros(self, target: str) -> Floats | None:
        names = [name for name, line in self._lines.items() if line.target == target]
        names.sort(key=lambda name: self._lines[name].form == TIME_OF_DAY)
        if not names:
            return None
        texts = self._sample.texts[names[0]]
        form = self._lines[names[0]].form.removeprefix(DATE)
        if len(names) > 1:
            texts = joined(texts, self._sample.texts[names[1]])
        if not form or form == TIME_OF_DAY:
            return None
        values = read_times(texts, form, _UTC).values
        micros = np.asarray(pc.fill_null(values.cast(pa.int64()), 0), dtype=np.float64)
        micros[np.asarray(pc.is_null(values))] = np.nan
        return micros

    def _point(self, prefix: str) -> tuple[Floats, Floats] | None:
        """Latitude and longitude, if the file has them."""
        both = self._column_of(f"{prefix}{POSITION}")
        if both and self._lines[both].form:
            lat, lon = read_positions(self._sample.texts[both], self._lines[both].form)
            return floats(lat.values), floats(lon.values)
        lat_name, lon_name = self._column_of(f"{prefix}lat"), self._column_of(f"{prefix}lon")
        if lat_name is None or lon_name is None:
            return None
        return self._numbers(lat_name, "deg"), self._numbers(lon_name, "deg")

    def _numbers(self, name: str, unit: str) -> Floats:
        """The column's numbers as they stand in the file."""
        texts = self._sample.texts[name]
        return floats(read_values(texts, _plain(unit), "", _UTC, self._decimal).values)

    def _column_of(self, target: str) -> str | None:
        return next((name for name, line in self._lines.items() if line.target == target), None)

    def _tell(self, name: str, told: Told) -> None:
        line = self._lines[name]
        confidence = line.confidence if told.sure else CHECK
        self._lines[name] = replace(
            line, form=told.form, confidence=confidence, remark=told.remark or line.remark
        )

    def _finished(self, line: Guess) -> Guess:
        column = self._columns.get(line.target)
        if not line.examples:
            return replace(line, remark="empty in the rows looked at")
        if column and not line.form and column.unit in UNITS:
            hinted = header_of(line.column).unit
            form = hinted if hinted in UNITS[column.unit] else next(iter(UNITS[column.unit]))
            return replace(line, form=form)
        if not line.target and len(line.examples) == 1 and self._sample.rows > 1:
            return replace(line, remark=f"{line.examples[0]} in all rows looked at")
        return line


def _is_clock(texts: pa.Array) -> bool:
    return bool(len(texts)) and bool(pc.all(pc.match_substring(texts, ":")).as_py())


def _plain(unit: str) -> Column:
    return Column("number", DType.FLOAT, "", unit)


_UTC = ZoneInfo("UTC")
