"""The next best action for each rider: what it is, what it should bring, and why.

Risk, value, segment, package and offer are joined; what pays is ranked by expected gain until the
budget is spent.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

COLUMNS = (
    "rider_id", "segment", "package", "risk_pct", "value", "months_counted", "action",
    "offer", "cost", "gain", "low", "high", "rank", "in_budget", "reason",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ActionRules:
    """What may be done and what it may cost; percent and money as in the sheet.

    `uplift_error_pct` is how far off the sheet's effect of an action may be, for the interval;
    `churn_response_pct` how much less riders leave for each percent that they pay less; `months`
    how long a change of package is counted.
    """

    budget: float
    least_gain: float
    uplift_error_pct: float
    churn_response_pct: float
    months: float
    message_cost: float
    offer_cost: float


def next_best(riders: pd.DataFrame, rules: ActionRules) -> pd.DataFrame:
    """One row per rider who is worth an action, COLUMNS, best gain per money spent first.

    `riders` has rider_id and, NaN or None where not known: segment, package, risk_pct (to leave),
    value (still to come, margin) over months_counted, keep_action, keep_cost, keep_uplift_pct
    (share of leavers kept), advised, advice_reason, cost_now, saving (the rider's, a month),
    margin_now, margin_change (the operator's, a month), offer, offer_value (margin per offer made,
    less the cost of making it) and its offer_low, offer_high. Riders for whom no action is worth
    `least_gain` are left out; `in_budget` says who can be paid for.
    """
    if riders.empty:
        return pd.DataFrame({name: pd.Series(dtype=object) for name in COLUMNS})
    choices = [_keep(riders, rules), _offer(riders, rules), _package(riders, rules)]
    gains = np.stack([choice["gain"].to_numpy(float) for choice in choices], axis=1)
    gains = np.where(np.isnan(gains), -np.inf, gains)
    best = gains.argmax(axis=1)
    rows = pd.concat(
        [choice.iloc[np.flatnonzero(best == number)] for number, choice in enumerate(choices)]
    )
    worth = rows["gain"].fillna(-np.inf) >= max(rules.least_gain, 1e-9)
    rows = rows[worth].join(
        riders[["rider_id", "segment", "package", "risk_pct", "value", "months_counted"]]
    )
    # Per money spent, the order that a budget is best filled in; what is free comes first.
    rows = rows.assign(per_money=rows["gain"] / rows["cost"].clip(lower=0.01))
    rows = rows.sort_values(["per_money", "gain", "rider_id"], ascending=[False, False, True])
    affordable = rows["cost"].cumsum() <= rules.budget + 1e-9
    rows = rows.assign(in_budget=affordable)
    rows = rows.sort_values(
        ["in_budget", "gain", "rider_id"], ascending=[False, False, True], ignore_index=True
    )
    rows = rows.assign(rank=np.arange(1, len(rows) + 1))
    return rows[list(COLUMNS)]


def _keep(riders: pd.DataFrame, rules: ActionRules) -> pd.DataFrame:
    """Act where uplift x value is more than the cost."""
    risk, value = riders["risk_pct"] / 100.0, riders["value"]
    kept = riders["keep_uplift_pct"] / 100.0
    error = rules.uplift_error_pct / 100.0
    gain = risk * kept * value - riders["keep_cost"]
    return pd.DataFrame(
        {
            "action": riders["keep_action"],
            "offer": None,
            "cost": riders["keep_cost"],
            "gain": gain,
            "low": risk * kept * (1 - error) * value - riders["keep_cost"],
            "high": risk * kept * (1 + error) * value - riders["keep_cost"],
            "reason": [
                f"{p:.0f} % risk, {k:.0f} % of such riders kept, worth {v:,.0f} over {m:.3g} months"
                if not np.isnan(p * v * k) else ""
                for p, k, v, m in zip(
                    riders["risk_pct"], riders["keep_uplift_pct"], riders["value"],
                    riders["months_counted"], strict=True,
                )
            ],
        },
        index=riders.index,
    )  # fmt: skip


def _offer(riders: pd.DataFrame, rules: ActionRules) -> pd.DataFrame:
    """The offer under test that brings most in the rider's segment, on the log's evidence."""
    return pd.DataFrame(
        {
            "action": "Make the offer",
            "offer": riders["offer"],
            "cost": rules.offer_cost,
            "gain": riders["offer_value"],
            "low": riders["offer_low"],
            "high": riders["offer_high"],
            "reason": [
                f"{offer} brought most in segment {segment}"
                + ("" if low > 0 else ", but may lose: go on testing")
                if isinstance(offer, str)
                else ""
                for offer, segment, low in zip(
                    riders["offer"], riders["segment"], riders["offer_low"], strict=True
                )
            ],
        },
        index=riders.index,
    )


def _package(riders: pd.DataFrame, rules: ActionRules) -> pd.DataFrame:
    """Tell of the better package: the margin it changes, and the riders it keeps.

    A rider who pays less leaves less, and what is kept is worth the margin of the new package; only
    that part of the gain is uncertain.
    """
    differs = riders["advised"].notna() & (riders["advised"] != riders["package"])
    bill = (riders["cost_now"]).where(riders["cost_now"] > 0)
    relief = (riders["saving"].clip(lower=0) / bill).clip(upper=1.0).fillna(0.0)
    stays = (relief * rules.churn_response_pct).clip(upper=1.0)
    earning = riders["margin_now"].where(riders["margin_now"] > 0)
    worth = (1.0 + riders["margin_change"] / earning).clip(lower=0.0, upper=1.0).fillna(0.0)
    kept = (riders["risk_pct"] / 100.0 * riders["value"]).fillna(0.0) * stays * worth
    margin = riders["margin_change"] * rules.months
    error = rules.uplift_error_pct / 100.0
    cost = rules.message_cost
    return pd.DataFrame(
        {
            "action": ["Advise " + str(name) for name in riders["advised"]],
            "offer": None,
            "cost": cost,
            "gain": (margin + kept - cost).where(differs),
            "low": margin + kept * (1 - error) - cost,
            "high": margin + kept * (1 + error) - cost,
            "reason": riders["advice_reason"],
        },
        index=riders.index,
    )
