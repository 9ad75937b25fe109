"""Several gateway processes on one port: a supervisor starts, watches, replaces and ends them."""
