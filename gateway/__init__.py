"""The gateway: the gRPC service between callers and Triton.

A photo's way, top to bottom: `service` takes the request, `options` reads it, `renderer` leads it
through the steps of `pipeline` and through `inference`, `service` answers.
"""
