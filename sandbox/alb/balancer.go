package alb

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// Balancer answers the requests of one listener, whose settings may change meanwhile.
type Balancer struct {
	proxies proxies

	mu       sync.Mutex
	listener Listener
	turn     int            // of targets, one after the other
	underWay map[string]int // requests by the task that they were sent to
}

// New is a balancer that has no settings yet: it answers with 503.
func New() *Balancer {
	b := &Balancer{underWay: map[string]int{}}
	b.proxies = newProxies(func() time.Duration {
		b.mu.Lock()
		defer b.mu.Unlock()
		return time.Duration(cmp.Or(b.listener.IdleTimeout, standardIdleTimeout)) * time.Second
	})
	return b
}

const standardIdleTimeout = 60 // seconds

// Set has requests answered by other settings from now on. Those that are under way go on.
func (b *Balancer) Set(l Listener) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.listener = l
}

// UnderWay are the requests that are not answered to the end yet, by the task that they were sent to.
func (b *Balancer) UnderWay() map[string]int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return maps.Clone(b.underWay)
}

func (b *Balancer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// All by the settings of one moment: a target that is deregistered gets no new request.
	b.mu.Lock()
	l := b.listener
	action := l.action(r)
	group := l.TargetGroups[chooseGroup(w, r, action)]
	target, found := b.choose(r, group)
	b.mu.Unlock()
	if found {
		defer b.done(target.Task)
	}
	switch {
	case action.Type == "redirect" && action.Redirect != nil:
		w.Header().Set("Location", l.location(*action.Redirect, r))
		refuse(w, action.Redirect.status())
	case action.Type == "fixed-response" && action.FixedResponse != nil:
		answer(w, action.FixedResponse.status(), action.FixedResponse.ContentType, action.FixedResponse.MessageBody)
	case !found:
		refuse(w, http.StatusServiceUnavailable)
	case group.ProtocolVersion != "HTTP1" && r.ProtoMajor < 2:
		refuse(w, statusNotHTTP2)
	default:
		group.stick(w, target)
		b.proxies.forward(w, r, group, target, cmp.Or(l.LocalPorts[l.Port], l.Port))
	}
}

// statusNotHTTP2 answers a client that does not speak the protocol of the target group.
const statusNotHTTP2 = 464

// refuse answers without a target, in the load balancer's own words.
func refuse(w http.ResponseWriter, status int) {
	text := http.StatusText(status)
	if status == http.StatusServiceUnavailable {
		text = "Service Temporarily Unavailable"
	}
	heading := fmt.Sprintf("%d %s", status, text)
	answer(w, status, "text/html", "<html>\r\n<head><title>"+heading+"</title></head>\r\n<body>\r\n<center><h1>"+heading+
		"</h1></center>\r\n</body>\r\n</html>\r\n")
}

func answer(w http.ResponseWriter, status int, contentType, body string) {
	w.Header().Set("Server", "awselb/2.0")
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body) // who asked may have gone
}

func (b *Balancer) done(task string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.underWay[task]--; b.underWay[task] == 0 {
		delete(b.underWay, task)
	}
}

// choose is the target that a request sticks to, or the one whose turn it is. The request is under way from then on.
func (b *Balancer) choose(r *http.Request, group TargetGroup) (target Target, found bool) {
	if len(group.Targets) == 0 {
		return Target{}, false
	}
	target, found = group.stuck(r)
	if !found {
		b.turn++
		target = group.Targets[b.turn%len(group.Targets)]
	}
	b.underWay[target.Task]++
	return target, true
}

// chooseGroup is the target group of an action: by weight, where there are several.
func chooseGroup(w http.ResponseWriter, r *http.Request, action Action) string {
	forward := action.Forward
	if forward == nil || len(forward.TargetGroups) == 0 {
		return action.TargetGroupARN
	}
	all := 0
	for _, group := range forward.TargetGroups {
		all += group.Weight
	}
	if all == 0 {
		return ""
	}
	n, chosen := rand.IntN(all), ""
	for _, group := range forward.TargetGroups {
		if chosen == "" && n < group.Weight {
			chosen = group.ARN
		}
		n -= group.Weight
	}
	if forward.Stickiness.Enabled {
		if earlier, err := r.Cookie(groupCookie); err == nil {
			for _, group := range forward.TargetGroups {
				if mark(group.ARN) == earlier.Value {
					chosen = group.ARN
				}
			}
		}
		setCookie(w, groupCookie, chosen, forward.Stickiness.Duration)
	}
	return chosen
}
