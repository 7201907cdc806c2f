# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The authenticators, their settings, and the allow rules that each supports.

Class names are the entry points of JupyterHub, OAuthenticator, LDAPAuthenticator, NativeAuthenticator,
LTIAuthenticator and TmpAuthenticator.
"""

from __future__ import annotations

from dataclasses import dataclass

from .option import SERVER, Option, element, names, users

#: Allow rules that every authenticator supports (those of JupyterHub itself).
COMMON_RULES = ("hub_allowed_users",)


@dataclass(frozen=True)
class Authenticator:
    """One authenticator.

    name: the value of ``hub_authenticator``.
    entry_point: the value of JupyterHub.authenticator_class.
    config_class: the traitlets class that takes the settings.
    text: one sentence for the reference.
    settings: keys of ``hub_authenticator_settings``.
    rules: allow rules beyond COMMON_RULES.
    demonstration: does not authenticate users; only for hubs with ``hub_demonstration``.
    callback: needs an OAuth callback URL.
    platforms: the platforms that it works on; empty for all.
    """

    name: str
    entry_point: str
    config_class: str
    text: str
    settings: tuple[Option, ...] = ()
    rules: tuple[str, ...] = ()
    demonstration: bool = False
    callback: bool = False
    platforms: tuple[str, ...] = ()

    def works_on(self, platform: str) -> bool:
        """Return whether the authenticator works on a platform."""
        return not self.platforms or platform in self.platforms


_CLIENT = (
    Option("client_id", "str", ("Client ID of the registered application.",), required=True),
    Option(
        "client_secret",
        "str",
        ("Client secret of the registered application; encrypt it with ansible-vault or SOPS.",),
        required=True,
        secret=True,
    ),
)
_SCOPE = Option("scope", "list", ("OAuth scopes to request.",), elements=names())
_LOGIN_SERVICE = Option("login_service", "str", ("Name of the service on the login button.",), prose=True)

AUTHENTICATORS = (
    Authenticator(
        "github",
        "github",
        "GitHubOAuthenticator",
        "GitHub accounts; allow rules by user, organization or team.",
        (*_CLIENT, _SCOPE),
        ("hub_allowed_organizations",),
        callback=True,
    ),
    Authenticator(
        "google",
        "google",
        "GoogleOAuthenticator",
        "Google accounts; allow rules by user or domain of the account.",
        (
            *_CLIENT,
            _LOGIN_SERVICE,
            Option(
                "strip_domain",
                "bool",
                ("Whether to remove the domain from user names; only useful with a single allowed domain.",),
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
        "Accounts of universities through CILogon; allow rules by identity provider and domain.",
        (
            *_CLIENT,
            Option(
                "username_claim",
                "str",
                ("Claim to use as the user name.",),
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
                ("Claim to use as the user name.",),
                default="preferred_username",
            ),
            Option(
                "groups_claim",
                "str",
                ("Claim with the user's groups; required for hub_allowed_groups.",),
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
        "A learning management system (Canvas, Moodle, ...) with LTI 1.3; members of the course may log in.",
        (
            Option("issuer", "url", ("Issuer of the learning management system.",), required=True),
            Option(
                "authorize_url", "url", ("Authorization endpoint of the learning management system.",), required=True
            ),
            Option(
                "jwks_endpoint", "url", ("URL of the public keys of the learning management system.",), required=True
            ),
            Option(
                "client_id",
                "list",
                ("Client IDs of the hub at the learning management system.",),
                required=True,
                elements=names(),
            ),
            Option("username_key", "str", ("Claim to use as the user name.",), default="email"),
        ),
    ),
    Authenticator(
        "ldap",
        "ldap",
        "LDAPAuthenticator",
        "Accounts of an LDAP directory, such as OpenLDAP or Active Directory; allow rules by user or group.",
        (
            Option(
                "server_address",
                "str",
                ("Host name of the LDAP server, as in its certificate.",),
                required=True,
                pattern=r"[A-Za-z0-9.:-]+",
                pattern_text="a host name",
                example="ldap.example.org",
            ),
            Option("server_port", "port", ("Port of the LDAP server; 389 or, with C(on_connect), 636 if unset.",)),
            Option(
                "tls_strategy",
                "str",
                ("C(before_bind) for StartTLS, C(on_connect) for LDAPS; passwords are never sent without TLS.",),
                default="before_bind",
                choices=("before_bind", "on_connect"),
            ),
            Option(
                "certificate_authority",
                "str",
                (
                    "Path of a file of certificate authorities on the machine, or in the pod of the hub.",
                    "Those of the system if unset.",
                ),
                pattern=r"/.+",
                pattern_text="an absolute path",
            ),
            Option(
                "bind_dn_template",
                "list",
                (
                    "Distinguished names to log in with, one after the other; C({username}) is the name of the user.",
                    "If unset, the name of the entry that is found below C(user_search_base).",
                ),
                elements=element("str", pattern=r".*\{username\}.*", pattern_text="a name that contains {username}"),
                example='["uid={username},ou=people,dc=example,dc=org"]',
            ),
            Option(
                "user_search_base",
                "str",
                ("Entry below which users are searched, so that names are as in the directory.",),
                example="ou=people,dc=example,dc=org",
            ),
            Option(
                "user_attribute",
                "str",
                ("Attribute with the name of a user; C(sAMAccountName) in Active Directory.",),
                default="uid",
                pattern=r"[A-Za-z][A-Za-z0-9.-]*",
                pattern_text="the name of an attribute",
            ),
            Option("lookup_dn_search_user", "str", ("Distinguished name to search users with; anonymous if unset.",)),
            Option(
                "lookup_dn_search_password",
                "str",
                ("Password to search users with; encrypt it with ansible-vault or SOPS.",),
                secret=True,
            ),
        ),
        ("hub_allowed_groups",),
    ),
    Authenticator(
        "native",
        "native",
        "NativeAuthenticator",
        "Accounts in the database of the hub. Listed users get a generated first password; others can sign up if "
        "everyone is allowed.",
        (
            Option(
                "open_signup",
                "bool",
                ("Whether users are authorized as soon as they sign up; requires hub_allow_everyone.",),
                default=False,
            ),
            Option(
                "minimum_password_length",
                "int",
                ("Minimum length of a password.",),
                default=12,
                minimum=8,
                maximum=64,
            ),
            Option(
                "failed_logins",
                "int",
                ("Number of failed logins after which an account is blocked for ten minutes; 0 means never.",),
                default=5,
                minimum=0,
                maximum=100,
            ),
        ),
    ),
    Authenticator(
        "pam",
        "pam",
        "PAMAuthenticator",
        "Accounts of the machine and their passwords, by PAM, where root deploys; allow rules by user or UNIX group. "
        "Servers of users do not run as these accounts.",
        (
            Option(
                "service",
                "str",
                ("PAM service that decides about passwords and accounts, a file in /etc/pam.d.",),
                default="login",
                pattern=r"[A-Za-z0-9][A-Za-z0-9_.-]*",
                pattern_text="the name of a file in /etc/pam.d",
            ),
            Option(
                "create_users",
                "bool",
                (
                    "Whether to create accounts of the machine for O(hub_allowed_users) and O(hub_admins) that do not"
                    " exist.",
                    "They have no home, no login shell, and no password until root sets one with C(passwd).",
                ),
                default=False,
            ),
        ),
        ("hub_allowed_groups",),
        platforms=(SERVER,),
    ),
    Authenticator(
        "shared-password",
        "shared-password",
        "SharedPasswordAuthenticator",
        "One generated password for all users and one for admins; for workshops and tests. On a machine, the first "
        "deploy says where they are; on Kubernetes, C(install.sh) says how to read them.",
    ),
    Authenticator(
        "tmp",
        "tmp",
        "TmpAuthenticator",
        "Everyone gets a temporary account without logging in; only for demonstrations.",
        demonstration=True,
    ),
    Authenticator(
        "dummy",
        "dummy",
        "DummyAuthenticator",
        "Any user name with any password; only for demonstrations.",
        demonstration=True,
    ),
)

#: Allow rules that are a trait of the class of the authenticator.
RULE_TRAITS = {
    "github": {"hub_allowed_organizations": "allowed_organizations"},
    "generic-oauth": {"hub_allowed_groups": "allowed_groups"},
    "ldap": {"hub_allowed_groups": "allowed_groups"},
    "pam": {"hub_allowed_groups": "allowed_groups"},
}

#: Authenticators of JupyterHub that are left out on purpose -> why.
REFUSED = (
    (
        "firstuse",
        "whoever uses a name first sets its password, and could be an admin; use 'native', which generates the first "
        "passwords of users who are listed",
    ),
    (
        "multi",
        "a hub has one authenticator; let an identity provider that accepts accounts of several others check who users "
        "are, with 'generic-oauth' (such as Keycloak) or 'cilogon'",
    ),
)

BY_NAME = {authenticator.name: authenticator for authenticator in AUTHENTICATORS}

#: The options that allow users to log in.
ALLOW_RULES = (
    Option(
        "hub_allowed_users",
        "list",
        (
            "Names of users who may log in.",
            "Supported by every authenticator. As all names of users, in lower case or not: JupyterHub changes names to"
            " lower case.",
        ),
        elements=users(),
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
            "Domains whose accounts may log in, with C(google) and C(cilogon).",
            "With C(google) and O(hub_allowed_users), only these users may log in, with an account of these domains.",
        ),
        elements=element("domain"),
        example="[example.org]",
    ),
    Option(
        "hub_allowed_identity_providers",
        "list",
        (
            "Entity IDs of identity providers whose accounts may log in, with C(cilogon), as CILogon lists them.",
            "With O(hub_allowed_domains), only accounts of these domains may log in; with O(hub_allowed_users), only"
            " these users; otherwise all accounts of the provider.",
            "The first one is preselected.",
        ),
        elements=element(
            "str",
            pattern=r"(https?://|urn:)\S+",
            pattern_text="an entity ID, which starts with https:// or urn:",
        ),
        example='["https://idp.example.org/shibboleth"]',
    ),
    Option(
        "hub_allowed_groups",
        "list",
        (
            "Groups whose members may log in, with C(generic-oauth); distinguished names of groups with C(ldap); UNIX"
            " groups with C(pam).",
        ),
        elements=names(),
        example="[hub-users]",
    ),
)
