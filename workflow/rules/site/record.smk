# What a run says of itself.
#
# Purpose  the configuration as it was used, and which rule gives what to which.
# Inputs   the configuration, the rule files
# Outputs  config.yaml, figures/rule_graph.svg and .png

RULE_FILES = sorted(
    path.relative_to(ROOT).as_posix() for path in ROOT.glob("workflow/rules/**/*.smk")
)


rule write_configuration:
    output:
        "<results>/config.yaml",
    log:
        "<logs>/write_configuration.log",
    benchmark:
        "<benchmarks>/figures/write_configuration.tsv"
    localrule: True
    conda:
        "../../../envs/data.yaml"
    params:
        code=code_of("write_configuration.py"),
        config=configuration.fingerprint(plan.config),
    script:
        "../../scripts/write_configuration.py"


rule draw_rule_graph:
    input:
        rules=[own_file(path) for path in RULE_FILES],
        snakefile=own_file("Snakefile"),
    output:
        **outputs_of("draw_rule_graph"),
    log:
        "<logs>/figures/rule_graph.log",
    benchmark:
        "<benchmarks>/figures/rule_graph.tsv"
    localrule: True
    conda:
        "../../../envs/data.yaml"
    params:
        code=code_of("draw_rule_graph.py"),
        decided_by=decides_the_graph(plan),
    script:
        "../../scripts/draw_rule_graph.py"
