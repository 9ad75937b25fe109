"""Where the product stands in the frame of the finished picture, and how large."""
