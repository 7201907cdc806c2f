# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fixture of an API server without nodes; import it in a conftest.py, and ask for ``api_server``."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from kubernetes_cluster.api_server import ApiServer, missing


@pytest.fixture(scope="session")
def api_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """An API server that all tests of this process share: each makes namespaces of its own."""
    why = missing()
    if why:
        pytest.skip(why)
    with ApiServer(tmp_path_factory.mktemp("api-server")) as started:
        yield started
