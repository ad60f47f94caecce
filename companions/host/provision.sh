#!/bin/bash
# Install the integration on a Debian or Ubuntu host that has the Agent, and enable its configuration. Run as root.
#   provision.sh WHEEL            a wheel of your own
#   provision.sh NAME==VERSION    a published one, e.g. datadog-my_metric==1.0.0
# Exit codes: 0 done, 2 unusable input (nothing was changed). Safe to run again, with another build of the same version too:
# its code replaces the old. A conf.yaml that is there stays.
set -euo pipefail

root=${PROVISION_ROOT:-}
etc=$root/etc/datadog-agent
here=$(cd "$(dirname "$0")" && pwd)

refuse() {
    echo "error: $1" >&2
    exit 2
}

[[ $# == 1 && -n $1 ]] || refuse 'one argument: a wheel, or NAME==VERSION of a published integration'
command -v datadog-agent >/dev/null || refuse 'no datadog-agent here: install the Agent first'
[[ -d $etc ]] || refuse "$etc is not there: install the Agent first"
[[ -s $etc/secrets/api_key ]] || refuse "$etc/secrets/api_key is missing or empty: it holds the API key"
if [[ $1 == *.whl ]]; then
    [[ -r $1 ]] || refuse "$1 cannot be read"
    # -r: the command refuses to run as root otherwise; it drops no privilege by itself.
    install_from=(-r -w "$1")
elif [[ $1 =~ ^datadog-[a-z0-9_-]+==[0-9]+\.[0-9]+\.[0-9]+$ ]]; then
    install_from=(-r -t "$1")
else
    refuse "$1 is neither a wheel nor NAME==VERSION"
fi

install -m 0640 "$here/datadog.yaml" "$etc/datadog.yaml"
# The Agent refuses a secret command that anyone but its owner may read, write or run.
install -m 0500 "$here/secret_backend.py" "$etc/secret_backend.py"
chmod 0700 "$etc/secrets"
chmod 0400 "$etc"/secrets/*
chown -R dd-agent:dd-agent "$etc/datadog.yaml" "$etc/secret_backend.py" "$etc/secrets"

# pip keeps the old code when a wheel has the version that is installed, and the Agent's command still prints success.
if [[ $1 == *.whl ]]; then
    version=$(basename "$1" | cut -d- -f2)
    installed=$(datadog-agent integration show -q datadog-my_metric 2>/dev/null || true)
    if [[ $installed == "$version" ]]; then
        echo "my_metric $version is installed: it is removed first, so that the wheel's code replaces it"
        datadog-agent integration remove -r datadog-my_metric
    fi
fi
datadog-agent integration install "${install_from[@]}"
conf=$etc/conf.d/my_metric.d
[[ -e $conf/conf.yaml ]] || cp "$conf/conf.yaml.example" "$conf/conf.yaml"
chown dd-agent:dd-agent "$conf/conf.yaml"
systemctl restart datadog-agent
echo "my_metric is installed and enabled in $conf/conf.yaml"
