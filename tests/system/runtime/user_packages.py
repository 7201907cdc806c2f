# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Code for a user's kernel that makes packages, so that tests of packages need no index."""

from __future__ import annotations

#: Defines write_wheel(name, version), which writes a wheel with a module and a program, and returns its path.
WRITE_WHEEL = """
def write_wheel(name, version):
    import os, zipfile
    information = f"{name}-{version}.dist-info"
    texts = {
        f"{name}.py": f"VERSION = '{version}'\\ndef main(): print('program of {name}', VERSION)\\n",
        f"{information}/METADATA": f"Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n",
        f"{information}/WHEEL": "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
        f"{information}/entry_points.txt": f"[console_scripts]\\n{name}-program = {name}:main\\n",
        f"{information}/RECORD": "",
    }
    path = os.path.expanduser(f"~/{name}-{version}-py3-none-any.whl")
    with zipfile.ZipFile(path, "w") as wheel:
        for member, text in texts.items():
            wheel.writestr(member, text)
    return path
"""
#: Breaks every package of the environment among the user's own; prints how many.
BREAK_ALL = """
import os, site, sys
from hubfleet_environment import user_packages
own, = user_packages.site_packages(user_packages.directory())
theirs, = user_packages.site_packages(user_packages.environment())
names = {name.removesuffix(".py") for name in os.listdir(theirs) if name.isidentifier() or name.endswith(".py")}
names -= {"hubfleet_environment", "pip", "__pycache__"}
for name in names:
    (own / f"{name}.py").write_text("raise RuntimeError('broken')")
print(len(names))
"""
