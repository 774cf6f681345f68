#!/bin/sh
# Install the Debian packages that tests/slurm/cluster.py runs. Needs root; does nothing when they are all there.
set -eu

missing=""
for program in slurmctld slurmd slurmdbd sbatch munged mariadbd mariadb-install-db my_print_defaults; do
    command -v "$program" >/dev/null || missing="$missing $program"
done
if [ -z "$missing" ]; then
    echo "SLURM, munge and MariaDB are installed"
    exit 0
fi
echo "installing what brings:$missing"

# The packages' own services must not start: cluster.py starts the daemons itself, on other ports and files.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    trap 'rm -f "$policy"' EXIT
fi

export DEBIAN_FRONTEND=noninteractive
apt-get -qq update
# The two -core packages are the server and its tools without a system database and a service.
apt-get -qq install --yes --no-install-recommends \
    slurm-wlm slurmdbd munge mariadb-server-core mariadb-client-core >/dev/null
