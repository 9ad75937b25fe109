"""RenderRequests of every shape, from the proto's own description."""

import math
from collections.abc import Mapping
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message_factory import GetMessageClass
from hypothesis import strategies as st

from packshot.v1 import packshot_pb2 as pb

_TEXTS = ("", "matte", "amazon-main", "#ff0000", "#FFF", "nothing", "x" * 100_000, "\0", "../..")
_NUMBERS = (0.0, 0.05, 0.5, 1.0, 2.0, 45.0, 100.0, 1e300, -1.0, 5e-324, math.nan, math.inf)
_INTEGERS = (0, 1, 2, 3, 16, 60, 90, 100, 300, 10_000, 2**31 - 1, 2**31, 2**32 - 1)


def requests(photos: tuple[bytes, ...]) -> st.SearchStrategy[pb.RenderRequest]:
    """Build requests of any fields and any values, sensible and absurd.

    Args:
        photos: What stands in every field of bytes.
    """
    return _messages(pb.RenderRequest.DESCRIPTOR, photos)


def _messages(descriptor: Descriptor, photos: tuple[bytes, ...]) -> st.SearchStrategy[Any]:
    fields = {field.name: _values(field, photos) for field in descriptor.fields}
    build = GetMessageClass(descriptor)

    def built(values: Mapping[str, Any]) -> Any:
        return build(**values)

    return st.fixed_dictionaries({}, optional=fields).map(built)


def _values(field: FieldDescriptor, photos: tuple[bytes, ...]) -> st.SearchStrategy[Any]:
    value = _single(field, photos)
    return st.lists(value, max_size=12) if field.is_repeated else value


def _single(  # noqa: PLR0911  one return a type
    field: FieldDescriptor, photos: tuple[bytes, ...]
) -> st.SearchStrategy[Any]:
    kinds = FieldDescriptor
    match field.type:
        case kinds.TYPE_MESSAGE:
            assert field.message_type is not None
            return _messages(field.message_type, photos)
        case kinds.TYPE_BYTES:
            return st.sampled_from(photos)
        case kinds.TYPE_STRING:
            return st.one_of(st.sampled_from(_TEXTS), st.text(max_size=20))
        case kinds.TYPE_BOOL:
            return st.booleans()
        case kinds.TYPE_ENUM:
            assert field.enum_type is not None
            known = st.sampled_from([value.number for value in field.enum_type.values])
            return st.one_of(known, known, st.integers(-(2**31), 2**31 - 1))
        case kinds.TYPE_DOUBLE:
            return st.one_of(st.sampled_from(_NUMBERS), st.floats())
        case _:
            return st.one_of(st.sampled_from(_INTEGERS), st.integers(0, 2**32 - 1))
