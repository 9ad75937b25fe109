"""A real S3 server on loopback, moto's, that refuses requests as a test wants."""

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import boto3
import httpx
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

_SLOW_DOWN = (
    b'<?xml version="1.0" encoding="UTF-8"?><Error><Code>SlowDown</Code>'
    b"<Message>Please reduce your request rate.</Message></Error>"
)


@dataclass
class ObjectStore:
    """A running server.

    Attributes:
        url: Its address.
        refuse: Tells, of a request's method, path and query, whether it is refused.
        refused: How many were, by method.
    """

    url: str = ""
    refuse: Callable[[str, str, dict[str, list[str]]], bool] = lambda *_: False
    refused: Counter[str] = field(default_factory=Counter)

    @property
    def environ(self) -> dict[str, str]:
        """What leads AWS's libraries to it."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    def client(self) -> Any:
        """A client of it."""
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            aws_access_key_id="test",
            aws_secret_access_key="test",  # noqa: S106  no secret
            region_name="us-east-1",
        )

    def objects(self, bucket: str, prefix: str = "") -> dict[str, bytes]:
        """All objects of a bucket below a prefix, by their names."""
        client = self.client()
        keys = self.names(bucket, prefix)
        return {key: client.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}

    def names(self, bucket: str, prefix: str = "") -> list[str]:
        """The names of a bucket's objects below a prefix."""
        pages = (
            self.client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        )
        return [str(each["Key"]) for page in pages for each in page.get("Contents", ())]

    def __call__(self, app: Any, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        """Answer one request, or refuse it for its rate."""
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        query = parse_qs(environ["QUERY_STRING"], keep_blank_values=True)
        if not self.refuse(method, path, query):
            return list(app(environ, start))
        self.refused[method] += 1
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        start("503 Slow Down", [("Content-Type", "application/xml")])
        return [_SLOW_DOWN]


@contextmanager
def object_store(*buckets: str) -> Iterator[ObjectStore]:
    """Run a server with empty buckets."""
    store = ObjectStore()
    app = DomainDispatcherApplication(create_backend_app)
    server = make_server(
        "127.0.0.1", 0, lambda environ, start: store(app, environ, start), threaded=True
    )
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    store.url = f"http://127.0.0.1:{server.server_port}"
    try:
        # moto keeps one state in the process.
        httpx.post(f"{store.url}/moto-api/reset").raise_for_status()
        for bucket in buckets:
            store.client().create_bucket(Bucket=bucket)
        yield store
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def every(number: int) -> Callable[[str, str, dict[str, list[str]]], bool]:
    """Refuse every so manieth request for an object."""
    lock, count = threading.Lock(), 0

    def refuse(_method: str, path: str, _query: dict[str, list[str]]) -> bool:
        nonlocal count
        if path.count("/") < 2:
            return False
        with lock:
            count += 1
            return count % number == 0

    return refuse
