"""TIFF files, read by their own layout: libtiff unpacks the bytes, what they mean is told here.

Pillow knows a fixed table of layouts, refuses most of the others without a word about them, and
reads some of the table wrongly: planes of 16 bits, 16 bits of which white is zero, 12 bits.
"""
