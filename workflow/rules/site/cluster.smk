# Does the profile fit the cluster? Asked before the first real run.
#
# Purpose  `snakemake cluster_check --profile profiles/slurm` sends one small CPU job and one small GPU job, with the
#          profile's own partition and GPU request, and says what they found and which line to change. It fails if a run would.
# Inputs   none of the data; the profile, through what Snakemake makes of it
# Outputs  cluster_check/{checked}/report.md, and the facts it rests on: login.json, cpu.json, gpu.json, waiting.json
# Steps    check_login_node; check_cpu_node and check_gpu_node, with watch_cluster_check beside them (why do they wait? have
#          they ended?); report_cluster_check (of what there is); conclude_cluster_check (fails, after the report)
# Notes    {checked} is the time at which the check was asked for: every request is a new check, and earlier reports stay.

CHECKED = time.strftime("%Y-%m-%d_%H-%M-%S")
CHECK_STATE = f"state/{config['run']}"


wildcard_constraints:
    checked=r"\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d",


rule cluster_check:
    """does the profile fit the cluster? one small job of each kind says so"""
    input:
        # Facts of jobs, too: the report is made without those of a job that failed, and this target is not.
        expand(
            f"<results>/cluster_check/{CHECKED}/{{place}}.json", place=requests.jobs_of_check(plan)
        ),
        f"<results>/cluster_check/{CHECKED}/passed",


rule check_login_node:
    input:
        environment=own_file("envs/data.yaml"),
        lock=own_file("requirements.lock"),
    output:
        facts="<results>/cluster_check/{checked}/login.json",
    log:
        "<logs>/cluster_check/{checked}/login.log",
    benchmark:
        "<benchmarks>/cluster_check/{checked}/login.tsv"
    retries: 0
    localrule: True
    conda:
        "../../../envs/data.yaml"
    params:
        code=code_of("check_node.py"),
        state=CHECK_STATE,
        folders=["results", "resources", "logs", "benchmarks"],
        files=plan.outside.files(),
        addresses=plan.outside.addresses(),
        gpu=config["device"] == "cuda",
        gpu_rules=lambda wildcards: gpu_rules(),
        requests=lambda wildcards: requests.requests_of_rules(
            plan, own_rules(), lambda names: Wildcards(fromdict=names)
        ),
    script:
        "../../scripts/check_node.py"


rule check_cpu_node:
    input:
        environment=own_file("envs/learning.yaml"),
        lock=own_file("requirements.lock"),
        login="<results>/cluster_check/{checked}/login.json",
    output:
        facts="<results>/cluster_check/{checked}/cpu.json",
    log:
        "<logs>/cluster_check/{checked}/cpu.log",
    benchmark:
        "<benchmarks>/cluster_check/{checked}/cpu.tsv"
    retries: 0
    conda:
        "../../../envs/learning.yaml"
    threads: 2
    resources:
        mem_mb=4000,
        runtime=10,
    params:
        code=code_of("check_node.py"),
        jobs=requests.jobs_of_check(plan),
        state=CHECK_STATE,
        folders=["results", "resources", "logs", "benchmarks"],
        files=plan.outside.files(),
        addresses=plan.outside.addresses(),
    script:
        "../../scripts/check_node.py"


use rule check_cpu_node as check_gpu_node with:
    output:
        facts="<results>/cluster_check/{checked}/gpu.json",
    log:
        "<logs>/cluster_check/{checked}/gpu.log",
    benchmark:
        "<benchmarks>/cluster_check/{checked}/gpu.tsv"
    resources:
        gpu=1,
        mem_mb=4000,
        runtime=10,


rule watch_cluster_check:
    input:
        login="<results>/cluster_check/{checked}/login.json",
    output:
        waited="<results>/cluster_check/{checked}/waiting.json",
    log:
        "<logs>/cluster_check/{checked}/watch.log",
    benchmark:
        "<benchmarks>/cluster_check/{checked}/watch.tsv"
    retries: 0
    localrule: True
    conda:
        "../../../envs/data.yaml"
    params:
        code=code_of("watch_cluster_check.py"),
        state=CHECK_STATE,
        places=requests.jobs_of_check(plan),
    script:
        "../../scripts/watch_cluster_check.py"


rule report_cluster_check:
    input:
        login="<results>/cluster_check/{checked}/login.json",
        waited="<results>/cluster_check/{checked}/waiting.json",
    output:
        report="<results>/cluster_check/{checked}/report.md",
        findings="<results>/cluster_check/{checked}/findings.json",
    log:
        "<logs>/cluster_check/{checked}/report.log",
    benchmark:
        "<benchmarks>/cluster_check/{checked}/report.tsv"
    retries: 0
    localrule: True
    conda:
        "../../../envs/data.yaml"
    params:
        code=code_of("report_cluster_check.py"),
        state=CHECK_STATE,
        run=config["run"],
        device=config["device"],
    script:
        "../../scripts/report_cluster_check.py"


rule conclude_cluster_check:
    input:
        report="<results>/cluster_check/{checked}/report.md",
        findings="<results>/cluster_check/{checked}/findings.json",
    output:
        passed=touch("<results>/cluster_check/{checked}/passed"),
    log:
        "<logs>/cluster_check/{checked}/conclude.log",
    benchmark:
        "<benchmarks>/cluster_check/{checked}/conclude.tsv"
    retries: 0
    localrule: True
    conda:
        "../../../envs/data.yaml"
    params:
        code=code_of("conclude_cluster_check.py"),
    script:
        "../../scripts/conclude_cluster_check.py"
