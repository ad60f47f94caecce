#!/bin/bash
# Install the integration on a Debian or Ubuntu host with the Agent, and enable its configuration. Run as root.
#   provision.sh WHEEL            your own wheel
#   provision.sh NAME==VERSION    a published integration, e.g. datadog-my_metric==1.0.0
# Exit codes: 0 done, 2 unusable input (nothing was changed). Safe to run again, also with another build of the same
# version, which replaces the old code. An existing conf.yaml is kept.
set -euo pipefail

root=${PROVISION_ROOT:-}
etc=$root/etc/datadog-agent
here=$(cd "$(dirname "$0")" && pwd)

refuse() {
    echo "error: $1" >&2
    exit 2
}

[[ $# == 1 && -n $1 ]] || refuse 'expected one argument: a wheel, or NAME==VERSION of a published integration'
command -v datadog-agent >/dev/null || refuse 'no datadog-agent here: install the Agent first'
[[ -d $etc ]] || refuse "$etc is not there: install the Agent first"
[[ -s $etc/secrets/api_key ]] || refuse "$etc/secrets/api_key is missing or empty: it holds the API key"
if [[ $1 == *.whl ]]; then
    [[ -r $1 ]] || refuse "$1 cannot be read"
    # -r: allows the command to run as root; it does not drop privileges itself.
    install_from=(-r -w "$1")
elif [[ $1 =~ ^datadog-[a-z0-9_-]+==[0-9]+\.[0-9]+\.[0-9]+$ ]]; then
    install_from=(-r -t "$1")
else
    refuse "$1 is neither a wheel nor NAME==VERSION"
fi

install -m 0640 "$here/datadog.yaml" "$etc/datadog.yaml"
# The Agent refuses a secret command with permissions for anyone but its owner.
install -m 0500 "$here/secret_backend.py" "$etc/secret_backend.py"
chmod 0700 "$etc/secrets"
chmod 0400 "$etc"/secrets/*
chown -R dd-agent:dd-agent "$etc/datadog.yaml" "$etc/secret_backend.py" "$etc/secrets"

# If the same version is installed, pip keeps the old code, and the Agent's command still prints success.
if [[ $1 == *.whl ]]; then
    version=$(basename "$1" | cut -d- -f2)
    installed=$(datadog-agent integration show -q datadog-my_metric 2>/dev/null || true)
    if [[ $installed == "$version" ]]; then
        echo "my_metric $version is installed: removing it first, so that the wheel replaces its code"
        datadog-agent integration remove -r datadog-my_metric
    fi
fi
datadog-agent integration install "${install_from[@]}"
conf=$etc/conf.d/my_metric.d
[[ -e $conf/conf.yaml ]] || cp "$conf/conf.yaml.example" "$conf/conf.yaml"
chown dd-agent:dd-agent "$conf/conf.yaml"
systemctl restart datadog-agent
echo "my_metric is installed and enabled in $conf/conf.yaml"
