# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Validate certificates of the operator on a machine, before anything changes."""

from __future__ import annotations

import hashlib
import ssl
import time
from typing import Any

from ....check.certificate import expiry_warning
from ....common.errors import HubfleetError

#: X509_V_FLAG_PARTIAL_CHAIN of OpenSSL, a constant of Python since 3.10: trust a certificate that is not a root.
_PARTIAL_CHAIN = 0x80000
#: X509_V_FLAG_NO_CHECK_TIME: accept certificates that are not valid now, so that their dates can be read.
_ANY_TIME = 0x200000
#: X509_V_ERR_HOSTNAME_MISMATCH
_OTHER_HOST = 62


class CertificateError(HubfleetError):
    """A certificate cannot be used; the message contains the reason."""


def certificate_digest(certificate: str, key: str) -> str:
    """Return a digest of a certificate and its key; raises OSError."""
    found = hashlib.sha256()
    for path in (certificate, key):
        with open(path, "rb") as file:
            found.update(file.read())
    return found.hexdigest()[:32]


def inspect(certificate: str, key: str, host: str) -> str:
    """Check that a certificate is valid now, and matches its key and, unless ``host`` is "", a host.

    Returns a warning if it expires soon, else "". The issuer is not checked here, but by the check, as browsers do.
    Raises CertificateError, and OSError if a file cannot be read.
    """
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        server.load_cert_chain(certificate, key, password=_no_password)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise CertificateError(f"{key} is not the key of {certificate}") from None
        raise CertificateError(f"{certificate} and {key} are not a certificate and key in PEM format") from None
    client = ssl.create_default_context()
    client.verify_flags |= _PARTIAL_CHAIN | _ANY_TIME
    client.check_hostname = bool(host)
    with open(certificate, encoding="ascii", errors="replace") as file:
        client.load_verify_locations(cadata=file.read())
    try:
        found = _served(server, client, host)
    except ssl.SSLCertVerificationError as error:
        if error.verify_code == _OTHER_HOST:
            raise CertificateError(f"{certificate} is not for {host}") from None
        return ""  # such as a key that is too short for the client's OpenSSL; the check tells
    _check_dates(certificate, found)
    return expiry_warning(found, renews=False)


def _check_dates(certificate: str, found: dict[str, Any]) -> None:
    """Refuse a certificate, as SSLSocket.getpeercert() returns it, that is not valid now."""
    if not found:
        return
    now = time.time()
    start, end = (ssl.cert_time_to_seconds(found[name]) for name in ("notBefore", "notAfter"))
    if end < now:
        raise CertificateError(f"{certificate} expired on {_shown(end)}; renew it")
    if start > now:
        raise CertificateError(f"{certificate} is not valid before {_shown(start)}; is the machine's clock right?")


def _shown(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(seconds))


def _no_password() -> str:
    raise CertificateError("the key is encrypted, and its password cannot be entered when the machine starts")


def _served(server: ssl.SSLContext, client: ssl.SSLContext, host: str) -> dict[str, Any]:
    """Return the certificate that a client gets, by a TLS handshake in memory; raises SSLCertVerificationError."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    serving = server.wrap_bio(to_server, to_client, server_side=True)
    asking = client.wrap_bio(to_client, to_server, server_hostname=host or None)
    for _turn in range(10):
        for side in (asking, serving):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    return dict(asking.getpeercert() or {})
