"""The jobs by name; each loads what it needs when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

OnProgress = Callable[[str, float], None]
_HERE = "fleetdesk.apps.desktop.work"


def _later(module: str, name: str) -> Callable[..., Any]:
    def job(on_progress: OnProgress, **arguments: Any) -> Any:
        return getattr(import_module(f"{_HERE}.{module}"), name)(on_progress, **arguments)

    return job


def warm(_: OnProgress, *, jobs: Sequence[str]) -> None:
    """Load the libraries of some jobs ahead."""
    for module in dict.fromkeys(_MODULES[job] for job in jobs):
        import_module(f"{_HERE}.{module}")
    if "run" in jobs:
        for name in ("workflows.answers.plan", "workflows.publish", "outputs.map.page"):
            import_module(f"fleetdesk.{name}")


def sample(on_progress: OnProgress, *, folder: str, vehicles: int, days: int) -> dict[str, Any]:
    """Make the sample city and plan its day."""
    from fleetdesk.workflows.demo import run_demo

    made = run_demo(Path(folder), vehicles=vehicles, days=days, on_progress=on_progress)
    return dict(made.as_dict())


_MODULES = {
    "run": "run_jobs",
    "undo": "run_jobs",
    "history": "run_jobs",
    "diff": "run_jobs",
    "questions": "run_jobs",
    "sandbox": "run_jobs",
    "overview": "result_jobs",
    "listed": "result_jobs",
    "table": "result_jobs",
    "export_tables": "result_jobs",
    "forms": "form_jobs",
    "check_forms": "form_jobs",
    "save_forms": "form_jobs",
    "packages": "package_jobs",
    "package_trial": "package_jobs",
    "save_packages": "package_jobs",
    "board": "board_jobs",
    "price": "board_jobs",
    "best_place": "board_jobs",
    "save_board": "board_jobs",
    "draw": "board_jobs",
    "mail_preview": "mail_jobs",
    "mail": "mail_jobs",
}
JOBS: Mapping[str, Callable[..., Any]] = {
    "warm": warm,
    "sample": sample,
    **{job: _later(module, job) for job, module in _MODULES.items()},
}
