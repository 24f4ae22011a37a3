"""Who is about to leave, what it is worth to keep them, and whom acting pays for."""

from __future__ import annotations

from fleetdesk.outputs.tables.frames import many
from fleetdesk.outputs.tables.riders_churn import ChurnTold, churn_sheets
from fleetdesk.settings.schema import Settings
from fleetdesk.sheets.base import ResultSheet
from fleetdesk.workflows.catalog import Answer, Ask

_EXPLAINED = 2000
_PURPOSE = "Foretells each rider's chance to cancel, or not to ride at all, within the horizon."
_LIMITS = (
    "When prices, packages or the season change: it knows only what it has seen. When the sheet "
    "Churn model shows no lead over the base rate. For riders of a group that the sheet Bias audit "
    "names. It tells who leaves, not who can be kept: measure that with a test."
)


def answer(ask: Ask) -> Answer:
    """Learn who leaves, foretell today's riders, and weigh what keeping them is worth."""
    import numpy as np

    from fleetdesk.riders.bias import audit
    from fleetdesk.riders.churn import reasons
    from fleetdesk.riders.churn_actions import BANDS, actions, decide, profit_curve
    from fleetdesk.workflows.kept_models import model_of_run
    from fleetdesk.workflows.rider_models import BY_TIME, churn_of
    from fleetdesk.workflows.rider_values import value_by_rider, values_at, values_of

    settings, sheet = ask.settings, ask.settings.churn
    ask.on_progress("Learning who leaves", 0.1)
    found = churn_of(ask.record, settings)
    ask.on_progress("Weighing what riders are worth", 0.6)
    worth = value_by_rider(ask.record, settings, found.now["rider_id"])
    # What acting at the time had been worth, by what was known at the time.
    then = np.zeros(len(found.test))
    if len(found.test):
        told = values_at(ask.record, found.test, found.test_at, settings).riders["value"]
        then = np.nan_to_num(told.to_numpy(float))
    chance = found.now["chance"].to_numpy(float)
    decided = decide(chance, np.nan_to_num(worth), sheet)
    explained = np.argsort(-chance, kind="stable")[:_EXPLAINED]
    why = np.full(len(chance), "", dtype=object)
    learnt = found.fit.model.kind != BY_TIME
    if learnt:
        why[explained] = reasons(found.fit.model, found.now.iloc[explained], found.fit.drivers)
    known = actions(sheet)
    riders = found.now.assign(
        value=worth,
        band=[BANDS[band] for band in decided.band],
        action=[known[band].what for band in decided.band],
        gain=np.where(np.isnan(worth), np.nan, decided.gain),
        act=decided.act,
        reason=why,
    )
    limits = settings.riders
    groups = audit(
        found.fit.held_out, found.left, found.test["age_group"], limits.bias_limit_pct,
        sheet.high_risk_pct, limits.smallest_group, settings.city.seed,
    )  # fmt: skip
    chosen = found.fit.quality.get(found.fit.model.kind)
    at_risk, gain = int((decided.band == 0).sum()), float(decided.gain[decided.act].sum())
    few = 0 < at_risk < limits.smallest_group
    days = sheet.horizon_days
    who = f"rode in the last {days} days or hold a package" if learnt else "hold a package"
    notes = " ".join(values_of(ask.record, settings).notes)
    tried = f", tried on {len(found.test)} riders of {found.test_at:%Y-%m-%d}" if learnt else ""
    note = (
        f"Learnt from {found.learnt_rows} rows from {found.from_at:%Y-%m-%d} on{tried}. "
        f"{found.fit.note.capitalize()}. {notes}"
    )
    shown = ChurnTold(
        riders, found.fit, profit_curve(found.fit.held_out, found.left, then, sheet), groups,
        note.strip(),
    )  # fmt: skip
    auc = chosen.auc.value if chosen and chosen.auc else None
    metrics = {
        "auc": auc,
        "brier": chosen.brier.value if chosen else None,
        "ece": chosen.ece if chosen else None,
    }
    return Answer(
        sheets=churn_sheets(shown, settings),
        headline=(
            f"Churn: {many(at_risk, settings)} of the {len(riders)} riders who {who} are at high "
            f"risk of leaving within {days} days; acting on those for whom it pays, "
            f"{many(int(decided.act.sum()), settings)}, should bring {gain:,.2f} "
            f"{settings.city.currency}."
        ),
        summary={
            "riders_at_high_risk": None if few else at_risk,
            "churn_auc": None if auc is None else round(auc, 4),
            "churn_ece": round(chosen.ece, 4) if chosen else None,
        },
        files=model_of_run(
            ask, "churn", {"churn": found.fit.model}, found.now, found.fit.model.numbers,
            metrics, found.fit.note, (_PURPOSE, _LIMITS),
        ) if learnt else {},
    )  # fmt: skip


def empty(settings: Settings) -> tuple[ResultSheet, ...]:
    """The sheets before the first run."""
    return churn_sheets(None, settings)
