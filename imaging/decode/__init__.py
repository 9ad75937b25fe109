"""Reading a photo: formats, header checks, limits, colour and metadata, down to 8-bit sRGB."""
