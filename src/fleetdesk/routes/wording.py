"""How reasons say money, time and counts."""

from __future__ import annotations

from datetime import timedelta

from fleetdesk.routes.problem import RoutingProblem


def money(milli: float, currency: str) -> str:
    """`3.20 EUR`."""
    return f"{milli / 1000:.2f} {currency}".rstrip()


def at_least(milli: float, currency: str) -> str:
    """Money rounded up to the cent, so that the sum named is enough."""
    cents = -int(-milli // 10)
    return money(10 * max(1, cents), currency)


def span(seconds: int) -> str:
    """`9 h 12 min`, rounded up to the minute, so that the span named is enough."""
    hours, minutes = divmod(-(-seconds // 60), 60)
    parts = [f"{hours} h" if hours else "", f"{minutes} min" if minutes or not hours else ""]
    return " ".join(part for part in parts if part)


def batteries(count: int, more: str = "") -> str:
    """`1 charged battery`, `3 more charged batteries`."""
    return f"{count} {more}charged {'battery' if count == 1 else 'batteries'}"


def room(count: int, more: str = "") -> str:
    """`room for 1 vehicle`, `room for 2 more vehicles`."""
    return f"room for {count} {more}{'vehicle' if count == 1 else 'vehicles'}"


def clock(problem: RoutingProblem, seconds: int) -> str:
    """`08:30 UTC` for seconds since the problem's start."""
    return f"{problem.starts_at + timedelta(seconds=seconds):%H:%M} UTC"
