package e2e

import "testing"

func TestHistory(t *testing.T) {
	p := told(t)
	p.ok("slipway", "history", "release")
	p.ok("slipway", "history", "dev")
	p.ok("slipway", "history", "release", "4")
	p.ok("slipway", "history", "release", "5")
	p.ok("slipway", "status")
	p.ok("cat", "Pulumi.release.yaml")
}
