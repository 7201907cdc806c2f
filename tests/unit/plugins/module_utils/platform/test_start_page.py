# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the start page shows of environments; tests/browser looks at the page."""

from __future__ import annotations

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.start_page import shown_of
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import Environment

REQUIREMENTS = """\
# of the course
--index-url https://packages.example.org/simple
numpy==2.3.5 \\
    --hash=sha256:0123
pandas[excel]>=2 ; python_version > "3.9"  # tables
own @ git+https://token@git.example.org/own
https://files.example.org/other-1.0-py3-none-any.whl
./local
--trusted-host \\
    packages.internal.example.org
scipy \\
    >=1.0, \\
    <2
git+ssh:token
wheel.whl

"""


def test_packages_of_a_requirements_file_without_addresses() -> None:
    shown = shown_of(Environment("maps", "Maps", requirements=REQUIREMENTS))
    assert shown == {"packages": ["numpy==2.3.5", "pandas[excel]>=2", "own", "scipy >=1.0, <2"]}


def test_what_is_not_set_is_left_out() -> None:
    assert shown_of(Environment("maps", "Maps")) == {}
    made = Environment("maps", "Maps", packages=("numpy==2.3.5",), icon="data:,", link="https://maps.example.org")
    assert shown_of(made) == {"icon": "data:,", "link": "https://maps.example.org", "packages": ["numpy==2.3.5"]}
    assert "packages" not in shown_of(made, built=False)
