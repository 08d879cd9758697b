//go:build tools

// Package tools names the module whose definitions are taken.
package tools

import _ "sigs.k8s.io/gateway-api/pkg/consts"
