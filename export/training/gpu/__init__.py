"""Trains the default network on a GPU for minutes: pictures are composed on the device."""
