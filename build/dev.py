"""The one door for everything done in a checkout: `python3 build/dev.py help`.

Standard library only, because it runs before anything is installed: it makes `.venv`, fills it
from the hash-pinned files in `build/lock/` and then runs the command in it. A stamp in `.venv`
tells what was installed, so that the next run starts at once.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

from system_needs import (
    Stopped,
    missing_for_maps,
    missing_for_qt,
    missing_for_screen,
    missing_for_venv,
    missing_services,
    offer,
    provide,
    say,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    # Names that an older Python lacks; it must get as far as being told that it is too old.
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from system_needs import Missing

    Command = Sequence[str | Path]

USAGE = """\
python3 build/dev.py demo [options]     make the sample city in demo/ and run a planner's day
python3 build/dev.py app [workbook]     open the window
python3 build/dev.py frozen [--to DIR]  the app as one folder that needs no Python; dist/ by default
python3 build/dev.py screenshots        walk through the window's day; pictures in docs/screenshots
python3 build/dev.py test [options]     lint, types, import contracts, tests; options go to pytest
python3 build/dev.py check              lint, types and import contracts only
python3 build/dev.py bench NAME [...]   run benchmarks/NAME.py; its options follow
python3 build/dev.py lock [--upgrade]   resolve the packages anew after pyproject.toml has changed
python3 build/dev.py help               these lines

Needs Python 3.11 to 3.13 and nothing else: what is missing is installed into .venv in the checkout.
"""

PYTHONS = ((3, 11), (3, 13))
TOP = Path(__file__).resolve().parent.parent
LOCKS = TOP / "build" / "lock"
VENV = TOP / ".venv"
STAMP = VENV / "fleetdesk-dev.json"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
EXE = ".exe" if os.name == "nt" else ""
PYTHON = BIN / f"python{EXE}"
UV = BIN / f"uv{EXE}"

# Each lock contains the one before it: installing tools; plus run time; plus tests and extras.
TOOLS, RUN, DEV = "tools", "run", "dev"


def main(argv: list[str]) -> int:
    """Run the verb and return its exit code."""
    verb, args = (argv[0], argv[1:]) if argv else ("", [])
    verbs = {
        "demo": demo, "app": app, "frozen": frozen, "screenshots": screenshots,
        "test": test, "check": check, "bench": bench, "lock": lock,
    }  # fmt: skip
    if verb in ("help", "-h", "--help"):
        print(USAGE, end="")
        return 0
    if verb not in verbs:
        say(f"There is no command {verb!r}." if verb else "A command is needed.")
        print(USAGE, end="", file=sys.stderr)
        return 2
    try:
        _check_python()
        return verbs[verb](args)
    except Stopped as stopped:
        say(str(stopped))
        return stopped.code
    except KeyboardInterrupt:
        say("Stopped. Run the same command again to go on.")
        return 130
    except OSError as error:
        say(f"The system refused: {error}. Check that {TOP} can be written to and has room.")
        return 1


def demo(args: list[str]) -> int:
    """Make the sample city's workspace and run the planner's day in it."""
    ensure(RUN)
    chosen = any(arg == "--out" or arg.startswith("--out=") for arg in args)
    out = [] if chosen else ["--out", "demo" if Path.cwd() == TOP else str(TOP / "demo")]
    return run([BIN / f"fleetdesk{EXE}", "demo", *out, *args])


def app(args: list[str]) -> int:
    """Open the window."""
    ensure(DEV, missing_for_qt)
    return run([BIN / f"fleetdesk{EXE}", "app", *args])


def frozen(args: list[str]) -> int:
    """Make the app that runs without Python, then let it test itself."""
    if args and (args[0] != "--to" or len(args) != 2):
        raise Stopped(f"frozen takes --to FOLDER alone, but got: {shlex.join(args)}", 2)
    ensure(DEV, missing_for_qt)
    to = Path(args[1]).resolve() if args else TOP / "dist"
    pyinstaller: Command = [PYTHON, "-m", "PyInstaller", "--noconfirm", "--log-level", "WARN"]
    places: Command = ["--workpath", VENV / "frozen", "--distpath", to]
    code = run([*pyinstaller, *places, TOP / "build" / "fleetdesk.spec"], cwd=VENV)
    return code or run([to / "FleetDesk" / f"fleetdesk{EXE}", "--selftest"])


def screenshots(args: list[str]) -> int:
    """Walk through the planner's day in a real window and keep pictures of it."""
    ensure(DEV, missing_for_qt)
    with _one_at_a_time():
        offer(lambda: {**missing_for_screen(), **missing_for_maps()})
    return run([PYTHON, TOP / "build" / "screenshots.py", *args])


def test(args: list[str]) -> int:
    """Run every check and every test; all of them, so that one run shows all that is wrong."""
    ensure(DEV, missing_for_qt)
    with _one_at_a_time():
        offer(lambda: {**missing_services(), **missing_for_maps()})
    # Each worker goes through files that follow each other, which share what they set up.
    workers = [] if "--pdb" in args else ["-n", "2", "--dist", "worksteal"]
    pytest: Command = [PYTHON, "-m", "pytest", *workers, *args]
    return _run_all([*_checks(), ("pytest", pytest)])


def check(args: list[str]) -> int:
    """Run lint, types and import contracts."""
    if args:
        raise Stopped(f"check takes no options, but got: {shlex.join(args)}", 2)
    ensure(DEV)
    return _run_all(_checks())


def bench(args: list[str]) -> int:
    """Run one runner of benchmarks/ with its options."""
    names = sorted(path.stem for path in (TOP / "benchmarks").glob("[!_]*.py"))
    if not args or args[0] not in names:
        asked = f"There is no benchmark {args[0]!r}." if args else "Name a benchmark."
        raise Stopped(f"{asked} There is: {', '.join(names) or 'none yet'}.", 2)
    ensure(RUN)
    return run([PYTHON, TOP / "benchmarks" / f"{args[0]}.py", *args[1:]])


def lock(args: list[str]) -> int:
    """Resolve pyproject.toml into build/lock/; the smaller locks take their versions from dev."""
    ensure(TOOLS)
    everything = ["--all-extras", "--group", "dev", "--group", "tools"]
    small = ["--constraints", "build/lock/dev.txt"]
    sources = {
        DEV: ["pyproject.toml", *everything],
        RUN: ["pyproject.toml", "--group", "tools", *small],
        TOOLS: ["--group", "pyproject.toml:tools", *small],
    }
    for name, source in sources.items():
        command: list[str | Path] = [UV, "pip", "compile", *source]
        command += ["--output-file", f"build/lock/{name}.txt"]
        command += ["--universal", "--python-version", "3.11", "--generate-hashes", "--quiet"]
        command += ["--no-emit-index-url", "--no-emit-find-links", "--no-strip-extras"]
        command += ["--custom-compile-command", "python3 build/dev.py lock", *args]
        code = run(command, cwd=TOP, env=_environment())
        if code:
            raise Stopped(f"build/lock/{name}.txt could not be resolved; uv says why above.", code)
        if "://" in _lock(name).read_text(encoding="utf-8"):
            raise Stopped(f"build/lock/{name}.txt holds an address; a lock must hold none.")
    say("The locks are up to date. Look at the difference, run the tests and commit them.")
    return 0


def ensure(packages: str, also_missing: Missing | None = None) -> None:
    """Bring `.venv` to hold `packages` (a lock's name); do nothing if it already does.

    `also_missing` returns what else the system lacks, {what: Debian package}; all that is missing
    is installed or named at once.
    """
    with _one_at_a_time():
        stamp = _read_stamp()
        fresh = stamp.get("base") != _base() or not PYTHON.exists()
        # A run-time command after a test must not throw the test packages away.
        if not fresh and stamp.get("packages") == DEV:
            packages = DEV
        wanted = _contents(packages)
        done = not fresh and (packages == TOOLS or stamp.get("contents") == wanted)
        provide(
            lambda: {
                **({} if done else missing_for_venv()),
                **(also_missing() if also_missing else {}),
            }
        )
        if done:
            return
        started = time.monotonic()
        if fresh:
            _make_venv()
            _write_stamp({"base": _base()})
        if packages != TOOLS:
            _install(packages)
            _write_stamp({"base": _base(), "packages": packages, "contents": wanted})
        say(f"Set up in {time.monotonic() - started:.0f} s.")


def run(
    command: Command,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    quiet: bool = False,
) -> int:
    """Run a command to its end and return its exit code, 128 + n if signal n ended it."""
    words = [str(word) for word in command]
    # Standard output belongs to the command that was asked for, not to its set-up.
    stdout = sys.stderr if quiet else None
    try:
        code = subprocess.run(
            words, cwd=cwd, env=env or _environment(), stdout=stdout, check=False
        ).returncode
    except FileNotFoundError:
        raise Stopped(f"{words[0]} is missing. Remove {VENV} and run again.") from None
    return code if code >= 0 else 128 - code


# What to check


def _checks() -> list[tuple[str, Command]]:
    steps: list[tuple[str, Command]] = [
        ("ruff check", [PYTHON, "-m", "ruff", "check", "."]),
        ("ruff format", [PYTHON, "-m", "ruff", "format", "--check", "."]),
        ("mypy", [PYTHON, "-m", "mypy"]),
        ("import-linter", [BIN / f"lint-imports{EXE}", "--no-logo"]),
    ]
    return steps


def _run_all(steps: Sequence[tuple[str, Command]]) -> int:
    env = {"QT_QPA_PLATFORM": "offscreen", **_environment()}
    results: list[tuple[str, int, float]] = []
    for name, command in steps:
        started = time.monotonic()
        say(f"{name} ...")
        code = run(command, cwd=TOP, env=env)
        results.append((name, code, time.monotonic() - started))
    for name, code, seconds in results:
        say(f"{name:<14} {'ok' if code == 0 else f'FAILED ({code})':<12} {seconds:6.1f} s")
    return next((code for _, code, _ in results if code), 0)


# The virtual environment


def _check_python() -> None:
    low, high = PYTHONS
    if not low <= sys.version_info[:2] <= high:
        raise Stopped(
            f"FleetDesk needs Python {low[0]}.{low[1]} to {high[0]}.{high[1]}, but this is "
            f"{sys.version_info[0]}.{sys.version_info[1]} ({sys.executable}). Run the same "
            f"command with one of those, for example: python3.12 build/dev.py help"
        )


def _make_venv() -> None:
    say(f"Making {VENV} with Python {sys.version.split()[0]} ...")
    if run([sys.executable, "-m", "venv", "--clear", VENV], quiet=True):
        raise Stopped("The virtual environment could not be made; Python says why above.")
    # The stamp of what was cleared must not outlive it.
    STAMP.unlink(missing_ok=True)
    pip: Command = [
        PYTHON,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--require-hashes",
        "--only-binary",
        ":all:",
    ]
    _install_step([*pip, "--requirement", _lock(TOOLS)], "pip")


def _install(packages: str) -> None:
    say(f"Installing the packages of build/lock/{packages}.txt ...")
    cache = VENV / "cache"
    env = _environment()
    if not _home_cache_is_usable(env):
        env["UV_CACHE_DIR"] = str(cache)
    uv: list[str | Path] = [UV, "pip", "--quiet"] if not sys.stderr.isatty() else [UV, "pip"]
    into: Command = ["--python", PYTHON, "--no-build-isolation"]
    _install_step([*uv, "sync", *into, "--require-hashes", _lock(packages)], "uv", env)
    editable: Command = [*uv, "install", *into, "--no-deps", "--offline", "--editable", TOP]
    _install_step(editable, "uv", env)
    # Installed files are links to or copies of the cached ones; they stay.
    shutil.rmtree(cache, ignore_errors=True)


def _install_step(command: Command, tool: str, env: Mapping[str, str] | None = None) -> None:
    code = run(command, env=env, quiet=True)
    if code:
        raise Stopped(
            f"The packages could not be installed; {tool} says why above. If it was the network, "
            f"run the same command again: it goes on where it stopped.",
            code,
        )


def _environment() -> dict[str, str]:
    # What would make an installer or the interpreter look past .venv is left out; everything else
    # the user has set for pip and uv holds.
    astray = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "CONDA_PREFIX", "__PYVENV_LAUNCHER__"}
    astray |= {"PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "UV_SYSTEM_PYTHON", "UV_TARGET"}
    ours = {
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PYTHONNOUSERSITE": "1",
        "UV_HTTP_TIMEOUT": "120",
        "UV_NO_PROGRESS": "0" if sys.stderr.isatty() else "1",
        # pip trusts the system's certificates, and so must uv: a company's own are only there.
        "UV_SYSTEM_CERTS": "1",
    }
    return {**ours, **{key: value for key, value in os.environ.items() if key not in astray}}


def _home_cache_is_usable(env: Mapping[str, str]) -> bool:
    if os.name == "nt" or env.get("UV_CACHE_DIR") or env.get("UV_NO_CACHE"):
        return True
    base = env.get("XDG_CACHE_HOME") or (env.get("HOME") and str(Path(env["HOME"]) / ".cache"))
    if not base:
        return False
    folder = Path(base) / "uv"
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)


def _base() -> dict[str, str]:
    # The place counts because a virtual environment and an editable install hold full paths.
    return {"python": sys.version, "place": str(TOP), "tools": _digest(_lock(TOOLS))}


def _contents(packages: str) -> list[str]:
    return [packages, _digest(_lock(packages)), _digest(TOP / "pyproject.toml")]


def _lock(packages: str) -> Path:
    return LOCKS / f"{packages}.txt"


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _read_stamp() -> dict[str, Any]:
    try:
        stamp = json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def _write_stamp(stamp: Mapping[str, Any]) -> None:
    STAMP.write_text(json.dumps(stamp, indent=1), encoding="utf-8")


@contextlib.contextmanager
def _one_at_a_time() -> Iterator[None]:
    try:
        import fcntl
    except ImportError:
        # Windows keeps a file in use from being replaced, so two set-ups cannot mix there.
        yield
        return
    with Path(__file__).open("rb") as handle:
        # Some network file systems cannot lock; one person's checkout works without.
        with contextlib.suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
