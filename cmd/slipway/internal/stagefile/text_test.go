package stagefile

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/cmd/slipway/internal/gittest"
)

const (
	plainStage     = "config:\n  shop:services: {}\n"
	encryptedStage = "config:\n  shop:secrets:\n    KEY:\n      secure: v1:abc\n"
	saltLine       = "encryptionsalt: v1:one\n"
)

func TestASaltIsNoChangeWhereNothingWasEncryptedWithIt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		before, now string
		dirty       bool
	}{
		"as committed":              {plainStage, plainStage, false},
		"added":                     {plainStage, plainStage + saltLine, false},
		"added without a last line": {"config: {}", "config: {}\n" + saltLine, false},
		"another, for nothing":      {plainStage + saltLine, plainStage + "encryptionsalt: v1:two\n", false},
		"gone, for nothing":         {plainStage + saltLine, plainStage, false},
		"added to what the state's salt encrypts": {encryptedStage, encryptedStage + saltLine, false},
		"another, for what is encrypted": {encryptedStage + saltLine, encryptedStage + "encryptionsalt: v1:two\n",
			true},
		"gone, for what is encrypted": {encryptedStage + saltLine, encryptedStage, true},
		"added, and a comment":        {plainStage, "# mine\n" + plainStage + saltLine, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := gittest.New(t)
			r.Write("stage.yaml", c.before)
			r.Git("commit", "-q", "-a", "-m", "stage")
			r.Write("stage.yaml", c.now)
			text, dirty, err := ReadText(t.Context(), r.Dir, filepath.Join(r.Dir, "stage.yaml"))
			require.NoError(t, err)
			require.Equal(t, c.dirty, dirty)
			require.Equal(t, c.now, string(text.Written))
			require.Equal(t, c.before, string(text.Committed))
			if c.now == c.before {
				return
			}
			r.Git("add", "stage.yaml")
			_, dirty, err = ReadText(t.Context(), r.Dir, filepath.Join(r.Dir, "stage.yaml"))
			require.NoError(t, err)
			require.True(t, dirty, "staged is meant")
		})
	}
}

func TestASaltStaysInTheFileAndOutOfTheCommit(t *testing.T) {
	t.Parallel()
	r := gittest.New(t)
	file := filepath.Join(r.Dir, "stage.yaml")
	r.Write("stage.yaml", plainStage)
	r.Git("commit", "-q", "-a", "-m", "stage")
	r.Write("stage.yaml", plainStage+saltLine)
	text, _, err := ReadText(t.Context(), r.Dir, file)
	require.NoError(t, err)
	edited, err := text.Edit(func(text []byte) ([]byte, error) { return append([]byte("# edited\n"), text...), nil })
	require.NoError(t, err)
	_, err = edited.Commit(t.Context(), r.Dir, file, text.Written, "Edit")
	require.NoError(t, err)
	require.Equal(t, "# edited\n"+plainStage, r.Git("show", "HEAD:stage.yaml"))
	require.Equal(t, "# edited\n"+plainStage+saltLine, r.Read("stage.yaml"))

	// One that came meanwhile stays, too.
	r.Write("stage.yaml", plainStage)
	r.Git("commit", "-q", "-a", "-m", "plain")
	_, err = Text{[]byte("two: 2\n"), []byte("two: 2\n")}.Commit(t.Context(), r.Dir, file,
		[]byte(plainStage+saltLine), "Edit")
	require.NoError(t, err)
	require.Equal(t, "two: 2\n", r.Git("show", "HEAD:stage.yaml"))
	require.Equal(t, "two: 2\n"+saltLine, r.Read("stage.yaml"))

	r.Hook("exit 1\n")
	_, err = Text{[]byte("three: 3\n"), []byte("three: 3\n")}.Commit(t.Context(), r.Dir, file,
		[]byte("two: 2\n"+saltLine), "Edit")
	require.Error(t, err)
	require.Equal(t, "two: 2\n"+saltLine, r.Read("stage.yaml"))
}
