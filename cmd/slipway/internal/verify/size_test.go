package verify

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/cmd/slipway/internal/stagefile"
)

func TestTheSizeOfAConfigurationIsWhatPulumiHandsOver(t *testing.T) {
	t.Parallel()
	const secret = `a "secret" of some length, with < and >`
	config := map[string]string{"slipway:environment": `{"A": "<b>"}`,
		"slipway:secrets": `{"KEY":"` + stagefile.HiddenValue + `"}`,
		"aws:region":      "eu-central-1"}
	file := fmt.Sprintf("config:\n  slipway:secrets:\n    KEY: {secure: v1:abc=:%s}\n",
		base64.StdEncoding.EncodeToString([]byte(secret)))
	size, err := configurationSize(config, nil, []byte(file))
	require.NoError(t, err)
	config["slipway:secrets"] = `{"KEY":"` + secret + `"}`
	text, err := json.Marshal(config)
	require.NoError(t, err)
	require.InDelta(t, len("PULUMI_CONFIG=")+len(text)+1, size, 40, "but for what escapes in secrets add")
}

func TestAConfigurationThatNoProgramGets(t *testing.T) {
	t.Parallel()
	for size, status := range map[int]string{1000: "", mostConfiguration*9/10 - 1: "",
		mostConfiguration * 9 / 10: statusNote, mostConfiguration: statusNote,
		mostConfiguration + 1: statusWrong} {
		v := &verifier{}
		v.checkConfigurationSize("/project/Pulumi.dev.yaml", size)
		checks := v.run(t.Context())
		if status == "" {
			require.Empty(t, checks)
			continue
		}
		require.Len(t, checks, 1)
		require.Equal(t, status, checks[0].Status, size)
		require.Equal(t, "Pulumi.dev.yaml", checks[0].Key)
		require.Contains(t, checks[0].Message, fmt.Sprintf("about %d bytes", size))
	}
}

// The limit is that of this machine, where it runs Linux.
func TestTheLimitIsThatOfLinux(t *testing.T) {
	t.Parallel()
	value := func(size int) string {
		return "PULUMI_CONFIG=" + strings.Repeat("x", size-len("PULUMI_CONFIG=")-1)
	}
	run := func(size int) error {
		command := exec.Command("true")
		command.Env = []string{value(size)}
		return command.Run()
	}
	require.NoError(t, run(mostConfiguration))
	if run(mostConfiguration+1) == nil {
		t.Skip("this system takes longer variables")
	}
}
