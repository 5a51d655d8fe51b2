package timeline

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"slipway/cmd/slipway/internal/awsreader"
	"slipway/cmd/slipway/internal/flatconfig"
	"slipway/cmd/slipway/internal/pulumicli"
)

// at is a time of the day that the tests take place on.
func at(clock string) time.Time {
	parsed, err := time.Parse("2006-01-02 15:04:05", "2026-11-24 "+clock)
	if err != nil {
		panic(err)
	}
	return parsed
}

// ran is an update of a service web that ended at a time, with a configuration.
func ran(number int, start, end, services string) *Entry {
	ended := at(end)
	return &Entry{Number: number, Kind: "update", Result: "succeeded", Start: at(start), End: &ended,
		Services: map[string]*DeployedRevision{},
		Settings: flatconfig.Of("shop", map[string]pulumicli.ConfigValue{"shop:services": {Value: &services}})}
}

func TestUpdatesDifferByTheImagesOfAllContainers(t *testing.T) {
	t.Parallel()
	past := func(task, sidecar string) *Entry {
		e := ran(1, "10:00:00", "10:01:00", `{"web": {"image": "web"}}`)
		e.Services["web"] = &DeployedRevision{Images: awsreader.Images{Image: awsreader.Image{Reference: "web"},
			Sidecars: map[string]awsreader.Image{"proxy": {Reference: sidecar}}}}
		e.Tasks = map[string]*DeployedRevision{"migrate": {Images: awsreader.Images{Image: awsreader.Image{Reference: task}}}}
		return e
	}
	require.False(t, past("one", "one").Differs(past("one", "one")))
	require.True(t, past("one", "one").Differs(past("two", "one")))
	require.True(t, past("one", "one").Differs(past("one", "two")))
}
