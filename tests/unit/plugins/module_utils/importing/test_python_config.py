# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Python of a configuration is read without being run: plain values, and the lines of everything else."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.importing.errors import FleetImportError
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.importing.python_config import read_config

PLAIN: dict[str, tuple[str, Any]] = {
    "number": ("c.A.x = 1", 1),
    "name": ("N = 'n'\nc.A.x = N", "n"),
    "name of a name": ("N = 2\nM = N * 60\nc.A.x = M + 1", 121),
    "gigabytes": ("c.A.x = 2 * 1024 ** 3", 2 << 30),
    "negative": ("c.A.x = -1", -1),
    "text of parts": ("H = 'h'\nc.A.x = 'https://' + H + '/'", "https://h/"),
    "set": ("c.A.x = {'a', 'b'}", ["a", "b"]),
    "tuple": ("c.A.x = ('a',)", ["a"]),
    "made set": ("N = ['a']\nc.A.x = set(N)", ["a"]),
    "mapping": ("c.A.x = dict(a=1)", {"a": 1}),
    "nothing": ("c.A.x = None", None),
    "by key": ("c['A']['x'] = 1", 1),
    "other object": ("config = get_config()\nconfig.A.x = 1", 1),
    "the last one counts": ("c.A.x = 1\nc.A.x = 2", 2),
    "appended": ("c.A.x = ['a']\nc.A.x.append('b')", ["a", "b"]),
    "added": ("c.A.x = ['a']\nc.A.x += ['b']", ["a", "b"]),
    "extended": ("c.A.x = {'a'}\nc.A.x.update({'b'})", ["a", "b"]),
    "item": ("c.A.x = {}\nc.A.x['k'] = 'v'", {"k": "v"}),
    "keywords": ("c.A.x = {'a': 1}\nc.A.x.update(b=2)", {"a": 1, "b": 2}),
    "only looked at": ("N = ['a']\ndef f(u):\n    return u in N and [n for n in N]\nc.A.x = N", ["a"]),
    "before an if": ("if 1:\n    c.A.x = 1\nc.A.x = 2", 2),
}


@pytest.mark.parametrize(("text", "value"), PLAIN.values(), ids=PLAIN.keys())
def test_plain_values(text: str, value: Any) -> None:
    assert read_config(text, "f").values()["A"] == {"x": value}


NOT_PLAIN = {
    "function": ("c.A.x = f()", ["c.A.x is not a plain value"]),
    "of the environment": ("c.A.x = os.environ['E']", ["c.A.x comes from the environment variable E"]),
    "with a default": ("c.A.x = os.environ.get('E', 'd')", ["c.A.x comes from the environment variable E"]),
    "converted": ("c.A.x = int(os.getenv('E'))", ["c.A.x comes from the environment variable E"]),
    "by a name": ("N = os.environ['E']\nc.A.x = N", ["c.A.x comes from the environment variable E"]),
    "unknown name": ("c.A.x = nowhere", ["c.A.x is not a plain value"]),
    "changed name": ("N = 1\nif 1:\n    N = 2\nc.A.x = N", ["a statement (if)", "c.A.x is not a plain value"]),
    "changed trait": (
        "c.A.x = 1\nfor n in []:\n    c.A.x = n",
        ["c.A.x is changed in line 2", "a statement (for), which sets c.A.x"],
    ),
    "changed by a value": (
        "c.A.x = [1]\nc.A.x.append(f())",
        ["c.A.x is changed in line 2", "c.A.x is not a plain value"],
    ),
    "taken away by an operator": (
        "c.A.x = {1, 2}\nc.A.x -= {2}",
        ["c.A.x is changed in line 2", "a statement (augassign), which sets c.A.x"],
    ),
    "taken away by a method": (
        "c.A.x = {1, 2}\nc.A.x.remove(2)",
        ["c.A.x is changed in line 2", "a call, which sets c.A.x"],
    ),
    "deleted": ("c.A.x = 1\ndel c.A.x", ["c.A.x is changed in line 2", "a statement (delete), which sets c.A.x"]),
    "list changed before": (
        "N = [1, 2]\nN.remove(2)\nc.A.x = N",
        ["a call", "c.A.x comes from N, which line 2 may change"],
    ),
    "list changed later": (
        "N = [1, 2]\nc.A.x = N\nN.remove(2)",
        ["c.A.x comes from N, which line 3 may change", "a call"],
    ),
    "list added to later": (
        "N = [1, 2]\nc.A.x = N\nN += [3]",
        ["c.A.x comes from N, which line 3 may change"],
    ),
    "list changed in a function": (
        "N = [1, 2]\nc.A.x = N\ndef f():\n    N.clear()\nf()",
        ["c.A.x comes from N, which line 3 may change", "the function f", "a call"],
    ),
    "all names of a file": ("from base import *", ["what base sets (import *)"]),
    "default unknown": ("c.A.x.append(1)", ["a call, which sets c.A.x"]),
    "helpers": ("def f(s):\n    pass\nclass A:\n    pass\nprint(1)", ["the function f", "the class A", "a call"]),
    "another file": ("exec(open('b').read())", ["a call"]),
    "huge": ("c.A.x = 1000 ** 1000 ** 3", ["c.A.x is not a plain value"]),
    "repeated": ("c.A.x = 'a' * 10", ["c.A.x is not a plain value"]),
    "divided by nothing": ("c.A.x = 1 / 0", ["c.A.x is not a plain value"]),
}


@pytest.mark.parametrize(("text", "sentences"), NOT_PLAIN.values(), ids=NOT_PLAIN.keys())
def test_what_is_not_plain_is_told_and_not_read(text: str, sentences: list[str]) -> None:
    found = read_config(text, "f")
    assert [sentence for _line, sentence in found.unread] == sentences
    assert not found.values().get("A")


def test_lines() -> None:
    found = read_config("\n\nc.A.x = f()\n", "f")
    assert found.unread == [(3, "c.A.x is not a plain value")]


def test_classes_are_chosen_by_name() -> None:
    text = "from a import B\nc.JupyterHub.authenticator_class = B\nc.JupyterHub.spawner_class = 'c.D'"
    assert read_config(text, "f").values()["JupyterHub"] == {"authenticator_class": "B", "spawner_class": "c.D"}
    found = read_config("class B:\n    pass\nc.JupyterHub.authenticator_class = B", "f")
    assert (3, "c.JupyterHub.authenticator_class is a class that this file defines") in found.unread


@pytest.mark.parametrize("text", ["c.A.x = (", "print 'old'", "\0"])
def test_what_is_not_python(text: str) -> None:
    with pytest.raises(FleetImportError, match="is not Python 3"):
        read_config(text, "f")
