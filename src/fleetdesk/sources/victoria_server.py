"""Speaking to a VictoriaMetrics server: what it holds, how it was started, samples in and out."""

from __future__ import annotations

import gzip
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import requests

from fleetdesk.errors import SourceUnreadable
from fleetdesk.sources.http import Credentials, Http, Limits

METRICS = ("lat", "lon", "speed_kmh", "battery_pct", "hdop", "locked")
PREFIX = "fleetdesk_"
VEHICLE = "vehicle_id"
_BODY_BYTES = 1_000_000_000
_TIMEOUT_S = (10.0, 120.0)
_TRIES = 4
_FLAG = re.compile(r'^-([\w.]+)="(.*)"$', re.MULTILINE)
_SPAN = re.compile(r"^(\d+(?:\.\d+)?)(ms|[smhdwy]?)$")
_SPAN_S = {
    "ms": 0.001,
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
    "d": 86_400.0,
    "w": 604_800.0,
    "y": 31_536_000.0,
}
_MONTH_S = 31 * 86_400.0  # a number of VictoriaMetrics without a unit counts months


class VictoriaServer:
    """One server at an address such as http://host:8428; `token` is sent as a bearer token."""

    def __init__(
        self,
        address: str,
        *,
        token: str | None = None,
        http: Http | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.address = address.rstrip("/")
        parts = urlsplit(self.address)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SourceUnreadable(
                "VictoriaMetrics is found at an address that begins with http:// or https://",
                found=repr(address[:60]), fix="Give one such as http://host:8428",
            )  # fmt: skip
        self.name = parts.netloc.rpartition("@")[2]
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._credentials = Credentials(self.address, self._headers) if token else None
        self._http = http or self._client()
        self._sleep = sleep

    def flags(self) -> Mapping[str, str] | None:
        """How it was started, by flag; None where it does not tell."""
        answer = self._http.get(
            f"{self.address}/flags", headers={"Accept": "text/plain"}, also=_REFUSALS
        )
        if answer.status != HTTPStatus.OK:
            return None
        return dict(_FLAG.findall(answer.body.decode("utf-8", "replace")))

    def metrics(self, prefix: str, since: datetime, until: datetime) -> list[str]:
        """Names of the metrics that begin with `prefix` and have samples in that time."""
        answer = self._http.get(
            f"{self.address}/api/v1/label/__name__/values",
            params={"match[]": f'{{__name__=~"{re.escape(prefix)}.*"}}', **_between(since, until)},
        )
        return sorted(self._data(answer.json(), list))

    def export(self, metrics: Sequence[str], since: datetime, until: datetime) -> Iterator[bytes]:
        """The lines of the export of these metrics, from `since` on and before `until`."""
        answer = self._http.get(
            f"{self.address}/api/v1/export",
            params={"match[]": _selector(metrics), **_between(since, until)},
            headers={"Accept": "*/*"},
        )
        for line in answer.body.splitlines():
            if line.strip():
                yield line

    def counts(self, metrics: Sequence[str], since: datetime, until: datetime) -> dict[str, int]:
        """How many samples PromQL sees of each metric from `since` on and before `until`."""
        span_ms = round((until - since).total_seconds() * 1000)
        query = f"sum(count_over_time({_selector(metrics)}[{span_ms}ms]) keep_metric_names)"
        answer = self._http.get(
            f"{self.address}/api/v1/query",
            # Else samples of the last half minute do not show yet.
            params={"query": f"{query} by (__name__)", "nocache": "1", "latency_offset": "1ms",
                    "time": f"{until.timestamp() - 0.001:.3f}"},
        )  # fmt: skip
        found = self._data(answer.json(), dict).get("result", [])
        return {entry["metric"]["__name__"]: int(float(entry["value"][1])) for entry in found}

    def flush(self) -> None:
        """Let what came in be seen now; a server that forbids it shows it after a few seconds."""
        self._http.get(f"{self.address}/internal/force_flush", also=_REFUSALS)

    def put(self, lines: bytes) -> None:
        """Import lines as `export` gives them; tried again where the server may be busy."""
        packed = gzip.compress(lines, compresslevel=3, mtime=0)
        trouble = ""
        for turn in range(_TRIES):
            if turn:
                self._sleep(2.0**turn)
            try:
                response = requests.post(
                    f"{self.address}/api/v1/import", data=packed, timeout=_TIMEOUT_S,
                    headers={"Content-Encoding": "gzip", **self._headers}, allow_redirects=False,
                )  # fmt: skip
            except requests.RequestException as error:
                trouble = type(error).__name__
                continue
            if response.status_code < HTTPStatus.MULTIPLE_CHOICES:
                return
            trouble = f"status {response.status_code}, {response.text[:200]!r}"
            if response.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
                break
        raise SourceUnreadable(
            f"{self.name} does not take samples", found=trouble,
            fix="Check that VictoriaMetrics runs there and has room; send again, nothing is lost",
            retry_helps=True,
        )  # fmt: skip

    def close(self) -> None:
        """Close what connections are kept."""
        self._http.close()

    def _client(self) -> Http:
        limits = Limits(deadline_s=300.0, read_s=120.0, body_bytes=_BODY_BYTES)
        return Http(limits=limits, credentials=self._credentials)

    def _data(self, answer: object, kind: type) -> Any:
        data = answer.get("data") if isinstance(answer, dict) else None
        if not isinstance(data, kind):
            raise SourceUnreadable(
                f"{self.name} does not answer as VictoriaMetrics does", found=str(answer)[:80],
                fix="Check the address, such as http://host:8428",
            )  # fmt: skip
        return data


_REFUSALS = (400, 401, 403, 404, 405)


def seconds(flag: str) -> float | None:
    """What a flag's time span means, months where it has no unit; None for what it cannot be."""
    match = _SPAN.match(flag.strip())
    if match is None:
        return None
    return float(match[1]) * (_SPAN_S[match[2]] if match[2] else _MONTH_S)


def _selector(metrics: Sequence[str]) -> str:
    return f'{{__name__=~"{"|".join(map(re.escape, metrics))}"}}'


def _between(since: datetime, until: datetime) -> dict[str, str]:
    return {"start": f"{since.timestamp():.3f}", "end": f"{until.timestamp() - 0.001:.3f}"}
