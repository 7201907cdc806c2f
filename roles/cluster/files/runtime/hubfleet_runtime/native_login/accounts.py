# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Accounts of NativeAuthenticator that the inventory knows of, in the hub's database."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import bcrypt
from jupyterhub import orm
from nativeauthenticator.orm import UserInfo
from sqlalchemy import Boolean, Column, String, inspect
from sqlalchemy.orm import declarative_base

from hubfleet_runtime import names
from hubfleet_runtime.native_login import first_passwords

#: First passwords are random, so that guessing them is hopeless with a fast hash as well; with the usual cost of
#: bcrypt, a hub of 1,000 users would start minutes later.
_FAST = 4


#: Not JupyterHub's, which creates all its tables by itself, so that nobody could see that ours is new.
Base: Any = declarative_base()


class Origin(Base):
    """What is known of an account beside NativeAuthenticator's own table; none of those who signed up have one.

    seed: of the first password; null once it was changed.
    listed: whether the inventory named the user at the last start.
    """

    __tablename__ = "hubfleet_accounts"
    username = Column(String(255), primary_key=True)
    seed = Column(String(64))
    listed = Column(Boolean, nullable=False, default=False)


class Accounts:
    """The accounts of a hub. All methods write to the database at once, and to the file of first passwords."""

    def __init__(self, db: Any, key: bytes, file: Path, minimum_length: int, log: Callable[[str], None]) -> None:
        """Take JupyterHub's database session, its cookie secret, and the file for first passwords."""
        self.db, self.key, self.file, self.minimum_length, self.log = db, key, file, minimum_length, log
        self._is_new = not inspect(db.get_bind()).has_table(Origin.__tablename__)
        Origin.__table__.create(db.get_bind(), checkfirst=True)

    def reconcile(self, listed: set[str], admins: set[str], blocked: set[str], open_signup: bool) -> None:
        """Let the accounts follow the inventory, when the hub starts. admins: those of the listed who are admins.

        Who is listed, or a user of the hub otherwise, gets an account with a first password if there is none. An
        account under a listed name that somebody signed up for earlier belongs to an unknown person: it gets a first
        password, and its sessions and tokens end. Who is no longer listed is authorized only where everybody is.
        """
        if self._is_new:
            self._trust_earlier(listed, admins)
        accounts = {account.username: account for account in self.db.query(UserInfo)}
        origins = {origin.username: origin for origin in self.db.query(Origin)}
        users = {name for (name,) in self.db.query(orm.User.name) if not names.is_check_user(name)}
        for name, origin in origins.items():
            if origin.listed and name not in listed:
                origin.listed = False
                if name in accounts:
                    accounts[name].is_authorized = open_signup
                self.log(f"{name} is no longer listed")
        for name in sorted((listed | users) - blocked):
            account, origin = accounts.get(name), origins.get(name)
            if account is None:
                account, origin = self._create(name, origin)
            elif name in listed and origin is None:
                origin = self._take_over(account)
            elif origin and origin.seed and not self._has_first_password(account, origin):
                self._set_first_password(account, origin)
            if origin and name in listed:  # whatever the page of the admins says
                origin.listed = account.is_authorized = True
        self.db.commit()
        self._write_file()

    def ensure(self, name: str) -> None:
        """Create the account of a user that was added to the hub, unless there is one."""
        if names.is_check_user(name) or UserInfo.find(self.db, name) is not None:
            return
        self._create(name, self.db.get(Origin, name))
        self.db.commit()
        self._write_file()

    def is_listed(self, name: str) -> bool:
        """Return whether the inventory names the user."""
        origin = self.db.get(Origin, name)
        return bool(origin and origin.listed)

    def password_changed(self, name: str) -> None:
        """Forget the first password of a user."""
        origin = self.db.get(Origin, name)
        if origin and origin.seed:
            origin.seed = None
            self.db.commit()
            self._write_file()

    def reset(self, name: str) -> None:
        """Replace the password of a user by a new first password; create the account if there is none."""
        account, origin = UserInfo.find(self.db, name), self.db.get(Origin, name)
        if account is None:
            self._create(name, origin)
        else:
            self._set_first_password(account, origin or self._add(Origin(username=name, listed=False)))
            self.log(f"{name} gets a new first password in {self.file}")
        self.db.commit()
        self._write_file()

    def rename(self, name: str, new_name: str) -> None:
        """Let an account follow the new name of its user; nobody else can sign up with the old one.

        The caller commits. A first password is replaced, since it depends on the name.
        """
        account, origin = UserInfo.find(self.db, name), self.db.get(Origin, name)
        if account is None:
            return
        account.username = new_name
        if origin is None:  # somebody who signed up, and stays that
            self._add(Origin(username=name, listed=False))
        else:
            renamed = self.db.get(Origin, new_name) or self._add(Origin(username=new_name))
            renamed.listed = origin.listed
            if origin.seed:
                self._set_first_password(account, renamed)
            origin.seed, origin.listed = None, False
        self.db.flush()
        self._write_file()

    def removed(self, name: str) -> None:
        """Keep the name of a removed user, so that nobody else gets what belonged to it; forget other accounts."""
        origin = self.db.get(Origin, name)
        if orm.User.find(self.db, name) is not None and not names.is_check_user(name):
            origin = origin or self._add(Origin(username=name, listed=False))
            origin.seed = None
        elif origin:
            self.db.delete(origin)
        self.db.commit()
        self._write_file()

    def known_names(self) -> Iterable[str]:
        """Return the names of all users, accounts and removed users."""
        yield from self.present_names()
        yield from (name for (name,) in self.db.query(Origin.username))

    def present_names(self) -> Iterable[str]:
        """Return the names of all users and accounts."""
        for column in (orm.User.name, UserInfo.username):
            yield from (name for (name,) in self.db.query(column))

    def service_names(self) -> Iterable[str]:
        """Return the names of all services."""
        return (name for (name,) in self.db.query(orm.Service.name))

    def _trust_earlier(self, listed: set[str], admins: set[str]) -> None:
        """Keep accounts of a hub that was set up without this class, if they had the same rights there."""
        for account in self.db.query(UserInfo).filter(UserInfo.username.in_(listed)):
            user = orm.User.find(self.db, account.username)
            if account.is_authorized and user is not None and (user.admin or user.name not in admins):
                self._add(Origin(username=user.name, listed=True))
        self.db.flush()

    def _create(self, name: str, origin: Origin | None) -> tuple[UserInfo, Origin]:
        origin = origin or self._add(Origin(username=name, listed=False))
        account = self._add(UserInfo(username=name, is_authorized=True))
        self._set_first_password(account, origin)
        self.log(f"{name} gets an account, with a first password in {self.file}")
        return account, origin

    def _take_over(self, account: UserInfo) -> Origin:
        name = account.username
        origin = self._add(Origin(username=name, listed=False))
        self._set_first_password(account, origin)
        account.has_2fa, account.email = False, None
        user = orm.User.find(self.db, name)
        if user is not None:
            user.cookie_id = secrets.token_hex(16)
            for credential in [*user.api_tokens, *user.oauth_codes]:
                self.db.delete(credential)
        self.log(
            f"somebody had signed up as {name} before the name was listed: the account has a first password in "
            f"{self.file} now, its sessions and tokens have ended, its files are kept"
        )
        return origin

    def _set_first_password(self, account: UserInfo, origin: Origin) -> None:
        origin.seed = first_passwords.new_seed(self.minimum_length)
        password = first_passwords.derive(self.key, origin.username, origin.seed)
        account.password = bcrypt.hashpw(password.encode(), bcrypt.gensalt(_FAST))

    def _has_first_password(self, account: UserInfo, origin: Origin) -> bool:
        """Return False after the cookie secret was replaced: the old first passwords may be known with it."""
        password = first_passwords.derive(self.key, origin.username, origin.seed)
        return bool(bcrypt.checkpw(password.encode(), account.password))

    def _add(self, row: Any) -> Any:
        self.db.add(row)
        return row

    def _write_file(self) -> None:
        unchanged = self.db.query(Origin).filter(Origin.seed.isnot(None))
        first_passwords.write(
            self.file,
            {origin.username: first_passwords.derive(self.key, origin.username, origin.seed) for origin in unchanged},
        )
