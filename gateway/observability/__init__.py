"""What can be seen of the gateway from outside: metrics, traces and a line per request."""
