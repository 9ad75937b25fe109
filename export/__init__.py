"""Networks, their training, and their way into Triton's model repository.

Nothing of this package runs while a photo is served: it makes the files that Triton serves.
"""
