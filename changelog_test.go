package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/semver"

	"slipway/internal/version"
)

// Whoever upgrades reads in the changelog whether tasks will start again.
func TestEachVersionSaysWhetherItRegistersNewRevisions(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("CHANGELOG.md")
	require.NoError(t, err)
	const entry = `(?m)^## (\d\S*)$`
	versions := regexp.MustCompile(entry).FindAllSubmatch(text, -1)
	complete := regexp.MustCompile(entry+`\n\nRegisters new revisions: (yes|no)\n`).FindAllSubmatch(text, -1)
	require.Equal(t, len(versions), len(complete), "each `## VERSION` is followed by `Registers new revisions: yes` or `no`")
	require.Equal(t, version.Number, string(versions[0][1]), "the first is that of internal/version")
	for i := range versions[1:] {
		require.Positive(t, semver.Compare("v"+string(versions[i][1]), "v"+string(versions[i+1][1])), "the newest is first")
	}
}

// The types that a team's transformations go by are all in the changelog.
func TestTheTypesOfComponentsAreInTheChangelog(t *testing.T) {
	t.Parallel()
	token := regexp.MustCompile(`slipway:components:\w+`)
	find := func(name string) (found []string) {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		return token.FindAllString(string(text), -1)
	}
	var declared []string
	files, err := filepath.Glob("components/*.go")
	require.NoError(t, err)
	for _, name := range files {
		declared = append(declared, find(name)...)
	}
	slices.Sort(declared)
	written := find("CHANGELOG.md")
	slices.Sort(written)
	require.Equal(t, slices.Compact(declared), written)
}
