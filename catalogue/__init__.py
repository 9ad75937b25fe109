"""Millions of photos through the gateway, as a job on Ray Data.

    python -m catalogue run --input photos/ --output packshots/ --preset amazon-main

`catalogue.job.run_job` is the same as a function, for a driver of your own. `catalogue.plan`
decides what is to do, `catalogue.worker` does it in Ray's actors, and `catalogue.results`
keeps a row for each photo.
"""
