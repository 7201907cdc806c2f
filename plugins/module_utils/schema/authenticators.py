# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ways to log in: their settings, and which allow rules each understands.

Class names are the entry points of JupyterHub, OAuthenticator, NativeAuthenticator,
LTIAuthenticator and TmpAuthenticator.
"""

from __future__ import annotations

from dataclasses import dataclass

from .option import Option, element, names

#: Allow rules every authenticator understands (JupyterHub's own).
COMMON_RULES = ("hub_allowed_users",)


@dataclass(frozen=True)
class Authenticator:
    """One way to log in.

    name: the word in ``hub_authenticator``.
    entry_point: what JupyterHub.authenticator_class is set to.
    config_class: the traitlets class that takes the settings.
    text: one sentence for the reference.
    settings: keys of ``hub_authenticator_settings``.
    rules: allow rules beyond COMMON_RULES.
    demonstration: lets anyone in who types a name; only for hubs marked as demonstrations.
    callback: OAuth needs to know the hub's public address.
    """

    name: str
    entry_point: str
    config_class: str
    text: str
    settings: tuple[Option, ...] = ()
    rules: tuple[str, ...] = ()
    demonstration: bool = False
    callback: bool = False


_CLIENT = (
    Option("client_id", "str", ("Client id of the registered application.",), required=True),
    Option(
        "client_secret",
        "str",
        ("Client secret of the registered application; encrypt it with ansible-vault or SOPS.",),
        required=True,
        secret=True,
    ),
)
_SCOPE = Option("scope", "list", ("OAuth scopes to ask for.",), elements=names())
_LOGIN_SERVICE = Option("login_service", "str", ("Name of the service on the log-in button.",))

AUTHENTICATORS = (
    Authenticator(
        "github",
        "github",
        "GitHubOAuthenticator",
        "Accounts of GitHub; rules by user, organization or team.",
        (*_CLIENT, _SCOPE),
        ("hub_allowed_organizations",),
        callback=True,
    ),
    Authenticator(
        "google",
        "google",
        "GoogleOAuthenticator",
        "Accounts of Google; rules by user or domain of the account.",
        (
            *_CLIENT,
            _LOGIN_SERVICE,
            Option(
                "strip_domain",
                "bool",
                ("Leave the domain out of user names; only sensible with one allowed domain.",),
                default=False,
            ),
        ),
        ("hub_allowed_domains",),
        callback=True,
    ),
    Authenticator(
        "cilogon",
        "cilogon",
        "CILogonOAuthenticator",
        "Accounts of universities through CILogon; rules by identity provider and domain.",
        (
            *_CLIENT,
            Option(
                "username_claim",
                "str",
                ("Claim that becomes the user name.",),
                default="email",
                choices=("email", "eppn", "sub", "preferred_username"),
            ),
        ),
        ("hub_allowed_identity_providers", "hub_allowed_domains"),
        callback=True,
    ),
    Authenticator(
        "generic-oauth",
        "generic-oauth",
        "GenericOAuthenticator",
        "Any OpenID Connect or OAuth 2 provider, such as Keycloak or Auth0.",
        (
            *_CLIENT,
            Option("authorize_url", "url", ("The provider's authorization endpoint.",), required=True),
            Option("token_url", "url", ("The provider's token endpoint.",), required=True),
            Option("userdata_url", "url", ("The provider's user information endpoint.",), required=True),
            Option(
                "username_claim",
                "str",
                ("Claim that becomes the user name.",),
                default="preferred_username",
            ),
            Option(
                "groups_claim",
                "str",
                ("Claim that lists the user's groups; needed by hub_allowed_groups.",),
            ),
            _LOGIN_SERVICE,
            _SCOPE,
        ),
        ("hub_allowed_groups",),
        callback=True,
    ),
    Authenticator(
        "lti",
        "ltiauthenticator.lti13.auth.LTI13Authenticator",
        "LTI13Authenticator",
        "A learning management system (Canvas, Moodle, ...) by LTI 1.3; the course decides who gets in.",
        (
            Option("issuer", "url", ("Issuer of the learning management system.",), required=True),
            Option("authorize_url", "url", ("Its authorization endpoint.",), required=True),
            Option("jwks_endpoint", "url", ("Where its public keys are.",), required=True),
            Option(
                "client_id",
                "list",
                ("Client ids that it gave to this hub.",),
                required=True,
                elements=names(),
            ),
            Option("username_key", "str", ("Claim that becomes the user name.",), default="email"),
        ),
    ),
    Authenticator(
        "native",
        "native",
        "NativeAuthenticator",
        "Accounts kept by the hub itself: people sign up, and an admin or a rule lets them in.",
        (
            Option(
                "open_signup",
                "bool",
                ("Whoever signs up is in at once; needs hub_allow_everyone.",),
                default=False,
            ),
            Option(
                "minimum_password_length",
                "int",
                ("Least length of a password.",),
                default=12,
                minimum=8,
                maximum=128,
            ),
            Option(
                "failed_logins",
                "int",
                ("Wrong passwords after which an account is blocked for ten minutes; 0 for never.",),
                default=5,
                minimum=0,
                maximum=100,
            ),
        ),
    ),
    Authenticator(
        "shared-password",
        "shared-password",
        "SharedPasswordAuthenticator",
        "One generated password for the users and one for the admins; for workshops and trials.",
    ),
    Authenticator(
        "tmp",
        "tmp",
        "TmpAuthenticator",
        "Everyone gets a throw-away account without logging in. Only for demonstrations.",
        demonstration=True,
    ),
    Authenticator(
        "dummy",
        "dummy",
        "DummyAuthenticator",
        "Any name, no check of the password. Only for demonstrations.",
        demonstration=True,
    ),
)

#: Allow rules that are one trait of the authenticator's class.
RULE_TRAITS = {
    "github": {"hub_allowed_organizations": "allowed_organizations"},
    "generic-oauth": {"hub_allowed_groups": "allowed_groups"},
}

BY_NAME = {authenticator.name: authenticator for authenticator in AUTHENTICATORS}

#: Every option that says who may log in, with what its elements are.
ALLOW_RULES = (
    Option(
        "hub_allowed_users",
        "list",
        ("User names that may log in.", "Understood by every authenticator."),
        elements=names(),
        example="[ada, ben]",
    ),
    Option(
        "hub_allowed_organizations",
        "list",
        ("GitHub organizations, or C(organization:team), whose members may log in.",),
        elements=element(
            "str",
            pattern=r"[A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?(:[-\w.]+)?",
            pattern_text="an organization, or organization:team",
        ),
        example='["my-university", "my-university:data-science"]',
    ),
    Option(
        "hub_allowed_domains",
        "list",
        (
            "Domains of accounts that may log in, with C(google) and C(cilogon).",
            "With C(google) and O(hub_allowed_users), only these users, and only with an account of these domains.",
        ),
        elements=element("domain"),
        example="[example.org]",
    ),
    Option(
        "hub_allowed_identity_providers",
        "list",
        (
            "Identity providers whose accounts may log in, with C(cilogon); their entity ids as CILogon lists them.",
            "With O(hub_allowed_domains) only accounts of these domains, with O(hub_allowed_users) only these users,"
            " else every account of the provider.",
        ),
        elements=element(
            "str",
            pattern=r"(https?://|urn:)\S+",
            pattern_text="an entity id, which starts with https:// or urn:",
        ),
        example='["https://idp.example.org/shibboleth"]',
    ),
    Option(
        "hub_allowed_groups",
        "list",
        ("Groups whose members may log in, with C(generic-oauth).",),
        elements=names(),
        example="[hub-users]",
    ),
)
