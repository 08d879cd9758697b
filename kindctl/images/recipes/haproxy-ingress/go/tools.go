//go:build tools

// Package tools names the command that is built from HAProxy ingress's module.
package tools

import _ "github.com/jcmoraisjr/haproxy-ingress/pkg"
