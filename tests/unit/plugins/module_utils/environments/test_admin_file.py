# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""hub.yml is read as texts and lists of texts, whatever anybody writes into it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.admin_file import (
    SETTINGS,
    AdminFileError,
    read_admin_file,
)

try:
    from hypothesis import given
    from hypothesis import strategies as st
except ImportError:  # ansible-test has no hypothesis
    given = None


def test_what_it_may_say() -> None:
    text = 'announcement: "The course begins: on Monday"\nenvironments: [maps, python]\nsizes:\n- small\n'
    assert read_admin_file(text) == {
        "announcement": "The course begins: on Monday",
        "environments": ["maps", "python"],
        "sizes": ["small"],
    }
    assert read_admin_file("# nothing yet\n") == {}
    assert read_admin_file("announcement: |\n  one\n  two\u00a0\u3000three\n") == {
        "announcement": "one two\u00a0\u3000three"
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("anouncement: x", "line 1 of hub.yml: 'anouncement' cannot be set here; did you mean announcement?"),
        ("\nhub_admin_users: [eve]", "line 2 of hub.yml: 'hub_admin_users' cannot be set here; possible: announcement"),
        ("announcement: 5", "line 1 of hub.yml: announcement must have text; put it in quotes"),
        ("announcement: [a]", "line 1 of hub.yml: announcement must have text; put it in quotes"),
        ("announcement: !!python/object/apply:os.system [id]", "announcement must have text"),
        ("announcement: !vault x", "announcement must have text"),
        ("announcement:", "announcement must have text"),
        ("announcement: '{{ lookup(1) }}'", "announcement has '{{' or '{%', which are for templates"),
        ('announcement: "a\\u202eb"', "announcement has characters that cannot be seen; write it anew"),
        (f"announcement: {'x' * 1001}", "announcement is longer than 1000 characters"),
        ("environments: maps", "line 1 of hub.yml: environments must be a list, such as  environments: [one, two]"),
        ("environments: []", "environments must have at least one entry"),
        ("environments: [maps, maps]", "environments lists 'maps' twice"),
        ("environments: [{name: maps}]", "environments must have text"),
        ("environments: [yes]", "environments must have text"),
        ("sizes: [small]\nsizes: [large]", "line 2 of hub.yml: sizes stands twice; remove one of them"),
        ("a: &a [x]\nb: *a", "line 1 of hub.yml: '&' and '*' cannot be used"),
        ("announcement: 'a", "line 1 of hub.yml is not YAML"),
        ("- announcement", "hub.yml must have lines such as"),
        ("? [a]\n: b", "'' cannot be set here"),
        ("a: 1\n---\nb: 2\n", "is not YAML"),
        ("\x00", "is not YAML"),
        ('announcement: "\\UFFFFFFFF"', "is not YAML"),
        ("x" * 900 + ": y", f"'{'x' * 60}…' cannot be set here"),
        ("[" * 3000, "is not YAML"),
    ],
)
def test_what_it_may_not_say(text: str, message: str) -> None:
    with pytest.raises(AdminFileError) as caught:
        read_admin_file(text)
    assert message in str(caught.value)


if given:
    _values = st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.dates(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=6,
    )
    _keys = st.sampled_from([*SETTINGS, "hub_admin_users", "<<", ""]) | st.text(max_size=5)

    def _is_sound(found: Any) -> bool:
        return all(
            name in SETTINGS
            and (
                isinstance(value, list) and bool(value) and all(isinstance(each, str) for each in value)
                if SETTINGS[name]
                else isinstance(value, str)
            )
            for name, value in found.items()
        )

    @given(
        st.text(max_size=60)
        | st.text('ab:"\\\\UxuF0[]{}&*!%', max_size=40).map(lambda text: f"announcement: {text}")
        | st.dictionaries(_keys, _values, max_size=4)
    )
    def test_anything_is_read_as_texts_or_refused(content: Any) -> None:
        import yaml

        try:
            found = read_admin_file(content if isinstance(content, str) else yaml.dump(content))
        except AdminFileError as error:
            assert "\n" not in str(error)
            return
        assert _is_sound(found)
