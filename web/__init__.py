"""The HTTP face: remove.bg's contract, Photoroom's, and a page to try a photo on.

It checks what callers say, calls the gateway by `packshot.AsyncClient`, and puts the answer into
the contract's words. It holds no picture code, and keeps nothing of what it is sent.
"""
