package preview

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"slipway/cmd/slipway/internal/commits"
	"slipway/cmd/slipway/internal/pulumicli"
	"slipway/internal/imageref"
	"slipway/stage"
)

// Image is what the update does about an image of the stage.
type Image struct {
	Name string    `json:"name"`
	What ImageWhat `json:"what"`
	// Tag of the image; empty where it is not known yet. That of one that is built is a candidate: the update's own has
	// the time of the update.
	Tag string `json:"tag,omitempty"`
	// Copy says where the image is copied from and to, and how much, as the program does.
	Copy string `json:"copy,omitempty"`

	repository string // that the stage has for it, or would have
}

// ImageWhat is what the update does about an image: see the constants.
type ImageWhat string

const (
	// Built is one that is built and pushed.
	Built ImageWhat = "built"
	// Copied is one that the stage's repository lacks.
	Copied ImageWhat = "copied"
	// Pinned is another one than before, or a new one, for which nothing is built or copied.
	Pinned ImageWhat = "pinned"
	// Same is the one from before.
	Same ImageWhat = "same"
)

// copies is how the program begins what it says of a copy in a preview (components/internal/mirror).
const copies = "copies "

// Anything tells whether the update would do anything.
func (p *Preview) Anything() bool { return p.Changes+len(p.imagesThatAre(Copied)) > 0 }

func (p *Preview) imagesThatAre(what ImageWhat) (names []string) {
	for _, image := range p.Images {
		if image.What == what {
			names = append(names, image.Name)
		}
	}
	return names
}

// imagesOf tells what becomes of each image of a stage.
func imagesOf(found *pulumicli.Preview, settings *stage.Stage) []Image {
	built, copied, deployed := map[string]string{}, map[string]string{}, map[string]any{}
	for _, step := range found.Steps {
		token, name := partsOf(step.URN)
		switch {
		case token == imageType && operations[step.Op] != "" && step.Op != "delete":
			_, built[name], _ = strings.Cut(path.Base(text(properties(step.NewState, "inputs")["imageName"])), ":")
		case token == stackType:
			deployed, _ = properties(step.OldState, "outputs")["images"].(map[string]any)
		}
	}
	for _, said := range found.Diagnostics {
		if token, name := partsOf(said.URN); token == imageComponent {
			if copy, announced := strings.CutPrefix(strings.TrimSpace(said.Message), copies); announced {
				copied[name] = copy
			}
		}
	}
	images := []Image{}
	for _, name := range slices.Sorted(maps.Keys(settings.Images)) {
		image := Image{Name: name, What: Same, repository: settings.RepositoryName(name)}
		before, _ := deployed[name].(map[string]any)
		if ref := settings.Images[name].Ref; ref != nil {
			image.Tag = ref.Tag
			if ref.Digest != before["digest"] {
				image.What = Pinned
			}
		}
		if tag, is := built[name]; is {
			image.What, image.Tag = Built, tag
		}
		if copy, is := copied[name]; is {
			image.What, image.Copy = Copied, copy
		}
		images = append(images, image)
	}
	return images
}

// ImageChange is another image for a container.
type ImageChange struct {
	Container string           `json:"container"`
	Old       *pulumicli.Image `json:"old"`
	New       *pulumicli.Image `json:"new"`
	// Built and Copied say that the update builds or copies the new one.
	Built  bool `json:"built"`
	Copied bool `json:"copied"`
	// Commits in between; nil where they are the same, or not known.
	Commits *commits.Between `json:"commits,omitempty"`
}

// mark tells by the images of the stage where the new one comes from.
func (c *ImageChange) mark(images []Image) {
	ref, _ := imageref.Parse(c.New.Ref) // what is no reference is no image of the stage
	for _, image := range images {
		if image.repository == ref.Repository && image.Tag != "" && image.Tag == ref.Tag {
			c.Built, c.Copied = image.What == Built, image.What == Copied
		}
	}
}

// FindCommits adds the commits that lie between images. root is the project's directory.
func (p *Preview) FindCommits(ctx context.Context, root string, settings *stage.Stage) {
	for _, workload := range p.Workloads {
		source := root
		if build := settings.Images[settings.TaskDefinition(workload.Name).Image].Build; build != nil {
			source = filepath.Join(root, build.Context)
		}
		for i, image := range workload.Images {
			workload.Images[i].Commits = commits.Find(ctx, source, image.Old.Commit, image.New.Commit)
		}
	}
}

// imageIn is what a container of a task definition runs.
func imageIn(inputs map[string]any, container string) *pulumicli.Image {
	var definitions []struct {
		Name, Image  string
		DockerLabels map[string]string
	}
	_ = json.Unmarshal([]byte(text(inputs[containerDefinitions])), &definitions) // it was read before
	for _, each := range definitions {
		if each.Name == container {
			image := pulumicli.PinnedImage(each.Image)
			image.Tag = cmp.Or(image.Tag, each.DockerLabels[imageref.TagLabel])
			image.Commit = imageref.CommitOf(image.Tag)
			return image
		}
	}
	return &pulumicli.Image{}
}
