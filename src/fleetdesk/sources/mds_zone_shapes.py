"""Geographies and policies of MDS 1 and 2 as tables of fields.

Source: Open Mobility Foundation, Mobility Data Specification 1.2.0 (JSON Schemas) and 2.0 (OpenAPI
models).
"""

from __future__ import annotations

from collections.abc import Mapping

from fleetdesk.sources.mds_checks import (
    COLLECTION,
    WEEKDAYS,
    Check,
    Fields,
    clock,
    currency,
    flag,
    millis,
    one_of,
    some,
    text,
    thing,
    uuid,
    whole,
)

GEOGRAPHY = Fields(
    {"name": text, "geography_id": uuid, "geography_json": COLLECTION, "published_date": millis},
    {
        "geography_type": text, "description": text, "effective_date": millis,
        "retire_date": millis, "prev_geographies": some(uuid, least=0),
    },
)  # fmt: skip


def policy(mode: Mapping[str, Check], types: tuple[str, ...], drives: tuple[str, ...]) -> Fields:
    """A policy of rules; 2.0 says for which mode of transport."""
    rule = Fields(
        {
            "name": text, "rule_id": uuid, "geographies": some(uuid), "states": thing,
            "rule_type": one_of("count", "time", "speed", "rate", "user"),
        },
        {
            "rule_units": one_of("seconds", "minutes", "hours", "days", "mph", "kph", "devices",
                                 "amount"),
            "vehicle_types": some(one_of(*types), least=0),
            "propulsion_types": some(one_of(*drives), least=0),
            "minimum": whole, "maximum": whole, "inclusive_minimum": flag,
            "inclusive_maximum": flag, "rate_amount": whole,
            "rate_recurrence": one_of("once_on_match", "once_on_unmatch", "each_time_unit",
                                      "per_complete_time_unit"),
            "rate_applies_when": one_of("in_bounds", "out_of_bounds"),
            "start_time": clock, "end_time": clock, "days": some(one_of(*WEEKDAYS), least=0),
            "messages": thing, "value_url": text,
        },
    )  # fmt: skip
    return Fields(
        dict(mode) | {
            "name": text, "policy_id": uuid, "description": text, "start_date": millis,
            "published_date": millis, "rules": some(rule),
        },
        {
            "provider_ids": some(uuid, least=0), "currency": currency, "end_date": millis,
            "prev_policies": some(uuid, least=0),
        },
    )  # fmt: skip
