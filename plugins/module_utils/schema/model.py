# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Inventories, before and after validation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Callable

from ..environments.admin_file import AdminKey, AdminPin
from ..environments.lock import Lock
from ..environments.pins import Pin, RepositoryKey
from ..environments.program import Program
from ..redaction.private_lines import PrivateLines
from ..redaction.redactor import Redactor

TIERS = STAGING, PRODUCTION = ("staging", "production")

#: The machine that Ansible runs on, as cluster_host.
LOCALHOST = "localhost"

#: A place inside the variables of a host: the variable, then keys and indexes inside its value.
ValuePath = tuple[Any, ...]


class EncryptedValue(str):
    """A value that stays encrypted; it can only be compared."""


class ReadAs(str):
    """The text of something that YAML did not read as text: a date, or a key.

    kind: what it was read as: "number", "date", "true", "false" or "null".
    """

    kind: str

    def __new__(cls, text: str, kind: str = "") -> ReadAs:
        made = super().__new__(cls, text)
        made.kind = kind
        return made


class UserName(str):
    """The name of a user as JupyterHub compares it; ``written`` is as it stands in the inventory."""

    written: str

    def __new__(cls, name: str, written: str = "") -> UserName:
        made = super().__new__(cls, name)
        made.written = written or name
        return made


@dataclass
class HostInput:
    """One inventory host as Ansible knows it, in plain Python types.

    variables: its hub_* and cluster_* variables, templated and decrypted.
    groups: every group it is in, directly or not.
    failures: variable -> why it could not be templated or decrypted; such are not in variables.
    locate: (variable, *path inside it) -> "file:line", or "" where Ansible does not know.
    protected: same argument -> True where the value stands encrypted, comes from a template or
        from a place that is no file.
    copied_from: same argument -> the variable, with file and line, whose plain text a template copies there, or "".
    written: same argument, and whether the key is meant -> the characters that YAML read the value or key from,
        "" where they are not known.
    secret_texts: texts that must not be shown: what is encrypted in the inventory, and what templates make of it.
    private_lines: what of hub_jupyterhub_config does not stand in the inventory in plain text.
    """

    name: str
    variables: dict[str, Any]
    groups: frozenset[str] = frozenset()
    failures: dict[str, str] = field(default_factory=dict)
    locate: Callable[[ValuePath], str] = lambda path: ""
    protected: Callable[[ValuePath], bool] = lambda path: True
    copied_from: Callable[[ValuePath], str] = lambda path: ""
    written: Callable[[ValuePath, bool], str] = lambda path, is_key: ""
    secret_texts: Callable[[], frozenset[str]] = frozenset
    private_lines: Callable[[], PrivateLines] = PrivateLines


@dataclass(frozen=True)
class RepeatedKey:
    """A key that stands twice in one mapping of a file.

    origin: ``file:line`` of the second one. line: of the first one. host: whose file it is; "" if it is of a group.
    """

    key: str
    origin: str
    line: int
    host: str = ""


@dataclass
class FleetInput:
    """A whole inventory.

    hosts: the hubs by name, also those that were put into no cluster.
    clusters: children of the group ``clusters``, each with the names of its hosts.
    directory: the inventory directory, which relative paths start from.
    whole: Ansible reads every file in it; not so where the inventory is named by its file.
    groups: names of all groups. extra_variables: names of variables from the command line (-e).
    repeated_keys: keys that stand twice in a mapping of a file, of which Ansible uses the last.
    strays: files that Ansible read as inventories although they are none -> a host that it made of a line.
    lock: the commits of repositories, and the images of environments; None where they do not matter.
    admins: what admins of hubs have set (hub_admin_repository).
    needs_images: whether it is an error that the lock file lacks an image. Not for an earlier revision, whose images
    another release of the collection may have named, and not for what deploys nothing.
    """

    hosts: dict[str, HostInput]
    clusters: dict[str, list[str]]
    directory: str = ""
    whole: bool = False
    groups: frozenset[str] = frozenset()
    extra_variables: frozenset[str] = frozenset()
    repeated_keys: list[RepeatedKey] = field(default_factory=list)
    strays: dict[str, str] = field(default_factory=dict)
    lock: Lock | None = field(default_factory=Lock)
    admins: dict[AdminKey, AdminPin] = field(default_factory=dict)
    needs_images: bool = True


@dataclass(frozen=True)
class Environment:
    """Software of a session; fields as in the schema's ENVIRONMENT, which has their platforms.

    interface: a path in a user's server, or lab or notebook. program: what serves it, None for JupyterLab and the like.
    path: where the entry stands. icon: a data URL, or "". requirements: the text of the requirements file, or "".
    repository: what it says of one, or None. pin: the commit of that to build, None where it does not matter.
    builds_image: its image is built, and not named in the inventory; ``image`` is "" until the platform fills it in.
    """

    name: str
    title: str
    path: ValuePath = ()
    description: str = ""
    link: str = ""
    icon: str = ""
    packages: tuple[str, ...] = ()
    requirements: str = ""
    repository: RepositoryKey | None = None
    pin: Pin | None = None
    interface: str | None = None
    program: Program | None = None
    variables: tuple[tuple[str, str], ...] = ()
    check_code: str = ""
    check_output: str = ""
    image: str = ""
    builds_image: bool = False
    image_pull_policy: str | None = None
    working_directory: str | None = None
    choice: str | None = None
    allowed_groups: list[str] | None = None
    override: dict[str, Any] | None = None
    extra: dict[str, Any] | None = None

    @property
    def in_every_check(self) -> bool:
        """Whether checks start it in any case: others change it, or it opens with a program of its own."""
        return bool(self.repository or self.program)


@dataclass(frozen=True)
class Size:
    """Memory (bytes) and CPUs of a session; fields as in the schema's SIZE, which has their platforms."""

    name: str
    title: str
    memory: int | None = None
    description: str = ""
    memory_guarantee: int | None = None
    cpu: float | None = None
    cpu_guarantee: float | None = None
    gpu: int | None = None
    node_selector: dict[str, str] | None = None
    choice: str | None = None
    allowed_groups: list[str] | None = None
    override: dict[str, Any] | None = None
    extra: dict[str, Any] | None = None


@dataclass(frozen=True)
class Profile:
    """One of ``hub_profiles``, on Kubernetes; ``options`` has the keys of the schema's PROFILE."""

    options: dict[str, Any]
    environments: tuple[Environment, ...] = ()
    sizes: tuple[Size, ...] = ()

    def __getitem__(self, option: str) -> Any:
        return self.options[option]


@dataclass
class Cluster:
    """A cluster: ``options`` holds every cluster_* option, defaults filled in."""

    name: str
    options: dict[str, Any]

    def __getitem__(self, option: str) -> Any:
        return self.options[option]


@dataclass
class Hub:
    """A hub: ``options`` holds every hub_* option, parsed, defaults filled in.

    environments and sizes: the ones it offers, the preselected one first.
    profiles: what users choose from instead, on Kubernetes.
    explicit_options: names of the options that the inventory sets; the others have their defaults.
    private_lines: what of hub_jupyterhub_config may be a secret.
    admin_file: the commit and author of what its admins have set, "" if there is nothing. admin_values: the variables.
    redactor: masks the hub's secrets in what is shown.
    """

    name: str
    cluster: Cluster
    tier: str
    options: dict[str, Any]
    environments: list[Environment]
    sizes: list[Size]
    profiles: list[Profile] = field(default_factory=list)
    explicit_options: frozenset[str] = frozenset()
    private_lines: PrivateLines = PrivateLines()
    admin_file: str = ""
    admin_values: dict[str, Any] = field(default_factory=dict)
    redactor: Redactor = field(default_factory=Redactor)

    def __getitem__(self, option: str) -> Any:
        return self.options[option]

    @property
    def offered_environments(self) -> list[Environment]:
        """The environments of the hub and of its profiles, each once."""
        offered = [*self.environments, *(each for profile in self.profiles for each in profile.environments)]
        return list({each.path: each for each in offered}.values())

    @property
    def platform(self) -> str:
        """Platform of the hub's cluster."""
        return str(self.cluster["cluster_platform"])

    @property
    def is_staging(self) -> bool:
        """Whether it gets changes before the production hubs of its cluster."""
        return self.tier == STAGING

    @property
    def namespace(self) -> str:
        """Namespace on Kubernetes."""
        return str(self["hub_namespace"] or self.name)

    @property
    def release(self) -> str:
        """Name of the Helm release."""
        return str(self["hub_release"] or self.name)

    @property
    def title(self) -> str:
        """Display name."""
        return self["hub_title"] or self.name

    @property
    def url(self) -> str:
        """Public URL, ending in a slash; on Kubernetes without a domain, the URL inside the cluster."""
        url = self["hub_url"]
        if not url and self["hub_domain"]:
            url = f"https://{self['hub_domain']}/"
        if not url and not self["hub_port"]:
            url = f"http://proxy-public.{self.namespace}/"
        if not url:
            scheme = "https" if self["hub_tls_certificate"] else "http"
            host = self["hub_bind"]
            host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
            host = f"[{host}]" if ":" in host else host
            url = f"{scheme}://{host}:{self['hub_port']}/{self.name}/"
        return url if url.endswith("/") else f"{url}/"

    @property
    def behind_reverse_proxy(self) -> bool:
        """Whether the reverse proxy of its machine serves it."""
        address = self["hub_domain"] or (self["hub_url"] or "").lower().startswith("https://")
        return bool(self.cluster.options.get("cluster_reverse_proxy", "none") != "none" and address)

    @property
    def inner_ports(self) -> tuple[int, int, int]:
        """Ports on 127.0.0.1 of the hub, the proxy's API and the proxy's metrics."""
        first = self["hub_internal_port"] or self["hub_port"] + 1
        return first, first + 1, first + 2


@dataclass
class Fleet:
    """A valid inventory."""

    clusters: dict[str, Cluster]
    hubs: dict[str, Hub]
