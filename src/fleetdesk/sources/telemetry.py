"""Telemetry of vehicles: JSON of whatever nesting, or any other file of rows, to `telemetry`.

Which path means what is guessed by its name; docs/sources/telemetry.md says how.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

import pyarrow as pa

from fleetdesk.model.tables import TELEMETRY
from fleetdesk.sources.base import Tally
from fleetdesk.sources.http import Credentials, Http
from fleetdesk.sources.mapped_checks import Limits
from fleetdesk.sources.mapped_files import MappedFiles, Wishes
from fleetdesk.sources.mapped_rows import CanonicalRows, Counts


def telemetry_at(
    place: str,
    wishes: Wishes,
    *,
    now: datetime,
    raw: Path,
    token: str | None = None,
    known_vehicles: pa.Table | None = None,
    watermark: Mapping[str, str] | None = None,
    http: Http | None = None,
) -> MappedFiles:
    """The source at a path or an http(s) address, whose answer is kept as a file in `raw`.

    `token` is sent as a bearer token to that address only.
    """
    path, name = Path(place), ""
    if place.startswith(("http://", "https://")):
        path, name = _fetched(place, raw, token, http), urlsplit(place).hostname or place
    return MappedFiles(
        path, wishes, now=now, known_vehicles=known_vehicles, watermark=watermark, name=name
    )


class TelemetryRows:
    """Turns parsed batches, from a database for one, into rows of `telemetry`; faults are counted.

    `limits` says what is believed; `counts` collects what is worth knowing of rows that are kept.
    """

    def __init__(self, limits: Limits, tally: Tally, counts: Counts | None = None) -> None:
        self._tally = tally
        self._rows = CanonicalRows(TELEMETRY, limits, tally, counts or Counts())

    def take(self, columns: Mapping[str, pa.Array], where: Callable[[int], str]) -> pa.Table:
        """The good rows; `columns` are canonical ones of one length, some of them may be missing.

        `where` names a row of the batch, by its key for one, in the report's examples.
        """
        self._tally.rows_in += len(next(iter(columns.values())))
        return self._rows.take(columns, where)[0]


def _fetched(address: str, raw: Path, token: str | None, http: Http | None) -> Path:
    """The answer as a packed file, so that it can be read again."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    client = http or Http(credentials=Credentials(address, headers) if token else None)
    try:
        body = client.get(address, headers={"Accept": "application/json, */*"}).body
    finally:
        client.close()
    path = raw / f"telemetry {urlsplit(address).hostname}.json.gz"
    raw.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".tmp")
    draft.write_bytes(gzip.compress(body, compresslevel=6, mtime=0))
    draft.replace(path)
    return path
