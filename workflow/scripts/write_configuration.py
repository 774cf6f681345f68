"""Write the merged configuration beside the results, so that a run says by itself what made it."""

from typing import TYPE_CHECKING

import yaml

from pairdx.files import written_whole
from pairdx.logs import job_log

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

HEAD = (
    "# The configuration of this run: the defaults under its overlays. Given to --configfile, it "
    "makes the same.\n"
)


def main() -> None:
    """Write it as YAML."""
    with job_log(snakemake.log[0]) as log:
        config = snakemake.params.config
        text = yaml.safe_dump(config, sort_keys=False, allow_unicode=True, width=120)
        with written_whole(snakemake.output[0]) as aside:
            aside.write_text(HEAD + text, encoding="utf-8")
        log.info("%d sections", len(config))


main()
