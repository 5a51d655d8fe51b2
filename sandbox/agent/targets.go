package agent

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"slipway/sandbox/account/ecs"
)

// checks are the health checks of one task by one target group.
type checks struct {
	target ecs.HealthCheck
	url    string
	began  time.Time // the task's start
	wake   func()
	stop   context.CancelFunc

	mu      sync.Mutex
	decided bool
	reason  string // "" where the target is healthy
}

// found is what the target group says; decided is false before it says anything.
func (c *checks) found() (reason string, decided bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.reason, c.decided
}

// firstCheck is how long after its start a task is checked first.
const firstCheck = time.Second

func (c *checks) run(ctx context.Context) {
	client := &http.Client{Timeout: c.target.Timeout, Transport: &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	// Not at once: a server takes a moment, and would be checked again only after a whole interval.
	sleep(ctx, min(firstCheck, c.target.Interval))
	passed, failed := 0, 0
	for ctx.Err() == nil {
		reason := check(ctx, client, c.url, c.target.Matcher)
		switch {
		case ctx.Err() != nil:
			return
		case reason == "":
			passed, failed = passed+1, 0
		case time.Since(c.began) > c.target.GracePeriod:
			passed, failed = 0, failed+1
		default:
			passed = 0
		}
		c.decide(passed, failed, reason)
		sleep(ctx, c.target.Interval)
	}
}

// decide counts as a target group does: a new target has to pass once, one that failed has to pass as often as is set.
func (c *checks) decide(passed, failed int, reason string) {
	c.mu.Lock()
	before, beforeReason := c.decided, c.reason
	switch {
	case passed > 0 && (!c.decided || passed >= c.target.Healthy):
		c.decided, c.reason = true, ""
	case failed >= max(c.target.Unhealthy, 1):
		c.decided, c.reason = true, reason
	}
	changed := before != c.decided || beforeReason != c.reason
	c.mu.Unlock()
	if changed {
		c.wake()
	}
}

// check makes one check, and says why it fails, in the words of Elastic Load Balancing, or "".
func check(ctx context.Context, client *http.Client, url, matcher string) string {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err.Error()
	}
	request.Header.Set("User-Agent", "ELB-HealthChecker/2.0")
	response, err := client.Do(request)
	timeout := net.Error(nil)
	switch {
	case errors.As(err, &timeout) && timeout.Timeout():
		return "Request timed out"
	case err != nil:
		return "Health checks failed"
	}
	defer response.Body.Close()
	if !matches(matcher, response.StatusCode) {
		return fmt.Sprintf("Health checks failed with these codes: [%d]", response.StatusCode)
	}
	return ""
}

// matches reports whether a code is among those of a matcher: 200, 200-299 or 200,202.
func matches(matcher string, code int) bool {
	for _, part := range strings.Split(matcher, ",") {
		from, to, isRange := strings.Cut(strings.TrimSpace(part), "-")
		if !isRange {
			to = from
		}
		low, errLow := strconv.Atoi(from)
		high, errHigh := strconv.Atoi(to)
		if errLow == nil && errHigh == nil && code >= low && code <= high {
			return true
		}
	}
	return false
}
