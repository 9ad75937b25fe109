"""What several tests need: a fake inference server, pictures, files of bad bytes."""
