# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The root of all errors that the engine raises for people to read."""

from __future__ import annotations

import errno

#: What went wrong with a file or a connection, in the words of a person.
_REASONS = {
    errno.ENOENT: "there is no such file or directory",
    errno.EEXIST: "something else has this name",
    errno.EACCES: "this account may not",
    errno.EPERM: "this account may not",
    errno.EISDIR: "it is a directory",
    errno.ENOTDIR: "a file is where the path needs a directory",
    errno.ELOOP: "its links lead in a circle",
    errno.ENAMETOOLONG: "the name is too long",
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the quota of this account is used up",
    errno.EROFS: "the file system is read-only",
    errno.ECONNREFUSED: "nothing listens there",
    errno.ECONNRESET: "the other side closed it",
    errno.EHOSTUNREACH: "no network leads there",
    errno.ENETUNREACH: "no network leads there",
    errno.ETIMEDOUT: "there was no answer in time",
}


class HubfleetError(Exception):
    """Something that an operator can act on; the message is one line, and never holds a secret."""


def reason(error: OSError) -> str:
    """Return why a file could not be read or written, or no connection was made, for the end of a message."""
    return _REASONS.get(error.errno or 0) or error.strerror or str(error)
