package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
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
			r := newRepo(t)
			r.write("stage.yaml", c.before)
			r.git("commit", "-q", "-a", "-m", "stage")
			r.write("stage.yaml", c.now)
			text, dirty, err := readStageText(t.Context(), r.dir, filepath.Join(r.dir, "stage.yaml"))
			require.NoError(t, err)
			require.Equal(t, c.dirty, dirty)
			require.Equal(t, c.now, string(text.written))
			require.Equal(t, c.before, string(text.committed))
			if c.now == c.before {
				return
			}
			r.git("add", "stage.yaml")
			_, dirty, err = readStageText(t.Context(), r.dir, filepath.Join(r.dir, "stage.yaml"))
			require.NoError(t, err)
			require.True(t, dirty, "staged is meant")
		})
	}
}

func TestASaltStaysInTheFileAndOutOfTheCommit(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	file := filepath.Join(r.dir, "stage.yaml")
	r.write("stage.yaml", plainStage)
	r.git("commit", "-q", "-a", "-m", "stage")
	r.write("stage.yaml", plainStage+saltLine)
	text, _, err := readStageText(t.Context(), r.dir, file)
	require.NoError(t, err)
	edited, err := text.edit(func(text []byte) ([]byte, error) { return append([]byte("# edited\n"), text...), nil })
	require.NoError(t, err)
	_, err = edited.commit(t.Context(), r.dir, file, text.written, "Edit")
	require.NoError(t, err)
	require.Equal(t, "# edited\n"+plainStage, r.git("show", "HEAD:stage.yaml"))
	require.Equal(t, "# edited\n"+plainStage+saltLine, r.read("stage.yaml"))

	// One that came meanwhile stays, too.
	r.write("stage.yaml", plainStage)
	r.git("commit", "-q", "-a", "-m", "plain")
	_, err = stageText{[]byte("two: 2\n"), []byte("two: 2\n")}.commit(t.Context(), r.dir, file,
		[]byte(plainStage+saltLine), "Edit")
	require.NoError(t, err)
	require.Equal(t, "two: 2\n", r.git("show", "HEAD:stage.yaml"))
	require.Equal(t, "two: 2\n"+saltLine, r.read("stage.yaml"))

	r.hook("exit 1\n")
	_, err = stageText{[]byte("three: 3\n"), []byte("three: 3\n")}.commit(t.Context(), r.dir, file,
		[]byte("two: 2\n"+saltLine), "Edit")
	require.Error(t, err)
	require.Equal(t, "two: 2\n"+saltLine, r.read("stage.yaml"))
}

func (r repo) read(name string) string {
	r.Helper()
	content, err := os.ReadFile(filepath.Join(r.dir, name))
	require.NoError(r, err)
	return string(content)
}
