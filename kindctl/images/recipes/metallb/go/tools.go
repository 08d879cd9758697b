//go:build tools

// Package tools names the commands that are built from MetalLB's module.
package tools

import (
	_ "go.universe.tf/metallb/controller"
	_ "go.universe.tf/metallb/speaker"
)
