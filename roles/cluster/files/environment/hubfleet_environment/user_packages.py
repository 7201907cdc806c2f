# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The user's own packages over an environment: a virtual environment in the home that sees the environment's packages.

There is one for each build of an environment, so that another build, or another Python, never meets packages that were
made for this one. Servers never see it: VIRTUAL_ENV names it in what a server starts only, see server.py. Standard
library only.

Sources: PEP 405 for pyvenv.cfg; the module site for files .pth and addsitedir(); the installer metadata of packaging
for the file REQUESTED, which marks packages that somebody asked for.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import site
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

#: "true" or "false" in users' servers: whether the hub lets users add packages (hub_user_packages).
VARIABLE = "HUBFLEET_USER_PACKAGES"
#: What a user should read once in a new terminal or kernel.
NOTICE_VARIABLE = "HUBFLEET_NOTICE"
COMMAND = "user-packages"
_PARENT = Path(".local", "share", "hubfleet", "user-packages")
#: Makes Python see the environment's packages after the user's own.
_LINK = "_environment.pth"
#: Run by Python itself at its start, before any code of the kernel.
_CUSTOMIZATION = {"sitecustomize", "usercustomize"}
#: Programs of the environment that must run with the user's packages, and with their Python.
_MODULES = {"pip": "pip", "pip3": "pip", "ipython": "IPython", "ipython3": "IPython"}
_PROBE_TIMEOUT = 10


def environment() -> Path:
    """Return the environment that this code is part of, whichever Python runs it."""
    folders = Path(__file__).resolve().parents
    return next(folder for folder in folders if (folder / "pyvenv.cfg").is_file())


def directory() -> Path:
    """Return the directory of the user's packages for this build of the environment. It may not exist."""
    return Path.home() / _PARENT / environment().name


def allowed() -> bool:
    """Return whether this is a server of a user who may add packages, or was started by one."""
    return os.environ.get(VARIABLE) == "true"


def in_use() -> bool:
    """Return whether the user's packages are selected, as for everything that a server starts."""
    return allowed() and os.environ.get("VIRTUAL_ENV") == str(directory())


def site_packages(prefix: Path) -> list[Path]:
    """Return where packages are in a virtual environment; on some systems there are two places."""
    variables = {"base": str(prefix), "platbase": str(prefix)}
    scheme = "venv" if "venv" in sysconfig.get_scheme_names() else "posix_prefix"
    places = (sysconfig.get_path(name, scheme, variables) for name in ("purelib", "platlib"))
    return list(dict.fromkeys(map(Path, places)))


def prepare() -> Path:
    """Create or repair the directory of the user's packages; return it. Raises OSError.

    Servers of one user may do this at the same time.
    """
    layer, software = directory(), environment()
    (layer / "bin").mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in ("python", "python3", f"python3.{sys.version_info.minor}"):
        _link(layer / "bin" / name, software / "bin" / "python")
    for name, module in _MODULES.items():
        _write(layer / "bin" / name, f'#!/bin/sh\nexec "{layer}/bin/python" -m {module} "$@"\n', 0o755)
    command = f'#!/bin/sh\nexec "{software}/bin/python" -I -m {__package__}.user_packages "$@"\n'
    _write(layer / "bin" / COMMAND, command, 0o755)
    _write(layer / "pyvenv.cfg", (software / "pyvenv.cfg").read_text(encoding="utf-8"))
    for own, theirs in zip(site_packages(layer), site_packages(software)):
        own.mkdir(parents=True, exist_ok=True)
        _write(own / _LINK, f"import site; site.addsitedir({str(theirs)!r})\n")
    return layer


def _link(path: Path, target: Path) -> None:
    if path.is_symlink() and os.readlink(path) == str(target):
        return
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.symlink_to(target)
    temporary.replace(path)


def _write(path: Path, text: str, mode: int = 0o644) -> None:
    with contextlib.suppress(OSError, ValueError):
        if path.read_text(encoding="utf-8") == text:
            return
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text, encoding="utf-8")
    temporary.chmod(mode)
    temporary.replace(path)


def add() -> str:
    """Add the user's packages to this process, as if its Python had started with them; return why not, or "".

    They come before those of the environment. What is imported already stays as it is.
    """
    layer = directory()
    if sys.prefix == str(layer):
        return ""
    if _has_code_for_the_start(layer) and not _python_starts(layer):
        return "Python cannot start with them"
    before = list(sys.path)
    try:
        for place in site_packages(layer):
            site.addsitedir(str(place))
    except (Exception, SystemExit) as error:
        sys.path[:] = before
        return f"{type(error).__name__}: {error}"
    added = [path for path in sys.path if path not in before]
    theirs = {str(place) for place in site_packages(environment())}
    position = next((index for index, path in enumerate(before) if path in theirs), len(before))
    sys.path[:] = [*before[:position], *added, *before[position:]]
    sys.prefix = sys.exec_prefix = str(layer)
    sys.executable = str(layer / "bin" / "python")
    if "multiprocessing.spawn" in sys.modules:  # it has kept the executable
        sys.modules["multiprocessing.spawn"].set_executable(sys.executable)
    return ""


def ignored() -> list[str]:
    """Return the user's packages that this process does not use, since it has imported those of the environment."""
    found = set()
    for place in site_packages(directory()):
        names = {path.name.removesuffix(".py") for path in place.iterdir()} if place.is_dir() else set()
        for name in names & sys.modules.keys() - _CUSTOMIZATION:
            origin = getattr(sys.modules[name], "__file__", None)
            if origin and not origin.startswith(f"{place}/"):
                found.add(name)
    return sorted(found)


def _has_code_for_the_start(layer: Path) -> bool:
    for place in site_packages(layer):
        names = {path.name for path in place.iterdir()} if place.is_dir() else set()
        if any(Path(name).stem in _CUSTOMIZATION or (name.endswith(".pth") and name != _LINK) for name in names):
            return True
    return False


def _python_starts(layer: Path) -> bool:
    """Return whether Python starts with the user's packages; they could end, crash or block this process."""
    command = [str(layer / "bin" / "python"), "-c", "print('started')"]
    try:
        done = subprocess.run(
            command, capture_output=True, stdin=subprocess.DEVNULL, timeout=_PROBE_TIMEOUT, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0 and b"started" in done.stdout


def leave() -> None:
    """Select the environment without the user's packages, for this process and all that it starts."""
    programs = f"{directory()}/bin:"
    os.environ["VIRTUAL_ENV"] = str(environment())
    for name in ("PATH", "HUBFLEET_PATH"):
        os.environ[name] = os.environ.get(name, "").replace(programs, "")


def reset() -> None:
    """Remove the user's packages of this build. Raises OSError."""
    layer = directory()
    if layer.is_symlink():
        layer.unlink()
    elif layer.exists():
        shutil.rmtree(layer)
    prepare()


def installed(layer: Path, requested: bool = False) -> Iterator[str]:
    """Yield the names of a user's packages; only those that the user asked for if ``requested``."""
    # not importlib.metadata, which would look at the environment as well
    for information in sorted(layer.glob("lib*/python3*/site-packages/*.dist-info")):
        if not information.parent.parent.parent.is_symlink() and (
            not requested or (information / "REQUESTED").exists()
        ):
            yield information.name.partition("-")[0].replace("_", "-")


def earlier() -> Path | None:
    """Return the user's newest packages for another build of this environment; None if there are none."""
    layer = directory()
    family = layer.name.rpartition("-")[0]
    others = [path for path in layer.parent.glob(f"{family}-*") if path.name.rpartition("-")[0] == family]
    others = [path for path in others if path != layer and any(installed(path, requested=True))]
    return max(others, key=lambda path: path.stat().st_mtime, default=None)


def note() -> str:
    """Return what users read after they installed a package."""
    return (
        f"Packages that you install are yours alone. They are in {directory()}, over the environment "
        f"{environment().name.rpartition('-')[0]!r}, and '{COMMAND} reset' in a terminal removes them all."
    )


def _main(arguments: list[str]) -> int:
    """Run the command user-packages."""
    words = " ".join(arguments)
    if words not in ("", "reset", "reinstall"):
        print(
            f"usage: {COMMAND}              list your packages\n"
            f"       {COMMAND} reset        remove all of them\n"
            f"       {COMMAND} reinstall    install what you had before the environment was updated",
            file=sys.stderr,
        )
        return 2
    try:
        return {"": _show, "reset": _reset, "reinstall": _reinstall}[words]()
    except OSError as error:
        print(f"{COMMAND}: {error}", file=sys.stderr)
        return 1


def _show() -> int:
    found = list(installed(directory()))
    print(f"Your packages over the environment, in {directory()}:")
    print("\n".join(f"  {name}" for name in found) or "  none")
    return 0


def _reset() -> int:
    reset()
    print("All your packages over this environment were removed. Restart kernels that are running.")
    return 0


def _reinstall() -> int:
    before = earlier()
    if before is None:
        print("You had no packages over an earlier build of this environment.")
        return 0
    names = list(installed(before, requested=True))
    return subprocess.run([str(prepare() / "bin" / "python"), "-m", "pip", "install", *names], check=False).returncode


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
