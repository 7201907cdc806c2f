# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find names that look like others. Standard library only."""

from __future__ import annotations

import unicodedata

#: Characters without a width of their own, controls, and marks that belong to no letter.
_INVISIBLE = frozenset({"Cc", "Cf", "Mn", "Me", "Zl", "Zp", "Zs"})


def skeleton(name: str) -> str:
    """Return what all names have in common that look the same, or differ only in case, width or white space.

    Letters of other scripts that look alike, such as Cyrillic a, are different; see Unicode's UTS 39.
    """
    # case folding can undo the normalization, so that it is done again (UAX 15, section 2.5 of UTS 36)
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return "".join(letter for letter in folded if unicodedata.category(letter) not in _INVISIBLE)


def is_plain(name: str) -> bool:
    """Return whether a name has only visible characters, and no white space."""
    return name.isprintable() and not any(letter.isspace() for letter in name)
