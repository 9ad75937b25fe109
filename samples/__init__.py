"""Rendered product photos with exact mattes: the demo's and the integration tests' input."""
