//go:build tools

// Package tools names the command that is built.
package tools

import _ "helm.sh/helm/v4/cmd/helm"
