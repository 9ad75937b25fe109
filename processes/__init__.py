"""What every process of this project shares: settings, logs, metrics, and how one runs another."""
