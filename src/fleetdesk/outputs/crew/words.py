"""What crews read, in the language of the sheet Mail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from fleetdesk.model.plan import Action, PauseKind
from fleetdesk.model.work import TaskKind
from fleetdesk.outputs.crew.stops import CrewPause, CrewRoute, CrewStop


@dataclass(frozen=True)
class Words:
    """The words of one language; `headers` stand over what `cells` gives."""

    code: str
    headers: tuple[str, ...]
    weekdays: tuple[str, ...]
    months: tuple[str, ...]
    date: str
    kinds: Mapping[TaskKind, str]
    pauses: Mapping[PauseKind, str]
    pick_up: str
    drop_off: str
    visit: str
    must: str
    stop: tuple[str, str]
    from_to: str
    pay: str
    route: str
    subject: str
    on_board: str
    batteries_left: str
    whole_way: str
    start: str
    end: str
    map_of: str
    no_basemap: str
    roads: str
    parking: str

    def title(self, route: CrewRoute) -> str:
        """`Maria, Friday 21 June 2024`."""
        return f"{route.worker}, {self.day(route.day)}"

    def day(self, day: datetime) -> str:
        """`Friday 21 June 2024`."""
        return self.date.format(
            weekday=self.weekdays[day.weekday()],
            day=day.day,
            month=self.months[day.month - 1],
            year=day.year,
        )

    def summary(self, route: CrewRoute) -> str:
        """The day in one line."""
        count = len(route.stops)
        parts = [
            f"{count} {self.stop[count != 1]}",
            f"{route.distance_km:.1f} km",
            self.from_to.format(route.clock(route.starts_at), route.clock(route.ends_at)),
        ]
        if route.pay is not None:
            parts.append(self.pay.format(f"{route.pay:.2f} {route.currency}"))
        return ", ".join(parts)

    def todo(self, stop: CrewStop) -> str:
        """What is done at a stop, in the order of the work."""
        if stop.action is Action.DROP_OFF:
            return self.drop_off
        known = stop.kinds or _KINDS_OF[stop.action]
        words = [self.pick_up if kind is TaskKind.MOVE else self.kinds[kind] for kind in known]
        text = ", ".join(words) or self.visit
        return f"{text} ({self.must})" if stop.must else text

    def cells(self, route: CrewRoute, stop: CrewStop) -> tuple[str, ...]:
        """The stop as texts under `headers`, with the pay where there is any."""
        cells = (
            str(stop.number), route.clock(stop.arrive_at), stop.vehicle, self.todo(stop),
            stop.place, f"{stop.leg_km:.1f}", str(stop.on_board), str(stop.batteries_left),
        )  # fmt: skip
        if route.pay is None:
            return cells
        return (*cells, "" if stop.pay is None else f"{stop.pay:.2f}")

    def heads(self, route: CrewRoute) -> tuple[str, ...]:
        """The headers over the cells of that route's stops."""
        paid = self.headers[-1].format(route.currency)
        return (*self.headers[:-1], paid) if route.pay is not None else self.headers[:-1]

    def pause(self, route: CrewRoute, pause: CrewPause) -> str:
        """`break, 12:00 to 12:30`."""
        times = self.from_to.format(route.clock(pause.start_at), route.clock(pause.end_at))
        return f"{self.pauses[pause.kind]}, {times}"


_KINDS_OF = {
    Action.SWAP: (TaskKind.SWAP_BATTERY,),
    Action.SWAP_AND_PICK_UP: (TaskKind.SWAP_BATTERY, TaskKind.MOVE),
    Action.PICK_UP: (TaskKind.MOVE,),
    Action.VISIT: (),
}

ENGLISH = Words(
    code="en",
    headers=("Stop", "Arrive", "Vehicle", "What to do", "Place", "km", "On board", "Batteries",
             "Pay ({})"),
    weekdays=("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    months=("January", "February", "March", "April", "May", "June", "July", "August", "September",
            "October", "November", "December"),
    date="{weekday} {day} {month} {year}",
    kinds={
        TaskKind.SWAP_BATTERY: "swap battery", TaskKind.INSPECT: "inspect",
        TaskKind.REPAIR: "repair", TaskKind.SERVICE: "service", TaskKind.MOVE: "move",
        TaskKind.BRING_IN: "bring in",
    },
    pauses={PauseKind.BREAK: "break", PauseKind.RELOAD: "load charged batteries"},
    pick_up="pick up", drop_off="drop off", visit="look after it", must="must be done",
    stop=("stop", "stops"), from_to="{} to {}", pay="pay {}",
    route="Route", subject="{city}: your route, {day}",
    on_board="{} on board", batteries_left="{} batteries left",
    whole_way="The whole way in Google Maps:", start="start", end="end",
    map_of="The way through the stops {}", no_basemap="no basemap",
    roads="roads: {}", parking="Parking",
)  # fmt: skip
GREEK = Words(
    code="el",
    headers=("Στάση", "Άφιξη", "Όχημα", "Εργασία", "Σημείο", "χλμ", "Στο βαν", "Μπαταρίες",
             "Αμοιβή ({})"),
    weekdays=("Δευτέρα", "Τρίτη", "Τετάρτη", "Πέμπτη", "Παρασκευή", "Σάββατο", "Κυριακή"),
    months=("Ιανουαρίου", "Φεβρουαρίου", "Μαρτίου", "Απριλίου", "Μαΐου", "Ιουνίου", "Ιουλίου",
            "Αυγούστου", "Σεπτεμβρίου", "Οκτωβρίου", "Νοεμβρίου", "Δεκεμβρίου"),
    date="{weekday} {day} {month} {year}",
    kinds={
        TaskKind.SWAP_BATTERY: "αλλαγή μπαταρίας", TaskKind.INSPECT: "έλεγχος",
        TaskKind.REPAIR: "επισκευή", TaskKind.SERVICE: "συντήρηση", TaskKind.MOVE: "μεταφορά",
        TaskKind.BRING_IN: "μεταφορά στο συνεργείο",
    },
    pauses={PauseKind.BREAK: "διάλειμμα", PauseKind.RELOAD: "παραλαβή φορτισμένων μπαταριών"},
    pick_up="παραλαβή", drop_off="παράδοση", visit="εργασία στο όχημα", must="υποχρεωτικό",
    stop=("στάση", "στάσεις"), from_to="{} έως {}", pay="αμοιβή {}",
    route="Διαδρομή", subject="{city}: η διαδρομή σου, {day}",
    on_board="{} στο βαν", batteries_left="{} μπαταρίες απομένουν",
    whole_way="Όλη η διαδρομή στο Google Maps:", start="αρχή", end="τέλος",
    map_of="Η διαδρομή από τις στάσεις {}", no_basemap="χωρίς υπόβαθρο",
    roads="δρόμοι: {}", parking="Πάρκινγκ",
)  # fmt: skip
GERMAN = Words(
    code="de",
    headers=("Halt", "Ankunft", "Fahrzeug", "Aufgabe", "Ort", "km", "An Bord", "Akkus",
             "Lohn ({})"),
    weekdays=("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag"),
    months=("Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September",
            "Oktober", "November", "Dezember"),
    date="{weekday}, {day}. {month} {year}",
    kinds={
        TaskKind.SWAP_BATTERY: "Akku tauschen", TaskKind.INSPECT: "prüfen",
        TaskKind.REPAIR: "reparieren", TaskKind.SERVICE: "warten", TaskKind.MOVE: "umsetzen",
        TaskKind.BRING_IN: "in die Werkstatt bringen",
    },
    pauses={PauseKind.BREAK: "Pause", PauseKind.RELOAD: "geladene Akkus holen"},
    pick_up="einladen", drop_off="abstellen", visit="nachsehen", must="unbedingt",
    stop=("Halt", "Halte"), from_to="{} bis {}", pay="Lohn {}",
    route="Route", subject="{city}: deine Route, {day}",
    on_board="{} an Bord", batteries_left="noch {} Akkus",
    whole_way="Der ganze Weg in Google Maps:", start="Start", end="Ziel",
    map_of="Der Weg über die Halte {}", no_basemap="ohne Karte",
    roads="Straßen: {}", parking="Parkplatz",
)  # fmt: skip
_LANGUAGES = {"English": ENGLISH, "Greek": GREEK, "German": GERMAN}


def words_of(language: str) -> Words:
    """The words of a language of the sheet Mail."""
    return _LANGUAGES[language]
