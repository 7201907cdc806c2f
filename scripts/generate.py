# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Generate files from the schema, recorded charts and tests; with --check, only report whether they are up to date."""

import sys
from pathlib import Path

import yaml

CHECKOUT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(CHECKOUT / ".ansible" / "collections"))
sys.path.insert(0, str(CHECKOUT / "tests" / "support"))

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.chart import reference  # noqa: E402
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.argument_specs import role_argument_specs  # noqa: E402
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.documentation import option_reference  # noqa: E402
from cluster_options import table  # noqa: E402

#: What follows this line of docs/kubernetes.md is generated.
SEEN = "do not edit what follows. -->\n"

HEADER = "---\n# Generated from the schema by `make generate`; do not edit.\n"


class IndentedDumper(yaml.SafeDumper):
    """Indent lists in mappings, as yamllint requires."""

    def increase_indent(self, flow=False, indentless=False):
        return super().increase_indent(flow, False)

    def ignore_aliases(self, data):
        return True


def generated() -> dict[str, str]:
    """Return path -> text of every generated file."""
    files = {
        f"roles/{role}/meta/argument_specs.yml": HEADER
        + yaml.dump(specs, Dumper=IndentedDumper, sort_keys=False, width=110, allow_unicode=True)
        for role, specs in role_argument_specs().items()
    }
    charts = reference.chart_reference(str(CHECKOUT / "roles" / "hub" / "files" / "charts"))
    kubernetes = (CHECKOUT / "docs/kubernetes.md").read_text(encoding="utf-8").partition(SEEN)
    seen = f"{kubernetes[0]}{SEEN}\n{table()}\n"
    return {**files, "docs/options.md": option_reference(), "docs/charts.md": charts, "docs/kubernetes.md": seen}


def main() -> int:
    """Write the files, or with --check list those that differ."""
    check = sys.argv[1:] == ["--check"]
    stale = []
    for path, text in generated().items():
        file = CHECKOUT / path
        if file.exists() and file.read_text(encoding="utf-8") == text:
            continue
        stale.append(path)
        if not check:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
    for path in stale:
        print(f"{path}: {'differs from the schema; run make generate' if check else 'written'}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
