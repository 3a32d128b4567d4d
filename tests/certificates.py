"""Certificates for tests of TLS, made by the openssl command: an authority, and what it signs."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

import servers


@dataclass(frozen=True)
class Certificate:
    """A certificate and its key."""

    certificate: Path
    key: Path


class Authority:
    """A certificate authority of our own in a folder."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self._openssl = servers.needs("openssl")
        self._folder = folder
        self.own = Certificate(folder / f"{name}.crt", folder / f"{name}.key")
        self._run(
            *(
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-nodes",
                "-days",
                "2",
            ),
            *("-subj", f"/CN={name}", "-keyout", self.own.key, "-out", self.own.certificate),
            *("-addext", "keyUsage=critical,keyCertSign,cRLSign"),
        )

    def sign(self, name: str, *, subject: str = "IP:127.0.0.1", days: int = 2) -> Certificate:
        """Make a certificate; fewer than 0 days make one that has expired already."""
        made = Certificate(self._folder / f"{name}.crt", self._folder / f"{name}.key")
        request, extensions = self._folder / f"{name}.csr", self._folder / f"{name}.ext"
        self._run(
            *("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
            *("-subj", f"/CN={name}", "-keyout", made.key, "-out", request),
        )
        extensions.write_text(
            f"subjectAltName={subject}\nauthorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n"
        )
        self._run(
            *(
                "x509",
                "-req",
                "-in",
                request,
                "-CA",
                self.own.certificate,
                "-CAkey",
                self.own.key,
                "-CAcreateserial",
            ),
            *("-days", str(days), "-extfile", extensions, "-out", made.certificate),
        )
        return made

    def _run(self, *arguments: str | Path) -> None:
        subprocess.run(
            [self._openssl, *arguments], check=True, capture_output=True, cwd=self._folder
        )
