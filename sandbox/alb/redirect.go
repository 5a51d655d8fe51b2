package alb

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Redirect tells a client to ask elsewhere. What its parts leave out is as in the request, by placeholders.
type Redirect struct{ Host, Path, Port, Protocol, Query, StatusCode string }

// location is where a redirect of the listener sends a request. Where that is a listener of the same load balancer, it
// answers on this machine.
func (l *Listener) location(redirect Redirect, r *http.Request) string {
	original := strings.NewReplacer("#{host}", hostOf(r), "#{port}", strconv.Itoa(l.Port),
		"#{protocol}", strings.ToLower(l.Protocol), "#{path}", strings.TrimPrefix(r.URL.EscapedPath(), "/"),
		"#{query}", r.URL.RawQuery)
	fill := func(part, standard string) string {
		if part == "" {
			part = standard
		}
		return original.Replace(part)
	}
	host, port := strings.ToLower(fill(redirect.Host, "#{host}")), fill(redirect.Port, "#{port}")
	number, _ := strconv.Atoi(port) // AWS takes no other text
	known := slices.ContainsFunc(l.Hosts, func(pattern string) bool { return matches(strings.ToLower(pattern), host) })
	if local := l.LocalPorts[number]; local != 0 && (host == hostOf(r) || known) {
		port = strconv.Itoa(local)
		// In the words of the client: what it has found once, it finds again.
		if host == hostOf(r) {
			host = hostname(r.Host)
		} else if strings.HasSuffix(strings.ToLower(hostname(r.Host)), localSuffix) {
			host += localSuffix
		}
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	location := fmt.Sprintf("%s://%s:%s%s", strings.ToLower(fill(redirect.Protocol, "#{protocol}")), host, port,
		fill(redirect.Path, "/#{path}"))
	if query := fill(redirect.Query, "#{query}"); query != "" {
		location += "?" + query
	}
	return location
}

func (r Redirect) status() int {
	if r.StatusCode == "HTTP_301" {
		return http.StatusMovedPermanently
	}
	return http.StatusFound
}

func (f FixedResponse) status() int {
	if status, err := strconv.Atoi(f.StatusCode); err == nil {
		return status
	}
	return http.StatusOK
}
