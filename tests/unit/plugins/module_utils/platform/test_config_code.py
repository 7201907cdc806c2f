# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Python of a configuration is read without being run; traits that no class has are found."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.config_classes import read_traits
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.config_code import code_problems
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.options import OPTIONS

CHECKOUT = Path(__file__).parents[5]
RECORDS = CHECKOUT / "roles" / "hub" / "files" / "jupyterhub"
VERSIONS = OPTIONS["hub_jupyterhub_version"].choices
SPAWNER = "hubfleet_runtime.spawner.ServerSpawner"


def found(code: str, version: str = "5.5", authenticator: str = "native") -> list[str]:
    """Return the problems of code, as lines."""
    traits = read_traits(str(RECORDS / version / "traits.json"))
    config = {"JupyterHub": {"authenticator_class": authenticator, "spawner_class": SPAWNER}}
    return [f"{section}.{trait}: {message}" for section, trait, message in code_problems(code, config, traits)]


WRONG = {
    "assignment": ("c.JupyterHub.prot = 1", "JupyterHub.prot: JupyterHub has no such trait; did you mean 'port'?"),
    "unlike any": ("c.JupyterHub.xyzzy = 1", "JupyterHub.xyzzy: JupyterHub has no such trait"),
    "annotated": ("c.Spawner.cmds: list = []", "Spawner.cmds: Spawner has no such trait"),
    "appended": ("c.Spawner.argz.append('x')", "Spawner.argz: Spawner has no such trait; did you mean 'args'?"),
    "added": ("c.Spawner.argz += ['x']", "Spawner.argz: Spawner has no such trait; did you mean 'args'?"),
    "item": ("c.Spawner.enviroment[1] = 2", "Spawner.enviroment: Spawner has no such trait"),
    "by key": ("c['Spawner']['memlimit'] = 1", "Spawner.memlimit: Spawner has no such trait"),
    "updated": ("c.Spawner.update({'memlimit': 1})", "Spawner.memlimit: Spawner has no such trait"),
    "keyword": ("c.Spawner.update(memlimit=1)", "Spawner.memlimit: Spawner has no such trait"),
    "several": ("c.Spawner.memlimit, x = 1, 2", "Spawner.memlimit: Spawner has no such trait"),
    "in a function": ("def f():\n    c.Spawner.memlimit = 1\nf()", "Spawner.memlimit: Spawner has no such trait"),
    "another name": ("config = get_config()\nconfig.Spawner.memlimit = 1", "Spawner.memlimit: Spawner has no"),
    "direct": ("get_config().Spawner.memlimit = 1", "Spawner.memlimit: Spawner has no such trait"),
    "of another class": (
        "c.JupyterHub.allowed_users = {'a'}",
        "JupyterHub.allowed_users: JupyterHub has no such trait; did you mean c.Authenticator.allowed_users?",
    ),
    "class inside": ("c.JupyterHub.Spawner.cmd = []", "JupyterHub.Spawner: is a class, whose section is not inside"),
    "lower case": ("c.jupyterhub.port = 1", "jupyterhub.port: is not a class: class names begin with a capital letter"),
    "misspelt class": ("c.JupyterHubb.port = 1", "JupyterHubb.port: unknown class; did you mean 'JupyterHub'?"),
    "of another spawner": ("c.Spawner.image_pull_policy = 'Always'", "Spawner.image_pull_policy: Spawner has no such"),
    "of another authenticator": (
        "c.Authenticator.allowed_organizations = {'a'}",
        "Authenticator.allowed_organizations: Authenticator has no such trait",
    ),
}


@pytest.mark.parametrize(("code", "message"), WRONG.values(), ids=WRONG.keys())
def test_unknown_traits(code: str, message: str) -> None:
    """Each way of setting a trait is read."""
    (problem,) = found(code)
    assert problem.startswith(message)
    assert problem.endswith(" of the code)")


SOUND = {
    "known": "c.JupyterHub.port = 1\nc.Spawner.mem_limit = '1G'",
    "our spawner": "c.ServerSpawner.processes_limit = 3\nc.Spawner.user_packages = False",
    "old name": "c.Authenticator.whitelist = {'ada'}",
    "reading": "print(c.JupyterHub.get('xyzzy'), c.JupyterHub.xyzzy)",
    "not the object": "c = {}\nc['JupyterHub']['xyzzy'] = 1",
    "a loop": "for c in []:\n    c.JupyterHub.xyzzy = 1",
    "an import": "import campus as c\nc.JupyterHub.xyzzy = 1",
    "an error": "try:\n    pass\nexcept Exception as c:\n    c.JupyterHub.xyzzy = 1",
    "an argument": "def f(c):\n    c.JupyterHub.xyzzy = 1",
    "an object of theirs": "x.JupyterHub.xyzzy = 1",
    "other packages": "c.DockerSpawner.image = 'x'\nc.BatchSpawnerBase.req_host = 'x'\nc.GrafanaApp.url = ''",
    "own class": "class MySpawner(X):\n    colour = Unicode()\nc.JupyterHub.spawner_class = MySpawner\n"
    "c.Spawner.colour = 'red'\nc.MySpawner.size = 1",
    "own class of another file": "from mine import S\nc.JupyterHub.spawner_class = S\nc.Spawner.colour = 'red'",
    "class by name": "c.JupyterHub.spawner_class = 'mine.S'\nc.Spawner.colour = 'red'",
    "another authenticator": "from oauthenticator.github import GitHubOAuthenticator\n"
    "c.JupyterHub.authenticator_class = GitHubOAuthenticator\nc.Authenticator.allowed_organizations = {'a'}",
    "authenticator by a variable": "c.JupyterHub.authenticator_class = chosen\nc.Authenticator.colour = 'red'",
    "computed": "setattr(c.JupyterHub, name, 1)\nc.JupyterHub[name] = 1",
    "no Python": "c.JupyterHub.xyzzy = (",
    "private": "c.Spawner._note = 1",
}


@pytest.mark.parametrize("code", SOUND.values(), ids=SOUND.keys())
def test_no_false_alarm(code: str) -> None:
    """What is right, or cannot be known, is not reported."""
    assert found(code) == []


def test_versions_differ() -> None:
    """A trait of one version is unknown to another; the line is that of its first mention."""
    code = "import os\nc.JupyterHub.statsd_host = 'x'\nc.JupyterHub.statsd_host = 'y'"
    assert found(code, "5.5") == []
    (problem,) = found(code, "6.1")
    assert problem.endswith("(line 2 of the code)")


def test_records_are_current() -> None:
    """Every version is recorded, with the traits that our spawner has now (scripts/record_jupyterhub.py)."""
    assert {path.parent.name for path in RECORDS.glob("*/traits.json")} == set(VERSIONS)
    runtime = CHECKOUT / "roles" / "cluster" / "files" / "runtime" / "hubfleet_runtime"
    for name, file in (("ServerSpawner", "spawner.py"), ("ProfileListSpawner", "profile_list_spawner.py")):
        tree = ast.parse((runtime / file).read_text(encoding="utf-8"))
        (defined,) = (node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name)
        own = {
            statement.targets[0].id
            for statement in defined.body
            if isinstance(statement, ast.Assign) and "config=True" in ast.unparse(statement.value)
        }
        for version in VERSIONS:
            recorded = read_traits(str(RECORDS / version / "traits.json")).classes[name].traits
            assert set(recorded) == own
