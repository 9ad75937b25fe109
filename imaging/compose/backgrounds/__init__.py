"""What stands behind the product, painted at the picture's size."""
