package alb

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// action is that of the first rule that a request meets, or the default one: the last of its actions, before which
// others may only authenticate.
func (l *Listener) action(r *http.Request) Action {
	actions := l.DefaultActions
	for _, rule := range l.Rules {
		if !slices.ContainsFunc(rule.Conditions, func(c Condition) bool { return !c.met(r) }) {
			actions = rule.Actions
			break
		}
	}
	if len(actions) == 0 {
		return Action{}
	}
	return actions[len(actions)-1]
}

// localSuffix makes a name that every browser, and curl, looks for on this machine: shop.example.com.localhost.
const localSuffix = ".localhost"

// hostOf is the host that a request is for, as rules see it.
func hostOf(r *http.Request) string {
	return strings.TrimSuffix(strings.ToLower(hostname(r.Host)), localSuffix)
}

// hostname is a host without its port.
func hostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return strings.Trim(host, "[]")
}

func (c Condition) met(r *http.Request) bool {
	switch {
	case c.HostHeader != nil:
		return c.HostHeader.fit(hostOf(r), strings.ToLower)
	case c.PathPattern != nil:
		return c.PathPattern.fit(r.URL.EscapedPath(), nil)
	case c.HTTPRequestMethod != nil:
		return slices.Contains(c.HTTPRequestMethod.Values, r.Method)
	case c.SourceIP != nil:
		return slices.ContainsFunc(c.SourceIP.Values, func(cidr string) bool { return inRange(cidr, r.RemoteAddr) })
	case c.HTTPHeader != nil:
		wanted := Values{c.HTTPHeader.Values}
		return slices.ContainsFunc(r.Header.Values(c.HTTPHeader.HTTPHeaderName),
			func(value string) bool { return wanted.fit(strings.ToLower(value), strings.ToLower) })
	}
	return slices.ContainsFunc(c.QueryStrings, func(wanted struct{ Key, Value string }) bool {
		return hasQuery(r.URL.RawQuery, strings.ToLower(wanted.Key), strings.ToLower(wanted.Value))
	})
}

// fit reports whether one of the patterns, changed by fold where that is given, fits a text.
func (v Values) fit(text string, fold func(string) string) bool {
	return slices.ContainsFunc(v.Values, func(pattern string) bool {
		if fold != nil {
			pattern = fold(pattern)
		}
		return matches(pattern, text)
	})
}

// matches reports whether a pattern fits the whole text: * stands for any text, and ? for one character.
func matches(pattern, text string) bool {
	for pattern != "" && pattern[0] != '*' {
		if text == "" || pattern[0] != '?' && pattern[0] != text[0] {
			return false
		}
		pattern, text = pattern[1:], text[1:]
	}
	if pattern == "" {
		return text == ""
	}
	rest := strings.TrimLeft(pattern, "*")
	for ; ; text = text[1:] {
		if matches(rest, text) {
			return true
		}
		if text == "" {
			return false
		}
	}
}

// hasQuery looks for a parameter as AWS does: in the query as it was sent, whatever the case. Where no key is given,
// any parameter with that value will do.
func hasQuery(query, key, value string) bool {
	return slices.ContainsFunc(strings.Split(query, "&"), func(parameter string) bool {
		name, given, _ := strings.Cut(parameter, "=")
		return (key == "" || matches(key, unescaped(name))) && matches(value, unescaped(given))
	})
}

func unescaped(text string) string {
	if plain, err := url.QueryUnescape(text); err == nil {
		text = plain
	}
	return strings.ToLower(text)
}

func inRange(cidr, remote string) bool {
	wanted, err := netip.ParsePrefix(cidr)
	if err != nil {
		return false
	}
	client, err := netip.ParseAddrPort(remote)
	return err == nil && wanted.Contains(client.Addr().Unmap())
}
