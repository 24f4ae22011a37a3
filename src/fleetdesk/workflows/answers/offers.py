"""Which offers pay, in which segment, and which to draw next."""

from __future__ import annotations

from typing import Any

from fleetdesk.errors import NotEnoughData
from fleetdesk.outputs.tables.offers import ArmRow, PolicyRow, UpliftRow, offer_sheets
from fleetdesk.settings.schema import Settings
from fleetdesk.sheets.base import ResultSheet
from fleetdesk.workflows.catalog import Answer, Ask


def answer(ask: Ask) -> Answer:
    """Weigh the log of offers: margins by segment, other rules on the same log, whom each moves."""
    from fleetdesk.workflows.offer_data import offer_log

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
    best = max(rows, key=lambda row: row.mean)
    return Answer(
        sheets=offer_sheets(
            rows, _policies(log, arms, ask.settings), _uplift(log, ask), ask.settings
        ),
        headline=(
            f"Offers: {len(log)} with a known answer; {best.arm} brings most in {best.segment}, "
            f"{best.mean:.2f} {ask.settings.city.currency} each ({best.low:.2f} to "
            f"{best.high:.2f})."
        ),
    )


def empty(settings: Settings) -> tuple[ResultSheet, ...]:
    """The sheets before the first run."""
    return offer_sheets((), (), (), settings)


def arms_of(log: Any, settings: Settings) -> tuple[str, ...]:
    """Offers of the log and those in use on the sheet, with none."""
    active = {offer.name for offer in settings.offers if offer.active}
    return tuple(sorted({*log["arm"].unique(), *active, "none"}))


def arm_rows(log: Any, arms: tuple[str, ...], settings: Settings) -> tuple[ArmRow, ...]:
    """What is known of each arm in each segment, and the share of the next offers it gets."""
    from fleetdesk.riders.offers import believe, propensities

    tests = settings.offer_tests
    rows = []
    for number, (segment, part) in enumerate(log.groupby("segment", sort=True)):
        belief = believe(
            part, str(segment), arms, half_life_days=tests.half_life_days, prior=tests.prior_margin
        )
        low, high = belief.interval(settings.usage.interval_pct)
        share = propensities(belief, settings.city.seed + number, tests.explore_pct)
        for place, arm in enumerate(arms):
            mine = part[part["arm"] == arm]
            known = mine["accepted"].dropna()
            rows.append(
                ArmRow(
                    str(segment), arm, len(mine),
                    100.0 * float(known.astype(bool).mean()) if len(known) else None,
                    float(belief.mean[place]), float(low[place]), float(high[place]),
                    100.0 * float(share[place]),
                )
            )  # fmt: skip
    return tuple(rows)


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
        if not same.any():
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
