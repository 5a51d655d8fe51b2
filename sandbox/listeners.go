package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"slipway/sandbox/account"
	"slipway/sandbox/account/ecs"
	"slipway/sandbox/account/elb"
	"slipway/sandbox/agent"
)

// shownListener is as `sandbox ps --json` prints it.
type shownListener struct {
	Account      string   `json:"account"`
	LoadBalancer string   `json:"loadBalancer"`
	Protocol     string   `json:"protocol"`
	Port         int      `json:"port"`
	Address      string   `json:"address"`
	Hosts        []string `json:"hosts"` // the same for each host that it has a rule for
}

// shownListeners are those of an account's load balancers that answer on this machine.
func shownListeners(a *account.Account) ([]shownListener, error) {
	shown := []shownListener{}
	listeners, err := ecs.Listeners(a)
	for _, l := range listeners {
		if l.LocalPort() != 0 {
			shown = append(shown, showListener(a.ID, l))
		}
	}
	return shown, err
}

func showListener(account string, l elb.LiveListener) shownListener {
	address := func(host string) string {
		return fmt.Sprintf("%s://%s:%d", strings.ToLower(l.Settings.Protocol), host, l.LocalPort())
	}
	shown := shownListener{Account: account, LoadBalancer: l.LoadBalancer, Protocol: l.Settings.Protocol,
		Port: l.Settings.Port, Address: address("127.0.0.1"), Hosts: []string{}}
	for _, host := range l.Settings.Hosts {
		if !strings.ContainsAny(host, "*?") {
			shown.Hosts = append(shown.Hosts, address(host+".localhost"))
		}
	}
	return shown
}

func listenerRows(listeners []shownListener) (rows [][]string) {
	for _, l := range listeners {
		rows = append(rows, []string{l.LoadBalancer, fmt.Sprintf("%s:%d", l.Protocol, l.Port),
			strings.Join(append([]string{l.Address}, l.Hosts...), " ")})
	}
	return rows
}

// authorityFile is the file of who signs the certificates of HTTPS; empty where there is no HTTPS.
func authorityFile(dir string, listeners []shownListener) string {
	for _, l := range listeners {
		if l.Protocol == "HTTPS" {
			return filepath.Join(dir, agent.AuthorityFile)
		}
	}
	return ""
}
