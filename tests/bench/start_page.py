# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the start page costs a hub: 40 environments with 6 sizes and 3 extras each, against KubeSpawner's form."""

import copy
import sys
from collections.abc import Callable
from pathlib import Path

from measure import CHECKOUT, Table, Taken, measured

sys.path[:0] = [
    str(CHECKOUT / ".ansible/collections"),
    str(CHECKOUT / "roles/cluster/files/runtime"),
    str(CHECKOUT / "tests/browser"),
    str(CHECKOUT / "tests/support"),
]

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.traits import profile_list  # noqa: E402
from hubfleet_runtime import profiles  # noqa: E402
from hubfleet_runtime.start_page import StartPage  # noqa: E402
from jinja2 import Environment, PackageLoader  # noqa: E402
from start_page_hub import EXTRAS, definition  # noqa: E402

TEMPLATE = str(CHECKOUT / "roles/cluster/files/runtime/hubfleet_runtime/templates/start_page.html")
TIMES = 20
GOAL = 0.03  # seconds


def start_page(table: Table, scratch: str) -> None:
    """Render both; each request of a user does what is measured here."""
    listed = profile_list(definition("server", Path(scratch)))
    for profile in listed:
        profile["profile_options"]["extras"] = copy.deepcopy(EXTRAS)
    chosen = {"profile": listed[20]["slug"], "size": "s3"}
    # As KubeSpawner does: a new environment, and so a template that is compiled, each time.
    other = _each(
        lambda: (
            Environment(loader=PackageLoader("kubespawner", "templates"))
            .get_template("form.html")
            .render(profile_list=profiles.initialized(listed), user_options=chosen)
        )
    )
    own = _each(lambda: StartPage.render(TEMPLATE, profiles.initialized(listed), chosen))
    table.add("KubeSpawner's form, 40 environments x 6 sizes x 3 extras", other, None, None)
    table.add("the start page", own, GOAL, other)


def _each(render: Callable[[], str]) -> Taken:
    render()  # what is read or compiled once
    taken = measured(lambda: [render() for _time in range(TIMES)])
    return Taken(taken.wall / TIMES, taken.cpu / TIMES)
