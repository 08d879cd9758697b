// Package agent is what a node runs for itself beside Kubernetes: its pod network and the volumes
// of the storage class "standard". Both follow the API by watches, so a node is Ready and a claim
// is bound as soon as the API server says what is wanted.
package agent

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
	"time"

	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
)

// Run serves this node until it is told to end.
//
// Environment: NODE_NAME, POD_SUBNET, and CONTROL_PLANE_ENDPOINT, which kind adds: the agent
// makes the network, so it cannot count on a Service address being routed.
func Run() error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	node, podSubnet := os.Getenv("NODE_NAME"), os.Getenv("POD_SUBNET")
	if node == "" || podSubnet == "" {
		return errors.New("NODE_NAME and POD_SUBNET must be set")
	}
	config, err := rest.InClusterConfig()
	if err != nil {
		return err
	}
	if endpoint := os.Getenv("CONTROL_PLANE_ENDPOINT"); endpoint != "" {
		config.Host = "https://" + endpoint
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	factory := informers.NewSharedInformerFactory(client, 0)
	parts := []*part{
		newNetwork(node, podSubnet, factory),
		newVolumes(node, client, factory),
	}
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	for _, p := range parts[1:] {
		go p.run(ctx)
	}
	parts[0].run(ctx)
	return nil
}

// part is one reconciler: whatever has changed, it looks at everything and makes it right.
type part struct {
	name      string
	changed   chan struct{} // holds at most one pending wake-up
	reconcile func(context.Context) error
}

func newPart(name string, reconcile func(context.Context) error) *part {
	return &part{name: name, changed: make(chan struct{}, 1), reconcile: reconcile}
}

func (p *part) wake() {
	select {
	case p.changed <- struct{}{}:
	default:
	}
}

func (p *part) run(ctx context.Context) {
	const retry, resync = time.Second, time.Minute
	for {
		pause := resync
		if err := p.reconcile(ctx); err != nil {
			klog.ErrorS(err, "Will try again", "part", p.name)
			pause = retry
		}
		select {
		case <-ctx.Done():
			return
		case <-p.changed:
		case <-time.After(pause):
		}
	}
}
