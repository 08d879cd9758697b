//go:build tools

// Package tools names the commands that are built from the controller's module.
package tools

import (
	_ "k8s.io/ingress-nginx/cmd/dbg"
	_ "k8s.io/ingress-nginx/cmd/nginx"
	_ "k8s.io/ingress-nginx/cmd/waitshutdown"
)
