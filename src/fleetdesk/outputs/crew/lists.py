"""The list of stops as plain text and as a table, complete without any picture."""

from __future__ import annotations

import csv
import io

from fleetdesk.model.csv_guard import guarded
from fleetdesk.outputs.crew.directions import geo, legs
from fleetdesk.outputs.crew.stops import CrewRoute
from fleetdesk.outputs.crew.words import ENGLISH, Words


def stop_text(route: CrewRoute, words: Words = ENGLISH, intro: str = "") -> str:
    """Everything in words: each stop with its `geo:` link, then the way in links for the phone."""
    lines = [words.title(route), f"{route.city}: {words.summary(route)}", ""]
    lines += [intro, ""] if intro else []
    lines += _pauses(route, words, 0)
    for stop in route.stops:
        paid = "" if stop.pay is None else ", " + words.pay.format(f"{stop.pay:.2f}")
        lines += [
            f"{stop.number}. {route.clock(stop.arrive_at)}  {words.todo(stop)}: {stop.vehicle}",
            f"   {stop.place} ({stop.leg_km:.1f} km), {words.on_board.format(stop.on_board)}, "
            f"{words.batteries_left.format(stop.batteries_left)}{paid}",
            f"   {geo(stop)}",
            *_pauses(route, words, stop.number),
        ]
    lines += ["", words.whole_way]
    lines += [f"{leg.label}: {leg.url}" for leg in legs(route, words)]
    return "\n".join(lines) + "\n"


def stop_table(route: CrewRoute, words: Words = ENGLISH) -> str:
    """The stops as CSV, with positions, for whatever program a worker likes."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*words.heads(route), "lat", "lon"])
    for stop in route.stops:
        texts = [guarded(text) for text in words.cells(route, stop)]
        writer.writerow([*texts, f"{stop.at.lat:.6f}", f"{stop.at.lon:.6f}"])
    return out.getvalue()


def _pauses(route: CrewRoute, words: Words, after: int) -> list[str]:
    return [f"-- {words.pause(route, p)}" for p in route.pauses if p.after_stop == after]
