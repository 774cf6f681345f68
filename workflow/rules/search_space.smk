# The systems that the learning-rate search trains; no rules.
#
# Purpose  one registry entry per rate of `learning_rate_search`: the searched system's with another learning rate,
#          `enabled: false`, so that no table or figure of `all` shows it. The rules of train.smk train it like any other.
# Inputs   the configuration: learning_rate_search, models
# Outputs  entries such as pairdx_clip_lr1e-05, added to config["models"] by the Snakefile


def search_settings():
    """The section learning_rate_search with its split resolved; empty if it is null."""
    section = config["learning_rate_search"]
    return {**section, "split": section["split"] or config["splits"][0]} if section else {}


def conflicts_of_search():
    """What the learning-rate search can get wrong and no single key shows."""
    search = search_settings()
    if not search:
        return
    entry = config["models"].get(search["model"])
    if entry is None or not (entry["network"] and entry["trained"]):
        known = [
            name
            for name, other in config["models"].items()
            if other["network"] and other["trained"]
        ]
        wrong = "no system of the registry" if entry is None else "not a trainable network"
        yield f"config key learning_rate_search.model: {search['model']} is {wrong}; trainable networks: {', '.join(known)}"
    if search["split"] not in config["splits"]:
        yield f"config key learning_rate_search.split: {search['split']} is not among splits ({', '.join(config['splits'])})"


def candidate_rates():
    """The learning rates to try, by the name of the system that is trained with each; lowest first.

    A name depends on its rate alone, so that another list trains only what is new in it.
    """
    search = search_settings()
    return {
        f"{search['model']}_lr{rate!r}": rate
        for rate in sorted(map(float, search.get("learning_rates", ())))
    }


def candidates():
    """The registry entries of the search."""
    search = search_settings()
    if not search:
        return {}
    entry = config["models"][search["model"]] | {
        "enabled": False,
        "candidate_of": search["model"],
    }
    return {
        name: {**entry, "settings": {**entry["settings"], "learning_rate": rate}}
        for name, rate in candidate_rates().items()
    }


def candidate_states(_):
    """The training states of every rate, which nobody needs once their curves are compared."""
    search = search_settings()
    return [
        state_folder({"split": search["split"], "model": name, "seed": config["seeds"][0]})
        for name in candidate_rates()
    ]


def candidate_histories(_):
    """training.csv of every rate. A searched system that is not enabled is only checked here, when it is needed."""
    search = search_settings()
    if not search:
        raise WorkflowError("there is nothing to search: config key learning_rate_search is null")
    if problems := [*_conflicts_of_systems([search["model"]])]:
        raise WorkflowError("\n".join(problems))
    return [
        f"<results>/{search['split']}/{name}/seed{config['seeds'][0]}/training.csv"
        for name in candidate_rates()
    ]


def search_facts(_):
    """What the table and the figure of the search need to know."""
    search = search_settings()
    name = search["model"]
    return {
        "model": name,
        "registry": registry([name]),
        "split": search["split"],
        "seed": config["seeds"][0],
        "learning_rates": [*candidate_rates().values()],
        # Which epoch's weights training keeps.
        "keep_epoch": config["models"][name]["settings"].get("keep_epoch", "last"),
    }
