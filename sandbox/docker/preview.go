package docker

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/moby/client"
	"google.golang.org/protobuf/types/known/structpb"
)

// warnAhead says in a preview why the build will fail on this machine, as far as that is known before anything is
// built. It is a warning: another machine's engine may do it.
func (s *server) warnAhead(ctx context.Context, urn string, properties *structpb.Struct) error {
	inputs, err := unmarshal(properties)
	if err != nil || inputs["build"].ContainsUnknowns() {
		return err
	}
	b, err := s.buildOf(inputs)
	if err != nil {
		return err
	}
	if reason := b.tryOut(ctx); reason != nil {
		s.log.Warn(urn, "The build of this image will fail here: %v", reason)
	}
	return ctx.Err()
}

// tryOut does what can be done without a trace: where no engine is there, all of it.
func (b *build) tryOut(ctx context.Context) error {
	docker, err := Engine(ctx)
	if err != nil {
		return err
	}
	if docker != nil {
		defer docker.Close()
		return b.tryFrontend(ctx, docker)
	}
	scratch, err := os.MkdirTemp("", "sandbox-preview-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	_, err = pack(ctx, b, scratch)
	return err
}

// tryFrontend has the engine read the Dockerfile. It asks for a build stage that is not there: so the engine first
// reads all of the file, and then builds nothing.
func (b *build) tryFrontend(ctx context.Context, docker *client.Client) error {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	noStage := "sandbox-" + strings.ToLower(rand.Text())
	err := b.run(ctx, docker, client.ImageBuildOptions{Target: noStage}, sendDockerfile, func(string) {})
	if err == nil || strings.Contains(err.Error(), noStage) || ctx.Err() != nil {
		return nil
	}
	version := "this engine"
	if server, err := docker.ServerVersion(ctx, client.ServerVersionOptions{}); err == nil {
		version = "Docker " + server.Version
	}
	content, readErr := os.ReadFile(b.dockerfile)
	if readErr != nil {
		return readErr
	}
	return b.explain(content, version, err.Error())
}

// sendDockerfile writes a context that has nothing else.
func sendDockerfile(_ context.Context, b *build, to io.Writer) error {
	archive := tar.NewWriter(to)
	if err := b.addDockerfile(archive); err != nil {
		return err
	}
	return archive.Close()
}

// refusedLine is the line of the Dockerfile that a frontend cannot read, in the words of old and of new ones.
var refusedLine = regexp.MustCompile(`parse error (?:on )?line (\d+): `)

// explain says what to do about a Dockerfile that the engine does not take.
func (b *build) explain(dockerfile []byte, version, message string) error {
	frontend, _, at, _ := parser.DetectSyntax(dockerfile)
	found := refusedLine.FindStringSubmatchIndex(message)
	if found == nil {
		if frontend == "" || len(at) == 0 {
			return fmt.Errorf("%s: %s", b.dockerfileInput, message)
		}
		return fmt.Errorf("%s, line %d: %s does not get the frontend %s: %s. Let the engine reach its registry, or remove "+
			"the line if the engine reads the Dockerfile without", b.dockerfileInput, at[0].Start.Line, version, frontend, message)
	}
	line, _ := strconv.Atoi(message[found[2]:found[3]])
	reason := message[found[1]:]
	instruction, isKnown := instructionAt(dockerfile, line)
	if instruction == nil {
		return fmt.Errorf("%s, line %d: %s", b.dockerfileInput, line, reason)
	}
	where := fmt.Sprintf("%s, line %d: %s", b.dockerfileInput, instruction.StartLine, instruction.Original)
	if !isKnown || frontend != "" {
		return fmt.Errorf("%s: %s", where, reason)
	}
	return fmt.Errorf("%s is newer than %s, which says of line %d: %s. Use a newer Docker, or begin the Dockerfile with "+
		"\"# syntax=docker/dockerfile:1\", which the engine then pulls from Docker Hub", where, version, line, reason)
}

// instructionAt is the instruction that a line belongs to, and whether Docker knows all of the Dockerfile by now.
func instructionAt(dockerfile []byte, line int) (at *parser.Node, isKnown bool) {
	parsed, err := parser.Parse(bytes.NewReader(dockerfile))
	if err != nil {
		return nil, false
	}
	_, _, err = instructions.Parse(parsed.AST, nil)
	for _, each := range parsed.AST.Children {
		if each.StartLine <= line && line <= each.EndLine {
			at = each
		}
	}
	return at, err == nil
}
