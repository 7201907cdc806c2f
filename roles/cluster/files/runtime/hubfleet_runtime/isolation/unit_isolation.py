# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Isolation by systemd, which runs each server as a unit. Needs root. Standard library only."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from pathlib import Path

from hubfleet_runtime import names
from hubfleet_runtime.isolation import systemd
from hubfleet_runtime.isolation.base import (
    Isolation,
    IsolationError,
    Limits,
    ServerContext,
    Unit,
    private_home,
    require_check_user,
)
from hubfleet_runtime.isolation.bubblewrap import bind_python
from hubfleet_runtime.isolation.system_users import SystemUsers

#: Change the owner of home $1, and of files that belong to its earlier owner $3, to the owner of $2.
_CHOWN_HOME = '[ "$(stat -c %u "$1")" = "$(stat -c %u "$2")" ] || exec chown -R -h --from="$3" --reference="$2" "$1"'


def _supplementary_groups(context: ServerContext) -> list[tuple[str, str]]:
    return [("SupplementaryGroups", " ".join(map(str, context.groups)))] if context.groups else []


class UnitIsolation(Isolation):
    """Run each server as a unit with limits."""

    def check(self) -> None:
        """Check for root and systemd."""
        super().check()
        systemd.check()

    def unit(self, context: ServerContext, environment: Path, limits: Limits) -> Unit:
        """Return the server's unit with its limits."""
        return Unit(
            systemd.unit_name(context.server_id),
            self.hub.slice,
            f"JupyterHub server of {context.account} ({self.hub.name})",
            (*systemd.limit_properties(limits), *self.properties(context, environment)),
        )

    def properties(self, context: ServerContext, environment: Path) -> list[tuple[str, str]]:
        """Return the account and the file system view of the unit."""
        raise NotImplementedError

    def after_start(self, context: ServerContext, limits: Limits) -> None:
        """Limit the CPU, which would slow down the start."""
        if limits.cpu:
            systemd.limit_cpu(systemd.unit_name(context.server_id), limits.cpu)

    def oom_kills(self, user: str, server: str) -> int:
        """Return the count of the unit's control group."""
        return systemd.oom_kills(systemd.unit_name(self.server_id(user, server)), self.hub.slice)

    def end_server(self, user: str, server: str) -> None:
        """Stop the unit with all its processes, detached ones as well."""
        systemd.stop(systemd.unit_name(self.server_id(user, server)))


class SystemUserUnits(UnitIsolation, SystemUsers):
    """system-users, if systemd runs the hub."""

    def properties(self, context: ServerContext, environment: Path) -> list[tuple[str, str]]:
        """Set the account; the view is that of all accounts of the machine."""
        return [
            ("User", str(context.uid)),
            ("Group", str(context.gid)),
            *_supplementary_groups(context),
            *([] if self.may_gain_privileges(context) else [("NoNewPrivileges", "yes")]),
            ("WorkingDirectory", str(context.home)),
        ]


class DynamicUserUnits(UnitIsolation):
    """A dynamic user id per running server, and a view of the machine without what belongs to others.

    The id may belong to another user tomorrow, so each start gives the home to the current id, and only root can enter
    the directory above the homes. Source: systemd.exec(5), DynamicUser= and what it implies: private /tmp, read-only
    system, no new privileges.
    """

    name = "systemd"
    unix_groups = True

    def check(self) -> None:
        """Check for root and systemd, and that others cannot reach the homes."""
        systemd.check()
        homes = self.hub.homes
        if not homes.exists():
            return
        found = os.stat(homes)
        if self.hub.state in map(str, homes.parents) and found.st_uid == 0:
            os.chmod(homes, 0o700)
        elif found.st_uid != 0 or stat.S_IMODE(found.st_mode) & 0o077:
            raise IsolationError(
                f"isolation 'systemd' needs a directory of homes that only root can enter; {homes} is open to others"
            )

    def prepare(self, user: str, server: str) -> ServerContext:
        """Create the home; systemd creates the rest with the unit."""
        home, server_id = self.home(user), self.server_id(user, server)
        if not home.exists():
            private_home(home, 0, 0)
        if home.is_symlink() or not home.is_dir():
            raise IsolationError(f"{home} is not a directory; it is not changed")
        return ServerContext(
            server_id=server_id,
            home=home,
            account=names.dynamic_account_name(self.hub.state, self.hub.name, user),
            # short: the paths of the kernels' sockets have at most 107 characters
            runtime_directory=f"/run/hf-{hashlib.sha256(server_id.encode()).hexdigest()[:16]}",
        )

    def properties(self, context: ServerContext, environment: Path) -> list[tuple[str, str]]:
        """Hide /run, other homes and the state directory, but for what the server needs."""
        home, runtime = systemd.quote(context.home), systemd.quote(context.runtime_directory)
        owner = os.stat(context.home).st_uid
        hidden = ["/run:ro,mode=0755", "/dev/shm:mode=1777", f"{systemd.quote(self.hub.state)}:ro,mode=0755"]
        if self.hub.state not in map(str, self.hub.homes.parents):
            hidden.append(f"{systemd.quote(self.hub.homes)}:ro,mode=0755")
        shown = [systemd.quote(path) for path in (environment, *bind_python(environment)[1::3])]
        # names of accounts and of hosts are looked up there
        shown += ["-/run/systemd/userdb", "-/run/systemd/resolve", "-/run/nscd"]
        shown.append(systemd.quote(f"-{self.hub.home_files}"))
        shown += [systemd.quote(grant.source) for grant in context.shared if not grant.writable]
        writable = [systemd.quote(grant.source) for grant in context.shared if grant.writable]
        chown = _CHOWN_HOME.replace("$", "$$")
        return [
            ("DynamicUser", "yes"),
            ("User", context.account),
            ("RuntimeDirectory", Path(context.runtime_directory).name),
            ("RuntimeDirectoryMode", "0700"),
            ("ProtectProc", "invisible"),
            ("ProtectHome", "tmpfs"),
            ("TemporaryFileSystem", " ".join(hidden)),
            ("BindReadOnlyPaths", " ".join(shown)),
            ("BindPaths", " ".join([home, runtime, *writable])),
            *_supplementary_groups(context),
            ("ExecStartPre", f"+/bin/sh -c '{chown}' sh {home} {runtime} {owner}"),
            ("WorkingDirectory", str(context.home)),
        ]

    def remove(self, user: str) -> None:
        """Remove the home of a check user; nothing else is left of it."""
        require_check_user(user)
        shutil.rmtree(self.home(user), ignore_errors=True)
