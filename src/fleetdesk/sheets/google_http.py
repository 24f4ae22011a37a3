"""gspread's HTTP client with an end: a deadline, waits that grow, and errors as sentences.

Only what can be repeated without harm is sent twice. Whether a write whose answer was lost has
been carried out is for the caller to find out: it is told by `AnswerLost`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from random import Random
from typing import Any

from google.auth.exceptions import GoogleAuthError, RefreshError, TransportError
from gspread.exceptions import APIError
from gspread.http_client import HTTPClient
from gspread.urls import DRIVE_FILES_API_V3_URL
from requests import ConnectTimeout, RequestException, Response
from requests.exceptions import ConnectionError as Dropped
from requests.exceptions import SSLError
from urllib3.exceptions import NewConnectionError

from fleetdesk.errors import WorkbookRefused

_TOO_MANY = 429
_LIMITS = ("rateLimitExceeded", "userRateLimitExceeded", "RESOURCE_EXHAUSTED")
"""How Drive and Sheets say 429 with status 403."""


@dataclass(frozen=True)
class Patience:
    """How long one call may take, all tries together, and how the waits between them grow."""

    deadline_s: float = 120.0
    connect_s: float = 10.0
    read_s: float = 60.0
    first_wait_s: float = 1.0
    longest_wait_s: float = 32.0


class AnswerLost(WorkbookRefused):
    """A write was sent and its answer never came, or spoke of a fault over there.

    `finished` says that the service did answer, so that nothing of it is still under way.
    """

    def __init__(self, found: str, *, finished: bool) -> None:
        super().__init__("Google Sheets did not confirm the write", found=found, retry_helps=True)
        self.finished = finished


class SheetsHttp(HTTPClient):
    """Speaks to Sheets and Drive; `clock` counts seconds, `rng` spreads the waits of many."""

    def __init__(
        self,
        auth: Any,
        session: Any = None,
        *,
        patience: Patience | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        rng: Random | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__(auth, session)
        self.patience = patience or Patience()
        self.set_timeout((self.patience.connect_s, self.patience.read_s))
        self._clock, self._sleep, self._now = clock, sleep, now
        self._rng = rng or Random()  # noqa: S311 - spreads waits, guards nothing

    def request(self, method: str, endpoint: str, *args: Any, **kwargs: Any) -> Response:
        """One call with its repetitions; raises WorkbookRefused or, for a write, AnswerLost."""
        repeatable = method.lower() == "get"
        ends_at = self._clock() + self.patience.deadline_s
        tries = 0
        while True:
            tries += 1
            try:
                return super().request(method, endpoint, *args, **kwargs)
            except (APIError, RequestException, GoogleAuthError) as error:
                trouble = _trouble(error)
            if not trouble.passing:
                raise trouble.refusal
            if trouble.maybe_done and not repeatable:
                raise AnswerLost(trouble.found, finished=trouble.answered)
            wait = max(trouble.asked_s(self._now()), self._wait(tries))
            if self._clock() + wait > ends_at:
                raise _given_up(trouble, tries, wait)
            self._sleep(wait)

    def spreadsheet(self, key: str, fields: str, ranges: tuple[str, ...] = ()) -> Any:
        """One `spreadsheets.get` of just these fields."""
        params: MutableMapping[str, Any] = {"fields": fields}
        if ranges:
            params["ranges"] = list(ranges)
        return self.fetch_sheet_metadata(key, params)

    def version(self, key: str) -> str:
        """Drive's version of the file, which grows with every change."""
        params: MutableMapping[str, Any] = {"fields": "version", "supportsAllDrives": "true"}
        answer = self.request("get", f"{DRIVE_FILES_API_V3_URL}/{key}", params=params)
        return str(answer.json().get("version", ""))

    def pause(self, tries: int) -> None:
        """Wait a little longer each time, within the longest wait."""
        self._sleep(self._wait(tries))

    def _wait(self, tries: int) -> float:
        """Grows twofold, half of it by chance."""
        most = min(self.patience.first_wait_s * 2.0 ** (tries - 1), self.patience.longest_wait_s)
        return most / 2 + self._rng.uniform(0, most / 2)


@dataclass(frozen=True)
class _Trouble:
    """What went wrong with one try."""

    found: str
    refusal: WorkbookRefused
    passing: bool = False
    maybe_done: bool = True
    answered: bool = False
    retry_after: str = ""

    def asked_s(self, now: datetime) -> float:
        """Seconds that the service asks to wait: a number or a date of HTTP."""
        if not self.retry_after:
            return 0.0
        if self.retry_after.strip().isdigit():
            return float(self.retry_after)
        try:
            return max((parsedate_to_datetime(self.retry_after) - now).total_seconds(), 0.0)
        except (ValueError, TypeError):
            return 0.0


def _trouble(error: Exception) -> _Trouble:
    if isinstance(error, APIError):
        return _answered(error)
    if isinstance(error, RefreshError):
        return _Trouble(
            "", _refused("Google no longer accepts the stored sign-in", "the token was refused",
                         "Sign in again with: fleetdesk login google"),
        )  # fmt: skip
    kind = type(error).__name__
    if isinstance(error, SSLError):
        return _Trouble(kind, _refused(
            "The secure connection to Google could not be made", kind,
            "Check the computer's clock and the network's proxy or certificates",
        ))  # fmt: skip
    reason = getattr(error.args[0], "reason", None) if error.args else None
    unsent = isinstance(error, ConnectTimeout | TransportError)
    unsent |= isinstance(reason, NewConnectionError)
    passing = unsent or isinstance(error, RequestException)
    found = "the connection was dropped" if isinstance(error, Dropped) and not unsent else kind
    refusal = _refused("Google Sheets could not be reached", found, "Check the network")
    return _Trouble(found, refusal, passing=passing, maybe_done=not unsent)


def _answered(error: APIError) -> _Trouble:
    """An answer with an error's status: passing, or a refusal that names the fix."""
    status = error.response.status_code
    content = error.error if isinstance(error.error, dict) else {}
    text = " ".join(str(content.get("message", "")).split())[:300]
    found = f"status {status}: {text}" if text else f"status {status}"
    words = str(content)
    limited = status == _TOO_MANY or (status == 403 and any(word in words for word in _LIMITS))
    if limited or status == 408 or status >= 500:
        return _Trouble(
            found,
            _refused("Google Sheets is not answering now", found, ""),
            passing=True,
            # What was turned away for its number was not begun.
            maybe_done=not limited,
            answered=True,
            retry_after=error.response.headers.get("Retry-After", ""),
        )
    cause, fix = _REFUSALS.get(status, ("Google Sheets refused the request", ""))
    if "SERVICE_DISABLED" in words or "accessNotConfigured" in words:
        cause = "The Google project of this sign-in has not switched on a needed interface"
        fix = "Switch on the Google Sheets API and the Google Drive API in the project's console"
    elif "protected" in text.lower():
        cause, fix = _PROTECTED
    return _Trouble(found, _refused(cause, found, fix), answered=True)


_REFUSALS = {
    401: ("Google does not know who is asking", "Sign in again with: fleetdesk login google"),
    403: (
        "This account may not change the Google Sheet",
        "Share the Google Sheet with the account, as editor",
    ),
    404: (
        "There is no such Google Sheet, or it is not shared with this account",
        "Check the address, and share the Google Sheet with the account, as editor",
    ),
}
_PROTECTED = (
    "A protected sheet or range keeps FleetDesk from writing",
    "Let the account edit it (Google Sheets: Data, Protect sheets and ranges) and run again",
)


def _given_up(trouble: _Trouble, tries: int, wait: float) -> WorkbookRefused:
    times = f"{tries} {'try' if tries == 1 else 'tries'}"
    return WorkbookRefused(
        trouble.refusal.cause,
        found=f"{trouble.found} ({times}; the next one would be in {wait:.0f} s)",
        fix=trouble.refusal.fix or "Run again in a few minutes; nothing was written",
        retry_helps=True,
    )


def _refused(cause: str, found: str, fix: str) -> WorkbookRefused:
    return WorkbookRefused(cause, found=found, fix=fix)
