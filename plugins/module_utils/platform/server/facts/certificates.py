# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Validate certificates of the operator on a machine, before anything changes."""

from __future__ import annotations

import hashlib
import ssl

from ....common.errors import HubfleetError

#: X509_V_FLAG_PARTIAL_CHAIN of OpenSSL, a constant of Python since 3.10: trust a certificate that is not a root.
_PARTIAL_CHAIN = 0x80000
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


def inspect(certificate: str, key: str, host: str) -> None:
    """Check that a certificate matches its key and, unless ``host`` is "", a host.

    Expiry and issuer are not checked here, but by the check, as browsers do.
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
    client.verify_flags |= _PARTIAL_CHAIN
    with open(certificate, encoding="ascii", errors="replace") as file:
        client.load_verify_locations(cadata=file.read())
    if host and _mismatch(server, client, host):
        raise CertificateError(f"{certificate} is not for {host}")


def _no_password() -> str:
    raise CertificateError("the key is encrypted, and its password cannot be entered when the machine starts")


def _mismatch(server: ssl.SSLContext, client: ssl.SSLContext, host: str) -> bool:
    """Return whether the certificate is for another host, by a TLS handshake in memory."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    serving = server.wrap_bio(to_server, to_client, server_side=True)
    asking = client.wrap_bio(to_client, to_server, server_hostname=host)
    for _turn in range(10):
        for side in (asking, serving):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLCertVerificationError as error:
                return error.verify_code == _OTHER_HOST
    return False
