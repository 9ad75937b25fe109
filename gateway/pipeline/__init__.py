"""The steps of a photo's way, as pure functions of arrays.

In order: `decode`, `prepare`, (inference), `refine`, `compose`, `encode`. None of them knows of
protobuf, the event loop or Triton.
"""
