# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A hub with few options is rendered, installed, used, and keeps what users write."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from cluster_hub import ClusterHub


@pytest.fixture(scope="module")
def hub(make_hub: Callable[..., ClusterHub]) -> ClusterHub:
    """A hub that is deployed."""
    made = make_hub()
    made.deploy()
    return made


def test_home_is_kept_when_a_server_stops(hub: ClusterHub) -> None:
    with hub.session("ada") as session:
        assert session.value("pathlib.Path('notes.txt').write_text('kept')") == 4
    with hub.session("ada") as session:
        assert session.value("pathlib.Path('notes.txt').read_text()") == "kept"
