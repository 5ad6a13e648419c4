// Command evaluate-policies evaluates NetworkPolicies with cyclonus, the origin of network-policy-api's policy assistant.
// It reads a JSON array of {policies, packets} and prints one array for each, with the verdicts at both ends per packet.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/mattfenwick/cyclonus/pkg/matcher"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
)

type pod struct {
	Namespace string            `json:"ns"`
	Labels    map[string]string `json:"labels"`
}

type packet struct {
	Source      pod    `json:"src"`
	Destination pod    `json:"dst"`
	Protocol    string `json:"protocol"`
	Port        int    `json:"port"`
}

type question struct {
	Policies []*networking.NetworkPolicy `json:"policies"`
	Packets  []packet                    `json:"packets"`
}

type answer struct {
	Egress  string `json:"egress"`
	Ingress string `json:"ingress"`
}

// podAddress is outside every address range in the policies, because IP blocks do not select pods.
const podAddress = "192.0.2.1"

func (p pod) peer() *matcher.TrafficPeer {
	return &matcher.TrafficPeer{
		Internal: &matcher.InternalPeer{
			PodLabels:       p.Labels,
			Namespace:       p.Namespace,
			NamespaceLabels: map[string]string{"kubernetes.io/metadata.name": p.Namespace},
		},
		IP: podAddress,
	}
}

func verdict(result *matcher.DirectionResult) string {
	switch {
	case len(result.AllowingTargets)+len(result.DenyingTargets) == 0:
		return "not selected"
	case result.IsAllowed():
		return "allowed"
	}
	return "denied"
}

func (q question) answers() []answer {
	policy := matcher.BuildNetworkPolicies(false, q.Policies)
	answers := make([]answer, len(q.Packets))
	for index, packet := range q.Packets {
		traffic := &matcher.Traffic{
			Source:       packet.Source.peer(),
			Destination:  packet.Destination.peer(),
			ResolvedPort: packet.Port,
			Protocol:     core.Protocol(strings.ToUpper(packet.Protocol)),
		}
		answers[index] = answer{
			Egress:  verdict(policy.IsIngressOrEgressAllowed(traffic, false)),
			Ingress: verdict(policy.IsIngressOrEgressAllowed(traffic, true)),
		}
	}
	return answers
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: evaluate-policies FILE")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	decoder := json.NewDecoder(file)
	decoder.DisallowUnknownFields()
	var questions []question
	if err := decoder.Decode(&questions); err != nil {
		return err
	}
	all := make([][]answer, len(questions))
	for index, question := range questions {
		all[index] = question.answers()
	}
	return json.NewEncoder(os.Stdout).Encode(all)
}
