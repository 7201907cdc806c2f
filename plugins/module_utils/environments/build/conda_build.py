# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build an environment.yml of a repository: packages of conda, and JupyterLab in a virtual environment over them.

So the hub's versions of JupyterLab and JupyterHub are the same in all environments, whatever conda installs, and the
directory is a virtual environment like those of other builds, with the packages of conda below it.
"""

from __future__ import annotations

import json
import os
import shlex

from ..conda import OPTIONS_OF_PIP, CondaEnvironment
from ..configuration_files import ConfigurationFiles
from .constraints import added, versions_of
from .environment_build import BYTE_CODE, EnvironmentBuild
from .steps import BuildError

#: Where the packages of conda lie in an environment.
PREFIX = "conda"
#: What conda's own activation does, without its programs: variables, and the scripts of packages.
_ACTIVATION = """\
export CONDA_PREFIX={prefix} PATH={target}/bin:{prefix}/bin:"$PATH"
export JUPYTER_PATH={target}/share/jupyter:{prefix}/share/jupyter JUPYTER_CONFIG_PATH={prefix}/etc/jupyter
for script in "$CONDA_PREFIX"/etc/conda/activate.d/*.sh; do
  [[ -r $script ]] && source "$script"
done
"""
#: The oldest Python that JupyterLab and JupyterHub run with.
_MINIMUM_PYTHON = "python >=3.10"


class CondaBuild(EnvironmentBuild):
    """Makes everything of an environment in the sandbox, since its Python is a package of conda as well."""

    _installed = ""

    @property
    def conda(self) -> CondaEnvironment:
        """What the environment.yml asks for."""
        if self.tools.conda is None:
            raise BuildError(
                f"building {self.build.name}: what its environment.yml asks for is missing; run the playbook again"
            )
        return self.tools.conda

    @property
    def prefix(self) -> str:
        """The directory of conda's packages."""
        return os.path.join(self.target, PREFIX)

    def prepare(self, configuration: ConfigurationFiles) -> None:
        """Install the packages of conda, and over them those of every environment."""
        python, uv = f"{self.prefix}/bin/python", self.uv
        self._install_conda()
        # Packages for every system come without compiled files, and users cannot write any. Files for other versions
        # of Python among them cannot be compiled.
        compile_all = [python, "-m", "compileall", "-q", "-j", "0", *BYTE_CODE, f"{self.prefix}/lib"]
        self.step("compile", ["/bin/sh", "-c", '"$@" > /dev/null || true', "sh", *compile_all])
        over = ["--allow-existing", "--system-site-packages", "--no-project", "--python", python]
        self.step("create", [uv, "venv", "--quiet", *over, self.target])
        self.install_lock(shared=False)
        self.copy_own_files()
        # What pip adds has the versions of conda's packages, which it would hide otherwise.
        listed = self.step("list packages of conda", [uv, "pip", "freeze", "--quiet", "--python", python])
        self.constraints = added(self.constraints, versions_of(listed))

    def settings(self) -> str:
        """Return the pyvenv.cfg of a virtual environment over the packages of conda. Source: PEP 405."""
        return f"home = {self.prefix}/bin\nimplementation = CPython\ninclude-system-site-packages = true\n"

    def wanted(self, configuration: ConfigurationFiles) -> tuple[list[str], str]:
        """Return the arguments of uv for the part ``pip`` of the file, whose paths start from the file's directory."""
        arguments = []
        for line in self.conda.pip:
            option, _space, value = line.partition(" ")
            arguments += [option, value] if option in OPTIONS_OF_PIP else [line]
        return arguments, os.path.join(self.source, os.path.dirname(configuration.conda))

    def activation(self) -> str:
        """Return what sets up the packages of conda."""
        exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in self.conda.variables)
        return exports + _ACTIVATION.format(prefix=shlex.quote(self.prefix), target=shlex.quote(self.target))

    def lists(self) -> dict[str, str]:
        """Return what is installed; the packages of conda with address and digest."""
        return {**super().lists(), "conda.txt": self._installed}

    def _install_conda(self) -> None:
        specs = [*self.conda.specs, _MINIMUM_PYTHON]
        if not self.conda.has_python:
            code = "import sys; print('%d.%d' % sys.version_info[:2])"
            minor = self.step("look for Python", [self.python(), "-I", "-S", "-c", code]).strip()
            specs.append(f"python {minor}.*")
        request = {
            "alias": self.tools.channel_alias,
            "channels": self.conda.channels,
            "specs": specs,
            "prefix": self.prefix,
            "cache": "/tmp/conda",
        }
        path = self.input("conda.json", json.dumps(request))
        install = [f"{self.tools.rattler}/bin/python", "-I", "-m", "hubfleet_conda", path]
        self._installed = self.step("install packages of conda", install, sandbox=self.on_machine())
