"""The columns of training.csv, one row per epoch.

``train_accuracy`` is taken while training: on augmented images, with dropout, from weights that
change from step to step. ``learning_rate`` is that of the epoch's last step. ``seconds`` covers the
epoch's training and validation passes and, in the first epoch of an attempt, moving the images to
the device; ``data_seconds`` is the part of the training pass, and of that moving, spent waiting for
data; ``samples_per_second`` is that of the training pass. The time of an epoch that was interrupted
is not counted.
"""

COLUMNS = [
    "epoch",
    "train_loss",
    "train_accuracy",
    "validation_loss",
    "validation_accuracy",
    "learning_rate",
    "seconds",
    "data_seconds",
    "samples_per_second",
]
