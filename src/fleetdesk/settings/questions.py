"""The sheet Questions: which analyses a run answers."""

from __future__ import annotations

from typing import Any, ClassVar

from fleetdesk.model.analyses import analysis
from fleetdesk.settings.sheet import Sheet, setting


def _asked(name: str) -> Any:
    """Whether a run answers this question; the words are the analysis's own."""
    found = analysis(name)
    return setting(found.asked, found.title, found.question, since=3)


class Questions(Sheet):
    """Which questions a run answers: one yes or no for each analysis."""

    sheet: ClassVar[str] = "Questions"
    intro: ClassVar[str] = "Which questions a run answers. What is not asked keeps its last sheet."
    since: ClassVar[int] = 3

    plan: bool = _asked("plan")
    segments: bool = _asked("segments")
    churn: bool = _asked("churn")
    retention: bool = _asked("retention")
    lifetime_value: bool = _asked("lifetime_value")
    mail: bool = _asked("mail")
    rider_kpis: bool = _asked("rider_kpis")
    cohorts: bool = _asked("cohorts")
    usage: bool = _asked("usage")
    packages: bool = _asked("packages")
    package_what_if: bool = _asked("package_what_if")
    package_effect: bool = _asked("package_effect")
    prices: bool = _asked("prices")
    offers: bool = _asked("offers")
    baskets: bool = _asked("baskets")
    batteries: bool = _asked("batteries")
    next_best: bool = _asked("next_best")
