"""The finished picture: background or scene, staging and the product on it."""
