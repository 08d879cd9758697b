//go:build tools

// Package tools names the command that is built from Traefik's module.
package tools

import _ "github.com/traefik/traefik/v3/cmd/traefik"
