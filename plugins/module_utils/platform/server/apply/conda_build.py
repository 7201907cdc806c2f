# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build an environment.yml of a repository: packages of conda, and JupyterLab in a virtual environment over them.

So the hub's versions of JupyterLab and JupyterHub are the same in all environments, whatever conda installs, and the
directory is a virtual environment like those of other builds, with the packages of conda below it.
"""

from __future__ import annotations

import glob
import json
import os
import shlex

from ....environments.recipe import Recipe
from .repository_build import RepositoryBuild

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
#: Runs a program with a file as its standard input.
_FROM_FILE = ("/bin/sh", "-c", 'input="$1"; shift; exec "$@" < "$input"', "sh")


class CondaBuild(RepositoryBuild):
    """Makes everything of an environment in the sandbox, since its Python is a package of conda as well."""

    #: The packages of conda, once they are installed, each with its address and digest.
    installed = ""

    @property
    def prefix(self) -> str:
        """The directory of conda's packages."""
        return os.path.join(self.target, PREFIX)

    def create(self, recipe: Recipe) -> None:
        """Install the packages of conda, and over them those of every environment."""
        python, uv = f"{self.prefix}/bin/python", self.tools.uv
        self._install_conda()
        # Packages for every system come without compiled files, and users cannot write any. Files for other versions
        # of Python among them cannot be compiled.
        compile_all = [python, "-m", "compileall", "-q", "-j", "0", f"{self.prefix}/lib"]
        self.step("compile", ["/bin/sh", "-c", '"$@" > /dev/null || true', "sh", *compile_all])
        over = ["--allow-existing", "--system-site-packages", "--no-project", "--python", python]
        self.step("create", [uv, "venv", "--quiet", *over, self.target])
        lock = self.input("requirements.lock", self.build.lock)
        base = ["--compile-bytecode", "--link-mode=copy", "--require-hashes", "--requirements", lock]
        self.step("install", [uv, "pip", "install", "--quiet", *base])
        self._copy_own_files()
        # What pip adds has the versions of conda's packages, which it would hide otherwise.
        self.constrain(self.step("list packages of conda", [uv, "pip", "freeze", "--quiet", "--python", python]))

    def wanted(self, recipe: Recipe) -> list[str]:
        """Return the arguments of uv for the part ``pip`` of the file, whose paths start from the file's directory."""
        folder = os.path.dirname(recipe.conda)
        arguments, lines = [], []
        for line in self.tools.conda["pip"]:
            words = shlex.split(line) if line.startswith("-") else []
            if len(words) == 2 and words[0] in ("-r", "--requirement"):
                arguments += ["--requirements", os.path.join(folder, words[1])]
            elif len(words) == 2 and words[0] in ("-e", "--editable"):
                arguments += ["--editable", os.path.join(folder, words[1])]
            else:
                lines.append(line)
        if lines:
            arguments += ["--requirements", self.input("pip.txt", "".join(f"{line}\n" for line in lines))]
        return arguments

    def activation(self) -> str:
        """Return what sets up the packages of conda."""
        return _ACTIVATION.format(prefix=shlex.quote(self.prefix), target=shlex.quote(self.target))

    def _install_conda(self) -> None:
        conda = self.tools.conda
        request = {**conda, "prefix": self.prefix, "cache": "/tmp/conda"}
        if not conda["has_python"]:
            code = "import sys; print('%d.%d' % sys.version_info[:2])"
            minor = self.step("look for Python", [self.build.python, "-I", "-S", "-c", code]).strip()
            request["specs"] = [*conda["specs"], f"python {minor}.*"]
        path = self.input("conda.json", json.dumps(request))
        install = [f"{conda['tool']}/bin/python", "-I", "-m", "hubfleet_conda"]
        self.installed = self.step("install packages of conda", [*_FROM_FILE, path, *install])

    def _copy_own_files(self) -> None:
        """Copy the collection's files into the environment; in the sandbox, so that no link leads anywhere else."""
        (packages,) = glob.glob(f"{self.target}/lib/python3*/site-packages")
        inside = os.path.relpath(packages, self.target)
        modules = {os.path.join(inside, path): text for path, text in self.build.modules.items()}
        for path, text in {**self.build.files, **modules}.items():
            self.input(os.path.join("own", path), text)
        own = os.path.dirname(self.input("own/.own", ""))
        self.step("copy files", ["cp", "--recursive", "--no-target-directory", own, self.target])
