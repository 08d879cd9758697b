//go:build tools

// Package tools names the command that is built from metrics-server's module.
package tools

import _ "sigs.k8s.io/metrics-server/cmd/metrics-server"
