"""Mixed requests for minutes while Triton is killed: `python -m tests.soak`."""
