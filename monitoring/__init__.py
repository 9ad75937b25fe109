"""Monitoring for operations: Prometheus's configuration and rules, and Grafana's dashboards."""
