package alb

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRequestsGoByTheFirstRuleThatTheyMeet(t *testing.T) {
	t.Parallel()
	l := settings(t, `{"protocol": "HTTP", "port": 80,
		"defaultActions": [{"type": "fixed-response",
			"fixedResponse": {"contentType": "text/plain", "messageBody": "no such service", "statusCode": "404"}}],
		"rules": [
			{"conditions": [{"hostHeader": {"values": ["shop.example.com"]}}, {"pathPattern": {"values": ["/api/*", "/v?"]}}],
				"actions": [{"type": "forward", "targetGroupArn": "api"}]},
			{"conditions": [{"hostHeader": {"values": ["*.example.com"]}}],
				"actions": [{"type": "forward", "targetGroupArn": "shop"}]},
			{"conditions": [{"httpRequestMethod": {"values": ["DELETE"]}}, {"httpHeader": {"httpHeaderName": "x-a", "values": ["b*"]}}],
				"actions": [{"type": "forward", "targetGroupArn": "deletes"}]},
			{"conditions": [{"queryStrings": [{"key": "version", "value": "2*"}, {"value": "beta"}]}],
				"actions": [{"type": "forward", "targetGroupArn": "beta"}]},
			{"conditions": [{"sourceIp": {"values": ["10.0.0.0/8"]}}], "actions": [{"type": "forward", "targetGroupArn": "api"}]},
			{"conditions": [{"sourceIp": {"values": ["127.0.0.0/8"]}}, {"pathPattern": {"values": ["/here/*"]}}],
				"actions": [{"type": "forward", "targetGroupArn": "local"}]}]}`)
	l.TargetGroups = map[string]TargetGroup{}
	for _, name := range []string{"api", "shop", "deletes", "beta", "local"} {
		l.TargetGroups[name] = says(t, name)
	}
	_, server := serving(t, l)
	for request, want := range map[string]string{
		"GET shop.example.com /api/x":                      "api",
		"GET SHOP.example.com:1234 /v1":                    "api",
		"GET shop.example.com.localhost:1234 /api/x":       "api",
		"GET shop.example.com /v12":                        "shop",
		"GET shop.example.com /API/x":                      "shop",
		"GET a.b.example.com.LOCALHOST /":                  "shop",
		"GET example.com /":                                "no such service",
		"GET shop.example.com.localhost.other /":           "no such service",
		"GET 127.0.0.1:80 /api/x":                          "no such service",
		"GET localhost /here/x":                            "local",
		"DELETE localhost /":                               "deletes",
		"GET localhost /?version=2.1":                      "beta",
		"GET localhost /?VERSION=2&other=1":                "beta",
		"GET localhost /?any=Beta":                         "beta",
		"GET localhost /?version=1":                        "no such service",
		"GET localhost /?a=%62eta":                         "beta",
		"GET localhost /here/%2e%2e?version=1&x=beta&y=z":  "beta",
		"GET shop.example.com.localhost:443 /api/a%2Fb?x=": "api",
	} {
		method, rest, _ := strings.Cut(request, " ")
		host, path, _ := strings.Cut(rest, " ")
		_, body := asks(t, server, func(r *http.Request) {
			parsed, err := r.URL.Parse(path)
			require.NoError(t, err)
			r.Method, r.Host, r.URL = method, host, parsed
			r.Header.Set("X-A", "Bc")
		})
		require.Equal(t, want, body, request)
	}
}

func TestAFixedResponse(t *testing.T) {
	t.Parallel()
	_, server := serving(t, settings(t, `{"defaultActions": [{"type": "fixed-response",
		"fixedResponse": {"contentType": "application/json", "messageBody": "{}", "statusCode": "418"}}]}`))
	response, body := asks(t, server, nil)
	require.Equal(t, []any{418, "application/json", "awselb/2.0", "{}"}, []any{response.StatusCode,
		response.Header.Get("Content-Type"), response.Header.Get("Server"), body})
}

func TestRedirects(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ redirect, url, want string }{
		"to the HTTPS listener on this machine": {`{"protocol": "HTTPS", "port": "443"}`, "shop.example.com.localhost:20080/a%20b?c=d",
			"https://shop.example.com.localhost:20443/a%20b?c=d"},
		"of a bare address":  {`{"protocol": "HTTPS", "port": "443"}`, "127.0.0.1:20080/", "https://127.0.0.1:20443/"},
		"of an IPv6 address": {`{"protocol": "HTTPS", "port": "443"}`, "[::1]:20080/", "https://[::1]:20443/"},
		"of a host as such":  {`{"protocol": "HTTPS", "port": "443"}`, "shop.example.com/", "https://shop.example.com:20443/"},
		"to another host of the load balancer": {`{"host": "www.#{host}", "path": "/from/#{path}"}`,
			"shop.example.com.localhost:20080/x", "http://www.shop.example.com.localhost:20080/from/x"},
		"to a host elsewhere": {`{"host": "docs.other.org", "protocol": "HTTPS", "port": "443", "path": "/", "query": "from=#{host}&#{query}"}`,
			"shop.example.com.localhost:20080/x?a=b", "https://docs.other.org:443/?from=shop.example.com&a=b"},
		"to a port that has no listener": {`{"port": "8443", "protocol": "HTTPS", "query": ""}`, "shop.example.com.localhost/",
			"https://shop.example.com:8443/"},
	} {
		l := settings(t, `{"protocol": "HTTP", "port": 80, "hosts": ["*.example.com"], "localPorts": {"80": 20080, "443": 20443},
			"defaultActions": [{"type": "redirect", "redirect": `+strings.Replace(c.redirect, "{", `{"statusCode": "HTTP_301",`, 1)+`}]}`)
		_, server := serving(t, l)
		response, _ := asks(t, server, func(r *http.Request) {
			host, path, _ := strings.Cut(c.url, "/")
			parsed, err := r.URL.Parse("/" + path)
			require.NoError(t, err)
			r.Host, r.URL = host, parsed
		})
		require.Equal(t, 301, response.StatusCode, name)
		require.Equal(t, c.want, response.Header.Get("Location"), name)
	}
}
