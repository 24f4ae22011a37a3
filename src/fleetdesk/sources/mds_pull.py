"""A provider's MDS server, pulled hour by hour from where the last import ended.

Standard: hours are asked for by name (`end_time=2024-05-01T07`); 404 is an hour that is not there
yet, 202 one that is still being made, `links.next` the address of the next page.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from itertools import count
from urllib.parse import urljoin, urlsplit

from fleetdesk.errors import SourceUnreadable
from fleetdesk.model.quality import QualityReport
from fleetdesk.sources.base import Checkpoint, OnProgress, Piece, Surroundings
from fleetdesk.sources.http import Answer, Credentials, Http
from fleetdesk.sources.mds_intake import Intake, generation_of
from fleetdesk.sources.mds_json import Page, records_in

HOUR = timedelta(hours=1)
HOURS_PER_CHECKPOINT = 24
TRIES_WHILE_MAKING = 3  # of an hour that is still being made
WAIT_S = 5.0
PAGES_PER_HOUR = 10_000
FIRST_IMPORT = timedelta(days=7)  # so far back without a watermark and the option since
_HOUR_FORMAT = "%Y-%m-%dT%H"


@dataclass(frozen=True)
class Endpoint:
    """One list of records: its path, and the parameter that names an hour ("" = as it is now).

    What agencies serve, not providers, is `on_demand`: only asked for by name.
    """

    name: str
    path: str
    hour: str = ""
    on_demand: bool = False


_RULES = (
    Endpoint("geographies", "geographies", on_demand=True),
    Endpoint("policies", "policies", on_demand=True),
)
ENDPOINTS: dict[int, tuple[Endpoint, ...]] = {
    0: (
        Endpoint("trips", "trips", "end_time"),
        Endpoint("status_changes", "status_changes", "event_time"),
        Endpoint("vehicles", "vehicles"),
    ),
    1: (
        Endpoint("trips", "trips", "end_time"),
        Endpoint("status_changes", "status_changes", "event_time"),
        Endpoint("vehicles", "vehicles"),
        Endpoint("stops", "stops"),
        *_RULES,
    ),
    2: (
        Endpoint("trips", "trips", "end_time"),
        Endpoint("events", "events/historical", "event_time"),
        Endpoint("telemetry", "telemetry", "telemetry_time"),
        Endpoint("vehicles", "vehicles"),
        Endpoint("stops", "stops"),
        *_RULES,
    ),
}
_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")
_ALSO = (int(HTTPStatus.ACCEPTED), int(HTTPStatus.NOT_FOUND), int(HTTPStatus.NOT_ACCEPTABLE))


def open_server(
    url: str,
    intake: Intake,
    around: Surroundings,
    *,
    http: Http | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> MdsServer:
    """The source at an address; options say version, endpoints, since and the token's name."""
    options = around.options
    version = options.get("version") or "2.0"
    generation = generation_of(version, "the option version")
    if generation is None:
        raise SourceUnreadable(
            "The option version is not one of MDS", found=version, fix="Give one like 1.2 or 2.0"
        )
    known = {endpoint.name: endpoint for endpoint in ENDPOINTS[generation]}
    names = [name.strip() for name in options.get("endpoints", "").split(",") if name.strip()]
    strange = [name for name in names if name not in known]
    if strange:
        raise SourceUnreadable(
            f"MDS {version} has no endpoint {strange[0]}",
            found=", ".join(names),
            fix=f"It has {', '.join(known)}",
        )
    token = around.secret(options.get("token", "") or "mds-token")
    parts = urlsplit(url)
    if token and parts.scheme != "https" and parts.hostname not in _THIS_MACHINE:
        raise SourceUnreadable(
            "The token would travel unprotected",
            found=f"{parts.scheme}://{parts.hostname}",
            fix="Use the server's https address, or forget the token",
        )
    credentials = Credentials(url, {"Authorization": f"Bearer {token}"}) if token else None
    return MdsServer(
        url.rstrip("/"),
        intake,
        [known[name] for name in names or known if names or not known[name].on_demand],
        version=version,
        since=_since(options.get("since", ""), around.now),
        now=around.now,
        watermark=around.watermark,
        http=http or Http(credentials=credentials),
        sleep=sleep,
    )


class MdsServer:
    """What a server has of the hours since the watermark, and its vehicles and stops of now."""

    def __init__(
        self,
        url: str,
        intake: Intake,
        endpoints: list[Endpoint],
        *,
        version: str,
        since: datetime,
        now: datetime,
        watermark: Mapping[str, str],
        http: Http,
        sleep: Callable[[float], None],
    ) -> None:
        self.name = urlsplit(url).hostname or "MDS"
        self._url, self._intake, self._endpoints = url, intake, endpoints
        self._version, self._since, self._now = version, since, now.astimezone(UTC)
        self._watermark = dict(watermark)
        self._http, self._sleep = http, sleep
        self._report: QualityReport | None = None

    def read(self, on_progress: OnProgress | None = None) -> Iterator[Piece]:
        """Yield pieces of the canonical tables, and a Checkpoint after each day of an endpoint.

        When the server fails on the way, what came before is given up to a Checkpoint first.
        """
        try:
            for place, endpoint in enumerate(self._endpoints):

                def tell(share: float, place: int = place) -> None:
                    if on_progress:
                        on_progress((place + share) / len(self._endpoints))

                try:
                    yield from self._endpoint(endpoint, tell)
                except SourceUnreadable:
                    yield from self._checkpoint()
                    raise
            yield from self._checkpoint()
        finally:
            self._http.close()
        self._report = self._intake.report(self.name)

    def report(self) -> QualityReport:
        """What became of the rows; only after `read` has come to its end."""
        if self._report is None:
            raise RuntimeError("the report exists only after the source has been read")
        return self._report

    def _checkpoint(self) -> Iterator[Piece]:
        yield from self._intake.pieces(all_=True)
        yield Checkpoint(dict(self._watermark))

    def _endpoint(self, endpoint: Endpoint, tell: OnProgress) -> Iterator[Piece]:
        if not endpoint.hour:
            if not (yield from self._pages(endpoint, None)):
                self._say_absent(endpoint)
            tell(1.0)
            return
        hours = self._hours(endpoint)
        absent: list[datetime] = []
        for done, hour in enumerate(hours, 1):
            state = yield from self._pages(endpoint, hour)
            if state is None:
                self._intake.note(
                    f"{endpoint.name}: the server is still making {hour:{_HOUR_FORMAT}}; that hour "
                    "and what follows is left to the next import."
                )
                break
            if state:
                # An hour that was not there is over as soon as a later one is there.
                absent.clear()
                self._watermark[endpoint.name] = f"{hour:{_HOUR_FORMAT}}"
            else:
                absent.append(hour)
            if done % HOURS_PER_CHECKPOINT == 0:
                yield from self._checkpoint()
            tell(done / len(hours))
        if absent and len(absent) == len(hours):
            self._say_absent(endpoint)
        elif absent:
            self._intake.note(
                f"{endpoint.name}: nothing yet from {absent[0]:{_HOUR_FORMAT}} on; left to the "
                "next import."
            )
        tell(1.0)

    def _hours(self, endpoint: Endpoint) -> list[datetime]:
        """The whole hours, UTC, after the last one that is in."""
        first = self._since
        if last := self._watermark.get(endpoint.name):
            first = datetime.strptime(last, _HOUR_FORMAT).replace(tzinfo=UTC) + HOUR
        end = self._now.replace(minute=0, second=0, microsecond=0)
        whole = int((end - first) / HOUR)
        return [first + HOUR * step for step in range(whole)]

    def _pages(
        self, endpoint: Endpoint, hour: datetime | None
    ) -> Generator[Piece, None, bool | None]:
        """Take all pages of an hour; false when it is not there, None while it is being made."""
        url = f"{self._url}/{endpoint.path}"
        when = f" {hour:{_HOUR_FORMAT}}" if hour else ""
        params = {endpoint.hour: f"{hour:{_HOUR_FORMAT}}"} if hour else {}
        row = count(1)
        seen: set[str] = set()
        while True:
            answer = self._ask(url, params)
            if answer is None or (answer.status == HTTPStatus.NOT_FOUND and not seen):
                return None if answer is None else False
            page = Page(version=_declared(answer.headers.get("Content-Type", "")))
            for record in records_in(self._document(answer), page):
                self._intake.take(record, f"{endpoint.name}{when} row {next(row)}")
            self._compare(endpoint, page)
            yield from self._intake.pieces()
            if not page.next_url:
                return True
            seen.add(url)
            url, params = urljoin(url, page.next_url), {}
            if url in seen or len(seen) >= PAGES_PER_HOUR:
                raise SourceUnreadable(
                    "The server's pages lead in a circle",
                    found=f"{endpoint.name}{when}, {len(seen)} pages",
                    fix="Tell the provider; the hours before are kept",
                )

    def _ask(self, url: str, params: Mapping[str, str]) -> Answer | None:
        """An answer, or None when the server is still at it after some patience."""
        accept = {"Accept": f"application/vnd.mds+json;version={self._version}"}
        for attempt in range(TRIES_WHILE_MAKING):
            if attempt:
                self._sleep(WAIT_S * 2 ** (attempt - 1))
            answer = self._http.get(url, params=params, headers=accept, also=_ALSO)
            if answer.status == HTTPStatus.NOT_ACCEPTABLE:
                raise SourceUnreadable(
                    f"The server does not speak MDS {self._version}",
                    found=f"{answer.url}: status 406",
                    fix="Ask for another version, such as --option version=1.2",
                )
            if answer.status != HTTPStatus.ACCEPTED:
                return answer
        return None

    def _document(self, answer: Answer) -> object:
        """The page's values; a page on a later address that is gone is an error."""
        if answer.status == HTTPStatus.NOT_FOUND:
            raise SourceUnreadable(
                "A page that the server named is not there",
                found=answer.url,
                fix="Import again later; the hours before are kept",
                retry_helps=True,
            )
        return answer.json()

    def _compare(self, endpoint: Endpoint, page: Page) -> None:
        asked, given = self._version.split(".")[:2], page.version.split(".")[:2]
        if page.version and asked != given:
            self._intake.note(
                f"{endpoint.name}: asked for MDS {self._version}, the server answers in "
                f"{page.version}."
            )

    def _say_absent(self, endpoint: Endpoint) -> None:
        self._intake.note(f"{endpoint.name}: the server has nothing there (status 404).")


def _since(text: str, now: datetime) -> datetime:
    """The first hour to ask for, UTC."""
    if not text:
        return now.astimezone(UTC).replace(minute=0, second=0, microsecond=0) - FIRST_IMPORT
    for form in ("%Y-%m-%d", _HOUR_FORMAT):
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    raise SourceUnreadable(
        "The option since is not a day or an hour",
        found=text,
        fix="Write it like 2024-05-01 or 2024-05-01T07 (UTC)",
    )


def _declared(content_type: str) -> str:
    """The version in `application/vnd.mds+json;version=2.0`."""
    for part in content_type.split(";")[1:]:
        name, _, value = part.strip().partition("=")
        if name == "version":
            return value.strip('" ')
    return ""
