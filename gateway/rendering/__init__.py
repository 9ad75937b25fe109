"""One render: its call, its steps on the worker threads, and the processes that decode."""
