package api

import (
	"fmt"
	"io"
	"net/http"
	"strings"

	"slipway/sandbox/account"
)

// answerer answers a request in the account of who signed it.
type answerer func(http.ResponseWriter, *http.Request, *account.Account)

// faulty has the calls go wrong for which there is a fault.
func faulty(answer answerer) answerer {
	return func(w http.ResponseWriter, r *http.Request, a *account.Account) {
		_, action, json := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		if !json && strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
			action = r.FormValue("Action")
		}
		kind, err := a.TakeAPIFault(action)
		if err != nil {
			fail(w, err)
			return
		}
		refuse := func(err error) {
			if json {
				fail(w, err)
			} else {
				failQuery(w, scope(r, scopeService), err)
			}
		}
		switch kind {
		case account.APIHang:
			_, _ = io.Copy(io.Discard, r.Body) // so that the server sees the client hang up
			<-r.Context().Done()
		case account.APICut:
			w.Header().Set("Content-Length", fmt.Sprint(1<<20))
			answer(cutWriter{w}, r, a)
		case account.APIHTML:
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, "<html><body>Sign in to the network</body></html>")
		case account.APIThrottle:
			refuse(&account.Error{Code: "ThrottlingException", Message: "Rate exceeded"})
		case account.APIDeny:
			refuse(&account.Error{Code: "AccessDeniedException",
				Message: fmt.Sprintf("User: %s is not authorized to "+
					"perform: %s:%s", a.Caller.ARN, scope(r, scopeService), action)})
		case account.APIExpired:
			refuse(&account.Error{Code: "ExpiredTokenException",
				Message: "The security token included in the request is expired"})
		case account.APIError:
			refuse(fmt.Errorf("an internal failure"))
		default:
			answer(w, r, a)
		}
	}
}

// cutWriter passes on half of what is written, where more was announced.
type cutWriter struct{ http.ResponseWriter }

func (w cutWriter) Write(text []byte) (int, error) {
	_, err := w.ResponseWriter.Write(text[:len(text)/2])
	return len(text), err
}
