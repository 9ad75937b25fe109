"""The networks that the project can train or export, one readable file each."""
