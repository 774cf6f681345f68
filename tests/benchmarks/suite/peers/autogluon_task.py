"""AutoGluon MultiModal: the network of `lite0` in ours.yaml, trained on the same images."""

from autogluon.multimodal import MultiModalPredictor

SETTINGS = {
    "model.names": ["timm_image"],
    "model.timm_image.checkpoint_name": "lite0",
    "model.timm_image.train_transforms": ["resize_shorter_side", "center_crop"],
    "env.batch_size": 32,
    "env.per_gpu_batch_size": 32,
    "env.accelerator": "cpu",
    "env.num_gpus": 0,
    "env.precision": 32,
    "optim.max_epochs": 5,
    "optim.lr": 0.0003,
    "optim.lr_choice": "single_stage",
    "optim.lr_schedule": "polynomial_decay",
    "optim.end_lr": 0.000299,  # there is no constant one
    "optim.warmup_steps": 0,
}


def fit(train, validation):
    predictor = MultiModalPredictor(label="label", path="autogluon", verbosity=1)
    columns = ["image", "label"]
    return predictor.fit(train[columns], tuning_data=validation[columns], hyperparameters=SETTINGS)


def predict(model, test):
    return model.predict(test[["image"]])
