"""The family clip: contrastive image-text encoders, zero-shot or fine-tuned."""
