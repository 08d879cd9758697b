module kindctl.dev/recipes/gateway-api

go 1.26.2

require sigs.k8s.io/gateway-api v1.5.1
