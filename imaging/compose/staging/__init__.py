"""How the product sits before its background: shadow, mirror image, colours."""
