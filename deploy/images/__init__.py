"""Container images: their Dockerfiles, what they hold, and how they are built and tried."""
