"""What operations watch: Prometheus's configuration and rules, and Grafana's dashboards."""
