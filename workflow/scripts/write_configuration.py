"""Write the merged configuration beside the results, so that a run says by itself what made it."""

from typing import TYPE_CHECKING

import yaml

from pairdx.files import written_whole
from pairdx.logs import job_log
from pairdx.plan.code import SCRIPTS
from pairdx.plan.configuration import as_overlay, defaults

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

HEAD = (
    "# The configuration of this run: the defaults under its overlays. Given to --configfile, it "
    "makes the same.\n"
)


def main() -> None:
    """Write it as YAML. It is read here and is no parameter: that would be printed with a plan."""
    with job_log(snakemake.log[0]) as log:
        config = as_overlay(defaults(SCRIPTS.parents[1]), snakemake.config)
        text = yaml.safe_dump(config, sort_keys=False, allow_unicode=True, width=120)
        with written_whole(snakemake.output[0]) as aside:
            aside.write_text(HEAD + text, encoding="utf-8")
        log.info("%d sections", len(config))


main()
