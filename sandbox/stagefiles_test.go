package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// saltOf what the CLI writes with the sandbox's passphrase, and with another one.
const (
	sandboxSalt = "encryptionsalt: v1:yie5mWNG6Dk=:v1:/7HgSUc4pN/LeAIU:piczN25HkiyxwcrLfxS9Yps4W4i5hw==\n"
	otherSalt   = "encryptionsalt: v1:7vLNVWKpj2k=:v1:8MQEMcCnkvsvgyQC:2YzvMo1m4VdJXNwxZaBbDc0jNWLbCQ==\n"

	original = "# ours\nconfig:\n    tiny:a:   \"x\" # two\n    tiny:n: 1.10\n    tiny:d: 2020-01-02\n"
	// rewritten is what the CLI makes of original.
	rewritten = "# ours\nconfig:\n    tiny:a: \"x\" # two\n    tiny:n: \"1.1\"\n    tiny:d: 2020-01-02 00:00:00 +0000 UTC\n"
)

func newTestProject(t *testing.T, stages map[string]string) string {
	t.Helper()
	project := t.TempDir()
	writeFile(t, filepath.Join(project, "Pulumi.yaml"), "name: tiny\nruntime: go\n")
	for stage, content := range stages {
		writeFile(t, filepath.Join(project, "Pulumi."+stage+".yaml"), content)
	}
	return project
}

func writeFile(t *testing.T, name, content string) {
	t.Helper()
	require.NoError(t, os.WriteFile(name, []byte(content), 0o640))
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(name)
	require.NoError(t, err)
	return string(content)
}

func start(t *testing.T, project string) *stageFiles {
	t.Helper()
	files, err := keepStageFiles(project, "")
	require.NoError(t, err)
	return files
}

func TestWhatACommandMakesOfAStageFile(t *testing.T) {
	t.Parallel()
	for sentence, c := range map[string]struct{ before, after, want string }{
		"nothing stays nothing":                   {original, original, original},
		"a salt and the CLI's form are undone":    {original, rewritten + sandboxSalt, original},
		"a salt in a file without keys is undone": {"# nothing yet\n", sandboxSalt, "# nothing yet\n"},
		"an edit stays, without the salt": {original, rewritten + "    tiny:b: c\n" + sandboxSalt,
			rewritten + "    tiny:b: c\n"},
		"an edit without a salt stays as it is": {original, "config:\n  tiny:a: y\n", "config:\n  tiny:a: y\n"},
		"a comment changed meanwhile stays": {original, strings.Replace(original, "ours", "mine", 1),
			strings.Replace(original, "ours", "mine", 1)},
		"a comment added beside a salt stays, without it": {original, rewritten + "    # mine\n" + sandboxSalt,
			rewritten + "    # mine\n"},
		"a secret keeps the salt that it is encrypted with": {original,
			rewritten + "    tiny:s:\n        secure: v1:x:y\n" + sandboxSalt,
			rewritten + "    tiny:s:\n        secure: v1:x:y\n" + sandboxSalt},
		"a salt that was there stays": {sandboxSalt + original, rewritten + sandboxSalt,
			rewritten + sandboxSalt},
		"a salt of somebody else beside an edit stays": {original, rewritten + "    tiny:b: c\n" + otherSalt,
			rewritten + "    tiny:b: c\n" + otherSalt},
		"a file that became something other than YAML stays": {original, "config: [", "config: ["},
		"a file that was none is left alone":                 {"config: [", "config: [", "config: ["},
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			project := newTestProject(t, map[string]string{"dev": c.before})
			file := filepath.Join(project, "Pulumi.dev.yaml")
			files := start(t, project)
			writeFile(t, file, c.after)
			require.NoError(t, files.end())
			require.Equal(t, c.want, readFile(t, file))
			info, err := os.Stat(file)
			require.NoError(t, err)
			require.Equal(t, os.FileMode(0o640), info.Mode())
		})
	}
}

func TestAStageFileThatACommandMakes(t *testing.T) {
	t.Parallel()
	project := newTestProject(t, nil)
	files := start(t, project)
	onlySalt, edited := filepath.Join(project, "Pulumi.qa.yaml"), filepath.Join(project, "Pulumi.qb.yaml")
	foreign := filepath.Join(project, "Pulumi.qc.yaml")
	writeFile(t, onlySalt, sandboxSalt)
	writeFile(t, edited, sandboxSalt+"config:\n  tiny:a: b\n")
	writeFile(t, foreign, otherSalt)
	require.NoError(t, files.end())
	require.NoFileExists(t, onlySalt)
	require.Equal(t, "config:\n  tiny:a: b\n", readFile(t, edited))
	require.Equal(t, otherSalt, readFile(t, foreign))
}

func TestAStageFileThatACommandRemovesStaysRemoved(t *testing.T) {
	t.Parallel()
	project := newTestProject(t, map[string]string{"dev": original})
	files := start(t, project)
	require.NoError(t, os.Remove(filepath.Join(project, "Pulumi.dev.yaml")))
	require.NoError(t, files.end())
	require.NoFileExists(t, filepath.Join(project, "Pulumi.dev.yaml"))
}

func TestTheLastOfTwoCommandsRestoresWhatTheFirstFound(t *testing.T) {
	t.Parallel()
	project := newTestProject(t, map[string]string{"dev": original})
	file := filepath.Join(project, "Pulumi.dev.yaml")
	first := start(t, project)
	writeFile(t, file, rewritten+sandboxSalt)
	second := start(t, project)
	require.NoError(t, first.end())
	require.Contains(t, readFile(t, file), "encryptionsalt", "the second command may need it")
	require.NoError(t, second.end())
	require.Equal(t, original, readFile(t, file))
}

func TestTheNextCommandMendsWhatAKilledOneLeft(t *testing.T) {
	t.Parallel()
	project := newTestProject(t, map[string]string{"dev": original})
	file := filepath.Join(project, "Pulumi.dev.yaml")
	killed := start(t, project)
	writeFile(t, file, rewritten+sandboxSalt)
	require.NoError(t, killed.users.Unlock()) // as the end of its process does
	// Killed while it copied, too.
	writeFile(t, filepath.Join(project, keptDir, "kept.unfinished"), "")
	next := start(t, project)
	require.Equal(t, original, readFile(t, file))
	require.NoError(t, next.end())
	require.Equal(t, original, readFile(t, file))
	require.NoDirExists(t, filepath.Join(project, ".sandbox"), "nothing is left in the project")
}

func TestACommandThatIsKilledWhileAnotherOneStarts(t *testing.T) {
	t.Parallel()
	project := newTestProject(t, map[string]string{"dev": original})
	file := filepath.Join(project, "Pulumi.dev.yaml")
	killed := start(t, project)
	writeFile(t, file, rewritten+sandboxSalt)
	// The other one waits here, after it has found that it is not alone.
	pipe := filepath.Join(project, "Pulumi.pipe.yaml")
	require.NoError(t, unix.Mkfifo(pipe, 0o600))
	type started struct {
		files *stageFiles
		err   error
	}
	next := make(chan started)
	go func() {
		files, err := keepStageFiles(project, "")
		next <- started{files, err}
	}()
	writer, err := os.OpenFile(pipe, os.O_WRONLY, 0) // once it reads
	require.NoError(t, err)
	require.NoError(t, killed.users.Unlock())
	require.NoError(t, os.Rename(pipe, pipe+".gone"))
	require.NoError(t, writer.Close())
	other := <-next
	require.NoError(t, other.err)
	require.NoError(t, other.files.end())
	require.Equal(t, original, readFile(t, file))
}

func TestTheCLIGetsASaltAndTheFileStaysAsItIs(t *testing.T) {
	t.Parallel()
	salt, err := accountSalt(newAccountDir(t))
	require.NoError(t, err)
	require.True(t, opens(salt))
	line := "encryptionsalt: " + salt + "\n"
	for sentence, c := range map[string]struct{ content, want string }{
		"numbers and comments":               {"# ours\nconfig:\n  t:e: {OCTAL: 0644, V: 1.10, D: 2020-01-02} # two\n", "+"},
		"a file that is empty":               {"", "+"},
		"no key at all":                      {"# nothing yet\n", "+"},
		"no line end":                        {"config: {tiny:a: b}", "config: {tiny:a: b}\n" + line},
		"lines of another system":            {"config:\r\n  tiny:a: b\r\n", "+"},
		"one provider by name":               {"secretsprovider: passphrase\n", "+"},
		"a salt":                             {sandboxSalt + original, ""},
		"a value of the state's salt":        {"config:\n  tiny:a:\n    secure: v1:x:y\n", ""},
		"a list in braces":                   {"{config: {tiny:a: b}}\n", ""},
		"the end of a document":              {"config: {tiny:a: b}\n...\n", ""},
		"a text that would grow by its line": {"config:\n  tiny:a: |\n    b", ""},
		"no YAML":                            {"config: [", ""},
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			project := newTestProject(t, map[string]string{"dev": c.content})
			file := filepath.Join(project, "Pulumi.dev.yaml")
			files := start(t, project)
			for range 2 { // the second time there is one
				require.NoError(t, saltStageFiles(project, salt))
				want := c.want
				switch want {
				case "":
					want = c.content
				case "+":
					want = c.content + line
				}
				require.Equal(t, want, readFile(t, file))
			}
			require.NoError(t, files.end())
			require.Equal(t, c.content, readFile(t, file))
		})
	}
}

// newAccountDir is the directory of an account that a command uses.
func newAccountDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	lock, err := useDir(dir)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, lock.Unlock()) })
	return dir
}

func TestAStageFileThatTheSandboxCannotDecryptIsRefused(t *testing.T) {
	t.Parallel()
	for sentence, c := range map[string]struct{ content, says string }{
		"a key service": {"secretsprovider: awskms://alias/the-key\nencryptedkey: AAAA\n",
			"the secrets provider awskms,"},
		"a data key alone":         {"encryptedkey: AAAA\n", "another secrets provider"},
		"another passphrase":       {otherSalt, "another passphrase"},
		"the sandbox's passphrase": {sandboxSalt, ""},
		"passphrase by name":       {"secretsprovider: passphrase\n", ""},
		"nothing encrypted":        {original, ""},
		"no YAML":                  {"config: [", ""},
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			project := newTestProject(t, map[string]string{"dev": c.content, "release": ""})
			_, err := keepStageFiles(project, "")
			if c.says == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, "Pulumi.dev.yaml is encrypted with "+c.says)
			require.NotContains(t, err.Error(), "the-key")
			require.NotContains(t, err.Error(), "\n")
			_, err = keepStageFiles(project, "release")
			require.NoError(t, err, "a command for another stage")
		})
	}
}

func TestStageFilesInADirectoryOfTheirOwn(t *testing.T) {
	t.Parallel()
	project := newTestProject(t, nil)
	writeFile(t, filepath.Join(project, "Pulumi.yaml"), "name: tiny\nruntime: go\nstackConfigDir: stages\n")
	require.NoError(t, os.Mkdir(filepath.Join(project, "stages"), 0o755))
	file := filepath.Join(project, "stages", "Pulumi.dev.yaml")
	writeFile(t, file, original)
	files := start(t, project)
	writeFile(t, file, rewritten+sandboxSalt)
	require.NoError(t, files.end())
	require.Equal(t, original, readFile(t, file))
}
