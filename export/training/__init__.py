"""From a folder of openly licensed pictures to a trained network.

``sources`` reads the folder into memory, ``compose`` makes scenes of it, ``camera`` photographs
them, ``loop`` trains on what comes out.
"""
