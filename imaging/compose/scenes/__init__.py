"""Rendered scenes for a product to stand in: a set, its light, its floor's texture."""

from imaging.compose.scenes.scene import SceneStaging, paint_scene, suits

__all__ = ["SceneStaging", "paint_scene", "suits"]
