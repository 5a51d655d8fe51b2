package account

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Kinds of an APIFault.
const (
	// APIHang never answers.
	APIHang = "hang"
	// APICut does what is asked for, and cuts the answer off.
	APICut = "cut"
	// APIHTML answers with a page, as a proxy does.
	APIHTML = "html"
	// APIThrottle, APIDeny, APIExpired and APIError are refusals of AWS: too many requests, no permission, an expired
	// token, and a failure of its own.
	APIThrottle, APIDeny, APIExpired, APIError = "throttle", "deny", "expired", "error"
)

// APIFaultKinds are all of them.
var APIFaultKinds = []string{APIHang, APICut, APIHTML, APIThrottle, APIDeny, APIExpired, APIError}

type apiFault struct {
	action, kind string
	left         int // calls; negative for all
}

func (f apiFault) String() string {
	if f.left < 0 {
		return f.action + "=" + f.kind
	}
	return fmt.Sprintf("%s=%s:%d", f.action, f.kind, f.left)
}

func parseAPIFaults(value string) (faults []apiFault, err error) {
	for entry := range strings.SplitSeq(value, ",") {
		action, how, _ := strings.Cut(entry, "=")
		kind, count, counted := strings.Cut(how, ":")
		fault := apiFault{action, kind, -1}
		if counted {
			fault.left, err = strconv.Atoi(count)
		}
		if err != nil || action == "" || counted && fault.left < 1 || !slices.Contains(APIFaultKinds, kind) {
			return nil, fmt.Errorf("fault %s=%s: want ACTION=KIND or ACTION=KIND:COUNT, with a KIND of %s", APIFault, entry,
				strings.Join(APIFaultKinds, ", "))
		}
		faults = append(faults, fault)
	}
	return faults, nil
}

// TakeAPIFault returns the kind of the fault that a call of an action meets; "" for none.
func (a *Account) TakeAPIFault(action string) (kind string, err error) {
	faults, err := a.Faults()
	if err != nil || faults[APIFault] == "" {
		return "", err
	}
	err = a.Transact(func(t *Tx) error {
		faults := t.Faults()
		if faults[APIFault] == "" {
			return nil
		}
		set, err := parseAPIFaults(faults[APIFault])
		if err != nil {
			return err
		}
		var left []string
		for _, fault := range set {
			if fault.action == action && kind == "" {
				kind = fault.kind
				fault.left--
			}
			if fault.left != 0 {
				left = append(left, fault.String())
			}
		}
		if faults[APIFault] = strings.Join(left, ","); len(left) == 0 {
			delete(faults, APIFault)
		}
		Put(t.Shared(), faultKind, "", faults)
		return nil
	})
	return kind, err
}
