"""Geofencing zones and price plans of GBFS as rows of ZONES and PRICE_PLANS."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pyarrow as pa

from fleetdesk.sources.gbfs_checks import time_of
from fleetdesk.sources.gbfs_document import Account, Document, checked
from fleetdesk.sources.gbfs_entries import dropped, localized, number_of, without, word_of
from fleetdesk.sources.zone_rows import (
    EVERYWHERE,
    NO_RULE,
    Row,
    made_id,
    naive,
    outline_of,
    plan_table,
    zone_table,
)

_MEASURES = (("per_min_pricing", "min"), ("per_km_pricing", "km"))
_MOST = 1e9


def zones(answer: Document, account: Account, system: str, listed_at: datetime) -> pa.Table:
    """All rules of all zones, the first that speaks of a matter first; broken outlines drop one.

    Rules that hold everywhere (GBFS 3) come last.
    """
    rows: list[Row] = []
    times: dict[str, int] = {}
    for place, entry, faults in checked(answer):
        account.tally.rows_in += 1
        broken = next((fault for fault in faults if fault[0].startswith(".geometry")), None)
        if broken or not isinstance(entry, dict):
            dropped(account, answer, place, broken or faults[0])
            continue
        account.kept(answer, place, faults)
        properties = entry.get("properties")
        properties = properties if isinstance(properties, dict) else {}
        outline = outline_of(entry["geometry"]["coordinates"])
        name = localized(properties.get("name")) or ""
        zone_id = made_id(system, name, outline)
        times[zone_id] = times.get(zone_id, 0) + 1
        zone = {
            "zone_id": zone_id if times[zone_id] == 1 else f"{zone_id}-{times[zone_id]}",
            "name": name or zone_id,
            "valid_from": _moment(properties.get("start")),
            "valid_to": _moment(properties.get("end")),
            "outline": outline,
        }
        rows += [zone | rule for rule in _rules(properties.get("rules"))]
    everywhere = {"zone_id": made_id(system, EVERYWHERE, ""), "name": EVERYWHERE}
    general = answer.data.get("global_rules")
    rows += [everywhere | rule for rule in _rules(general) if isinstance(general, list) and general]
    common = {"ruleset": system, "listed_at": naive(listed_at)}
    return zone_table([row | common | {"rank": rank} for rank, row in enumerate(rows)])


def plans(answer: Document, account: Account, system: str, listed_at: datetime) -> pa.Table:
    """The steps of all price plans; a plan without id, price or currency is dropped."""
    rows: list[Row] = []
    seen: set[str] = set()
    for place, entry, faults in checked(answer):
        account.tally.rows_in += 1
        plan_id = word_of(entry, "plan_id")
        if plan_id is None or plan_id in seen:
            dropped(account, answer, place, without(entry, faults, "plan_id", plan_id))
            continue
        price, currency = number_of(entry, "price", 0, _MOST), word_of(entry, "currency")
        if price is None or currency is None:
            name = "currency" if currency is None else "price"
            dropped(account, answer, place, without(entry, faults, name, None))
            continue
        seen.add(plan_id)
        account.kept(answer, place, faults)
        plan = {
            "system": system,
            "plan_id": plan_id,
            "name": localized(entry.get("name")) or plan_id,
            "currency": currency,
            "flat_price": price,
            "taxable": _flag(entry.get("is_taxable")),
            "surge": _flag(entry.get("surge_pricing")),
            "description": localized(entry.get("description")),
            "listed_at": naive(listed_at),
        }
        steps = [{}, *_steps(entry)]
        rows += [plan | step | {"step": place} for place, step in enumerate(steps)]
    return plan_table(rows)


def said(plans_: pa.Table) -> Iterator[str]:
    """Each plan in a few words, such as `Basic: 1 EUR, 0.2 per 1 min`."""
    words: dict[str, list[str]] = {}
    for row in plans_.to_pylist():
        if row["measure"] is None:
            words[row["plan_id"]] = [f"{row['name']}: {row['flat_price']:g} {row['currency']}"]
        else:
            step = f"{row['rate']:g} per {row['interval']:g} {row['measure']}"
            words[row["plan_id"]].append(step)
    for parts in words.values():
        yield ", ".join(parts)


def _rules(listed: Any) -> list[Row]:
    """A row's part per rule, in their order; one that says nothing where there is no rule."""
    rules = [rule for rule in listed if isinstance(rule, dict)] if isinstance(listed, list) else []
    found: list[Row] = [
        {
            "rule_id": str(place),
            "vehicle_types": _kinds(rule),
            "ride_start_allowed": _flag(rule.get("ride_start_allowed", rule.get("ride_allowed"))),
            "parking_allowed": _flag(rule.get("ride_end_allowed", rule.get("ride_allowed"))),
            "ride_through_allowed": _flag(rule.get("ride_through_allowed")),
            "stations_only": _flag(rule.get("station_parking")),
            "speed_limit_kmh": number_of(rule, "maximum_speed_kph", 0, 1000),
        }
        for place, rule in enumerate(rules, 1)
    ]
    return found or [{"rule_id": NO_RULE}]


def _kinds(rule: Row) -> str | None:
    given = rule.get("vehicle_type_ids", rule.get("vehicle_type_id"))
    words = [kind for kind in given if isinstance(kind, str)] if isinstance(given, list) else []
    return "+".join(words) or None


def _steps(plan: Row) -> Iterator[Row]:
    for name, measure in _MEASURES:
        steps = plan.get(name)
        for step in steps if isinstance(steps, list) else ():
            rate, interval = number_of(step, "rate", -_MOST, _MOST), number_of(
                step, "interval", 0, _MOST)  # fmt: skip
            if rate is not None and interval is not None:
                yield {
                    "measure": measure,
                    "from_units": number_of(step, "start", 0, _MOST) or 0.0,
                    "to_units": number_of(step, "end", 0, _MOST),
                    "rate": rate,
                    "interval": interval,
                }


def _flag(value: Any) -> bool | None:
    """True or false, as 1 and 0 too; None for anything else."""
    return bool(value) if isinstance(value, bool | int) and value in (0, 1) else None


def _moment(value: Any) -> datetime | None:
    told = time_of(value)
    return naive(told) if told else None
