// Package ext stands in for a nested module of Traefik that is not published: hooks by which builds of
// others extend its dynamic configuration. These extend it by nothing.
package ext

// HTTP extends the options of HTTP.
type HTTP struct{}

// Router extends the options of a router.
type Router struct{}
