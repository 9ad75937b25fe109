"""A prototype of the whole service on one device: JPEG files in, JPEG files on white out.

Every step is the gateway's own, ported to batches of torch operations. The gateway's modules stay
the reference; `benchmarks.gpu_run --only pipeline` measures both and how far they differ.
"""
