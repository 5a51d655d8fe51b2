package main

import (
	"encoding/json"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/diag"
	"github.com/pulumi/pulumi/sdk/v3/go/common/diag/colors"
	"github.com/pulumi/pulumi/sdk/v3/go/common/encoding"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
	"go.yaml.in/yaml/v3"
)

var saltLine = regexp.MustCompile(`(?m)^encryptionsalt:.*\n?`)

// withoutSalt is what to make of a stage file that was kept (nil where there was none): the bytes that were kept, where
// current differs from them only by the sandbox's salt and by what the CLI makes of any file that it writes. Where a
// command has edited the configuration too, only the salt goes, and it stays where something is encrypted with it. The
// result is nil where nothing is left of a file that was not there.
func (s *stageFiles) withoutSalt(current, kept []byte) []byte {
	now, err := s.parse(current)
	if err != nil || now.EncryptionSalt == "" {
		return current
	}
	before, err := s.parse(kept)
	if err != nil || before.EncryptionSalt != "" {
		return current
	}
	same := sameSettings(now, before) && !hasNew(comments(current), comments(kept))
	switch {
	case same && kept != nil:
		return kept
	case now.Config.HasSecureValue() || !opens(now.EncryptionSalt):
		return current
	case same:
		return nil
	}
	return saltLine.ReplaceAll(current, nil)
}

// parse reads a stage file as the CLI does, which takes 1.10 for "1.1" and writes that when it writes the file.
func (s *stageFiles) parse(content []byte) (*workspace.ProjectStack, error) {
	return workspace.LoadProjectStackBytes(silent, s.project, content, "the stage file", encoding.YAML)
}

// silent is for warnings that the command's own pulumi gives.
var silent = diag.DefaultSink(io.Discard, io.Discard, diag.FormatOptions{Color: colors.Never})

// sameSettings reports whether two stage files say the same, but for the salt.
func sameSettings(one, other *workspace.ProjectStack) bool {
	texts := make([]string, 2)
	for i, stage := range []workspace.ProjectStack{*one, *other} {
		stage.EncryptionSalt = ""
		text, err := json.Marshal(stage)
		if err != nil {
			return false
		}
		texts[i] = string(text)
	}
	return texts[0] == texts[1]
}

// hasNew tells whether a line was not among the earlier ones. The CLI may drop a comment; one that is new is the
// user's.
func hasNew(lines, earlier []string) bool {
	return slices.ContainsFunc(lines, func(line string) bool { return !slices.Contains(earlier, line) })
}

// comments are the lines of a stage file's comments.
func comments(content []byte) []string {
	var root yaml.Node
	if yaml.Unmarshal(content, &root) != nil {
		return nil
	}
	var lines []string
	var gather func(*yaml.Node)
	gather = func(node *yaml.Node) {
		for _, comment := range []string{node.HeadComment, node.LineComment, node.FootComment} {
			for line := range strings.Lines(comment) {
				if line = strings.TrimSpace(line); line != "" {
					lines = append(lines, line)
				}
			}
		}
		for _, child := range node.Content {
			gather(child)
		}
	}
	gather(&root)
	return lines
}
