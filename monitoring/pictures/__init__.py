"""Pictures of the dashboards for the documents, drawn with matplotlib from a Prometheus's data."""
