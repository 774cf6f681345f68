"""The family fusion: an image branch and a caption branch, joined."""
