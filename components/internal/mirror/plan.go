package mirror

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// plan is what is to be copied.
type plan struct {
	blobs          int   // layers and configurations of the image, of all platforms
	absent         int   // how many of them the stage's repository lacks
	total, missing int64 // bytes of all, and of those
}

func (p *plan) String() string {
	return fmt.Sprintf("%s of %s are missing there, in %d of %d layers", megabytes(p.missing), megabytes(p.total), p.absent,
		p.blobs)
}

func megabytes(bytes int64) string { return fmt.Sprintf("%.1f MB", float64(bytes)/1e6) }

// read finds out from the source what the image is made of, and from the stage's repository which of that it lacks.
func (c *Copy) read(w *watched) (*plan, error) {
	image, err := c.source(w)
	if err != nil {
		return nil, err
	}
	sizes := map[string]int64{}
	if err := addBlobs(sizes, image); err != nil {
		return nil, err
	}
	absent, err := c.absent(w, slices.Sorted(maps.Keys(sizes)))
	if err != nil {
		return nil, err
	}
	p := &plan{blobs: len(sizes), absent: len(absent)}
	for _, size := range sizes {
		p.total += size
	}
	for _, digest := range absent {
		p.missing += sizes[digest]
	}
	return p, nil
}

// addBlobs adds the layers and configurations of an image, or of those that an index lists, with their sizes by digest.
func addBlobs(sizes map[string]int64, from *remote.Descriptor) error {
	if !from.MediaType.IsIndex() {
		image, err := from.Image()
		if err != nil {
			return err
		}
		return addImage(sizes, image)
	}
	index, err := from.ImageIndex()
	if err != nil {
		return err
	}
	return addIndex(sizes, index)
}

func addIndex(sizes map[string]int64, index v1.ImageIndex) error {
	children, err := partial.Manifests(index)
	if err != nil {
		return err
	}
	for _, child := range children {
		switch child := child.(type) {
		case v1.ImageIndex:
			err = addIndex(sizes, child)
		case v1.Image:
			err = addImage(sizes, child)
		case v1.Layer:
			err = addLayer(sizes, child)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func addImage(sizes map[string]int64, image v1.Image) error {
	manifest, err := image.Manifest()
	if err != nil {
		return err
	}
	for _, blob := range append([]v1.Descriptor{manifest.Config}, manifest.Layers...) {
		if blob.MediaType.IsDistributable() { // others every registry refers to where their owner keeps them
			sizes[blob.Digest.String()] = blob.Size
		}
	}
	return nil
}

func addLayer(sizes map[string]int64, layer v1.Layer) error {
	digest, err := layer.Digest()
	if err != nil {
		return err
	}
	sizes[digest.String()], err = layer.Size()
	return err
}

// mostLayers is how many layers one call asks for
// (https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_BatchCheckLayerAvailability.html).
const mostLayers = 100

// absent are those layers that the stage's repository does not have.
func (c *Copy) absent(w *watched, digests []string) (absent []string, err error) {
	clients, err := c.Registries.Clients(w)
	if err != nil {
		return nil, err
	}
	for part := range slices.Chunk(digests, mostLayers) {
		answer, err := clients.ECR.BatchCheckLayerAvailability(w, &ecr.BatchCheckLayerAvailabilityInput{
			RepositoryName: &c.Own.Repository, LayerDigests: part})
		if errors.As(err, new(*types.RepositoryNotFoundException)) { // the update makes it
			return digests, nil
		} else if err != nil {
			return nil, fmt.Errorf("asking which layers %s has: %w", c.Own.Repository, err)
		}
		has := map[string]bool{}
		for _, layer := range answer.Layers {
			has[aws.ToString(layer.LayerDigest)] = layer.LayerAvailability == types.LayerAvailabilityAvailable
		}
		absent = append(absent, slices.DeleteFunc(slices.Clone(part), func(digest string) bool { return has[digest] })...)
	}
	return absent, nil
}
