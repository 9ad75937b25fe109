"""The names of the input and output tensors of every exported model; needs no torch."""

PHOTO = "photo"  # uint8 (N, H, W, 3), sRGB, already of the model's height and width
MATTE = "matte"  # uint8 (N, H, W, 1), 255 = foreground
