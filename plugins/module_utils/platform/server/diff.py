# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare a hub on a machine with what it should be."""

from __future__ import annotations

import hashlib
from collections.abc import Collection

from ...fleet.changes import (
    CHANGED_ELSEWHERE,
    CONFIGURATION,
    CREATE,
    DRIFTED,
    NEW,
    NOT_ANSWERING,
    NOT_CHECKED,
    NOT_RUNNING,
    NOT_SUPERVISED,
    SECRETS,
    UNCHANGED,
    UPDATE,
    HubDiff,
    Reason,
)
from ...fleet.snapshot import version_reasons
from .access_changes import inventory_changes, panel_sentences
from .account_changes import accounts_taken_over
from .desired.hub import SETTINGS_KEY, VERSIONS, DesiredHub
from .desired.services import Service, culler_settings
from .observe.cluster import MachineState
from .observe.hub import ObservedHub
from .redacted import HubContent, mask_change
from .reverse_proxy.apply import ObservedReverseProxy
from .revisions.history import APPLYING
from .shared_changes import shared_sentences

#: Codes of reasons that other platforms may not have.
BUILD, RESTART, FILES, REVERSE_PROXY = "build", "restart", "files", "reverse-proxy"
HUB_CONFIG, ACCESS, LOGIN, SHARED = "hub-jupyterhub-config", "access", "login", "shared-directories"
SERVER_SETTINGS = "server-settings"


def diff_hub(desired: DesiredHub, state: MachineState, missing: Collection[str]) -> HubDiff:
    """Compare a hub with what it should be; missing: builds that are not there, as they are called in texts."""
    observed = state.hubs[desired.name]
    found = _differences(desired, observed, missing, state.reverse_proxy)
    if observed.config is None:
        found.after = desired.shown()
        return found
    found.reasons = [*_supervision_reasons(desired, observed, state), *found.reasons]
    if found.reasons and found.action == UNCHANGED:
        found.action = UPDATE
    if {reason.code for reason in found.reasons} & {CONFIGURATION, HUB_CONFIG, RESTART}:
        before, after = HubContent(observed.config, observed.extra, _culler_of(observed, desired)), desired.content()
        if before != after:
            found.before, found.after = mask_change(desired.redactor, before, after)
    return found


def _culler_of(observed: ObservedHub, desired: DesiredHub) -> tuple[str, ...]:
    """Return the settings of the culler by the last deploy; the desired ones where that is not recorded."""
    recorded = observed.record.services if observed.record else []
    return culler_settings(Service.from_dict(each) for each in recorded) or culler_settings(desired.services)


def _differences(
    desired: DesiredHub, observed: ObservedHub, missing: Collection[str], reverse_proxy: ObservedReverseProxy
) -> HubDiff:
    reasons = _version_reasons(desired, observed) + [Reason(BUILD, f"{name} to build") for name in missing]
    fingerprints = {"desired": desired.fingerprint, "live": observed.fingerprint}
    if observed.config is None:
        return HubDiff(desired.name, CREATE, [Reason(NEW, "new"), *reasons], **fingerprints)
    reasons += _file_reasons(desired, observed)
    reasons += _access_reasons(desired, observed)
    shared = shared_sentences(observed.config, desired.config, desired.redactor)
    reasons += [Reason(SHARED, text) for text in shared]
    if observed.config.get(SETTINGS_KEY) != desired.config.get(SETTINGS_KEY):
        reasons.append(Reason(SERVER_SETTINGS, "settings of users' servers (from the next start of a server on)"))
    accounts = accounts_taken_over(observed.config, desired.config, observed.signed_up, desired.redactor)
    if accounts:
        reasons.append(Reason(LOGIN, accounts))
    for service in desired.services:
        running = observed.services[service.role]
        if not running.pid:
            reasons.append(Reason(NOT_RUNNING, f"{service.role} not running"))
        elif running.digest != service.digest:
            reasons.append(Reason(RESTART, f"{service.role} to restart"))
    reasons += _reverse_proxy_reasons(desired, reverse_proxy)
    if not reasons and not observed.healthy:
        reasons.append(Reason(NOT_ANSWERING, "does not answer"))
    action = UPDATE if reasons else UNCHANGED
    record = observed.record
    if reasons and _is_deployed(desired, observed):
        action = DRIFTED
    elif reasons and record and record.result != APPLYING and observed.files != record.files:
        reasons.append(Reason(CHANGED_ELSEWHERE, "changed on the machine, too"))
    if not reasons and observed.checked != desired.digest:
        action, reasons = UPDATE, [Reason(NOT_CHECKED, "not checked")]
    return HubDiff(desired.name, action, reasons, **fingerprints)


def _supervision_reasons(desired: DesiredHub, observed: ObservedHub, state: MachineState) -> list[Reason]:
    """Return what runs without a supervisor that would restart it."""
    if state.supervised is None:
        return [Reason(NOT_RUNNING, "supervisor not running")]
    running = [service for service in desired.services if observed.services[service.role].pid]
    roles = [
        service.role for service in running if state.supervised.get(service.name) != observed.services[service.role].pid
    ]
    proxy = desired.reverse_proxy
    if proxy and proxy.site and state.supervised.get(proxy.service.name, 0) != state.reverse_proxy.running.pid:
        roles.append("reverse proxy")
    return [Reason(NOT_SUPERVISED, f"{role} not supervised") for role in roles]


def _reverse_proxy_reasons(desired: DesiredHub, observed: ObservedReverseProxy) -> list[Reason]:
    """Return what is to be done to the reverse proxy for a hub."""
    proxy = desired.reverse_proxy
    if proxy is None:
        return []
    if proxy.site is None:
        return [Reason(REVERSE_PROXY, "reverse proxy to close")] if desired.name in observed.sites else []
    if not observed.running.pid:
        return [Reason(NOT_RUNNING, "reverse proxy not running")]
    if observed.running.digest != proxy.service.digest:
        return [Reason(REVERSE_PROXY, "reverse proxy to restart")]
    same = observed.settings == proxy.door.settings and observed.sites.get(desired.name) == proxy.site.digest
    return [] if same else [Reason(REVERSE_PROXY, "reverse proxy to reload")]


def _is_deployed(desired: DesiredHub, observed: ObservedHub) -> bool:
    """Tell whether what the hub should be was deployed to the end already: then something else has changed it since."""
    record = observed.record
    return record is not None and record.result != APPLYING and record.fingerprint == desired.fingerprint


def _version_reasons(desired: DesiredHub, observed: ObservedHub) -> list[Reason]:
    """Return which versions change; none where it is not recorded what runs."""
    record = observed.record
    if record is None or record.result == APPLYING:
        return []
    before = {words: str(getattr(record, name)) for name, words in VERSIONS.items()}
    return version_reasons(before, desired.named_versions())


def newer_database(version: str, observed: ObservedHub) -> str:
    """Return the version of JupyterHub whose database the hub has, where ``version`` cannot read it; else "".

    upgrade-db leads forward only, and a database belongs to a minor version.
    """
    record = observed.record
    if record is None or record.result == APPLYING:  # it may not have come to the database yet: the deploy finds out
        return ""
    return record.jupyterhub if _minor(record.jupyterhub) > _minor(version) else ""


def _minor(version: str) -> list[int]:
    return [int(part) for part in version.split(".")[:2] if part.isdigit()]


def _file_reasons(desired: DesiredHub, observed: ObservedHub) -> list[Reason]:
    reasons = []
    if not (_is_deployed(desired, observed) and observed.record and observed.files == observed.record.files):
        reasons = _differing_files(desired, observed)
    if set(desired.generated) - observed.secrets:
        reasons.append(Reason(SECRETS, "generated secrets"))
    return reasons


def _access_reasons(desired: DesiredHub, observed: ObservedHub) -> list[Reason]:
    """Return by name who loses access, by the inventory or since the next start takes back what was granted."""
    found = inventory_changes(observed.config or {}, desired.config, desired.redactor)
    found += panel_sentences(observed.panel, desired.redactor)
    return [Reason(ACCESS, f"access: {'; '.join(found)}")] if found else []


def _differing_files(desired: DesiredHub, observed: ObservedHub) -> list[Reason]:
    expected = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in desired.config_files().items()}
    parts = {
        "hub.json": Reason(CONFIGURATION, "configuration"),
        "secrets.json": Reason(SECRETS, "secrets"),
        "extra.py": Reason(HUB_CONFIG, "hub_jupyterhub_config"),
    }
    reasons = [reason for name, reason in parts.items() if expected[name] != observed.files.get(name)]
    copied = {name: value for name, value in observed.files.items() if name not in expected}
    return reasons if copied == desired.copied else [*reasons, Reason(FILES, "templates or logo")]
