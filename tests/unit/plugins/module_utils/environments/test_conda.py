# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an environment.yml asks for."""

from __future__ import annotations

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.conda import (
    has_python,
    read_environment,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.recipe import RepositoryError

WHOLE = """
name: maps
channels: [conda-forge, nodefaults, defaults, https://example.org/shore]
dependencies:
  - python=3.11
  - gdal >=3.8
  - pip
  - pip: [rio-cogeo, "-r requirements.txt"]
prefix: /opt/maps
"""


def test_what_it_asks_for() -> None:
    assert read_environment(WHOLE, "environment.yml") == {
        "channels": ["conda-forge", "https://example.org/shore"],
        "specs": ["python=3.11", "gdal >=3.8", "pip"],
        "pip": ["rio-cogeo", "-r requirements.txt"],
    }


@pytest.mark.parametrize("text", ["name: x", "channels: [defaults]\ndependencies:", "dependencies: []\nchannels:"])
def test_what_it_need_not_say(text: str) -> None:
    assert read_environment(text, "environment.yml") == {"channels": ["conda-forge"], "specs": [], "pip": []}


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
        ("channels: conda-forge", "in which channels is not a list of texts"),
    ],
)
def test_what_is_wrong(text: str, message: str) -> None:
    with pytest.raises(RepositoryError) as error:
        read_environment(text, "binder/environment.yml")
    assert message in str(error.value)


@pytest.mark.parametrize(
    "spec", ["python", "python=3.11", "python >=3.10", "python[version='3.11.*']", "conda-forge::python", "python<4"]
)
def test_python(spec: str) -> None:
    assert has_python(["numpy", spec])


@pytest.mark.parametrize("spec", ["python-dateutil", "ipython", "python_abi 3.11", "pythonocc-core=7"])
def test_not_python(spec: str) -> None:
    assert not has_python([spec])
