from __future__ import annotations

from datetime import UTC, datetime, timedelta

import ibis
import pytest

from fleetdesk.model.tables import TABLES
from fleetdesk.riders.kpis import rider_kpis, rider_months
from fleetdesk.settings.package_sheets import NextBest
from fleetdesk.settings.schema import City, Costs, Package, Settings
from fleetdesk.sources.base import schema_of

T0 = datetime(2026, 6, 1)  # a Monday
AS_OF = datetime(2026, 6, 16, tzinfo=UTC)  # 15 days: half a month
SETTINGS = Settings(
    city=City(timezone="UTC", currency="EUR"),
    costs=Costs(vat_pct=25, payment_fee_pct=10, cost_per_trip=0.5),
    packages=(Package(name="Basic", monthly_price=20, included_km=50, included_swaps=4),),
    next_best=NextBest(marketing_per_month=120),
)


def at(hours):
    return T0 + timedelta(hours=hours)


def trip(number, rider, vehicle, hours, km, minutes, revenue):
    return {"trip_id": str(number), "rider_id": rider, "vehicle_id": vehicle,
            "started_at": at(hours), "ended_at": at(hours + minutes / 60),
            "distance_m": km * 1000.0, "duration_s": minutes * 60.0, "revenue": revenue,
            "inferred": False}  # fmt: skip


def stay(number, rider, start, end=None, cause=None):
    return {"subscription_id": str(number), "rider_id": rider, "package": "Basic",
            "started_at": start, "ended_at": end, "end_cause": cause}  # fmt: skip


ROWS = {
    "trips": [
        trip(1, "a", "v1", 0, 2.0, 10, 3.0),  # midnight: off-peak
        trip(2, "a", "v1", 8, 6.0, 20, 5.0),  # Monday 8:00: peak
        trip(3, "b", "v2", 20, 4.0, 30, 4.0),
        trip(4, None, "v2", 30, 1.0, 60, 2.0),
    ],
    "riders": [
        {"rider_id": "a", "signed_up_at": at(-99), "consent": True, "referrals": 0},
        {"rider_id": "b", "signed_up_at": at(5), "consent": True, "referrals": 0},
    ],
    "subscriptions": [
        stay(1, "a", at(-999)),
        stay(2, "c", at(-999), at(50), "cancelled"),
        stay(3, "d", at(-999), at(50), "upgraded"),
        stay(4, "e", at(-999), at(-50), "cancelled"),
        stay(5, "f", at(-999)),
    ],
    "payments": [
        {"payment_id": "1", "rider_id": "a", "due_at": at(1), "amount": 20.0,
         "payment_kind": "package"},
        {"payment_id": "2", "rider_id": "a", "due_at": at(1), "amount": 3.0,
         "payment_kind": "trip"},
    ],
    "rider_swaps": [
        {"swap_id": "1", "rider_id": "a", "vehicle_id": "v1", "swapped_at": at(9),
         "parking_id": "p", "wait_s": 120.0, "battery_before_pct": 20.0,
         "battery_after_pct": 100.0},
        {"swap_id": "2", "rider_id": "b", "vehicle_id": "v1", "swapped_at": at(99),
         "parking_id": "p", "wait_s": 60.0, "battery_before_pct": 40.0,
         "battery_after_pct": 100.0},
    ],
    "complaints": [
        {"complaint_id": "1", "filed_at": at(1), "resolved_at": at(7), "topic": "x"},
        {"complaint_id": "2", "filed_at": at(2), "topic": "x"},
    ],
    "ratings": [
        {"rating_id": str(n), "rated_at": at(n), "score": score}
        for n, score in enumerate([10, 9, 8, 7, 3])
    ],
}  # fmt: skip


def tables(**rows):
    import pyarrow as pa

    made = {}
    for name, table in TABLES.items():
        full = [dict.fromkeys(table.column_names) | row for row in rows.get(name, [])]
        made[name] = ibis.memtable(pa.Table.from_pylist(full, schema=schema_of(table)))
    return made


@pytest.fixture(scope="module")
def found():
    return {kpi.name: kpi for kpi in rider_kpis(tables(**ROWS), SETTINGS, AS_OF, (100.0, 140.0))}


NET_TRIPS = (3 + 5 + 4) * (1 / 1.25 - 0.1) - 3 * 0.5
NET = NET_TRIPS + 20 * (1 / 1.25 - 0.1)
MONTHS = 0.5


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Monthly active riders", 2),
        ("New riders a month", 1 / MONTHS),
        ("Average revenue per rider", (12 + 20) / (2 * MONTHS)),
        ("Customer acquisition cost", 120 * MONTHS / 1),
        ("CAC payback", 60 / (NET / (2 * MONTHS))),
        ("Customer lifetime value", 120),
        ("Lifetime value to acquisition cost", 120 / 60),
        ("Net promoter score", 100 * (2 - 1) / 5),
        ("Km per rider a month", 12 / (2 * MONTHS)),
        ("Trips per rider a month", 3 / (2 * MONTHS)),
        ("Swaps per rider a month", 2 / (2 * MONTHS)),
        ("Battery used between swaps", (80 + 60) / 2),
        ("Peak to off-peak", 6 / 7),
        ("Monthly recurring revenue", 2 * 20),
        ("Gross margin per rider a month", NET / (2 * MONTHS)),
        ("Churn a month", 100 * (1 - (3 / 4) ** 2)),  # one of four within half a month
        ("Churn a year", 100 * (1 - (3 / 4) ** 24)),
        ("Swap wait, mean", 1.5),
        ("Vehicle utilisation", 100 * 2 / (2 * 15 * 24)),
        ("Trips per ridden vehicle a day", 4 / (2 * 15)),
        ("Complaint rate", 1000 * 2 / 4),
        ("Resolution time", 6),
    ],
)  # fmt: skip
def test_by_hand(found, name, value):
    assert found[name].value == pytest.approx(value)
    assert found[name].formula


def test_every_figure_says_how_and_when(found):
    assert all(kpi.formula and kpi.unit and kpi.window for kpi in found.values())
    assert "95 %" in found["Net promoter score"].formula


def test_each_figure_tells_of_how_many_riders_it_is(found):
    told = {"Monthly active riders": 2, "New riders a month": 1, "Swap wait, mean": 2,
            "Churn a month": 4, "Monthly recurring revenue": 2, "Net promoter score": 5,
            "Customer lifetime value": 2, "Vehicle uptime": None}  # fmt: skip
    assert {name: found[name].riders for name in told} == told


def test_one_rider_who_answers_often_is_one_rider():
    same = [{**row, "rider_id": "r1"} for row in ROWS["ratings"]]
    often = {
        kpi.name: kpi for kpi in rider_kpis(tables(**{**ROWS, "ratings": same}), SETTINGS, AS_OF)
    }
    assert often["Net promoter score"].riders == 1


def test_no_records_give_empty_figures_and_no_error():
    none = {kpi.name: kpi.value for kpi in rider_kpis(tables(), SETTINGS, AS_OF)}
    assert none["Monthly active riders"] == 0
    for name in ("Average revenue per rider", "Churn a month", "Net promoter score",
                 "Complaint rate", "CAC payback", "Swap wait, mean",
                 "Customer lifetime value"):  # fmt: skip
        assert none[name] is None


def test_months_before_are_those_that_the_records_cover_whole():
    latest = rider_kpis(tables(**ROWS), SETTINGS, AS_OF)
    assert rider_months(tables(**ROWS), SETTINGS, AS_OF, latest) == (latest,)
    early = {**ROWS["trips"][0], "trip_id": "early"}
    early["started_at"] = AS_OF.replace(tzinfo=None) - timedelta(days=70)
    early["ended_at"] = early["started_at"] + timedelta(minutes=10)
    known = tables(**{**ROWS, "trips": [*ROWS["trips"], early]})
    latest = rider_kpis(known, SETTINGS, AS_OF)
    before, last = rider_months(known, SETTINGS, AS_OF, latest)
    assert last == latest
    assert before == rider_kpis(known, SETTINGS, AS_OF - timedelta(days=30))
    assert before[0].window.endswith(last[0].window[:10])


def test_without_marketing_nobody_knows_what_a_rider_costs():
    plain = SETTINGS.model_copy(update={"next_best": NextBest()})
    none = {kpi.name: kpi.value for kpi in rider_kpis(tables(**ROWS), plain, AS_OF)}
    assert none["Customer acquisition cost"] is None
    assert none["CAC payback"] is None
