#!/bin/sh
# Before nginx starts: /etc/nginx/templates/NAME.template with the environment's values becomes
# /etc/nginx/conf.d/NAME, and executable /docker-entrypoint.d/*.sh run. Only variables that exist
# are replaced, so that nginx's own ($uri) stay.
set -eu

defined=$(awk 'BEGIN { for (name in ENVIRON) if (name ~ /^[A-Za-z_][A-Za-z0-9_]*$/) printf "${%s} ", name }')
for template in /etc/nginx/templates/*.template; do
    [ -e "$template" ] || continue
    name=${template##*/}
    envsubst "$defined" < "$template" > "/etc/nginx/conf.d/${name%.template}"
done
for script in /docker-entrypoint.d/*.sh; do
    if [ -x "$script" ]; then "$script"; fi
done
exec "$@"
