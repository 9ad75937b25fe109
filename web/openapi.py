"""The face's OpenAPI 3.1 document, made of the parameters that its code checks."""

from collections.abc import Iterable
from typing import Any, Final

from web import page_api, photoroom
from web.orders import Parameter
from web.removebg import parameters as removebg

_JSON, _FORM, _MULTIPART = (
    "application/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
)
_NUMBER: Final = {"type": "number"}
_TEXT: Final = {"type": "string"}
_WHOLE: Final = {"schema": {"type": "string", "pattern": "^[0-9]+$"}}
_ERRORS: Final = {
    "type": "object",
    "required": ["errors"],
    "properties": {
        "errors": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["title", "code", "detail"],
                "properties": {"title": _TEXT, "code": _TEXT, "detail": _TEXT},
            },
        }
    },
}
_PHOTOROOM_ERROR: Final = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "detail", "type", "code"],
            "properties": {"message": _TEXT, "detail": _TEXT, "type": _TEXT, "code": _TEXT},
        }
    },
}
_STATUSES: Final = {
    "400": "the request must be changed; code says how",
    "402": "the key has no credit left",
    "403": "no key, or a wrong one",
    "404": "the service keeps no accounts",
    "405": "another method",
    "408": "the upload was too slow",
    "415": "another content type",
    "429": "the key calls too often; Retry-After says when to come back",
    "500": "a defect of the service",
    "503": "full or away; Retry-After says when to come back",
    "504": "the time was up",
}
_UPLOAD: Final = ("400", "402", "403", "408", "415", "429", "500", "503", "504")
_PICTURES: Final = ("image/png", "image/jpeg", "image/webp")
_BINARY: Final = {"schema": {"type": "string", "format": "binary"}}


def document(version: str) -> dict[str, Any]:
    """Return the document.

    Args:
        version: Packshot's.
    """
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Packshot",
            "version": version,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            "description": "remove.bg's contract, Photoroom's segment, and what the page calls.",
        },
        "security": [{}, {"key": []}, {"bearer": []}],
        "paths": {
            "/v1.0/removebg": {"post": _removebg()},
            "/v1.0/account": {"get": _account()},
            "/v1/segment": {"post": _segment()},
            "/api/render": {"post": _render()},
            "/api/choices": {"get": _choices()},
        },
        "components": {
            "schemas": {"Errors": _ERRORS, "PhotoroomError": _PHOTOROOM_ERROR},
            "securitySchemes": {
                "key": {"type": "apiKey", "in": "header", "name": "X-Api-Key"},
                "bearer": {"type": "http", "scheme": "bearer"},
            },
        },
    }


def _removebg() -> dict[str, Any]:
    table = removebg.PARAMETERS
    headers = dict.fromkeys(("X-Width", "X-Height", "X-Credits-Charged"), _WHOLE)
    headers |= {f"X-Foreground-{side}": _WHOLE for side in ("Top", "Left", "Width", "Height")}
    for name in ("X-Type", "X-Packshot-Approximated", "X-Packshot-Notes"):
        headers[name] = {"schema": dict(_TEXT)}
    data = {
        "type": "object",
        "required": ["result_b64"],
        "properties": {
            "result_b64": _TEXT,
            **{f"foreground_{side}": _NUMBER for side in ("top", "left", "width", "height")},
        },
    }
    answer = {
        "description": "the picture",
        "headers": headers,
        "content": {
            **dict.fromkeys((*_PICTURES, "application/zip"), _BINARY),
            _JSON: {
                "schema": {"type": "object", "required": ["data"], "properties": {"data": data}}
            },
        },
    }
    return {
        "operationId": "removeBackground",
        "summary": "Remove a photo's background, as remove.bg's v1.0 contract has it",
        "requestBody": _body(table, (_MULTIPART, _FORM, _JSON)),
        "responses": {"200": answer, **_errors(_UPLOAD)},
    }


def _account() -> dict[str, Any]:
    names = ("total", "subscription", "payg", "enterprise")
    credits_ = {"type": "object", "properties": dict.fromkeys(names, _NUMBER)}
    return {
        "operationId": "getAccount",
        "summary": "The credit left on the caller's key",
        "responses": {
            "200": {
                "description": "the account",
                "content": {
                    _JSON: {
                        "schema": _nested(
                            "data", _nested("attributes", _nested("credits", credits_))
                        )
                    }
                },
            },
            **_errors(("403", "404", "429", "500", "503", "504")),
        },
    }


def _segment() -> dict[str, Any]:
    return {
        "operationId": "segment",
        "summary": "Remove a photo's background, as Photoroom's v1 contract has it",
        "requestBody": _body(photoroom.PARAMETERS, (_MULTIPART, _FORM, _JSON)),
        "responses": {
            "200": {
                "description": "the picture",
                "content": dict.fromkeys(_PICTURES, _BINARY),
            },
            **_errors(_UPLOAD, "PhotoroomError"),
        },
    }


def _render() -> dict[str, Any]:
    shot = {
        "type": "object",
        "required": ["picture_b64", "media_type", "width_px", "height_px", "stages_s", "notes"],
        "properties": {
            "picture_b64": _TEXT,
            "media_type": _TEXT,
            "width_px": {"type": "integer"},
            "height_px": {"type": "integer"},
            "stages_s": {"type": "object", "additionalProperties": _NUMBER},
            "verdict": {"type": ["object", "null"]},
            "notes": {"type": "array", "items": _TEXT},
        },
    }
    return {
        "operationId": "render",
        "summary": "What the page calls: a packshot with its verdict and its times",
        "requestBody": _body(page_api.PARAMETERS, (_MULTIPART,)),
        "responses": {
            "200": {"description": "the packshot", "content": {_JSON: {"schema": shot}}},
            **_errors(_UPLOAD),
        },
    }


def _choices() -> dict[str, Any]:
    return {
        "operationId": "choices",
        "summary": "What the page offers",
        "responses": {
            "200": {
                "description": "the choices",
                "content": {_JSON: {"schema": {"type": "object"}}},
            },
            **_errors(("403", "429", "500", "503", "504")),
        },
    }


def _body(table: Iterable[Parameter], media_types: Iterable[str]) -> dict[str, Any]:
    contents = {}
    for media_type in media_types:
        properties = {
            parameter.name: {**parameter.schema, "description": parameter.how}
            for parameter in table
            if media_type == _MULTIPART or not parameter.is_file
        }
        schema = {"type": "object", "properties": properties}
        if "photo" in properties:
            schema["required"] = ["photo"]
        contents[media_type] = {"schema": schema}
    return {"required": True, "content": contents}


def _errors(statuses: Iterable[str], schema: str = "Errors") -> dict[str, Any]:
    reference = {"$ref": f"#/components/schemas/{schema}"}
    return {
        status: {"description": _STATUSES[status], "content": {_JSON: {"schema": reference}}}
        for status in statuses
    }


def _nested(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "required": [name], "properties": {name: schema}}
