"""HTTP for sources that are not trusted: every call ends, every body has a bound.

A call has one deadline for all its tries, redirects and waits; a server that says nothing, or one
byte a second, is cut off there. Only GET is spoken, so that every try can be repeated.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from random import Random
from types import MappingProxyType
from typing import Any
from urllib.parse import urljoin, urlsplit, urlunsplit

import requests
from requests.exceptions import SSLError
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import HTTPError

from fleetdesk import __version__
from fleetdesk.errors import SourceUnreadable
from fleetdesk.sources.http_cut import CutAdapter
from fleetdesk.sources.json_text import beginning, decode_json

_PIECE_BYTES = 65_536
_TOO_MANY = 429
_REDIRECTS = (301, 302, 303, 307, 308)
_PASSING = (408, 425, _TOO_MANY, 500, 502, 503, 504)
_SHORTEST_SECRET = 4
_NONE: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Limits:
    """How long one call may take, all tries together, and how much its answer may hold."""

    deadline_s: float = 120.0
    connect_s: float = 10.0
    read_s: float = 30.0
    body_bytes: int = 200_000_000
    json_bytes: int = 1_500_000_000
    redirects: int = 5
    tries: int = 4
    first_wait_s: float = 1.0
    longest_wait_s: float = 60.0


@dataclass(frozen=True)
class Credentials:
    """Secret headers, which go to the scheme, host and port of `url` and nowhere else."""

    url: str
    headers: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True)
class Answer:
    """What a server answered; `url` is where it came from and fit to be shown."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    json_bytes: int = Limits.json_bytes
    secrets: tuple[str, ...] = field(default=(), repr=False)

    @property
    def etag(self) -> str:
        """The mark to ask with next time, or nothing."""
        return self.headers.get("ETag", "")

    @property
    def not_modified(self) -> bool:
        """Whether the body is empty because it is the one that the `etag` was given for."""
        return self.status == HTTPStatus.NOT_MODIFIED

    def json(self) -> Any:
        """The body's values; SourceUnreadable with what was found instead."""
        return decode_json(
            self.body,
            self.url,
            content_type=self.headers.get("Content-Type", ""),
            memory_bytes=self.json_bytes,
            secrets=self.secrets,
        )


class Http:
    """A client for one source, to be used by one thread.

    `clock` counts seconds, `rng` spreads the waits of many clients, `now` is UTC-aware.
    """

    def __init__(
        self,
        *,
        limits: Limits | None = None,
        credentials: Credentials | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        rng: Random | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.limits = limits or Limits()
        self._credentials = credentials
        self._clock, self._sleep, self._now = clock, sleep, now
        self._rng = rng or Random()  # noqa: S311 - spreads waits, guards nothing
        self._cutter = CutAdapter()
        self._session = requests.Session()
        self._session.mount("http://", self._cutter)
        self._session.mount("https://", self._cutter)
        self._session.auth = lambda request: request  # else a .netrc file overrides our headers

    def get(
        self,
        url: str,
        *,
        params: Mapping[str, str] = _NONE,
        headers: Mapping[str, str] = _NONE,
        etag: str = "",
        also: tuple[int, ...] = (),
    ) -> Answer:
        """The answer with status 200, 304 where `etag` was sent, or one of `also`.

        Troubles that may pass are tried again until the deadline; SourceUnreadable tells the rest.
        """
        asked = dict(headers) | ({"If-None-Match": etag} if etag else {})
        wanted = (HTTPStatus.OK, *([HTTPStatus.NOT_MODIFIED] if etag else []), *also)
        ends_at = self._clock() + self.limits.deadline_s
        secrets = self._secrets(url, params)
        tries = 0
        with self._cutter.after(self.limits.deadline_s):
            while True:
                tries += 1
                try:
                    return self._followed(url, params, asked, wanted, ends_at, secrets)
                except _Trouble as found:
                    trouble = found
                if not trouble.passing:
                    raise trouble.refusal(url, tries, secrets)
                wait = max(trouble.asked_s(self._now()), self._wait(tries))
                if tries >= self.limits.tries or self._clock() + wait >= ends_at:
                    raise trouble.refusal(url, tries, secrets)
                self._sleep(wait)

    def close(self) -> None:
        """Close what connections are kept."""
        self._session.close()

    def _followed(
        self,
        url: str,
        params: Mapping[str, str],
        headers: Mapping[str, str],
        wanted: tuple[int, ...],
        ends_at: float,
        secrets: tuple[str, ...],
    ) -> Answer:
        """One try, along its redirects."""
        for _ in range(self.limits.redirects + 1):
            _check(url)
            response = self._sent(url, params, headers, ends_at)
            with response:
                if response.status_code not in _REDIRECTS or response.status_code in wanted:
                    return self._answer(response, wanted, ends_at, secrets)
                onward = response.headers.get("Location", "")
            if not onward:
                raise _Trouble("The server sends elsewhere but does not say where", "no Location")
            url, params = urljoin(url, onward), {}
        raise _Trouble(
            "The server sends from one address to the next",
            f"more than {self.limits.redirects} redirects",
        )

    def _sent(
        self, url: str, params: Mapping[str, str], headers: Mapping[str, str], ends_at: float
    ) -> requests.Response:
        left_s = self._left(ends_at)
        sent = {
            "User-Agent": f"FleetDesk/{__version__}",
            "Accept": "application/json",
            # Unpacked here, where there is a bound.
            "Accept-Encoding": "gzip",
            **headers,
        }
        if self._credentials and _origin(url) == _origin(self._credentials.url):
            sent.update(self._credentials.headers)
        timeout = min(self.limits.connect_s, left_s), min(self.limits.read_s, left_s)
        try:
            return self._session.get(
                url,
                params=dict(params),
                headers=sent,
                timeout=timeout,
                stream=True,
                allow_redirects=False,
            )
        except SSLError as error:
            raise _Trouble(
                "The secure connection could not be made",
                type(error).__name__,
                fix="Check the computer's clock, the address and the network's certificates",
            ) from None
        except (requests.ConnectionError, requests.Timeout) as error:
            raise self._dropped(error, ends_at) from None
        except (requests.RequestException, HTTPError, ValueError) as error:
            raise _Trouble("The address cannot be asked", type(error).__name__) from None

    def _answer(
        self,
        response: requests.Response,
        wanted: tuple[int, ...],
        ends_at: float,
        secrets: tuple[str, ...],
    ) -> Answer:
        status = response.status_code
        body = b""
        if status != HTTPStatus.NOT_MODIFIED:
            body = self._body(response, ends_at)
        shown = _shown(response.url)
        if status not in wanted:
            raise _status_trouble(response, beginning(body, secrets))
        headers = CaseInsensitiveDict(response.headers)
        return Answer(shown, status, headers, body, self.limits.json_bytes, secrets)

    def _body(self, response: requests.Response, ends_at: float) -> bytes:
        """The whole body, unpacked; never more than the limit is held."""
        unpack = _unpacker(response.headers.get("Content-Encoding", ""))
        length = response.headers.get("Content-Length", "")
        most, body, received = self.limits.body_bytes, bytearray(), 0
        if length.isdigit() and int(length) > most:
            raise _too_big(most)
        try:
            while piece := response.raw.read1(_PIECE_BYTES, decode_content=False):
                self._left(ends_at)
                received += len(piece)
                while piece:
                    body += unpack.decompress(piece, _PIECE_BYTES) if unpack else piece
                    piece = unpack.unconsumed_tail if unpack else b""
                    if len(body) > most:
                        raise _too_big(most)
        except zlib.error:
            raise _Trouble("The answer is packed wrongly", "damaged gzip", passing=True) from None
        except (HTTPError, OSError) as error:
            raise self._dropped(error, ends_at) from None
        self._left(ends_at)  # a connection that was cut looks like an answer's end
        cut = unpack is not None and received and not unpack.eof
        if cut or (length.isdigit() and received < int(length)):
            raise _Trouble(
                "The answer breaks off", f"{received} of {length or '?'} bytes", passing=True
            )
        return bytes(body)

    def _dropped(self, error: Exception, ends_at: float) -> _Trouble:
        self._left(ends_at)
        reason = getattr(error.args[0], "reason", None) if error.args else None
        kind = type(reason or error).__name__
        return _Trouble("The server could not be reached or fell silent", kind, passing=True)

    def _left(self, ends_at: float) -> float:
        """Seconds to the deadline; past it, the trouble that says so."""
        left_s = ends_at - self._clock()
        if left_s <= 0 or self._cutter.fired:
            raise _Trouble(
                f"The server gave no whole answer within {self.limits.deadline_s:g} s",
                "it was silent or too slow",
                late=True,
            )
        return left_s

    def _wait(self, tries: int) -> float:
        """Grows twofold, half of it by chance."""
        most = min(self.limits.first_wait_s * 2.0 ** (tries - 1), self.limits.longest_wait_s)
        return most / 2 + self._rng.uniform(0, most / 2)

    def _secrets(self, url: str, params: Mapping[str, str]) -> tuple[str, ...]:
        """What must never be shown: secret headers, and all that an address carries beside it."""
        parts = urlsplit(url)
        texts = [*params.values(), parts.password or "", parts.username or ""]
        texts += [pair.partition("=")[2] for pair in parts.query.split("&")]
        if self._credentials:
            for value in self._credentials.headers.values():
                texts += [value, *value.split()]
        return tuple(
            sorted({text for text in texts if len(text) >= _SHORTEST_SECRET}, key=len, reverse=True)
        )


class _Trouble(Exception):
    """What went wrong with one try; `passing` says that another may do."""

    def __init__(
        self,
        cause: str,
        found: str,
        *,
        fix: str = "",
        passing: bool = False,
        late: bool = False,
        retry_after: str = "",
    ) -> None:
        super().__init__(cause)
        self.cause, self.found, self.fix = cause, found, fix
        self.passing, self.late, self.retry_after = passing, late, retry_after

    def asked_s(self, now: datetime) -> float:
        """Seconds that the server asks to wait: a number or a date of HTTP."""
        text = self.retry_after.strip()
        if text.isdigit():
            return float(text[:9])
        try:
            return max((parsedate_to_datetime(text) - now).total_seconds(), 0.0) if text else 0.0
        except (ValueError, TypeError):
            return 0.0

    def refusal(self, url: str, tries: int, secrets: tuple[str, ...]) -> SourceUnreadable:
        """The error to show; what was imported before is kept."""
        found = f"{_shown(url)}: {self.found}" + (f" ({tries} tries)" if tries > 1 else "")
        if self.retry_after:
            found += f"; the server asks to wait {self.retry_after[:40]}"
        for secret in secrets:
            found = found.replace(secret, "***")
        again = self.passing or self.late
        fix = self.fix or (
            "Check the network and the address; nothing was imported" if again
            else "Check the address; nothing was imported"
        )  # fmt: skip
        return SourceUnreadable(self.cause, found=found, fix=fix, retry_helps=again)


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, parts.hostname or "", parts.port or usual


def _shown(url: str) -> str:
    """The address without user, password, query and fragment, which may be secret."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _check(url: str) -> None:
    try:
        parts = urlsplit(url)
        fits = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        fits = False
    if not fits:
        raise _Trouble(
            "Only addresses that begin with http:// or https:// are asked",
            f"{url[:20]!r}",
        )


def _unpacker(encoding: str) -> Any:
    name = encoding.strip().lower()
    if name in ("", "identity"):
        return None
    if name in ("gzip", "x-gzip"):
        return zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    if name == "deflate":
        return zlib.decompressobj()
    raise _Trouble("The answer is packed in a way that was not asked for", encoding[:40])


def _too_big(most: int) -> _Trouble:
    return _Trouble(
        "The answer is too big to be a feed",
        f"more than {most / 1e6:g} MB",
        fix="Check that the address is the feed's; nothing was imported",
    )


def _status_trouble(response: requests.Response, begins: str) -> _Trouble:
    status = response.status_code
    found = f"status {status}" + (f", {begins}" if begins else "")
    if status in _PASSING:
        return _Trouble(
            "The server is not answering now", found, passing=True,
            retry_after=response.headers.get("Retry-After", ""),
        )  # fmt: skip
    if status in (401, 403):
        fix = "Check the token or password of this source; nothing was imported"
        return _Trouble("The server refuses access", found, fix=fix)
    if status in (404, 410):
        return _Trouble("There is nothing at this address", found)
    return _Trouble("The server refused the request", found)
