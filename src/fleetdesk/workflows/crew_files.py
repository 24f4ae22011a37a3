"""What a run leaves for the crews, by path in its folder: maps, stop lists, tracks, paper."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from fleetdesk.model.plan import Plan
from fleetdesk.model.work import Task, Van
from fleetdesk.outputs.crew.stops import CrewRoute, crew_route
from fleetdesk.outputs.ground import Ground
from fleetdesk.settings.schema import Settings
from fleetdesk.workflows.moment import parkings

FOLDER = "routes"
ROUTES_FILE = f"{FOLDER}/routes.json"
_RESERVED = frozenset({"con", "prn", "aux", "nul", *(f"{n}{i}" for n in ("com", "lpt")
                                                     for i in range(1, 10))})  # fmt: skip


def crew_routes(
    plan: Plan,
    vans: Sequence[Van],
    tasks: Sequence[Task],
    settings: Settings,
    pay: Mapping[str, float],
) -> tuple[CrewRoute, ...]:
    """Each worker's day; a worker with several shifts has several. `pay` is per task, if at all."""
    by_id = {task.task_id: task for task in tasks}
    left = list(vans)
    routes = []
    for route in plan.routes:
        van = next(van for van in left if van.worker == route.worker)
        left.remove(van)
        routes.append(crew_route(route, van, by_id, settings, pay))
    return tuple(routes)


def crew_files(
    routes: Sequence[CrewRoute], settings: Settings, ground: Ground
) -> dict[str, str | bytes]:
    """The files of all workers, on `ground`; those without a stop get none."""
    # What draws is loaded only where something is drawn.
    from fleetdesk.outputs.crew.drawing import paper
    from fleetdesk.outputs.crew.kept import to_json
    from fleetdesk.outputs.crew.lists import stop_table, stop_text
    from fleetdesk.outputs.crew.tracks import gpx, kml
    from fleetdesk.outputs.crew.words import words_of
    from fleetdesk.outputs.map import crew_map, route_map

    words, places = words_of(settings.mail.language), parkings(settings)
    files: dict[str, str | bytes] = {ROUTES_FILE: to_json(routes)}
    busy = [route for route in routes if route.stops]
    for name, route in zip(file_names([route.worker for route in busy]), busy, strict=True):
        files |= {
            f"{FOLDER}/{name}.html": route_map(crew_map(route, places, words, ground)),
            f"{FOLDER}/{name}.pdf": paper(route, places, words, ground),
            f"{FOLDER}/{name}.txt": stop_text(route, words, settings.mail.intro_text),
            # Spreadsheets take UTF-8 for what it is when a mark begins the file.
            f"{FOLDER}/{name}.csv": "\ufeff" + stop_table(route, words),
            f"{FOLDER}/{name}.gpx": gpx(route, words),
            f"{FOLDER}/{name}.kml": kml(route, words),
        }
    return files


def file_names(workers: Sequence[str]) -> Iterator[str]:
    """A name for each that every file system takes, none twice, near to the worker's own."""
    taken = {"routes"}
    for worker in workers:
        kept = "".join(sign if sign.isalnum() or sign in " -_" else "_" for sign in worker)
        base = kept.strip()[:60] or "worker"
        if base.casefold() in _RESERVED:
            base += "_"
        name, number = base, 2
        while name.casefold() in taken:
            name, number = f"{base} {number}", number + 1
        taken.add(name.casefold())
        yield name
