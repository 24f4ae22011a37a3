"""The canonical tables: what one row is, its columns with units, and its key.

Every source is turned into these at the door and nobody downstream sees a raw feed. Timestamps
are UTC, stored without a zone at microsecond precision, because that is the one form that all
engines agree on. Money is in the city's currency.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

# Long because all canonical tables are one list.


class DType(StrEnum):
    """Column types that every engine has."""

    STRING = "string"
    INT = "int64"
    FLOAT = "float64"
    BOOL = "bool"
    TIMESTAMP = "timestamp"

    @property
    def arrow(self) -> str:
        """The alias under which Arrow knows the type."""
        return "timestamp[us]" if self is DType.TIMESTAMP else self.value


@dataclass(frozen=True, slots=True)
class Column:
    """One column: `unit` is empty where there is none; `nullable` says a gap is legal."""

    name: str
    dtype: DType
    help: str
    unit: str = ""
    nullable: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A canonical table; `time_column` decides the day a row is stored under, if it has one."""

    name: str
    grain: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    time_column: str | None = None

    @property
    def column_names(self) -> tuple[str, ...]:
        """In the order in which they are stored."""
        return tuple(column.name for column in self.columns)


def _text(name: str, help_: str, *, nullable: bool = False) -> Column:
    return Column(name, DType.STRING, help_, nullable=nullable)


def _count(name: str, help_: str, unit: str = "", *, nullable: bool = False) -> Column:
    return Column(name, DType.INT, help_, unit, nullable)


def _number(name: str, help_: str, unit: str = "", *, nullable: bool = False) -> Column:
    return Column(name, DType.FLOAT, help_, unit, nullable)


def _when(name: str, help_: str, *, nullable: bool = False) -> Column:
    return Column(name, DType.TIMESTAMP, help_, "UTC", nullable)


def _flag(name: str, help_: str, *, nullable: bool = False) -> Column:
    return Column(name, DType.BOOL, help_, nullable=nullable)


def _position(prefix: str = "", *, nullable: bool = False) -> tuple[Column, ...]:
    return (
        _number(f"{prefix}lat", "latitude, WGS84", "deg", nullable=nullable),
        _number(f"{prefix}lon", "longitude, WGS84", "deg", nullable=nullable),
    )


VEHICLES = Table(
    "vehicles",
    "one vehicle",
    (
        _text("vehicle_id", "stable id"),
        _text("vehicle_type", "model or type id of the feed"),
        _number("full_range_m", "range on a full battery", "m", nullable=True),
        _number("battery_capacity_wh", "nominal battery capacity", "Wh", nullable=True),
        _when("first_seen_at", "first record"),
    ),
    key=("vehicle_id",),
)

PARKINGS = Table(
    "parkings",
    "one parking (MDS stop, GBFS station)",
    (
        _text("parking_id", "stable id"),
        _text("name", "as people call it"),
        *_position(),
        _number("radius_m", "a vehicle this near counts as parked here", "m"),
        _count("capacity", "most vehicles", "vehicles"),
        _count("minimum", "fewest vehicles wanted", "vehicles"),
        _count("target", "vehicles wanted", "vehicles"),
        _flag("swap_cabinet", "riders can swap a battery here"),
    ),
    key=("parking_id",),
)

EVENTS = Table(
    "events",
    "one MDS event of one vehicle",
    (
        _text("event_id", "stable id"),
        _text("vehicle_id", "the vehicle"),
        _when("event_at", "when it happened"),
        _text("vehicle_state", "MDS state after the event"),
        _text("event_types", "MDS event types; compound ones joined by +"),
        *_position(),
        _text("cell", "geohash of 7 characters"),
        _number("battery_pct", "battery after the event", "%", nullable=True),
        _text("trip_id", "the trip it belongs to", nullable=True),
    ),
    key=("event_id",),
    time_column="event_at",
)

TRIPS = Table(
    "trips",
    "one rider's trip",
    (
        _text("trip_id", "stable id"),
        _text("vehicle_id", "the vehicle; published files may leave it out", nullable=True),
        _text("rider_id", "the rider, pseudonymised", nullable=True),
        _when("started_at", "start"),
        _when("ended_at", "end"),
        *_position("start_", nullable=True),
        *_position("end_", nullable=True),
        _text("start_cell", "geohash of 7 characters", nullable=True),
        _text("end_cell", "geohash of 7 characters", nullable=True),
        _number("distance_m", "ridden distance", "m"),
        _number("duration_s", "ridden time", "s"),
        _number("start_battery_pct", "battery at the start", "%", nullable=True),
        _number("end_battery_pct", "battery at the end", "%", nullable=True),
        _number("revenue", "gross; empty = price it from the sheet", "money", nullable=True),
        _flag("inferred", "true when read off two sightings instead of being recorded"),
    ),
    key=("trip_id",),
    time_column="started_at",
)

TELEMETRY = Table(
    "telemetry",
    "one ping of one vehicle",
    (
        _text("vehicle_id", "the vehicle"),
        _when("recorded_at", "when measured"),
        *_position(),
        _number("speed_kmh", "speed", "km/h", nullable=True),
        _number("battery_pct", "battery", "%", nullable=True),
        _number("hdop", "horizontal dilution of precision", nullable=True),
        _flag("locked", "lock closed", nullable=True),
    ),
    key=("vehicle_id", "recorded_at"),
    time_column="recorded_at",
)

SIGHTINGS = Table(
    "sightings",
    "one vehicle in one snapshot of a public feed (GBFS)",
    (
        _text("vehicle_id", "id of the feed"),
        _when("seen_at", "time of the snapshot"),
        _when("last_reported_at", "the vehicle's own last report", nullable=True),
        *_position(),
        _text("cell", "geohash of 7 characters"),
        _number("range_m", "remaining range", "m", nullable=True),
        _number("battery_pct", "battery", "%", nullable=True),
        _flag("is_reserved", "reserved by a rider"),
        _flag("is_disabled", "cannot be rented"),
        _text("vehicle_type", "type id of the feed", nullable=True),
    ),
    key=("vehicle_id", "seen_at"),
    time_column="seen_at",
)

SERVICE_TASKS = Table(
    "service_tasks",
    "one task that a crew did",
    (
        _text("task_id", "stable id"),
        _text("vehicle_id", "the vehicle"),
        _text("task_kind", "charge, swap or rebalance"),
        _text("worker", "who did it", nullable=True),
        _when("started_at", "start"),
        _when("completed_at", "end"),
        *_position("from_"),
        *_position("to_"),
        _number("battery_before_pct", "battery before", "%", nullable=True),
        _number("battery_after_pct", "battery after", "%", nullable=True),
        _number("cost", "what it cost", "money", nullable=True),
    ),
    key=("task_id",),
    time_column="completed_at",
)

RIDERS = Table(
    "riders",
    "one rider",
    (
        _text("rider_id", "pseudonymised id"),
        _when("signed_up_at", "sign-up"),
        _text("channel", "how the rider came", nullable=True),
        _text("age_group", "band, for the bias audit only", nullable=True),
        _flag("consent", "agreed to be analysed personally"),
        _count("referrals", "riders brought in", "riders"),
    ),
    key=("rider_id",),
)

SUBSCRIPTIONS = Table(
    "subscriptions",
    "one rider's stay in one package",
    (
        _text("subscription_id", "stable id"),
        _text("rider_id", "the rider"),
        _text("package", "package's name as in the sheet"),
        _when("started_at", "first day"),
        _when("ended_at", "last day; empty = still running", nullable=True),
        _text("end_cause", "cancelled, upgraded or downgraded", nullable=True),
    ),
    key=("subscription_id",),
)

PAYMENTS = Table(
    "payments",
    "one payment of a rider",
    (
        _text("payment_id", "stable id"),
        _text("rider_id", "the rider"),
        _when("due_at", "when it was due"),
        _when("paid_at", "when it came; empty = unpaid", nullable=True),
        _number("amount", "gross amount", "money"),
        _text("payment_kind", "package or trip"),
    ),
    key=("payment_id",),
    time_column="due_at",
)

RIDER_SWAPS = Table(
    "rider_swaps",
    "one battery swap by a rider at a cabinet",
    (
        _text("swap_id", "stable id"),
        _text("rider_id", "the rider"),
        _text("vehicle_id", "the vehicle"),
        _when("swapped_at", "when"),
        _text("parking_id", "where the cabinet is"),
        _number("wait_s", "time the rider waited", "s"),
        _number("battery_before_pct", "battery before", "%"),
        _number("battery_after_pct", "battery after", "%"),
    ),
    key=("swap_id",),
    time_column="swapped_at",
)

COMPLAINTS = Table(
    "complaints",
    "one complaint",
    (
        _text("complaint_id", "stable id"),
        _text("rider_id", "who complained", nullable=True),
        _text("vehicle_id", "about which vehicle", nullable=True),
        _when("filed_at", "when"),
        _text("topic", "what about"),
        _when("resolved_at", "when settled; empty = open", nullable=True),
    ),
    key=("complaint_id",),
    time_column="filed_at",
)

WEATHER = Table(
    "weather",
    "one hour of weather",
    (
        _when("hour_at", "start of the hour"),
        _number("temperature_c", "air temperature", "C"),
        _number("rain_mm", "rain in the hour", "mm"),
        _number("wind_kmh", "mean wind", "km/h"),
    ),
    key=("hour_at",),
    time_column="hour_at",
)

HOLIDAYS = Table(
    "holidays",
    "one public holiday in one region",
    (
        Column("day_at", DType.TIMESTAMP, "local date, as its midnight", "date"),
        _text("name", "what is celebrated"),
        _text("region", "country, or country and part of it, such as GR or DE-BY"),
    ),
    key=("day_at", "region"),
)

ZONES = Table(
    "zones",
    "one rule in one geofencing zone",
    (
        _text("zone_id", "stable id; made from name and outline where none is told"),
        _text("rule_id", "the rule within the zone; none = an outline without a rule"),
        _text("ruleset", "whose rule it is: the feed's system, or the MDS policy"),
        _count("rank", "within a ruleset the first rule that speaks of a matter counts"),
        _text("name", "as people call it"),
        _text("vehicle_types", "those it is for, joined by +; empty = all", nullable=True),
        _flag("ride_start_allowed", "rides may start here; empty = not said", nullable=True),
        _flag("parking_allowed", "rides may end and vehicles stand here", nullable=True),
        _flag("ride_through_allowed", "rides may lead through", nullable=True),
        _flag("stations_only", "vehicles must stand at parkings", nullable=True),
        _number("speed_limit_kmh", "highest speed", "km/h", nullable=True),
        _text("days", "weekdays such as sat+sun, local; empty = all", nullable=True),
        Column("from_time", DType.STRING, "from this time of day on, local", "HH:MM:SS", True),
        Column("to_time", DType.STRING, "until this time of day, local", "HH:MM:SS", True),
        _when("valid_from", "start; empty = since ever", nullable=True),
        _when("valid_to", "end; empty = until further notice", nullable=True),
        _when("listed_at", "the newest list that it is on"),
        Column("outline", DType.STRING, "MultiPolygon; empty = everywhere", "GeoJSON", True),
    ),
    key=("zone_id", "rule_id"),
)

PRICE_PLANS = Table(
    "price_plans",
    "one step of one price plan of a public feed",
    (
        _text("system", "the feed's system"),
        _text("plan_id", "stable id within the system"),
        _count("step", "0 = the price of a trip as such, then what time and distance add"),
        _text("name", "as people call it"),
        _text("currency", "ISO 4217 code of the amounts"),
        _number("flat_price", "price of each trip", "currency"),
        _text("measure", "what the step counts: min or km", nullable=True),
        _number("from_units", "from so many of them on", "measure", nullable=True),
        _number("to_units", "up to so many; empty = without end", "measure", nullable=True),
        _number("rate", "price of each interval begun", "currency", nullable=True),
        _number("interval", "its length; 0 = charged once", "measure", nullable=True),
        _flag("taxable", "tax comes on top", nullable=True),
        _flag("surge", "may cost more at times", nullable=True),
        _text("description", "in the operator's words", nullable=True),
        _when("listed_at", "the newest list that it is on"),
        _when("valid_to", "end; empty = until further notice", nullable=True),
    ),
    key=("system", "plan_id", "step"),
)

OFFERS_MADE = Table(
    "offers_made",
    "one offer made to one rider, or withheld from one drawn at random",
    (
        _text("offer_made_id", "stable id"),
        _text("rider_id", "the rider"),
        _text("offer", "offer's name as in the sheet; none = withheld, for comparison"),
        _text("segment", "the rider's segment then", nullable=True),
        _when("offered_at", "when"),
        _number("propensity", "chance with which this offer was drawn, 0 to 1", nullable=True),
        _flag("accepted", "taken; empty = not known yet", nullable=True),
        _number("value", "margin of the days after; empty = from payments", "money", nullable=True),
    ),
    key=("offer_made_id",),
    time_column="offered_at",
)

RATINGS = Table(
    "ratings",
    "one rider's answer to how likely he is to recommend the service",
    (
        _text("rating_id", "stable id"),
        _text("rider_id", "the rider", nullable=True),
        _when("rated_at", "when"),
        _count("score", "0 = not at all to 10 = surely"),
    ),
    key=("rating_id",),
    time_column="rated_at",
)

BATTERY_CHECKS = Table(
    "battery_checks",
    "one measurement of one battery's health",
    (
        _text("battery_id", "stable id of the battery, not of the vehicle it is in"),
        _when("checked_at", "when"),
        _number("health_pct", "capacity now to capacity when new", "%"),
        _number("cycles", "full charges so far", "cycles", nullable=True),
        _text("vehicle_id", "the vehicle it was in", nullable=True),
    ),
    key=("battery_id", "checked_at"),
    time_column="checked_at",
)

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        VEHICLES, PARKINGS, EVENTS, TRIPS, TELEMETRY, SIGHTINGS, SERVICE_TASKS, RIDERS,
        SUBSCRIPTIONS, PAYMENTS, RIDER_SWAPS, COMPLAINTS, WEATHER, HOLIDAYS, ZONES, PRICE_PLANS,
        OFFERS_MADE, RATINGS, BATTERY_CHECKS,
    )
}  # fmt: skip
