# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an environment.yml asks for."""

from __future__ import annotations

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.conda import (
    CondaEnvironment,
    read_environment,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.configuration_files import ContentError

WHOLE = """
name: maps
channels: [conda-forge, nodefaults, defaults, https://example.org/shore]
dependencies:
  - python=3.11
  - gdal >=3.8
  - pip
  - pip: ["rio-cogeo # why", "--requirement=requirements.txt", "-e  ."]
variables: {DEPTH: 3, SHORE: west}
prefix: /opt/maps
"""


def test_what_it_asks_for() -> None:
    assert read_environment(WHOLE, "environment.yml") == CondaEnvironment(
        channels=("conda-forge", "https://example.org/shore"),
        specs=("python=3.11", "gdal >=3.8", "pip"),
        pip=("rio-cogeo", "-r requirements.txt", "-e ."),
        variables=(("DEPTH", "3"), ("SHORE", "west")),
    )


@pytest.mark.parametrize("text", ["name: x", "channels: [defaults]\ndependencies:", "dependencies: []\nchannels:"])
def test_what_it_need_not_say(text: str) -> None:
    assert read_environment(text, "environment.yml") == CondaEnvironment(("conda-forge",))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("dependencies:\n  - [", "has binder/environment.yml, which is not YAML (line 2)"),
        ("", "which is not a mapping with dependencies"),
        ("- numpy", "which is not a mapping with dependencies"),
        ("dependencies: numpy", "in which dependencies is not a list"),
        ("dependencies: [1.5]", "in which dependencies is not a list of texts"),
        ("dependencies: [' ']", "in which dependencies is not a list of texts"),
        ("dependencies: [{pip: numpy}]", "in which pip is not a list of texts"),
        ("dependencies: [{conda: [numpy]}]", "in which dependencies has a mapping other than pip"),
        (
            "dependencies: [{pip: ['--index-url https://x']}]",
            "in which pip has '--index-url https://x'; ",
        ),
        ("dependencies: [{pip: ['-r']}]", "in which pip has '-r'; allowed options are -r FILE and -e PATH"),
        ("variables: [a]", "in which variables is not a mapping"),
        ("variables: {'A;id': x}", "in which 'A;id' of variables is no variable with a text"),
        ("[" * 20_000, "which is not YAML"),
        ("channels: conda-forge", "in which channels is not a list of texts"),
    ],
)
def test_what_is_wrong(text: str, message: str) -> None:
    with pytest.raises(ContentError) as error:
        read_environment(text, "binder/environment.yml")
    assert message in str(error.value)


@pytest.mark.parametrize(
    "spec", ["python", "python=3.11", "python >=3.10", "python[version='3.11.*']", "conda-forge::python", "python<4"]
)
def test_python(spec: str) -> None:
    assert CondaEnvironment((), ("numpy", spec)).has_python


@pytest.mark.parametrize("spec", ["python-dateutil", "ipython", "python_abi 3.11", "pythonocc-core=7"])
def test_not_python(spec: str) -> None:
    assert not CondaEnvironment((), (spec,)).has_python
