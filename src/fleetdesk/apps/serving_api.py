"""The scoring server's interface: who may ask, how often, and what for; described by OpenAPI."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Protocol

from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, Field

from fleetdesk import __version__

MOST_RIDERS = 1000
_BURST_SHARE = 0.1
_BEARER = HTTPBearer(auto_error=False)

Feature = float | int | str | None


class Asked(BaseModel):
    """Riders to be scored, each as its features by name; what is not told counts as unknown."""

    riders: Annotated[list[dict[str, Feature]], Field(min_length=1, max_length=MOST_RIDERS)]


class Scored(BaseModel):
    """One rider's answer."""

    rider_id: Feature
    risk_pct: float
    band: str
    action: str
    segment: str | None


class Answers(BaseModel):
    """All answers in the order asked, and when the model behind them was learnt."""

    model_made_at: str
    riders: list[Scored]


class Scoring(Protocol):
    """What scores riders (workflows.serve.Scorer)."""

    @property
    def made_at(self) -> str:
        """When the model was learnt."""

    def score(self, riders: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """One answer per rider."""


class Bucket:
    """Lets `per_minute` requests through, a tenth of them at once; the rest must wait."""

    def __init__(self, per_minute: int, now: Callable[[], float]) -> None:
        self._rate = per_minute / 60.0
        self._size = max(1.0, per_minute * _BURST_SHARE)
        self._left, self._at, self._now = self._size, now(), now

    def wait_s(self) -> float:
        """Seconds to wait; 0 = this request may pass, and has been counted."""
        at = self._now()
        self._left = min(self._size, self._left + (at - self._at) * self._rate)
        self._at = at
        if self._left >= 1.0:
            self._left -= 1.0
            return 0.0
        return (1.0 - self._left) / self._rate


def make_app(
    scorer: Scoring, known: frozenset[str], token: str, per_minute: int, now: Callable[[], float]
) -> FastAPI:
    """The server: /health for all, /v1/score for who has the token."""
    app = FastAPI(
        title="FleetDesk scoring", version=__version__,
        description="Who is about to leave, and what to do about it. Nothing is kept.",
    )  # fmt: skip
    bucket = Bucket(per_minute, now)

    async def allowed(
        given: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
    ) -> None:
        # Asked in the server's own loop: to wait for a thread takes longer than this does.
        # Compared as bytes in constant time: a timing difference would tell the token.
        if given is None or not hmac.compare_digest(given.credentials.encode(), token.encode()):
            raise HTTPException(
                401, "The token is missing or wrong", {"WWW-Authenticate": "Bearer"}
            )
        wait = bucket.wait_s()
        if wait:
            raise HTTPException(
                429, f"More than {per_minute} requests a minute",
                {"Retry-After": str(int(wait) + 1)},
            )  # fmt: skip

    @app.get("/health")
    def health() -> dict[str, str]:
        """That the server is up."""
        return {"status": "ok"}

    @app.post("/v1/score", dependencies=[Depends(allowed)])
    def score(asked: Asked) -> Answers:
        """Chance to leave within the horizon, its band and action, and the segment."""
        for rider in asked.riders:
            if strange := sorted(set(rider) - known):
                raise HTTPException(422, f"{strange[0]} is not a feature of riders")
        try:
            found = scorer.score(asked.riders)
        except (TypeError, ValueError) as error:
            raise HTTPException(422, "A feature is not a number") from error
        return Answers(model_made_at=scorer.made_at, riders=[Scored(**one) for one in found])

    return app
