"""The settings, one frozen class per sheet; template, reference page and checks are drawn from it.

Each field carries its label in the sheet, unit, bounds, default and help. The unit `money` stands
for the city's currency and is shown as its code.
"""

from __future__ import annotations

import re
from datetime import date, time
from typing import ClassVar, Literal
from zoneinfo import available_timezones

from pydantic import BaseModel, ConfigDict, field_validator

from fleetdesk.settings.mail_sheet import Mail
from fleetdesk.settings.package_sheets import (
    BatteryPlan,
    NextBest,
    OfferTests,
    PackageAdvice,
    Pricing,
    ServiceSets,
    TrialPackage,
    Usage,
)
from fleetdesk.settings.questions import Questions
from fleetdesk.settings.rider_sheets import Churn, LifetimeValue, Retention, Riders, Segments
from fleetdesk.settings.route_sheets import Travel
from fleetdesk.settings.sheet import Sheet, setting
from fleetdesk.settings.task_sheets import TaskRule

# Long because the whole vocabulary of settings is one list, in the order of the planner's sheets.
SCHEMA_VERSION = 5
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2099, 12, 31)
_LOGIN = re.compile(r"://\S*:\S*@|passw(or)?d=", re.IGNORECASE)


class City(Sheet):
    """Which city, and which moment is planned."""

    sheet: ClassVar[str] = "City"
    intro: ClassVar[str] = "Where the fleet runs, how cells are cut, and which day is planned."

    name: str = setting(
        "My city", "City", "Name shown on maps, sheets and mails.", min_length=1, max_length=80
    )
    timezone: str = setting(
        "UTC", "Time zone", "Hours and days in all sheets are local to this zone.",
        example="an IANA time zone such as Europe/Athens", max_length=80,
    )  # fmt: skip
    currency: str = setting(
        "EUR", "Currency", "Code shown beside money.",
        example="three capital letters such as EUR", pattern=r"^[A-Z]{3}$",
    )  # fmt: skip
    cell_precision: int = setting(
        6, "Cell size (geohash length)", "6 = about 1 km, 7 = about 150 m. Rates are per cell.",
        ge=5, le=7,
    )  # fmt: skip
    plan_day: date | None = setting(
        None, "Day to plan", "The day crews go out. Empty = the next shift after the last record.",
        ge=FIRST_DAY, le=LAST_DAY,
    )  # fmt: skip
    snapshot_time: time | None = setting(
        None, "Fleet as of", "Time of day the fleet's state is taken; empty = the last record."
    )
    window_days: int = setting(
        28, "History used", "How many days before the plan the rates are learnt from.",
        unit="days", ge=1, le=400,
    )  # fmt: skip
    store: str = setting(
        "", "Data store", "Where records are kept: empty = on this computer, else a database. Its "
        "password is kept apart, never in a sheet.",
        example="nothing for this computer, or an address such as postgresql://host/db or "
        "spark:local, without a password",
        max_length=300, pattern=r"^$|^(postgres(ql)?|spark)://\S+$|^spark:local$", since=2,
    )  # fmt: skip
    seed: int = setting(
        1, "Random seed", "Same workbook, data and seed give the same plan.", ge=0, le=2**31 - 1
    )
    search_effort: int = setting(
        2000, "Route search effort", "Rounds of improvement for the routes; more is slower.",
        unit="rounds", ge=50, le=200_000,
    )  # fmt: skip

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError("is not a known time zone")
        return value

    @field_validator("store")
    @classmethod
    def _no_password(cls, value: str) -> str:
        if _LOGIN.search(value):
            raise ValueError("holds a password, which whoever gets the workbook could read")
        return value


class Weights(Sheet):
    """How the reasons for a task are weighed against each other."""

    sheet: ClassVar[str] = "Weights"
    intro: ClassVar[str] = (
        "What makes a task urgent. Weights are compared with each other: only their ratio counts."
    )

    low_battery: float = setting(0.35, "Low battery", "Emptier vehicles first.", ge=0, le=1)
    roi: float = setting(0.30, "Return on investment", "Tasks that earn more first.", ge=0, le=1)
    outside_parking: float = setting(
        0.15, "Outside parkings", "Vehicles far from any parking first.", ge=0, le=1
    )
    parking_deficit: float = setting(
        0.15, "Parking below minimum", "Emptier parkings first.", ge=0, le=1
    )
    idle: float = setting(0.05, "Idle time", "Vehicles that stood longest first.", ge=0, le=1)
    bonus_at_full_priority: float = setting(
        1.0, "Bonus at priority 100",
        "What a task of priority 100 is worth to you beyond the money it earns; steers the choice "
        "of tasks and is never counted as profit.", unit="money", ge=0, le=1000,
    )  # fmt: skip


class Thresholds(Sheet):
    """When a vehicle or a parking needs work, and what a task must bring."""

    sheet: ClassVar[str] = "Thresholds"
    intro: ClassVar[str] = "When a vehicle or a parking needs work, and what a task must bring."

    low_battery_pct: float = setting(
        30, "Low battery below", "A swap is considered below this charge; 0 = no swaps.",
        unit="%", ge=0, le=100,
    )  # fmt: skip
    usable_battery_pct: float = setting(
        10, "Not rentable below", "Below this charge a vehicle cannot be rented.",
        unit="%", ge=0, le=100,
    )  # fmt: skip
    charged_battery_pct: float = setting(
        100, "Charge after a swap", "Charge of the batteries that crews put in.",
        unit="%", gt=0, le=100,
    )  # fmt: skip
    create_by: Literal["ROI", "threshold"] = setting(
        "ROI", "Tasks are made by",
        "ROI = where the work earns more than it costs; threshold = wherever the charge is below "
        "the threshold.", since=2,
    )  # fmt: skip
    threshold_scope: Literal["sheet", "region", "cell and hour"] = setting(
        "sheet", "Threshold taken from",
        "For tasks made by threshold: sheet = what stands at 'Low battery below'; region = learnt "
        "for the whole region; cell and hour = learnt for each.", since=2,
    )  # fmt: skip
    collect_outside: bool = setting(
        True, "Bring in vehicles outside parkings", "Needs a list of parkings."
    )
    outside_m: float = setting(
        100, "Outside means farther than",
        "Distance from the edge of the nearest parking at which a vehicle counts as outside.",
        unit="m", ge=0, le=5000,
    )  # fmt: skip
    longest_move_km: float = setting(
        3, "Longest move", "A vehicle is not carried farther than this.", unit="km", gt=0, le=50
    )
    fill_parkings: bool = setting(
        True, "Fill parkings below minimum", "Vehicles come from fuller parkings."
    )
    idle_full_h: float = setting(
        48, "Idle time that counts fully", "Standing this long gives the full idle weight.",
        unit="h", gt=0, le=1000,
    )  # fmt: skip
    horizon_h: float = setting(
        24, "ROI horizon", "Revenue with and without the task is counted for this long.",
        unit="h", gt=0, le=168,
    )  # fmt: skip
    min_roi: float = setting(
        0, "Lowest ROI", "Tasks whose ROI and priority bonus add up to less are dropped.",
        unit="money", ge=-1000, le=1000,
    )  # fmt: skip
    estimator: Literal["Method 2", "Method 1", "v0 E[min]", "v0 min"] = setting(
        "Method 2", "ROI estimated by",
        "How the revenue with and without a task is estimated; the guide compares the methods.",
        since=2,
    )  # fmt: skip
    roi_level: Literal["fleet", "scooter"] = setting(
        "fleet", "ROI counted for",
        "fleet = trips that other vehicles would have taken are not counted; scooter = all trips "
        "of the vehicle itself are.", since=2,
    )  # fmt: skip
    max_tasks: int = setting(
        400, "Most tasks considered", "Only the first this many by priority are routed.",
        unit="tasks", ge=1, le=5000,
    )  # fmt: skip
    cell_support_h: float = setting(
        50, "Hours behind a cell's own rate",
        "A cell with this many vehicle hours is trusted half; one with fewer leans on the city.",
        unit="h", gt=0, le=10_000,
    )  # fmt: skip
    fine_cells: bool = setting(
        False, "Rates for finer cells",
        "yes = rates per geohash 7, interpolated from the geohash 6 around it.", since=2,
    )  # fmt: skip
    bootstrap_rounds: int = setting(
        100, "Rounds for error margins",
        "How often the records are drawn anew to say how sure a figure is; 0 = no margins.",
        unit="rounds", ge=0, le=2000, since=2,
    )  # fmt: skip
    holdout_weeks: int = setting(
        1, "Weeks kept for scoring",
        "The last weeks are not learnt from; forecasts are scored on them.",
        unit="weeks", ge=1, le=26, since=2,
    )  # fmt: skip
    hold_back_pct: float = setting(
        0, "Tasks left undone on purpose",
        "This share, drawn at random, is left undone so that the cost of leaving is learnt.",
        unit="%", ge=0, le=50, since=2,
    )  # fmt: skip
    swap_rise_km: float = setting(
        10, "Range rise that means a swap",
        "For public feeds: a rise of range this large between sightings is a swap or charge.",
        unit="km", gt=0, le=100,
    )  # fmt: skip
    trip_move_m: float = setting(
        150, "Move that means a trip",
        "For public feeds: a vehicle seen this far from its last place was ridden.",
        unit="m", gt=0, le=5000,
    )  # fmt: skip


class Costs(Sheet):
    """What a ride brings and what work costs and takes."""

    sheet: ClassVar[str] = "Costs & prices"
    intro: ClassVar[str] = "What a ride brings, and what the crews' work costs and takes."

    unlock_price: float = setting(
        1.0, "Unlock price", "Charged at the start of a trip.", unit="money", ge=0, le=1000
    )
    price_per_min: float = setting(
        0.20, "Price per minute", "Charged for riding time.", unit="money/min", ge=0, le=1000
    )
    price_per_km: float = setting(
        0.0, "Price per km", "Charged for ridden distance.", unit="money/km", ge=0, le=1000
    )
    riding_speed_kmh: float = setting(
        12, "Riding speed", "Turns distance into minutes where a feed shows no riding time.",
        unit="km/h", gt=0, le=60,
    )  # fmt: skip
    use_net_revenue: bool = setting(
        True, "Count net revenue", "yes = after tax, fees and cost per trip; no = gross."
    )
    vat_pct: float = setting(
        24, "Sales tax in prices", "Rate of the tax that prices contain: net = price / (1 + rate).",
        unit="%", ge=0, lt=100,
    )  # fmt: skip
    payment_fee_pct: float = setting(
        2.5, "Payment fee", "Share of the gross price kept by the payment service.",
        unit="%", ge=0, lt=100,
    )  # fmt: skip
    cost_per_trip: float = setting(
        0.15, "Cost per trip", "Wear, insurance and data per trip.", unit="money", ge=0, le=1000
    )
    swap_cost: float = setting(
        0.60, "Battery swap, material", "Charging and battery wear per swap.",
        unit="money", ge=0, le=1000,
    )  # fmt: skip
    move_cost: float = setting(
        0.20, "Move, material", "Wear and small material per moved vehicle.",
        unit="money", ge=0, le=1000,
    )  # fmt: skip
    swap_min: float = setting(
        3, "Time for a swap", "Work at the vehicle.", unit="min", ge=0, le=240
    )
    pick_up_min: float = setting(
        3, "Time for a pick-up", "Loading one vehicle.", unit="min", ge=0, le=240
    )
    drop_off_min: float = setting(
        2, "Time for a drop-off", "Unloading one vehicle.", unit="min", ge=0, le=240
    )
    pay_per_task: bool = setting(
        False, "Pay workers per task",
        "yes = each task is offered at a price; no = workers are paid by the hour.", since=2,
    )  # fmt: skip
    lowest_task_pay: float = setting(
        2, "Lowest pay per task", "No task is offered below this.",
        unit="money", ge=0, le=1000, since=2,
    )  # fmt: skip
    random_offer_pct: float = setting(
        10, "Offers drawn at random",
        "This share of offers gets a price drawn at random, so that the answer to prices is "
        "learnt.", unit="%", ge=0, le=50, since=2,
    )  # fmt: skip
    assumed_trips: float = setting(
        2, "Assumed trips a day",
        "Of a vehicle for rent, until there are records to learn from; then not used.",
        unit="trips", ge=0, le=50, since=4,
    )  # fmt: skip
    assumed_trip_min: float = setting(
        10, "Assumed length of a trip", "Until there are records to learn from.",
        unit="min", ge=0, le=240, since=4,
    )  # fmt: skip
    assumed_use_pct: float = setting(
        6, "Assumed charge of a trip", "Used by one trip, until there are records to learn from.",
        unit="%", gt=0, le=100, since=4,
    )  # fmt: skip


class Package(Sheet):
    """One package that riders can subscribe to."""

    sheet: ClassVar[str] = "Packages"
    intro: ClassVar[str] = "The packages on offer: what they cost and what they include."

    name: str = setting(..., "Package", "Name as riders see it.", min_length=1, max_length=80)
    monthly_price: float = setting(
        ..., "Monthly price", "Charged each month.", unit="money", ge=0, le=100_000
    )
    included_km: float = setting(..., "Included km", "Per month.", unit="km", ge=0, le=100_000)
    included_swaps: int = setting(
        ..., "Included swaps", "Battery swaps per month.", unit="swaps", ge=0, le=10_000
    )
    extra_km_price: float = setting(
        0.0, "Price per extra km", "Beyond the included km.", unit="money/km", ge=0, le=1000
    )
    extra_swap_price: float = setting(
        0.0, "Price per extra swap", "Beyond the included swaps.", unit="money", ge=0, le=1000
    )
    floor_price: float = setting(
        0.0, "Price floor", "Never sold below this.", unit="money", ge=0, le=100_000
    )
    active: bool = setting(True, "On offer", "no = kept for the record only.")


class Worker(Sheet):
    """One worker with a van and a shift."""

    sheet: ClassVar[str] = "Workers & vans"
    intro: ClassVar[str] = "Who goes out, from where, how long, and what the van holds."

    name: str = setting(..., "Worker", "Name on the route.", min_length=1, max_length=80)
    email: str = setting(
        "", "Mail", "Where the route is sent; empty = not mailed.",
        example="a mail address such as maria@example.org", max_length=200,
        pattern=r"^$|^[^@\s]+@[^@\s]+\.[^@\s]+$",
    )  # fmt: skip
    active: bool = setting(True, "Working", "no = gets no route.")
    shift_start: time = setting(time(8, 0), "Shift starts", "Local time.")
    shift_end: time = setting(time(16, 0), "Shift ends", "Local time, same day.")
    start_lat: float = setting(..., "Start latitude", "Where the van starts and ends.",
                               unit="deg", ge=-90, le=90)  # fmt: skip
    start_lon: float = setting(..., "Start longitude", "Where the van starts and ends.",
                               unit="deg", ge=-180, le=180)  # fmt: skip
    batteries: int = setting(
        40, "Charged batteries", "Loaded at the start.", unit="batteries", ge=0, le=1000
    )
    vehicles: int = setting(
        10, "Room for vehicles", "Most vehicles carried at once.", unit="vehicles", ge=0, le=100
    )
    cost_per_h: float = setting(
        14, "Cost per hour", "Wage with all on-costs.", unit="money/h", ge=0, le=1000
    )
    cost_per_km: float = setting(
        0.30, "Cost per km", "Van per driven km.", unit="money/km", ge=0, le=100
    )
    speed_kmh: float = setting(
        25, "Driving speed", "Average in town, stops at lights included.",
        unit="km/h", gt=0, le=130,
    )  # fmt: skip
    end_lat: float | None = setting(
        None, "End latitude", "Where the van ends; empty = where it starts.",
        unit="deg", ge=-90, le=90, since=3,
    )  # fmt: skip
    end_lon: float | None = setting(
        None, "End longitude", "Where the van ends; empty = where it starts.",
        unit="deg", ge=-180, le=180, since=3,
    )  # fmt: skip
    skills: str = setting(
        "", "Skills", "What tasks may ask for, with commas between.",
        example="words such as repair, forklift", max_length=200, since=3,
    )  # fmt: skip
    break_from: time | None = setting(
        None, "Break from", "The break begins at this time or later; empty = no break.", since=3
    )
    break_until: time | None = setting(
        None, "Break until", "The break begins at this time at the latest; empty = no break.",
        since=3,
    )  # fmt: skip
    break_min: float = setting(30, "Break length", "Not paid.", unit="min", ge=0, le=240, since=3)
    area: str = setting(
        "", "Own area", "Beginnings of the geohashes that the worker knows, with commas between.",
        example="geohashes such as sx0r4, sx0r5", max_length=400, since=3,
    )  # fmt: skip


class ParkingRow(Sheet):
    """One parking with its limits."""

    sheet: ClassVar[str] = "Parkings"
    intro: ClassVar[str] = "Where vehicles stand, and how many should."

    parking_id: str = setting(..., "Parking id", "Unique; kept when renamed.",
                              min_length=1, max_length=80)  # fmt: skip
    name: str = setting(..., "Name", "As crews call it.", min_length=1, max_length=120)
    lat: float = setting(..., "Latitude", "WGS84.", unit="deg", ge=-90, le=90)
    lon: float = setting(..., "Longitude", "WGS84.", unit="deg", ge=-180, le=180)
    radius_m: float = setting(
        30, "Radius", "Vehicles this near count as parked here.", unit="m", gt=0, le=2000
    )
    capacity: int = setting(20, "Capacity", "Most vehicles.", unit="vehicles", ge=0, le=1000)
    minimum: int = setting(
        0, "Minimum", "Below this, vehicles are brought.", unit="vehicles", ge=0, le=1000
    )
    target: int = setting(
        0, "Target", "Vehicles above this may be taken away.", unit="vehicles", ge=0, le=1000
    )
    active: bool = setting(True, "In use", "no = left out of every plan.")


class Offer(Sheet):
    """One offer to riders."""

    sheet: ClassVar[str] = "Offers"
    intro: ClassVar[str] = "Discounts that may be offered, to whom and when."

    name: str = setting(..., "Offer", "Name as riders see it.", min_length=1, max_length=80)
    package: str = setting(..., "Package", "A name from the sheet Packages.",
                           one_of="packages", min_length=1, max_length=80)  # fmt: skip
    segment: str = setting("all", "Riders", "A segment, or all.", min_length=1, max_length=80)
    discount_pct: float = setting(..., "Discount", "Off the monthly price.", unit="%", ge=0, le=100)
    starts: date | None = setting(None, "From", "First day; empty = at once.",
                                  ge=FIRST_DAY, le=LAST_DAY)  # fmt: skip
    ends: date | None = setting(None, "Until", "Last day; empty = open.",
                                ge=FIRST_DAY, le=LAST_DAY)  # fmt: skip
    active: bool = setting(True, "In use", "no = not offered.")


class Settings(BaseModel):
    """All that a planner has set, checked; what a run works with."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    city: City = City()
    weights: Weights = Weights()
    thresholds: Thresholds = Thresholds()
    packages: tuple[Package, ...] = ()
    costs: Costs = Costs()
    workers: tuple[Worker, ...] = ()
    parkings: tuple[ParkingRow, ...] = ()
    offers: tuple[Offer, ...] = ()
    task_rules: tuple[TaskRule, ...] = ()
    travel: Travel = Travel()
    mail: Mail = Mail()
    questions: Questions = Questions()
    riders: Riders = Riders()
    segments: Segments = Segments()
    churn: Churn = Churn()
    retention: Retention = Retention()
    lifetime_value: LifetimeValue = LifetimeValue()
    usage: Usage = Usage()
    package_advice: PackageAdvice = PackageAdvice()
    package_trial: tuple[TrialPackage, ...] = ()
    pricing: Pricing = Pricing()
    offer_tests: OfferTests = OfferTests()
    service_sets: ServiceSets = ServiceSets()
    battery_plan: BatteryPlan = BatteryPlan()
    next_best: NextBest = NextBest()


FORMS: dict[str, type[Sheet]] = {
    "city": City,
    "weights": Weights,
    "thresholds": Thresholds,
    "costs": Costs,
    "travel": Travel,
    "mail": Mail,
    "questions": Questions,
    "riders": Riders,
    "segments": Segments,
    "churn": Churn,
    "retention": Retention,
    "lifetime_value": LifetimeValue,
    "usage": Usage,
    "package_advice": PackageAdvice,
    "pricing": Pricing,
    "offer_tests": OfferTests,
    "service_sets": ServiceSets,
    "battery_plan": BatteryPlan,
    "next_best": NextBest,
}
LISTS: dict[str, type[Sheet]] = {
    "packages": Package,
    "workers": Worker,
    "parkings": ParkingRow,
    "offers": Offer,
    "task_rules": TaskRule,
    "package_trial": TrialPackage,
}
SHEET_ORDER: tuple[str, ...] = (
    "city", "weights", "thresholds", "task_rules", "packages", "costs", "workers", "parkings",
    "travel", "offers", "mail", "questions", "riders", "segments", "churn", "retention",
    "lifetime_value", "usage", "package_advice", "package_trial", "pricing", "offer_tests",
    "service_sets", "battery_plan", "next_best",
)  # fmt: skip
