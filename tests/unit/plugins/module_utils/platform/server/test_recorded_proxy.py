# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which settings the reverse proxy of a cluster has after a hub was rolled back."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.desired.services import (
    Service,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.layout import Layout
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.reverse_proxy.desired import (
    ReverseProxy,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.reverse_proxy.recorded import (
    RecordedProxy,
    restored_proxy,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.revisions import (
    history,
)
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.platform.server.fake_machine import (
    AUTHOR,
)


class Proxies:
    """A state directory with an old and a new reverse proxy; the new one is what the inventory has and Caddy loaded."""

    def __init__(self, root: Path):
        self.layout = Layout(str(root))
        settings = ReverseProxy(
            True, self.layout.reverse_proxy, "/usr/bin/caddy", "2", "", "", 80, 443, "internal", "", "", ""
        )
        directory = self.layout.reverse_proxy
        self.old = RecordedProxy(settings, Service("a", "reverse-proxy", directory, ("old",), "old"))
        acme = replace(settings, certificates="acme")
        self.new = RecordedProxy(acme, Service("a", "reverse-proxy", directory, ("new",), "new"))
        os.makedirs(f"{directory}/run")
        os.makedirs(f"{directory}/sites")
        self.load(self.new, "one", "two")

    def load(self, proxy: RecordedProxy, *hubs: str) -> None:
        """Let Caddy have loaded settings and sites."""
        loaded = {"settings": proxy.reverse_proxy.settings, "sites": dict.fromkeys(hubs, "digest")}
        Path(self.layout.reverse_proxy, "run", "loaded.json").write_text(json.dumps(loaded))

    def deploy(self, hub: str, proxy: RecordedProxy | None, result: str = history.CHECKED) -> None:
        """Let a hub have been deployed."""
        recorded = {"settings": asdict(proxy.reverse_proxy), "service": proxy.service.as_dict()} if proxy else {}
        layout = self.layout.hub(hub)
        record = {**AUTHOR, "fingerprint": f"{hub} {recorded}", "reverse_proxy": recorded, "result": result}
        os.makedirs(layout.directory, exist_ok=True)
        history.begin(layout, record, {})


@pytest.fixture
def proxies(tmp_path: Path) -> Proxies:
    return Proxies(tmp_path)


def test_goes_back_with_the_hub(proxies: Proxies) -> None:
    proxies.deploy("one", proxies.old)
    proxies.deploy("two", proxies.old)
    assert restored_proxy(proxies.layout, "one", proxies.new) == proxies.old


def test_stays_where_another_hub_works_with_it(proxies: Proxies) -> None:
    proxies.deploy("one", proxies.old)
    proxies.deploy("two", proxies.new)
    assert restored_proxy(proxies.layout, "one", proxies.new) == proxies.new


@pytest.mark.parametrize("result", [history.FAILED, history.APPLYING])
def test_does_not_stay_for_a_hub_that_fails(result: str, proxies: Proxies) -> None:
    proxies.deploy("one", proxies.old)
    proxies.deploy("two", proxies.new, result)
    assert restored_proxy(proxies.layout, "one", proxies.new) == proxies.old


def test_the_launcher_is_the_current_one_for_the_same_settings(proxies: Proxies) -> None:
    proxies.load(proxies.old, "one")
    proxies.deploy("one", proxies.old)
    current = RecordedProxy(proxies.old.reverse_proxy, proxies.new.service)
    assert restored_proxy(proxies.layout, "one", current) == current


def test_a_hub_that_was_not_behind_it(proxies: Proxies) -> None:
    """Its site is removed with the settings of the inventory."""
    proxies.deploy("one", None)
    assert restored_proxy(proxies.layout, "one", proxies.new) == proxies.new


def test_settings_of_other_releases(proxies: Proxies) -> None:
    proxies.deploy("one", proxies.old)
    path = Path(history.folder(proxies.layout.hub("one")), "1", "record.json")
    record = json.loads(path.read_text())
    record["reverse_proxy"]["settings"]["http3"] = True
    path.write_text(json.dumps(record))
    assert restored_proxy(proxies.layout, "one", proxies.new) == proxies.old
