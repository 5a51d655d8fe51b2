package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"
)

// What a task's containers can call by name, such as a load balancer, stands in the file of hosts, which they share.

const (
	hostsFile = "/etc/hosts"
	namesMark = "# What the task can call by name"
	namesTime = time.Second     // between two looks for names
	askTime   = 3 * time.Second // that the agent may take to answer
)

// followNames keeps the names in the file as the agent knows them, until ctx is done.
func followNames(ctx context.Context, agent http.RoundTripper, file string) {
	for ctx.Err() == nil {
		addresses := map[string][]string{}
		err := ask(ctx, agent, "/agent/names", &addresses)
		if err == nil {
			if err := writeNames(file, addresses); err != nil {
				fmt.Fprintln(os.Stderr, "taskhost:", err)
			}
			_ = ask(ctx, agent, "/agent/names/known", nil) // where it is not heard, the next look says it again
		}
		select {
		case <-ctx.Done():
		case <-time.After(namesTime):
		}
	}
}

func ask(ctx context.Context, agent http.RoundTripper, path string, into any) error {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://agent"+path, nil)
	if err != nil {
		return err
	}
	response, err := agent.RoundTrip(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the agent answers %s", response.Status)
	}
	if into == nil {
		return nil
	}
	return json.NewDecoder(response.Body).Decode(into)
}

// writeNames writes the names behind what the engine has in the file, in place: the task's containers have the same.
func writeNames(name string, addresses map[string][]string) error {
	before, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	own, _, _ := strings.Cut(string(before), namesMark)
	text := &strings.Builder{}
	text.WriteString(own)
	if len(addresses) > 0 {
		text.WriteString(namesMark + "\n")
	}
	for _, host := range slices.Sorted(maps.Keys(addresses)) {
		for _, address := range addresses[host] {
			fmt.Fprintf(text, "%s\t%s\n", address, host)
		}
	}
	if text.String() == string(before) {
		return nil
	}
	file, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	if _, err = file.WriteAt([]byte(text.String()), 0); err == nil {
		err = file.Truncate(int64(text.Len()))
	}
	if closing := file.Close(); err == nil {
		err = closing
	}
	return err
}
