"""One page and its charts, from saved records only: `python -m benchmarks report FOLDER`."""
