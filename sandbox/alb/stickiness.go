package alb

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"time"
)

// Cookies of a load balancer: of target groups and of targets. Each is given again with every answer, also for requests
// from other sites.
const (
	groupCookie  = "AWSALBTG"
	targetCookie = "AWSALB"
	otherSites   = "CORS"
)

// mark stands for a target or a group in a cookie.
func mark(of string) string {
	sum := sha256.Sum256([]byte(of))
	return hex.EncodeToString(sum[:16])
}

func setCookie(w http.ResponseWriter, name, of string, seconds int) {
	cookie := &http.Cookie{Name: name, Value: mark(of), Path: "/",
		Expires: time.Now().Add(time.Duration(seconds) * time.Second)}
	http.SetCookie(w, cookie)
	cookie.Name += otherSites
	cookie.SameSite, cookie.Secure = http.SameSiteNoneMode, true
	http.SetCookie(w, cookie)
}

func (g TargetGroup) sticks() bool { return g.Stickiness.Enabled && g.Stickiness.Type == "lb_cookie" }

// stuck is the target that a client was sent to before, where it still takes requests.
func (g TargetGroup) stuck(r *http.Request) (Target, bool) {
	for _, name := range []string{targetCookie, targetCookie + otherSites} {
		cookie, err := r.Cookie(name)
		for _, target := range g.Targets {
			if g.sticks() && err == nil && mark(target.Task) == cookie.Value {
				return target, true
			}
		}
	}
	return Target{}, false
}

func (g TargetGroup) stick(w http.ResponseWriter, target Target) {
	if g.sticks() {
		setCookie(w, targetCookie, target.Task, g.Stickiness.CookieDuration)
	}
}
