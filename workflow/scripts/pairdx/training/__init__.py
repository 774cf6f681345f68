"""Training: the loop, augmentation on the device, checkpoints, the passport.

It knows a module, a loss and batches, and nothing of the models.
"""
