"""The wire contract that every exported model keeps, in one place and without torch."""

PHOTO = "photo"  # uint8 (N, H, W, 3), sRGB, already of the model's height and width
MATTE = "matte"  # uint8 (N, H, W, 1), 255 = foreground
