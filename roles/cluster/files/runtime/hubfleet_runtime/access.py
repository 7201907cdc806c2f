# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make JupyterHub's database agree with its configuration about who has access, whenever a hub starts.

JupyterHub only adds from its configuration to its database (jupyterhub/app.py: init_users, init_groups): names that are
removed from allowed_users, admin_users or load_groups keep what they had. Members of load_roles are exact already.

A subclass of the configured authenticator does it in check_allow_config(), which JupyterHub calls after it has opened
and upgraded its database, and before it reads users from it (JupyterHub 5.0 and newer).

Hubs on Kubernetes run the text of this file as configuration, so it imports nothing else of this package.
"""

from __future__ import annotations

import json
from typing import Any

from jupyterhub import orm
from jupyterhub.app import JupyterHub
from jupyterhub.auth import Authenticator
from jupyterhub.utils import maybe_future, new_token
from sqlalchemy import Column, Integer, MetaData, Table, Text, or_, select
from traitlets import default
from traitlets.config import Config

#: What a hub last made of its configuration, as JSON: in the database, so that copies and backups contain both.
RECORDS = Table("hubfleet_access", MetaData(), Column("id", Integer, primary_key=True), Column("record", Text))

#: Temporary users of checks have no right to log in, and need none.
CHECK_PREFIX = "hubfleet-check-"

#: Traits that look like rules that allow users (Authenticator.any_allow_config), but name users or allow nobody.
_NO_OTHER_RULES = {"allowed_users", "allow_existing_users", "allow_2fa", "allow_self_approval_for"}
_NO_OTHER_RULES |= {"allowed_failed_logins"}

#: Packages whose authenticators have all their rules in traits; another class may allow anybody in check_allowed().
_KNOWN_PACKAGES = {"jupyterhub", "oauthenticator", "nativeauthenticator", "ldapauthenticator", "ltiauthenticator"}
_KNOWN_PACKAGES |= {"firstuseauthenticator", "tmpauthenticator", "hubfleet_runtime"}


class Access:
    """Who has access by the configuration; names are normalized as the authenticator does.

    users: are named as users or admins. everyone: all others may log in, too. blocked: may not log in at all.
    rules: rules that allow others, with their content. by_name_only: there is none, so nobody else may log in.
    admins: are named as admins. only_named_admins: the authenticator makes no others. groups: None if it decides.
    keep: whether grants in the admin panel are kept.
    """

    def __init__(self, authenticator: Any, keep: bool) -> None:
        hub, name = authenticator.parent, authenticator.normalize_username
        self.keep = keep
        self.blocked = {name(each) for each in authenticator.blocked_users}
        admins = {name(each) for each in authenticator.admin_users or hub.admin_users}
        role = next((role for role in hub.load_roles if role["name"] == "admin"), {})
        admins |= {name(each) for each in role.get("users", ())}
        self.users = {name(each) for each in authenticator.allowed_users} | admins
        self.admins = admins - self.blocked
        self.only_named_admins = not getattr(authenticator, "admin_groups", None)
        self.groups = None if authenticator.manage_groups else members(hub.load_groups, name)
        self.everyone, self.rules = bool(authenticator.allow_all), other_rules(authenticator)
        self.by_name_only = not authenticator.allow_existing_users and not self.rules


def members(load_groups: dict[str, Any], normalize: Any) -> dict[str, list[str]]:
    """Return group -> sorted names of its members, from JupyterHub.load_groups."""
    found = {}
    for group, content in load_groups.items():
        users = content if isinstance(content, (list, tuple)) else content.get("users") or ()
        found[group] = sorted({normalize(user) for user in users})
    return found


def other_rules(authenticator: Any) -> dict[str, list[str]]:
    """Return the rules that allow users who are not named, as far as they can be known, with what they contain."""
    traits = authenticator.traits(config=True).items()
    names = [name for name, trait in traits if name.startswith("allow") or trait.metadata.get("allow_config")]
    found = {name: getattr(authenticator, name) for name in names if name not in _NO_OTHER_RULES}
    # OAuthenticator's CILogon has its rules inside of each identity provider, and its Google a restriction
    providers = (getattr(authenticator, "idps", None) or {}).items()
    found["idps"] = [
        f"{provider}: {name}: {value}"
        for provider, content in providers
        for name, value in sorted(content.items())
        if name.startswith("allow") and value
    ]
    found["hosted_domain"] = found.get("allow_all") and getattr(authenticator, "hosted_domain", None)
    found["check_allowed"] = type(authenticator).check_allowed.__module__.partition(".")[0] not in _KNOWN_PACKAGES
    return {name: _content(value) for name, value in found.items() if value}


def _content(value: Any) -> list[str]:
    if isinstance(value, dict):
        return sorted(f"{key}: {item}" for key, item in value.items())
    return sorted(map(str, value)) if isinstance(value, (set, frozenset, list, tuple)) else [str(value)]


def reconcile(db: Any, access: Access, log: Any) -> tuple[set[str], set[str]]:
    """Make the database agree with the configuration, in one transaction.

    Returns the users whose servers JupyterHub has to stop now, and those whom the database does not allow either, where
    grants are kept.
    """
    before = read_record(db)
    created = {name: str(when) for name, when in db.query(orm.User.name, orm.User.created)}
    unnamed = {name for name in _unnamed(access, before, set(created)) if not name.startswith(CHECK_PREFIX)}
    ended = {
        name: when
        for name, when in (before.get("ended") or {}).items()
        if created.get(name) == when and name not in access.users
    }
    done, lost = {*ended, *(before.get("blocked") or ())}, unnamed | (access.blocked & set(created))
    ending = (lost - done) | _left_over(db, lost, lost | set(ended))
    for user in db.query(orm.User).filter(orm.User.name.in_(ending)):
        log.warning("%s has no access any more: tokens, sessions and servers end", user.name)
        end_access(db, user)
    ended |= {name: created[name] for name in unnamed}
    if _narrowed(access, before):
        sign_out(db, {*created} - access.users - ending, log)
    for user in _admins_to_revoke(db, access, before):
        log.warning("%s is no admin any more", user.name)
        user.admin = False
        user.roles = [role for role in user.roles if role.name != "admin"]
    if access.groups is not None:
        _revoke_members(db, access.groups, before.get("groups") or {}, access.keep, log)
    write_record(db, access, ended)
    db.commit()
    return ending, set(ended)


def _unnamed(access: Access, before: dict[str, Any], known: set[str]) -> set[str]:
    """Return who in the database is not named, or, where others than those who are named have access, not any more."""
    if access.everyone:
        return set()
    found = known if access.by_name_only else known & set(before.get("users") or ())
    return found - access.users


def _narrowed(access: Access, before: dict[str, Any]) -> bool:
    """Return whether a rule that allowed others is gone or has less content, so that some may have lost access."""
    if access.everyone and "hosted_domain" not in access.rules:
        return False
    rules = before.get("rules") or {}
    return any(set(content) - set(access.rules.get(name, ())) for name, content in rules.items())


def _left_over(db: Any, lost: set[str], without_servers: set[str]) -> set[str]:
    """Return users without access who have tokens, or servers that an interrupted start did not stop.

    Every server has a token, so that the servers of users who came back by another rule are not among them.
    """
    with_tokens = {name for (name,) in db.query(orm.User.name).join(orm.User.api_tokens)}
    running = db.query(orm.User.name).join(orm.User._orm_spawners).filter(orm.Spawner.server_id.isnot(None))
    return (lost & with_tokens) | ({name for (name,) in running} & without_servers) - with_tokens


def end_access(db: Any, user: Any) -> None:
    """Remove a user's rights, tokens and browser sessions; JupyterHub then stops the servers of blocked users."""
    user.cookie_id = new_token()
    user.encrypted_auth_state = None
    user.admin, user.roles, user.groups = False, [], []
    for credentials in (user.api_tokens, user.oauth_codes, user.shares, user.share_codes, user.shared_with_me):
        for credential in list(credentials):
            db.delete(credential)


def sign_out(db: Any, names: set[str], log: Any) -> None:
    """Make users log in again, so that the rules decide; their servers and the tokens of these stay."""
    log.warning("The rules allow fewer users: those who are not named have to log in again")
    for user in db.query(orm.User).filter(orm.User.name.in_(names)):
        if user.name.startswith(CHECK_PREFIX):
            continue
        sign_out_user(db, user)


def sign_out_user(db: Any, user: Any) -> int:
    """End a user's browser sessions, and all tokens but those of servers; return how many tokens these were."""
    user.cookie_id = new_token()
    revoked = [token for token in user.api_tokens if not is_of_server(token)]
    for credential in [*revoked, *user.oauth_codes]:
        db.delete(credential)
    return len(revoked)


def is_of_server(token: Any) -> bool:
    """Return whether a token can do no more than that of a server (jupyterhub/roles.py: the role server)."""
    own = ("users:activity!", "read:users:activity!", "access:servers!server=")
    return bool(token.scopes) and all(scope.startswith(own) for scope in token.scopes)


def _admins_to_revoke(db: Any, access: Access, before: dict[str, Any]) -> list[Any]:
    """Return the admins who are not in the configuration, or, if grants are kept, are not any more."""
    admins = db.query(orm.User).filter(or_(orm.User.admin.is_(True), orm.User.roles.any(orm.Role.name == "admin")))
    others, named_before = access.only_named_admins and not access.keep, set(before.get("admins") or ())
    return [user for user in admins if user.name not in access.admins and (others or user.name in named_before)]


def _revoke_members(db: Any, groups: dict[str, list[str]], before: dict[str, list[str]], keep: bool, log: Any) -> None:
    """Remove users from groups of the configuration, and groups that left it."""
    for name in sorted({*groups, *before}):
        group = orm.Group.find(db, name)
        if group is None:
            continue
        named, named_before = set(groups.get(name) or ()), set(before.get(name) or ())
        removed = [user for user in group.users if user.name not in named and (not keep or user.name in named_before)]
        if removed:
            log.warning("No members of the group %s any more: %s", name, ", ".join(user.name for user in removed))
        group.users = [user for user in group.users if user not in removed]
        if name not in groups and not group.users:
            db.delete(group)


def read_record(db: Any) -> dict[str, Any]:
    """Return what the last start made of its configuration; empty before the first one."""
    RECORDS.create(db.connection(), checkfirst=True)
    text = db.execute(select(RECORDS.c.record)).scalar()
    record: dict[str, Any] = json.loads(text) if text else {}
    return record


def write_record(db: Any, access: Access, ended: dict[str, str]) -> None:
    """Record what this start makes of its configuration; plans compare the database with it."""
    record = {
        "keep": access.keep,
        "by_name_only": access.by_name_only,
        "rules": access.rules,
        "users": sorted(access.users),
        "blocked": sorted(access.blocked),
        "admins": sorted(access.admins),
        "only_named_admins": access.only_named_admins,
        "groups": access.groups,
        "ended": ended,
    }
    db.execute(RECORDS.delete())
    db.execute(RECORDS.insert().values(record=json.dumps(record)))


def reconciling(base: type[Authenticator], keep: bool) -> type[Authenticator]:
    """Return a subclass of an authenticator that reconciles the database; it takes the configuration of ``base``."""

    class ReconcilingAuthenticator(base):  # type: ignore[misc, valid-type]
        """The configured authenticator."""

        _ended: set[str] = set()
        _blocked_to_stop: set[str] = set()

        @default("allow_existing_users")
        def _allow_existing_users_default(self) -> bool:
            # JupyterHub's own default is to allow everybody in the database as soon as anybody is allowed by name
            return keep

        def check_allow_config(self) -> None:
            super().check_allow_config()
            access = Access(self, keep)
            ending, self._ended = reconcile(self.parent.db, access, self.log)
            # JupyterHub stops the servers of blocked users when it starts
            self._blocked_to_stop = ending - access.blocked
            self.blocked_users = access.blocked | ending

        def check_blocked_users(self, username: str, authentication: Any = None) -> Any:
            if username in self._blocked_to_stop:
                return True  # other rules may allow this user again
            if username.startswith(CHECK_PREFIX):
                return False  # checks remove the homes of these users, and never log in
            return super().check_blocked_users(username, authentication)

        async def add_user(self, user: Any) -> None:
            await maybe_future(super().add_user(user))
            if user.name in self._ended:
                self.allowed_users.discard(user.name)

    ReconcilingAuthenticator.__name__ = ReconcilingAuthenticator.__qualname__ = base.__name__
    ReconcilingAuthenticator.__module__ = base.__module__
    return ReconcilingAuthenticator


def configure(c: Config, keep: bool) -> None:
    """Reconcile the database of a hub with its configuration; the last step of the configuration.

    keep: whether what people granted in the admin panel is kept.
    """
    configured = c.JupyterHub.get("authenticator_class")
    # JupyterHub itself resolves names of classes and entry points
    hub = JupyterHub(authenticator_class=configured) if configured else JupyterHub()
    c.JupyterHub.authenticator_class = reconciling(hub.authenticator_class, keep)
