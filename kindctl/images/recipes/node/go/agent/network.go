package agent

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	listers "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
)

const (
	cniConfig = "/etc/cni/net.d/10-node-agent.conflist"
	masqChain = "NODE-AGENT-MASQ"
	// routeProtocol marks the routes made here, so that those of a node that left can be told
	// from everyone else's. 0 to 191 are taken or reserved in iproute2's rt_protos.
	routeProtocol = netlink.RouteProtocol(199)
)

// network is a plain routed IPv4 network: each node has a range of its own (ptp and host-local
// plug-ins), routes to the ranges of the others, and masquerades what leaves the cluster.
type network struct {
	node      string
	podSubnet string
	nodes     listers.NodeLister
}

func newNetwork(node, podSubnet string, factory informers.SharedInformerFactory) *part {
	informer := factory.Core().V1().Nodes()
	n := &network{node: node, podSubnet: podSubnet, nodes: informer.Lister()}
	p := newPart("network", n.reconcile)
	wake := func(any) { p.wake() }
	_, err := informer.Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    wake,
		UpdateFunc: func(_, _ any) { p.wake() },
		DeleteFunc: wake,
	})
	if err != nil { // only an informer that has been stopped refuses a handler
		klog.Fatal(err)
	}
	return p
}

func (n *network) reconcile(context.Context) error {
	nodes, err := n.nodes.List(labels.Everything())
	if err != nil {
		return err
	}
	wanted := map[string]net.IP{}
	for _, node := range nodes {
		cidr, address := podCIDR(node), internalIP(node)
		switch {
		case cidr == nil || address == nil:
			klog.V(2).InfoS("Has no IPv4 pod range or address yet", "node", node.Name)
		case node.Name == n.node:
			if err := writeCNIConfig(cidr); err != nil {
				return err
			}
		default:
			wanted[cidr.String()] = address
		}
	}
	return errors.Join(setRoutes(wanted), n.masquerade())
}

func podCIDR(node *corev1.Node) *net.IPNet {
	for _, text := range node.Spec.PodCIDRs {
		if _, cidr, err := net.ParseCIDR(text); err == nil && cidr.IP.To4() != nil {
			return cidr
		}
	}
	return nil
}

func internalIP(node *corev1.Node) net.IP {
	for _, address := range node.Status.Addresses {
		if ip := net.ParseIP(address.Address).To4(); ip != nil && address.Type == corev1.NodeInternalIP {
			return ip
		}
	}
	return nil
}

// writeCNIConfig is what makes the node Ready: containerd watches the folder. Addresses in use
// are kept under /run, which like the pods does not outlive the node's container.
func writeCNIConfig(cidr *net.IPNet) error {
	mtu, err := uplinkMTU()
	if err != nil {
		return err
	}
	type object = map[string]any
	config, err := json.MarshalIndent(object{
		"cniVersion": "1.0.0",
		"name":       "node-agent",
		"plugins": []object{
			{
				"type": "ptp", "mtu": mtu, "ipMasq": false,
				"ipam": object{
					"type": "host-local", "dataDir": "/run/cni-ipam",
					"routes": []object{{"dst": "0.0.0.0/0"}},
					"ranges": [][]object{{{"subnet": cidr.String()}}},
				},
			},
			{"type": "portmap", "capabilities": object{"portMappings": true}},
		},
	}, "", "  ")
	if err != nil {
		return err
	}
	if present, err := os.ReadFile(cniConfig); err == nil && bytes.Equal(present, config) {
		return nil
	}
	temporary := filepath.Join(filepath.Dir(cniConfig), ".node-agent.tmp")
	if err := os.WriteFile(temporary, config, 0o644); err != nil {
		return err
	}
	return os.Rename(temporary, cniConfig)
}

func uplinkMTU() (int, error) {
	routes, err := netlink.RouteGet(net.IPv4(1, 1, 1, 1))
	if err != nil {
		return 0, fmt.Errorf("no default route: %w", err)
	}
	link, err := netlink.LinkByIndex(routes[0].LinkIndex)
	if err != nil {
		return 0, err
	}
	return link.Attrs().MTU, nil
}

// setRoutes makes the routes of ours be exactly these (pod range: address of its node).
func setRoutes(wanted map[string]net.IP) error {
	var failed []error
	for text, gateway := range wanted {
		_, cidr, err := net.ParseCIDR(text)
		if err == nil {
			err = netlink.RouteReplace(&netlink.Route{Dst: cidr, Gw: gateway, Protocol: routeProtocol})
		}
		failed = append(failed, err)
	}
	present, err := netlink.RouteListFiltered(
		unix.AF_INET, &netlink.Route{Protocol: routeProtocol}, netlink.RT_FILTER_PROTOCOL)
	failed = append(failed, err)
	for _, route := range present {
		if gateway, ok := wanted[route.Dst.String()]; !ok || !gateway.Equal(route.Gw) {
			failed = append(failed, netlink.RouteDel(&route))
		}
	}
	return errors.Join(failed...)
}

func (n *network) masquerade() error {
	rules := strings.Join([]string{
		"*nat",
		":" + masqChain + " - [0:0]",
		"-A " + masqChain + " -d " + n.podSubnet + " -j RETURN",
		"-A " + masqChain + " -j MASQUERADE",
		"COMMIT", "",
	}, "\n")
	if err := iptables(rules, "iptables-restore", "--wait", "5", "--noflush"); err != nil {
		return err
	}
	jump := []string{"POSTROUTING", "-s", n.podSubnet, "-m", "addrtype", "!", "--dst-type", "LOCAL", "-j", masqChain}
	if iptables("", append([]string{"iptables", "--wait", "5", "-t", "nat", "-C"}, jump...)...) == nil {
		return nil
	}
	return iptables("", append([]string{"iptables", "--wait", "5", "-t", "nat", "-A"}, jump...)...)
}

func iptables(input string, command ...string) error {
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdin = strings.NewReader(input)
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(command, " "), err, bytes.TrimSpace(output))
	}
	return nil
}
