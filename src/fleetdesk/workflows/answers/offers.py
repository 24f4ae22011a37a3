"""Which offers pay, in which segment, and which to draw next."""

from __future__ import annotations

from typing import Any

from fleetdesk.errors import NotEnoughData
from fleetdesk.outputs.tables.offers import PolicyRow, UpliftRow, offer_sheets
from fleetdesk.settings.schema import Settings
from fleetdesk.sheets.base import ResultSheet
from fleetdesk.workflows.catalog import Answer, Ask


def answer(ask: Ask) -> Answer:
    """Weigh the log of offers: margins by segment, other rules on the same log, whom each moves."""
    from fleetdesk.workflows.offer_data import arm_rows, arms_of, best_offers, offer_log

    log = offer_log(ask.record, ask.settings)
    if log.empty:
        raise NotEnoughData(
            "No offers were made yet whose answer is known",
            found="no rows in the table offers_made",
            fix="Import the offers made to riders; leave some without one, drawn at random, and "
            "note each with the offer none",
        )
    arms = arms_of(log, ask.settings)
    rows = arm_rows(log, arms, ask.settings)
    best = max(
        best_offers(rows, ask.settings.riders.smallest_group).values(),
        key=lambda one: one.gain,
        default=None,
    )
    told = "too few of any offer, or of riders without one, to compare"
    if best is not None:
        told = (
            f"{best.arm} brings most in {best.segment}, {best.gain:+.2f} "
            f"{ask.settings.city.currency} each against none ({best.low:+.2f} to {best.high:+.2f})"
        )
    return Answer(
        sheets=offer_sheets(
            rows, _policies(log, arms, ask.settings), _uplift(log, ask), ask.settings
        ),
        headline=f"Offers: {len(log)} with a known answer; {told}.",
    )


def empty(settings: Settings) -> tuple[ResultSheet, ...]:
    """The sheets before the first run."""
    return offer_sheets((), (), (), settings)


def _policies(log: Any, arms: tuple[str, ...], settings: Settings) -> tuple[PolicyRow, ...]:
    """What always making one offer would have earned; needs logged chances."""
    import numpy as np

    from fleetdesk.riders.offers import doubly_robust, inverse_propensity

    logged = log[log["propensity"] > 0]
    if len(logged) < 20:
        return ()
    interval = settings.usage.interval_pct
    rows = []
    for place, arm in enumerate(arms):
        target = np.zeros((len(logged), len(arms)))
        target[:, place] = 1.0
        same = (logged["arm"] == arm).to_numpy(float)
        if same.sum() < settings.riders.smallest_group:
            continue
        for found in (
            inverse_propensity(logged, same, interval_pct=interval),
            doubly_robust(logged, target, arms, interval_pct=interval),
        ):
            rows.append(
                PolicyRow(
                    f"always {arm}", found.method, found.value, found.low, found.high,
                    found.effective,
                )
            )  # fmt: skip
    mean = float(logged["value"].mean())
    reach = 1.96 * float(logged["value"].std()) / len(logged) ** 0.5
    rows.append(
        PolicyRow("as it was", "mean of the log", mean, mean - reach, mean + reach, len(logged))
    )
    return tuple(rows)


def _uplift(log: Any, ask: Ask) -> tuple[UpliftRow, ...]:
    """Each offer against none: the A/B read-out, and whom it moves where there are enough."""
    from fleetdesk.riders.uplift import cross_fitted, policy_values, read_out
    from fleetdesk.workflows.offer_data import NO_OFFER, features_at_offers

    settings = ask.settings
    rows = []
    for arm in sorted(set(log["arm"]) - {NO_OFFER}):
        pair = log[log["arm"].isin([arm, NO_OFFER])].reset_index(drop=True)
        treated = (pair["arm"] == arm).to_numpy()
        value = pair["value"].to_numpy(float)
        try:
            seen = read_out(treated, value)
        except NotEnoughData:
            continue
        if min(seen.treated, seen.control) < settings.riders.smallest_group:
            continue
        qini: float | None = None
        best: tuple[float, float, float, float] | None = None
        try:
            x = features_at_offers(pair, ask.record, settings)
            found = cross_fitted(x, treated, value, settings.city.seed)
            qini = found.qini["mean"]
            shares = policy_values(
                found.effect, treated, value, cost=0.0, shares_pct=(10, 25, 50, 75, 100),
                interval_pct=settings.usage.interval_pct,
            )  # fmt: skip
            top = max(shares, key=lambda one: one.value)
            best = (top.share_pct, top.value, top.low, top.high)
        except NotEnoughData:
            pass
        rows.append(UpliftRow(arm, seen, qini, best))
    return tuple(rows)
