package build

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/stage"
)

// checked is what a preview says of a Dockerfile in a context with the files a, "my file", sub/c and a link to sub.
func checked(t *testing.T, dockerfile string, change func(*stage.Build)) error {
	t.Helper()
	root := project(t, map[string]string{"app/Dockerfile": dockerfile, "app/.dockerignore": "ignored", "app/a": "",
		"app/my file": "",
		"app/ignored": "", "app/sub/c": ""})
	require.NoError(t, os.Symlink("sub", filepath.Join(root, "app/link")))
	build := build
	if change != nil {
		change(&build)
	}
	_, err := Prepare(&logged{}, &stage.Stage{Project: "shop", Name: "dev",
		Images: map[string]stage.Image{"web": {Build: &build}}}, root)
	return err
}

func TestADockerfileThatDockerTakesPasses(t *testing.T) {
	t.Parallel()
	for name, dockerfile := range map[string]string{
		"plain names":                 "FROM scratch\nCOPY a sub/ ./sub/c /x/\nADD sub link/c /y/\n",
		"everything":                  "FROM scratch\nCOPY . /\nCOPY .. ../a /x/\n",
		"double quotes":               "FROM scratch\nCOPY \"a\" ./\n",
		"single quotes":               "FROM scratch\nCOPY 'a' su'b' /x/\n",
		"quotes around several words": "FROM scratch\nCOPY \"my file\" /\n",
		"an escaped space":            "FROM scratch\nCOPY my\\ file /\n",
		"another escape token":        "# escape=`\nFROM scratch\nCOPY my` file `\n  a /x/\n",
		"JSON form":                   "FROM scratch\nCOPY [\"my file\", \"a\", \"/\"]\n",
		"JSON form with flags":        "FROM scratch\nCOPY --chown=1:1 --link [\"my file\", \"/\"]\n",
		"lower case":                  "from scratch as x\ncopy a /\n",
		"continuation with comments":  "FROM scratch\nCOPY a \\\n# a comment\n\n  sub \\\n  /x/\n",
		"carriage returns and a BOM":  "\xef\xbb\xbfFROM scratch\r\nCOPY a \\\r\n  sub /x/\r\n",
		"from another stage":          "FROM scratch AS x\nFROM scratch\nCOPY --from=x b /\n",
		"from an image":               "FROM scratch\nCOPY --from=busybox:1 /b /\n",
		"wildcards":                   "FROM scratch\nCOPY *.go b? [bc] /x/\n",
		"variables":                   "FROM scratch\nARG A\nCOPY $A ${B:-c} /x/\n",
		"variables in FROM":           "ARG BASE=scratch\nFROM ${BASE} AS x\nFROM x\nCOPY a /\n",
		"a URL":                       "FROM scratch\nADD https://example.com/b git@example.com:a/b.git /\n",
		"a repository over SSH":       "FROM scratch\nADD deploy@git.example.com:a/b#main \"ci@example.com:b\" /\n",
		"paths as Windows has them":   "# escape=`\nFROM scratch\nCOPY sub\\c .\\b C:\\x\\\n",
		"heredocs": "FROM scratch\nCOPY <<EOF <<\"TWO\" /b/\nCOPY b /\nEOF\nnot an " +
			"instruction\nTWO\nRUN <<E\nanything\nE\n",
		"flags that say what a source is": "FROM scratch\nCOPY --parents b/./c /\nCOPY --exclude=*.md b /\nADD " +
			"--checksum=sha256:0 b /\n",
		"mounts": "FROM scratch AS tools\nFROM scratch\nRUN --mount=type=cache,target=/b,sharing=locked " +
			"--mount=type=tmpfs,target=/t --mount=type=secret,id=b,target=/s --mount=type=ssh " +
			"--mount=type=bind,from=tools,source=/b,target=/b --mount=from=busybox:1,source=/b,target=/x " +
			"--mount=source=sub/c,target=/c --mount=type=bind,src=$B,target=/d --mount=\"target=/all\" " +
			"--mount=type=cache,source=b,target=/e x\n",
		"a RUN of several lines with a mount": "FROM scratch\nRUN --mount=type=cache,target=/b <<E\nCOPY b /\nE\n",
		"modes and links":                     "FROM scratch\nCOPY --chmod=u=rwX,go=rX --link a /\nADD --chmod=755 --link a /\n",
		"ONBUILD":                             "FROM scratch\nONBUILD COPY b /\n",
		"all instructions": "FROM scratch\nMAINTAINER m\nHEALTHCHECK NONE\nSHELL [\"sh\"]\nSTOPSIGNAL " +
			"TERM\nVOLUME /v\nUSER 1\nEXPOSE 1\nLABEL a=b\nWORKDIR /\n",
		"in a stage that is not built":     "FROM scratch AS x\nCOPY b /\nFROM scratch\n",
		"a newer grammar":                  "# syntax=docker/dockerfile:1-labs\nFROM scratch\nINCLUDE x\n",
		"a frontend of its own":            "# syntax=example.com/frontend\nanything\n",
		"a frontend, as a shebang has it":  "#!/usr/bin/env x\n#syntax=example.com/frontend\nanything\n",
		"a frontend that is no Dockerfile": "{\"syntax\": \"example.com/frontend\", \"a\": 1}",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.NoError(t, checked(t, dockerfile, nil))
		})
	}
	frontend := func(b *stage.Build) { b.Args = map[string]string{"BUILDKIT_SYNTAX": "example.com/frontend"} }
	require.NoError(t, checked(t, "anything\n", frontend))
	for _, target := range []string{"x", "X", "0", "1"} {
		require.NoError(t, checked(t, "FROM scratch AS x\nFROM scratch\n", func(b *stage.Build) { b.Target = target }),
			target)
	}
}

func TestADockerfileThatDockerRefusesIsRefusedBefore(t *testing.T) {
	t.Parallel()
	const source, file, target = "images.web.build (Pulumi.dev.yaml): app/Dockerfile, ",
		"images.web.build.dockerfile (Pulumi.dev.yaml): app/Dockerfile",
		"images.web.build.target (Pulumi.dev.yaml): app/Dockerfile "
	for name, test := range map[string]struct {
		dockerfile, target string
		says               []string
	}{
		"a missing file": {"FROM scratch\nCOPY b /\n", "", []string{source + "line 2, copies b"}},
		"a missing file in quotes": {"FROM scratch\nCOPY \"b\" 'c' /\n", "",
			[]string{source + "line 2, copies b", source + "line 2, copies c"}},
		"a missing file in JSON form": {"FROM scratch\nCOPY [\"a\", \"my b\", \"/\"]\n", "",
			[]string{"line 2, copies my b"}},
		"a missing file, with a comment": {"FROM scratch\n# `make b` makes it\nCOPY b /\n", "",
			[]string{"the Dockerfile says there: `make b` makes it"}},
		"a missing file below a file": {"FROM scratch\nCOPY sub/b/c /\n", "", []string{"line 2, copies sub/b/c"}},
		"a missing file with an owner": {"FROM scratch\nCOPY --chown=1 --chmod=755 b /\n", "",
			[]string{"line 2, copies b"}},
		"an ignored file": {"FROM scratch\nADD ignored /\n", "", []string{".dockerignore"}},
		"a missing file in the target": {"FROM scratch AS x\nCOPY b /\nFROM scratch\n", "X",
			[]string{"line 2, copies b"}},
		"a missing file in a stage below": {"FROM scratch AS x\nCOPY b /\nFROM x AS y\nFROM scratch\nCOPY --from=y / /\n",
			"", []string{"line 2, copies b"}},
		"a missing file in a numbered stage": {"FROM scratch\nCOPY b /\nFROM scratch\nCOPY --from=0 / /\n", "",
			[]string{"line 2, copies b"}},
		"a missing file in a stage that is mounted": {"FROM scratch AS x\nCOPY b /\nFROM scratch\n" +
			"RUN --mount=type=bind,from=x,target=/x y\n", "", []string{"line 2, copies b"}},
		"a missing file that is mounted": {"FROM scratch\nRUN --mount=type=cache,target=/c " +
			"--mount=type=bind,source=b,target=/b --mount=target=/d,src=./d x\n", "",
			[]string{source + "line 2, mounts b, which", source + "line 2, mounts ./d"}},
		"a missing file in a known frontend": {"# syntax=docker/dockerfile:1\nFROM scratch\nCOPY b /\n", "",
			[]string{"line 3, copies b"}},
		"unknown instructions": {"FROM scratch\nCOPPY a /\n\nRUNN x\n", "",
			[]string{file + `, line 2: there is no instruction "COPPY"`, file + `, line 4: there is no instruction "RUNN"`,
				"ADD, ARG"}},
		"an instruction before FROM": {"ARG A\nRUN x\nFROM scratch\n", "",
			[]string{file + ", line 2: RUN stands before the first FROM"}},
		"no FROM": {"ARG A\n", "", []string{file + " has no FROM"}},
		"nothing": {"", "", []string{file + ", line 1: file with no instructions"}},
		"comments alone": {"# FROM scratch\n", "",
			[]string{file + ", line 1: file with no instructions"}},
		"FROM without an image": {"FROM scratch x\n", "", []string{file + ", line 1: FROM takes"}},
		"another kind of text": {"services:\n  web: {}\n", "",
			[]string{file + `, line 1: there is no instruction "services:"`}},
		"a binary": {"\x7fELF\x02\x01\x00\x00\nx\n", "",
			[]string{file + " is no Dockerfile, as it is not text"}},
		"a here-document without an end": {"FROM scratch\nRUN <<EOF\nx\n", "",
			[]string{file + ", line 2: unterminated heredoc"}},
		"a target that is not there": {"FROM scratch AS Build\nFROM scratch AS final\n", "nosuch",
			[]string{target + `has no build stage "nosuch"; write one of build, final, or remove target`}},
		"a number beyond the last":            {"FROM scratch AS x\n", "1", []string{target}},
		"a target where nothing has a name":   {"FROM scratch\n", "nosuch", []string{target + "names no build stage"}},
		"a target of an image, not of a name": {"FROM nosuch\n", "nosuch", []string{target}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := checked(t, test.dockerfile, func(b *stage.Build) { b.Target = test.target })
			require.Error(t, err)
			for _, says := range test.says {
				require.ErrorContains(t, err, says)
			}
			require.LessOrEqual(t, strings.Count(err.Error(), "the instructions are"), 1)
			for _, line := range strings.Split(err.Error(), "\n") {
				require.Regexp(t, `^images\.web\.build`, line, "each mistake has its key")
			}
		})
	}
}

func FuzzADockerfileIsCheckedToTheEnd(f *testing.F) {
	for _, seed := range []string{"FROM scratch\nCOPY a /\n", "# escape=`\nFROM x AS y\nADD [\"a\"]\n",
		"FROM\nCOPY --from=0", "RUN <<E\n", "\xef\xbb\xbfFROM a\r\nCOPY 'a \\\n\"b /"} {
		f.Add([]byte(seed), "y")
	}
	f.Fuzz(func(_ *testing.T, content []byte, target string) {
		parsed, err := parseDockerfile("Dockerfile", content)
		if err != nil || parsed == nil {
			return
		}
		if built, err := parsed.target(target); err == nil {
			for _, index := range parsed.needed(built) {
				for _, instruction := range parsed.stages[index].instructions {
					parsed.copiedFiles(instruction)
					mountedFiles(instruction)
				}
			}
		}
	})
}
