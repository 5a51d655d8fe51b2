package alb

import (
	"crypto/subtle"
	"encoding/json"
	"net/http"
)

// ControlPort is where the program loadbalancer takes settings, in its container.
const ControlPort = 51681

// Variables of that container: the port of the listener, which is also the container's own, so that others reach it
// there, and the token that changes its settings.
const (
	PortVariable  = "SLIPWAY_LISTENER_PORT"
	TokenVariable = "SLIPWAY_LISTENER_TOKEN"
)

// Control is how the settings of a balancer are changed: by PUT, with a token that only the agent knows. It is answered
// with the requests that are under way, by task, once the settings hold.
func (b *Balancer) Control(token string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var l Listener
		switch {
		case token == "" || subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), []byte(token)) != 1:
			http.Error(w, "wrong token", http.StatusForbidden)
			return
		case r.Method != http.MethodPut:
			http.Error(w, "PUT settings", http.StatusMethodNotAllowed)
			return
		}
		if err := json.NewDecoder(r.Body).Decode(&l); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		b.Set(l)
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(b.UnderWay()) // who asked may have gone
	})
}
