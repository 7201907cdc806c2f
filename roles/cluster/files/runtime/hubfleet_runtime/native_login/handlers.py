# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pages of NativeAuthenticator that we answer ourselves.

Its pages change accounts on GET requests, which other sites can make a browser send, and let everybody with the scope
admin:users set the password of an admin.
"""

from __future__ import annotations

from typing import Any

from jupyterhub.scopes import needs_scope
from nativeauthenticator import handlers as native
from nativeauthenticator.orm import UserInfo
from tornado import web
from tornado.escape import url_escape
from tornado.httputil import url_concat


class LoginHandler(native.LoginHandler):
    """The page to log in. NativeAuthenticator's own does not work with JupyterHub 6 (statsd was removed)."""

    async def post(self) -> None:
        """Log in, or say why that is refused."""
        data = {name: self.get_argument(name, strip=False) for name in self.request.arguments}
        user = await self.login_user(data)
        if user:
            self._jupyterhub_user = user
            self.redirect(self.get_next_url(user))
            return
        error = self.authenticator.login_error(data["username"], data["password"])
        self.finish(await self._render(login_error=error, username=data["username"]))

    def _render(self, login_error: str | None = None, username: str | None = None, **context: Any) -> Any:
        """Return the page; JupyterHub asks for it with a context of its own where it fails."""
        following = self.get_argument("next", default="")
        address = url_concat(self.authenticator.login_url(self.hub.base_url), {"next": following})
        own = {
            "next": url_escape(following),
            "username": username,
            "login_error": login_error,
            "custom_html": self.authenticator.custom_html,
            "login_url": self.settings["login_url"],
            "enable_signup": self.authenticator.enable_signup,
            "two_factor_auth": self.authenticator.allow_2fa,
            "authenticator_login_url": address,
        }
        return self.render_template("native-login.html", **{**context, **own})


class SignUpHandler(native.SignUpHandler):
    """The page to sign up."""

    async def post(self) -> None:
        """Create an account; say why if the name is refused."""
        reason = self.authenticator.refusal(self.get_body_argument("username", strip=False))
        if not reason or not self.authenticator.enable_signup:
            await super().post()
            return
        html = await self.render_template(
            "signup.html",
            ask_email=self.authenticator.ask_email_on_signup,
            two_factor_auth=self.authenticator.allow_2fa,
            recaptcha_key=self.authenticator.recaptcha_key,
            tos=self.authenticator.tos,
            result_message=reason,
            alert="alert-danger",
        )
        self.finish(html)

    def get_result_message(self, user: Any, *args: Any) -> tuple[str, str]:
        """Return the class and the text of the answer."""
        if user is None or user.login_email_sent:
            answer: tuple[str, str] = super().get_result_message(user, *args)
            return answer
        if user.is_authorized:
            return "alert-success", "Your account was created. You can log in now."
        return "alert-info", "Your account was created. You can log in when an admin has authorized it."


class AuthorizationAreaHandler(native.LocalBase):
    """The page on which admins authorize accounts."""

    @needs_scope("admin:users")
    async def get(self) -> None:
        """List all accounts."""
        users = self.db.query(UserInfo).order_by(UserInfo.username).all()
        html = await self.render_template(
            "authorization-area.html",
            ask_email=self.authenticator.ask_email_on_signup,
            users=users,
            listed={user.username for user in users if self.authenticator.accounts.is_listed(user.username)},
            known={user.username for user in users if self.find_user(user.username)},
            not_allowed={user.username for user in users if not self.authenticator.can_be_allowed(user.username)},
        )
        self.finish(html)


class AuthorizationHandler(native.LocalBase):
    """Authorize an account, or withdraw that."""

    @needs_scope("admin:users")
    async def post(self, user_name: str) -> None:
        """Set what the field "authorized" says: yes or no."""
        account, authorized = _account(self, user_name), self.get_body_argument("authorized") == "yes"
        if authorized and not self.authenticator.can_be_allowed(account.username):
            raise web.HTTPError(409, f"The configuration of this hub does not allow {user_name} to log in.")
        account.is_authorized = authorized
        self.db.commit()
        self.redirect(f"{self.hub.base_url}authorize")


class DiscardHandler(native.LocalBase):
    """Remove the account of somebody who signed up and was not authorized."""

    @needs_scope("admin:users")
    async def post(self, user_name: str) -> None:
        """Remove the account; its name is free again."""
        account = _account(self, user_name)
        if account.is_authorized or self.find_user(user_name):
            raise web.HTTPError(409, f"{user_name} is a user of this hub; remove users on the page Admin.")
        self.authenticator.delete_user(type("Nobody", (), {"name": account.username}))
        self.redirect(f"{self.hub.base_url}authorize")


class ChangePasswordAdminHandler(native.ChangePasswordAdminHandler):
    """The page on which admins set passwords of others."""

    async def prepare(self) -> None:
        """Let only admins set the password of an admin, who could do everything with it."""
        await super().prepare()
        name = self.authenticator.normalize_username(self.path_args[0])
        user, current = self.find_user(name), self.current_user
        is_admin = name in self.authenticator.admin_users or (user is not None and user.admin)
        if is_admin and not (current and current.admin):
            raise web.HTTPError(403, "Only an admin can set the password of an admin.")


def _account(handler: native.LocalBase, user_name: str) -> UserInfo:
    """Return the account that an admin may change. Raises HTTPError."""
    authenticator = handler.authenticator
    account = authenticator.get_user(user_name)
    if account is None:
        raise web.HTTPError(404, f"There is no account {user_name}.")
    if authenticator.accounts.is_listed(account.username):
        raise web.HTTPError(
            409, f"{user_name} is listed in the hub's configuration, which decides whether the account is authorized."
        )
    return account


#: Path in NativeAuthenticator.get_handlers() -> our handler.
HANDLERS = (
    (r"/login", LoginHandler),
    (r"/signup", SignUpHandler),
    (r"/authorize", AuthorizationAreaHandler),
    (r"/authorize/([^/]*)", AuthorizationHandler),
    (r"/discard/([^/]*)", DiscardHandler),
    (r"/change-password/([^/]+)", ChangePasswordAdminHandler),
)
