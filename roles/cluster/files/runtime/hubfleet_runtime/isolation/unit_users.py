# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ways to keep users apart in which systemd runs each server. Needs root. Standard library only."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from pathlib import Path

from hubfleet_runtime import names
from hubfleet_runtime.isolation import units
from hubfleet_runtime.isolation.base import (
    Isolation,
    IsolationError,
    Limits,
    Place,
    Unit,
    names_only_checks,
    private_home,
)
from hubfleet_runtime.isolation.bubblewrap import python_of
from hubfleet_runtime.isolation.system_users import SystemUsers

#: Gives the home $1 to whom systemd has made $2 for; what a user id of earlier times ($3) has in it, goes with it.
_TAKE_HOME = '[ "$(stat -c %u "$1")" = "$(stat -c %u "$2")" ] || exec chown -R -h --from="$3" --reference="$2" "$1"'


class Units(Isolation):
    """What the ways have in common: a unit per server, its limits, its end."""

    def check(self) -> None:
        """IsolationError without root, or without systemd."""
        super().check()
        units.check()

    def unit(self, place: Place, environment: Path, limits: Limits) -> Unit:
        """The server's unit, limited and run as the way says."""
        return Unit(
            units.name_of(place.key),
            self.where.slice,
            f"JupyterHub server of {place.account} ({self.where.hub})",
            (*units.limited(limits), *self.properties(place, environment)),
        )

    def properties(self, place: Place, environment: Path) -> list[tuple[str, str]]:
        """As whom the unit runs, and what it sees."""
        raise NotImplementedError

    def answered(self, place: Place, limits: Limits) -> None:
        """Limits the CPU: with less of it, starting takes long."""
        if limits.cpu:
            units.limit_cpu(units.name_of(place.key), limits.cpu)

    def memory_kills(self, user: str, server: str) -> int:
        """As the unit's control group counts them."""
        return units.memory_kills(units.name_of(self.key(user, server)), self.where.slice)

    def end_server(self, user: str, server: str) -> None:
        """Stops the unit with all its processes, whether they detached themselves or not."""
        units.stop(units.name_of(self.key(user, server)))


class AccountUnits(Units, SystemUsers):
    """system-users where systemd runs the hub: the same accounts, limits on all processes of a server together."""

    def properties(self, place: Place, environment: Path) -> list[tuple[str, str]]:
        """As the account; it sees what every account of the machine does."""
        return [("User", str(place.uid)), ("Group", str(place.gid)), ("WorkingDirectory", str(place.home))]


class DynamicUsers(Units):
    """A user id that exists while the server runs, and a view of the machine that holds nothing of others.

    Homes are bound into that view. They lie in a directory that only root passes, because the same number
    may be somebody else's tomorrow; a home is given to the user's present number when a server starts.
    Source: systemd.exec(5), DynamicUser= and what it implies: private /tmp, read-only system, no new privileges.
    """

    name = "systemd"

    def check(self) -> None:
        """IsolationError without root or systemd, or where others could reach the homes."""
        units.check()
        homes = self.where.homes
        if not homes.exists():
            return
        found = os.stat(homes)
        if self.where.state in map(str, homes.parents) and found.st_uid == 0:
            os.chmod(homes, 0o700)
        elif found.st_uid != 0 or stat.S_IMODE(found.st_mode) & 0o077:
            raise IsolationError(
                f"isolation 'systemd' needs a folder of homes that only root can pass; {homes} is open to others"
            )

    def prepare(self, user: str, server: str) -> Place:
        """Makes the home; the rest comes and goes with the unit."""
        home, key = self.home(user), self.key(user, server)
        if not home.exists():
            private_home(home, 0, 0)
        if home.is_symlink() or not home.is_dir():
            raise IsolationError(f"{home} is not a directory; it is left alone")
        return Place(
            key=key,
            home=home,
            account=names.dynamic_account(self.where.state, self.where.hub, user),
            # short: the paths of the kernels' sockets have at most 107 characters
            runtime_directory=f"/run/hf-{hashlib.sha256(key.encode()).hexdigest()[:16]}",
        )

    def properties(self, place: Place, environment: Path) -> list[tuple[str, str]]:
        """The view: nothing of /run, of other homes or of the state directory but what the server needs."""
        home, runtime = units.quoted(place.home), units.quoted(place.runtime_directory)
        owner = os.stat(place.home).st_uid
        hidden = ["/run:ro,mode=0755", "/dev/shm:mode=1777", f"{units.quoted(self.where.state)}:ro,mode=0755"]
        if self.where.state not in map(str, self.where.homes.parents):
            hidden.append(f"{units.quoted(self.where.homes)}:ro,mode=0755")
        shown = [units.quoted(path) for path in (environment, *python_of(environment)[1::3])]
        # names of accounts and of hosts are looked up there
        shown += ["-/run/systemd/userdb", "-/run/systemd/resolve", "-/run/nscd"]
        take = _TAKE_HOME.replace("$", "$$")
        return [
            ("DynamicUser", "yes"),
            ("User", place.account),
            ("RuntimeDirectory", Path(place.runtime_directory).name),
            ("RuntimeDirectoryMode", "0700"),
            ("ProtectProc", "invisible"),
            ("ProtectHome", "tmpfs"),
            ("TemporaryFileSystem", " ".join(hidden)),
            ("BindReadOnlyPaths", " ".join(shown)),
            ("BindPaths", f"{home} {runtime}"),
            ("ExecStartPre", f"+/bin/sh -c '{take}' sh {home} {runtime} {owner}"),
            ("WorkingDirectory", str(place.home)),
        ]

    def remove(self, user: str) -> None:
        """Removes the home of a temporary user; nothing else of it is left."""
        names_only_checks(user)
        shutil.rmtree(self.home(user), ignore_errors=True)
