"""Public holidays of a country or a part of it, from the library `holidays`; no network."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

import holidays
import pyarrow as pa

from fleetdesk.errors import SourceUnreadable
from fleetdesk.model.quality import QualityReport
from fleetdesk.model.tables import HOLIDAYS
from fleetdesk.sources.base import Checkpoint, OnProgress, Piece, Surroundings, Tally, schema_of

_DAYS_AHEAD = 366
_SHOWN = 12
_MOST_YEARS = 200


def open_holidays(place: str, around: Surroundings) -> Holidays:
    """The holidays of PLACE, `GR` or `DE-BY`, as the options from, to and language say."""
    options = around.options
    country, _, part = place.upper().replace("/", "-").partition("-")
    supported = holidays.list_supported_countries()
    if country not in supported:
        raise SourceUnreadable(
            f"There is no calendar of {place}",
            found=f"{len(supported)} countries, such as {', '.join(list(supported)[:_SHOWN])}",
            fix="Give the two letters of a country, such as GR, or those and a part: DE-BY",
        )
    if part and part not in supported[country]:
        raise SourceUnreadable(
            f"{country} has no part {part}",
            found=", ".join(supported[country]) or "a country without parts",
            fix="Give one of them, or the country alone",
        )
    first = _day("from", options.get("from", "")) or date(around.now.year, 1, 1)
    last = _day("to", options.get("to", "")) or around.now.date() + timedelta(days=_DAYS_AHEAD)
    if first > last or last.year - first.year > _MOST_YEARS:
        raise SourceUnreadable(
            "The time from the option from to the option to cannot be used",
            found=f"{first} to {last}", fix=f"Give the earlier first, at most {_MOST_YEARS} years",
        )  # fmt: skip
    language = _language(country, options.get("language", ""))
    return Holidays(country, part, first, last, language, around.tables[HOLIDAYS.name])


class Holidays:
    """The public holidays from `first` to `last`, both included, that `known` does not have yet.

    `known` is the store's Ibis table, `part` is "" for the whole country.
    """

    def __init__(
        self, country: str, part: str, first: date, last: date, language: str | None, known: Any
    ) -> None:
        self.name = f"{country}-{part}" if part else country
        self._first, self._last, self._known = first, last, known
        self._calendar = holidays.country_holidays(
            country, subdiv=part or None, years=range(first.year, last.year + 1), language=language
        )
        self._report: QualityReport | None = None

    def read(self, on_progress: OnProgress | None = None) -> Iterator[Piece]:
        """Yield `holidays` in one piece."""
        days = sorted(day for day in self._calendar if self._first <= day <= self._last)
        tally = Tally(rows_in=len(days))
        mine = self._known.filter(self._known.region == self.name).to_pyarrow().to_pylist()
        there = {row["day_at"]: row["name"] for row in mine}
        named = {datetime.combine(day, time()): self._calendar[day] for day in days}
        rows = [
            {"day_at": at, "name": name, "region": self.name}
            for at, name in named.items() if there.get(at) != name
        ]  # fmt: skip
        if rows:
            yield HOLIDAYS.name, pa.Table.from_pylist(rows, schema=schema_of(HOLIDAYS))
        if on_progress:
            on_progress(1.0)
        yield Checkpoint({"to": self._last.isoformat()})
        self._report = tally.report(
            self.name, notes=(f"Holidays from {self._first} to {self._last}.",), facts={}
        )

    def report(self) -> QualityReport:
        """What became of the rows; only after `read` has come to its end."""
        if self._report is None:
            raise RuntimeError("the report exists only after the source has been read")
        return self._report


def _language(country: str, wanted: str) -> str | None:
    """The language of the names; the country's own by default, not that of the machine."""
    calendar = holidays.country_holidays(country)
    known = calendar.supported_languages
    if wanted and wanted not in known:
        raise SourceUnreadable(
            f"The holidays of {country} have no names in {wanted}",
            found=", ".join(known) or "one language only", fix="Leave the option language out",
        )  # fmt: skip
    return wanted or calendar.default_language


def _day(option: str, text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise SourceUnreadable(
            f"The option {option} is not a day", found=repr(text), fix="Write it like 2025-01-31"
        ) from None
