# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write readable YAML that Ansible reads back unchanged."""

from __future__ import annotations

import re
from typing import Any

from ..common.nested import map_leaves
from ..platform.kubernetes.values.layers import same
from .errors import FleetImportError
from .helm_yaml import resolve

_TEXT = "tag:yaml.org,2002:str"

#: Characters that end a line in YAML 1.1 only.
_LINE_ENDS = re.compile("[\x85\u2028\u2029]")

#: Text that Ansible would process as a template.
_TEMPLATE = re.compile(r"\{\{|\{%|\{#")


class Template(str):
    """A template for Ansible; other text that looks like one is written with ``!unsafe``."""


def dump(values: dict[str, Any], comment: str) -> str:
    """Return a file; raises FleetImportError if it would not be read back unchanged.

    Long entries are separated by empty lines.
    """
    # Literal blocks are readable; text that PyYAML cannot write as a block is quoted.
    for blocks in (True, False):
        text = "---\n" + "".join(f"# {line}\n" for line in comment.splitlines())
        before = ""
        for key, value in values.items():
            part = _dumped({key: value}, blocks)
            text += f"\n{part}" if before and before.count("\n") + part.count("\n") > 2 else part
            before = part
        if same(_loaded(text) or {}, _plain(values)):
            return text
    raise FleetImportError(f"{', '.join(values)}: cannot be written as YAML")


def _dumped(values: dict[str, Any], blocks: bool) -> str:
    import yaml

    text: str = yaml.dump(
        values,
        Dumper=_dumper(blocks),
        default_flow_style=False,
        sort_keys=False,
        allow_unicode=True,
        width=10_000,
    )
    return text


def _plain(value: Any) -> Any:
    """Return a value without the classes of this module."""
    return map_leaves(value, lambda leaf: str(leaf) if isinstance(leaf, str) else leaf)


def _loaded(text: str) -> Any:
    """Read YAML with the rules of Ansible's own parser, which is PyYAML's with a few tags more."""
    import yaml

    class Loader(yaml.SafeLoader):
        pass

    def unsafe(loader: Any, node: Any) -> Any:
        return loader.construct_scalar(node)

    Loader.add_constructor("!unsafe", unsafe)
    try:
        return yaml.load(text, Loader=Loader)
    except yaml.YAMLError:
        return None


def _dumper(blocks: bool) -> Any:
    import yaml

    class Dumper(yaml.SafeDumper):
        def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
            super().increase_indent(flow, False)

        def ignore_aliases(self, data: Any) -> bool:
            return True

        def represent_text(self, text: str) -> Any:
            # A block that ends in empty lines would have to end the document.
            block = "\n" in text and not text.endswith("\n\n") and text != "\n"
            style = "|" if blocks and block else None
            # Text that other parsers would not read as text, and text that PyYAML writes wrongly without quotes.
            if (style is None and not isinstance(resolve(text), str)) or _LINE_ENDS.search(text):
                style = '"'
            if isinstance(text, Template):
                return self.represent_scalar(_TEXT, str(text), '"')
            if _TEMPLATE.search(text):
                return self.represent_scalar("!unsafe", text, style or "'")
            return self.represent_scalar(_TEXT, text, style)

    Dumper.add_representer(str, Dumper.represent_text)
    Dumper.add_representer(Template, Dumper.represent_text)
    return Dumper
