//go:build tools

// Package tools names the commands of other modules that are built from this module's graph.
package tools

import _ "sigs.k8s.io/cri-tools/cmd/crictl"
