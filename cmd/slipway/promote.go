package main

import (
	"context"
	_ "crypto/sha256" // the digest of a reference is refused where its algorithm is not linked
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/distribution/reference"
	"github.com/spf13/cobra"
	"gopkg.in/yaml.v3"
)

// stackName is a stage, or organization/stage or organization/project/stage.
var stackName = regexp.MustCompile(`^([\w.-]+/){0,2}[\w-][\w.-]*$`)

func promoteCommand(directory *string) *cobra.Command {
	var allowDirty, asJSON bool
	command := &cobra.Command{
		Use:   "promote FROM TO",
		Short: "Write the images that one stage runs into another stage's file",
		Long: `Write the images that stage FROM runs into the stage file of TO, pinned by digest.

It reads the outputs of FROM's last update and changes the refs under images in Pulumi.TO.yaml, and nothing else in
that file. Nothing is deployed: commit the file and run pulumi up --stack TO.`,
		Example: "  slipway promote dev release",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 {
				return errors.New("promote takes two stages: slipway promote FROM TO")
			}
			for _, stack := range args {
				if !stackName.MatchString(stack) {
					return fmt.Errorf("%q is not the name of a stage", stack)
				}
			}
			if stageName(args[0]) == stageName(args[1]) {
				return fmt.Errorf("%s cannot be promoted to itself: name two stages", args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			project, err := findProject(*directory)
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "Reading what %s runs …\n", args[0])
			done, err := promote(cmd.Context(), newPulumiCLI(project.Directory), project, args[0], args[1], allowDirty)
			if err != nil {
				return err
			}
			if asJSON {
				encoder := json.NewEncoder(cmd.OutOrStdout())
				encoder.SetIndent("", "  ")
				err = encoder.Encode(done)
			} else {
				err = done.print(cmd.OutOrStdout())
			}
			if done.Changed {
				file := done.File
				if strings.ContainsRune(file, ' ') {
					file = "'" + file + "'"
				}
				fmt.Fprintf(cmd.ErrOrStderr(), "\nNext: git commit -m \"Promote %s to %s\" %s\n      pulumi up --stack %s\n",
					done.From, done.To, file, done.To)
			}
			return err
		},
	}
	command.Flags().BoolVar(&allowDirty, "allow-dirty", false, "promote images that were built from uncommitted changes too")
	command.Flags().BoolVar(&asJSON, "json", false, "print the difference as JSON")
	return command
}

// image is one entry of the stack output `images`.
type image struct {
	Ref    string `json:"ref"` // repository:tag@sha256:…
	Tag    string `json:"tag"`
	Digest string `json:"digest"`           // sha256:…
	Commit string `json:"commit,omitempty"` // empty without git, and in what a stage file says
	// Platform is linux/amd64 or linux/arm64; empty in what a stage file says.
	Platform string `json:"platform,omitempty"`
}

// promotion is what promote did, as --json prints it.
type promotion struct {
	From    string   `json:"from"`
	To      string   `json:"to"`
	File    string   `json:"file"` // relative to the current directory, where that is possible
	Changed bool     `json:"changed"`
	Images  []change `json:"images"` // by name
}

// change is what became of one image's ref. Old is nil where the stage file had none.
type change struct {
	Name    string `json:"name"`
	Changed bool   `json:"changed"`
	Old     *image `json:"old"`
	New     image  `json:"new"`
}

// promote writes the images of stack from into the stage file of stack to.
func promote(ctx context.Context, stacks stacks, project *project, from, to string, allowDirty bool) (*promotion, error) {
	file := project.stageFile(to)
	done := &promotion{From: from, To: to, File: file}
	if working, err := os.Getwd(); err == nil {
		if relative, err := filepath.Rel(working, file); err == nil {
			done.File = relative
		}
	}
	source, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s does not exist: copy Pulumi.%s.yaml to it, leave out its %s:images and its encryption keys, "+
			"set what differs, and run `pulumi stack init %s`", done.File, stageName(from), project.Name, to)
	}
	if err != nil {
		return nil, err
	}
	images, err := runningImages(ctx, stacks, from, allowDirty)
	if err != nil {
		return nil, err
	}

	key := project.Name + ":images"
	done.Images, err = compare(source, key, images)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", done.File, err)
	}
	refs := map[string]string{}
	for _, each := range done.Images {
		if each.Changed {
			refs[each.Name] = each.New.Ref
		}
	}
	if len(refs) == 0 {
		return done, nil
	}
	edited, err := setRefs(source, key, refs)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", done.File, err)
	}
	done.Changed = true
	return done, replaceFile(file, edited)
}

var dirtyTag = regexp.MustCompile(`-dirty(-|$)`)

// runningImages reads the images of a stack whose last update succeeded, each of which can be run by another stage.
func runningImages(ctx context.Context, stacks stacks, stack string, allowDirty bool) (map[string]image, error) {
	up := fmt.Sprintf("`pulumi up --stack %s`", stack)
	last, err := stacks.LastUpdate(ctx, stack)
	switch {
	case err != nil:
		return nil, err
	case last == nil:
		return nil, fmt.Errorf("%s has never been updated: run %s first", stack, up)
	case last.Result == "in-progress":
		return nil, fmt.Errorf("the last %s of %s has not ended: wait for it, and promote again", last.Kind, stack)
	case last.Result != "succeeded":
		return nil, fmt.Errorf("the last %s of %s %s: run %s until it succeeds, and promote again", last.Kind, stack, last.Result, up)
	case last.Kind == "destroy":
		return nil, fmt.Errorf("%s was destroyed: run %s first", stack, up)
	}
	outputs, err := stacks.Outputs(ctx, stack)
	if err != nil {
		return nil, err
	}
	var images map[string]image
	if output, ok := outputs["images"]; ok {
		if err := json.Unmarshal(output, &images); err != nil {
			return nil, fmt.Errorf("the output images of %s: %w", stack, err)
		}
	}
	if len(images) == 0 {
		return nil, fmt.Errorf("%s has no images in its outputs: give it one, and run %s", stack, up)
	}
	refused, err := pinnedServices(outputs["services"], stack, up)
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(images)) {
		image := images[name]
		ref, err := reference.Parse(image.Ref)
		digested, ok := ref.(reference.Digested)
		switch {
		case image.Digest == "":
			refused = append(refused, fmt.Errorf("images.%s of %s has no digest: run %s, and promote again", name, stack, up))
		case err != nil || !ok || digested.Digest().String() != image.Digest:
			refused = append(refused, fmt.Errorf("images.%s of %s: ref %q is not repository:tag@%s: run %s, and promote again",
				name, stack, image.Ref, image.Digest, up))
		case dirtyTag.MatchString(image.Tag) && !allowDirty:
			refused = append(refused, fmt.Errorf("images.%s of %s (%s) was built from uncommitted changes: commit them, run %s, "+
				"and promote again, or add --allow-dirty", name, stack, image.Tag, up))
		}
	}
	return images, errors.Join(refused...)
}

// pinnedServices refuses a stack of which a service is pinned to an earlier revision: it runs another image than the one
// that the stack has last built, and which of its images that is, its outputs do not say.
func pinnedServices(output json.RawMessage, stack, up string) (refused []error, err error) {
	var services map[string]struct{ Pinned bool }
	if output == nil {
		return nil, nil
	}
	if err := json.Unmarshal(output, &services); err != nil {
		return nil, fmt.Errorf("the output services of %s: %w", stack, err)
	}
	for _, name := range slices.Sorted(maps.Keys(services)) {
		if services[name].Pinned {
			refused = append(refused, fmt.Errorf("services.%s of %s is pinned to an earlier revision, and may run an earlier image: "+
				"remove its revision, run %s, and promote again", name, stack, up))
		}
	}
	return refused, nil
}

// compare says how the images differ from those that the stage file pins under config.<key>.
func compare(source []byte, key string, images map[string]image) ([]change, error) {
	var stage struct {
		Config map[string]yaml.Node `yaml:"config"`
	}
	if err := yaml.Unmarshal(source, &stage); err != nil {
		return nil, err
	}
	var declared map[string]map[string]any
	if node, ok := stage.Config[key]; ok {
		if err := node.Decode(&declared); err != nil {
			return nil, fmt.Errorf("config.%s: must be a map of images: %w", key, err)
		}
	}
	var changes []change
	var refused []error
	for _, name := range slices.Sorted(maps.Keys(images)) {
		at := fmt.Sprintf("config.%s.%s", key, name)
		if _, builds := declared[name]["build"]; builds {
			refused = append(refused, fmt.Errorf("%s: is built in this stage: remove its build to pin what another stage built", at))
			continue
		}
		found := change{Name: name, New: images[name]}
		switch ref := declared[name]["ref"].(type) {
		case nil:
		case string:
			found.Old = pinned(ref)
		default:
			refused = append(refused, fmt.Errorf("%s.ref: must be text: repository:tag@sha256:…", at))
		}
		if platform := platformOf(declared[name]); images[name].Platform != "" && images[name].Platform != platform {
			refused = append(refused, fmt.Errorf("%s.platform: is %s, and the image was built for %s: "+
				"write platform: %[3]s there, so that its tasks get that architecture", at, platform, images[name].Platform))
		}
		found.Changed = found.Old == nil || found.Old.Ref != found.New.Ref
		changes = append(changes, found)
	}
	return changes, errors.Join(refused...)
}

// platformOf is the platform that a stage file names for an image, or the one that it means by naming none.
func platformOf(declared map[string]any) string {
	if platform, ok := declared["platform"].(string); ok {
		return platform
	}
	return "linux/amd64"
}

// pinned is what a ref in a stage file says about its image.
func pinned(ref string) *image {
	found := &image{Ref: ref}
	parsed, err := reference.Parse(ref)
	if err != nil {
		return found
	}
	if tagged, ok := parsed.(reference.Tagged); ok {
		found.Tag = tagged.Tag()
	}
	if digested, ok := parsed.(reference.Digested); ok {
		found.Digest = digested.Digest().String()
	}
	return found
}

// print shows per image what the stage file said and what it says now.
func (p *promotion) print(w io.Writer) error {
	if !p.Changed {
		fmt.Fprintf(w, "%s already runs the images of %s: %s stays as it is.\n", p.To, p.From, p.File)
	} else {
		fmt.Fprintf(w, "%s now has the images of %s:\n", p.File, p.From)
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, each := range p.Images {
		switch {
		case !each.Changed:
			fmt.Fprintf(table, "  %s\t=\t%s\n", each.Name, each.New.describe())
		case each.Old == nil:
			fmt.Fprintf(table, "  %s\t+\t%s\n", each.Name, each.New.describe())
		default:
			fmt.Fprintf(table, "  %s\t-\t%s\n\t+\t%s\n", each.Name, each.Old.describe(), each.New.describe())
		}
	}
	return table.Flush()
}

// describe is an image's tag, the start of its digest and its commit, in columns; or its ref, where that is no more
// than text.
func (i image) describe() string {
	if i.Tag == "" && i.Digest == "" {
		return i.Ref
	}
	digest := i.Digest
	if algorithm, hex, ok := strings.Cut(digest, ":"); ok {
		digest = fmt.Sprintf("%s:%.12s", algorithm, hex)
	}
	described := i.Tag + "\t" + digest
	if i.Commit != "" {
		described += "\tcommit " + i.Commit
	}
	return described
}
