"""The one list of what can be imported; command line, workbook and app are drawn from it.

Nothing heavy is loaded until a source is built.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fleetdesk.errors import SourceUnreadable

if TYPE_CHECKING:
    from fleetdesk.sources.base import Source, Surroundings


# What a value may have to look like: the pattern, and the words for it.
FORMS: Mapping[str, tuple[str, str]] = {
    "whole": (r"0*[1-9]\d{0,6}", "a whole number from 1"),
    "number": (r"\d+(\.\d+)?", "a number such as 36 or 2.5"),
    "place": (r"-?\d+(\.\d+)?\s*,\s*-?\d+(\.\d+)?", "LAT,LON such as 40.64,22.94"),
    "time": (r"\d{4}-\d\d-\d\d([T ].*)?", "a day such as 2024-05-01, or a time on it"),
    "yes": (r"(?i:yes|no)", "yes or no"),
}


@dataclass(frozen=True, slots=True)
class Option:
    """One `--option NAME=VALUE` of a kind; without a default it may be left out.

    `form` is what the value must look like, one of `FORMS`.
    """

    name: str
    help: str
    default: str = ""
    form: str = ""


@dataclass(frozen=True)
class Kind:
    """One kind of source: what PLACE is, and how it is opened.

    `by_name` says that PLACE is neither a path nor an address.
    """

    name: str
    place: str
    build: Callable[[str, Surroundings], Source]
    options: tuple[Option, ...] = ()
    by_name: bool = False


def _gbfs(place: str, around: Surroundings) -> Source:
    from fleetdesk.sources.gbfs import Gbfs

    return Gbfs(place, around)


def _gbfs_snapshots(place: str, around: Surroundings) -> Source:
    from fleetdesk.sources.gbfs_snapshots import GbfsSnapshots

    known = around.tables["vehicles"].to_pyarrow()
    return GbfsSnapshots(Path(place), now=around.now, known_vehicles=known)


def _tables(place: str, around: Surroundings) -> Source:  # noqa: ARG001
    from fleetdesk.sources.canonical import CanonicalFolder

    return CanonicalFolder(Path(place))


def _mds(place: str, around: Surroundings) -> Source:
    from fleetdesk.sources.mds import open_mds

    return open_mds(place, around)


def _files(place: str, around: Surroundings) -> Source:
    from fleetdesk.sources.mapped_files import MappedFiles, wishes_of

    given = {"timezone": around.timezone, **around.options}
    wishes = wishes_of(given, around.folder.parent)
    return MappedFiles(
        Path(place), wishes, now=around.now, watermark=around.watermark,
        known_vehicles=around.tables["vehicles"].to_pyarrow(), pseudonym=around.pseudonym,
    )  # fmt: skip


def _telemetry(place: str, around: Surroundings) -> Source:
    from fleetdesk.sources.mapped_files import wishes_of
    from fleetdesk.sources.telemetry import telemetry_at

    given = {"table": "telemetry", "timezone": around.timezone, **around.options}
    wishes = wishes_of(given, around.folder.parent, trust=True)
    return telemetry_at(
        place, wishes, now=around.now, raw=around.folder, watermark=around.watermark,
        token=around.secret(around.options.get("token", "")) if "token" in around.options else None,
        known_vehicles=around.tables["vehicles"].to_pyarrow(),
    )  # fmt: skip


def _mysql(place: str, around: Surroundings) -> Source:
    try:
        from fleetdesk.sources.mysql import open_mysql
    except ModuleNotFoundError as trouble:
        raise _without("mysql", trouble) from trouble
    return open_mysql(place, around)


def _victoriametrics(place: str, around: Surroundings) -> Source:
    from fleetdesk.sources.victoria import open_victoria

    return open_victoria(place, around)


def _weather(place: str, around: Surroundings) -> Source:
    try:
        from fleetdesk.sources.weather import open_weather
    except ModuleNotFoundError as trouble:
        raise _without("weather", trouble) from trouble
    return open_weather(place, around)


def _holidays(place: str, around: Surroundings) -> Source:
    from fleetdesk.sources.holidays import open_holidays

    return open_holidays(place, around)


def _without(extra: str, trouble: ModuleNotFoundError) -> SourceUnreadable:
    return SourceUnreadable(
        f"This kind of source needs what is not installed: {trouble.name}",
        fix=f"Install it with: pip install 'fleetdesk[{extra}]'",
    )


_CENTRE = Option(
    "centre", "LAT,LON of the city; by default the middle of what is there", form="place"
)
_FILE_OPTIONS = (
    Option("mapping", "a corrected mapping: a path, or a file of the workspace"),
    Option("timezone", "of times without a zone, such as Europe/Athens; the city's by default"),
    Option("vehicle-types", "only these, such as scooter; all by default"),
    _CENTRE,
    Option("far-km", "rows farther than this from it are dropped; 0 = none", "50", "number"),
    Option("encoding", "of a CSV, such as cp1253; found out by default"),
)
KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "gbfs",
            "GBFS 1.0 to 3.1: the discovery address (gbfs.json), or a folder of raw answers",
            _gbfs,
            (
                Option(
                    "polls", "how many snapshots to take from a server; 1 by default", form="whole"
                ),
                Option(
                    "minutes",
                    "how long to go on taking snapshots, as often as its ttl says",
                    form="whole",
                ),
                Option("language", "of the feeds of GBFS 1 and 2; en by default"),
                Option("token", "name of the secret that holds the bearer token"),
            ),
        ),
        Kind(
            "gbfs-snapshots",
            "one CSV (or .csv.gz): a row per vehicle and snapshot of a public feed",
            _gbfs_snapshots,
        ),
        Kind(
            "tables",
            "a folder of canonical tables as Parquet or CSV, one file or folder each",
            _tables,
        ),
        Kind(
            "mds",
            "MDS 0.4 to 2.0: a file, a folder of pages, or a provider's https address",
            _mds,
            (
                Option("version", "MDS version to ask a server for, or of files that tell none"),
                Option("currency", "the city's; costs in another one are left out"),
                Option("battery-voltage", "volts of a battery, to turn mAh into Wh", form="number"),
                Option("since", "first day or hour (UTC) to ask a server for", form="time"),
                Option("endpoints", "of a server, such as trips,events; all that are known"),
                Option("token", "name of the secret that holds the bearer token", "mds-token"),
            ),
        ),
        Kind(
            "files",
            "a CSV, Excel, Parquet or JSON file of your own, or a folder of such",
            _files,
            (
                Option("confirm", "yes = the guessed meaning of the columns is right", form="yes"),
                Option("table", "canonical table that the rows belong to; guessed by default"),
                Option("sheet", "of a workbook; the first with a table by default"),
                *_FILE_OPTIONS,
            ),
        ),
        Kind(
            "telemetry",
            "pings of vehicles: JSON however nested, other files, a folder, an https address",
            _telemetry,
            (
                Option("confirm", "yes = the guessed meaning of the columns is right", form="yes"),
                *_FILE_OPTIONS,
                Option("token", "name of the secret that holds the bearer token"),
            ),
        ),
        Kind(
            "mysql",
            "a table of a MySQL or MariaDB database: mysql://user@host:3306/database",
            _mysql,
            (
                Option("table", "which table or view of the database"),
                Option("into", "canonical table that its rows belong to; guessed by default"),
                Option("confirm", "yes = the guessed meaning of the columns is right", form="yes"),
                Option("updated_at", "says when a row was changed; guessed by its name; none"),
                Option("key", "columns that tell rows apart, by commas; the primary key if none"),
                Option("deletes", "check = tell which rows of the workspace the table lost"),
                Option("batch", "rows asked for at once; 50000 by default", form="whole"),
                Option("password", "name of the secret with the password", "mysql-password"),
                Option("tls", "yes, or the path of the authority's certificate"),
                *(option for option in _FILE_OPTIONS if option.name != "encoding"),
            ),
        ),
        Kind(
            "victoriametrics",
            "telemetry that a VictoriaMetrics server holds, such as http://host:8428",
            _victoriametrics,
            (
                Option(
                    "from",
                    "first day or time (UTC); by default what is new, at first 30 days",
                    form="time",
                ),
                Option("to", "day or time (UTC) to stop before; now by default", form="time"),
                Option("prefix", "how the metrics of vehicles begin", "fleetdesk_"),
                Option("centre", "LAT,LON of the city, to drop what is far from it", form="place"),
                Option("far-km", "how far that is", "50", "number"),
                Option("token", "name of the secret that holds the bearer token"),
            ),
        ),
        Kind(
            "weather",
            "meteostat: hourly weather at the city's middle, for the time of its records",
            _weather,
            (
                Option("from", "first day or time (UTC); the first record by default", form="time"),
                Option("to", "last day or time (UTC); the last record by default", form="time"),
                Option(
                    "centre",
                    "LAT,LON of the city; by default the middle of what is there",
                    form="place",
                ),
            ),
            by_name=True,
        ),
        Kind(
            "holidays",
            "a country's public holidays, such as GR, or those of a part of it: DE-BY",
            _holidays,
            (
                Option("from", "first day; the first of this year by default", form="time"),
                Option("to", "last day; a year from now by default", form="time"),
                Option("language", "of the names, such as en_US; the country's own by default"),
            ),
            by_name=True,
        ),
    )
}
