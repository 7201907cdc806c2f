# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A chart that shows what templates see, and values of every shape that Helm knows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

#: Few words, so that layers meet; none is special to Helm, as ``global`` and names of subcharts are.
KEYS = ("alpha", "beta", "gamma", "delta")
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-9, 9), st.sampled_from(["", "text", "null"]))


def _nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.lists(inner, max_size=2), st.dictionaries(st.sampled_from(KEYS), inner, max_size=3))


#: Anything that may stand in values, and whole layers of them.
ANYTHING = st.recursive(SCALARS, _nested, max_leaves=8)
LAYER = st.dictionaries(st.sampled_from(KEYS), ANYTHING, max_size=4)


def seen_by_templates(directory: Path, values_files: list[str], given: dict[str, Any] | None = None) -> Any:
    """Return ``.Values`` as Helm makes them of a chart's own values and those given to it.

    values_files: YAML documents, the later ones over the earlier; Helm merges the documents of a chart's
    values.yaml as it merges several ``-f`` files (LoadValues and MergeMaps in pkg/chart/loader).
    """
    import helm_python

    templates = directory / "templates"
    templates.mkdir(parents=True, exist_ok=True)
    (directory / "Chart.yaml").write_text("apiVersion: v2\nname: tiny\nversion: 1.0.0\n")
    (templates / "values.yaml").write_text("{{ toJson .Values }}")
    (directory / "values.yaml").write_text("\n---\n".join(values_files), encoding="utf-8")
    with helm_python.Chart.load(directory) as chart:
        return json.loads(chart.render(given or {}, name="release")["tiny/templates/values.yaml"])


def merged_by_helm(directory: Path, values_files: list[str]) -> Any:
    """Return what Helm merges several values files to, nothing deleted yet."""
    import helm_python

    seen_by_templates(directory, values_files)
    with helm_python.Chart.load(directory) as chart:
        return chart.values
