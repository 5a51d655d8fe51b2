package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"slipway/cmd/slipway/internal/awsclient"
	"slipway/cmd/slipway/internal/pulumicli"
	"slipway/cmd/slipway/internal/stagefile"
)

// at is a time of the day that the tests take place on.
func at(clock string) time.Time {
	parsed, err := time.Parse("2006-01-02 15:04:05", "2026-11-24 "+clock)
	if err != nil {
		panic(err)
	}
	return parsed
}

// ran is an update of a service web that ended at a time, with a configuration.
func ran(number int, start, end, services string) *entry {
	ended := at(end)
	return &entry{Number: number, Kind: "update", Result: "succeeded", Start: at(start), End: &ended,
		Services: map[string]*placed{},
		leaves:   leaves("shop", map[string]pulumicli.ConfigValue{"shop:services": plain(services)})}
}

func TestImagesThatARollbackPins(t *testing.T) {
	t.Parallel()
	image := func(tag string) awsclient.Images {
		return awsclient.Images{Image: awsclient.Image{Reference: "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop-dev/web:" + tag,
			Tag: tag, Digest: digest,
			Repository: "shop-dev/web"}}
	}
	const services = `{"api": {"image": "web"}, "web": {"image": "web", "revision": 3}}`
	target, last := ran(5, "10:00:00", "10:01:00", services), ran(9, "11:00:00", "11:01:00", services)
	target.leaves["images.web.build.context"] = leaf{text: "./app"}
	pins := func(api, web *placed) (string, error) {
		target.Services = map[string]*placed{"api": api, "web": web}
		last.Services = map[string]*placed{"api": {Revision: 9, Images: image("v9")},
			"web": {Revision: 9, Images: image("v9")}}
		file := []byte("config:\n  shop:images:\n    web:\n      build: {context: ./app}\n")
		planned := &rollback{To: 5, target: target, Services: map[string]rollbackService{},
			next: &stagefile.Text{Written: file, Committed: file}}
		for name, then := range target.Services {
			planned.Services[name] = rollbackService{last.Services[name], then}
		}
		err := planned.pinImages(&stagefile.Project{Name: "shop"}, last)
		return string(planned.next.Written), err
	}
	pinned, err := pins(&placed{Revision: 5, Images: image("v5")},
		&placed{Revision: 3, Pinned: true, Images: image("v3")})
	require.NoError(t, err)
	require.Contains(t, pinned, ":v5@"+digest, "the image of a pinned revision comes with it")
	unchanged, err := pins(&placed{Revision: 9, Images: image("v9")},
		&placed{Revision: 3, Pinned: true, Images: image("v3")})
	require.NoError(t, err)
	require.NotContains(t, unchanged, "ref")
	_, err = pins(&placed{Revision: 5, Images: image("v5")}, &placed{Revision: 3, Images: image("v3")})
	require.ErrorContains(t, err, "use --pin")
}

func TestImagesOfTasksAndOfContainersBesideTheMainOneThatARollbackPins(t *testing.T) {
	t.Parallel()
	image := func(name, tag string) awsclient.Image {
		return awsclient.Image{Reference: "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop-dev/" + name + ":" + tag,
			Tag:        tag,
			Digest:     digest,
			Repository: "shop-dev/" + name}
	}
	busybox := awsclient.Image{Reference: "public.ecr.aws/docker/library/busybox:1.37"}
	const services = `{"web": {"image": "web", "containers": {"proxy": {"image": "proxy"}, "shell": {"image": ` +
		`"public.ecr.aws/docker/library/busybox:1.37"}}}}`
	target, last := ran(5, "10:00:00", "10:01:00", services), ran(9, "11:00:00", "11:01:00", services)
	for key, text := range map[string]string{"tasks.migrate.image": "batch", "images.web.build.context": ".",
		"images.proxy.build.context": ".",
		"images.batch.build.context": "."} {
		target.leaves[key] = leaf{text: text}
	}
	put := func(tag string) *placed {
		return &placed{Revision: 5, Images: awsclient.Images{Image: image("web", "v1"),
			Sidecars: map[string]awsclient.Image{"proxy": image("proxy", tag), "shell": busybox}}}
	}
	file := []byte("config:\n  shop:images:\n    web:\n      build: {context: .}\n    proxy:\n      build: {context: " +
		".}\n    batch:\n      build: {context: .}\n")
	planned := &rollback{To: 5, target: target, next: &stagefile.Text{Written: file, Committed: file},
		Services: map[string]rollbackService{"web": {put("v9"), put("v5")}},
		Tasks: map[string]rollbackService{"migrate": {nil, &placed{Revision: 2,
			Images: awsclient.Images{Image: image("batch", "v3")}}}}}
	last.Services = map[string]*placed{"web": put("v9")}
	require.NoError(t, planned.pinImages(&stagefile.Project{Name: "shop"}, last))
	require.Contains(t, string(planned.next.Written), "shop-dev/proxy:v5@"+digest)
	require.Contains(t, string(planned.next.Written), "shop-dev/batch:v3@"+digest)
	require.NotContains(t, string(planned.next.Written), "shop-dev/web:", "it runs now, too")
	require.NotContains(t, string(planned.next.Written), "busybox")
	require.Equal(t, []string{"images.batch is pinned to that update's image: remove its ref to build again",
		"images.proxy is pinned to that update's image: remove its ref to build again"}, planned.Notes)
}

func TestUpdatesDifferByTheImagesOfAllContainers(t *testing.T) {
	t.Parallel()
	past := func(task, sidecar string) *entry {
		e := ran(1, "10:00:00", "10:01:00", `{"web": {"image": "web"}}`)
		e.Services["web"] = &placed{Images: awsclient.Images{Image: awsclient.Image{Reference: "web"},
			Sidecars: map[string]awsclient.Image{"proxy": {Reference: sidecar}}}}
		e.Tasks = map[string]*placed{"migrate": {Images: awsclient.Images{Image: awsclient.Image{Reference: task}}}}
		return e
	}
	require.False(t, past("one", "one").differs(past("one", "one")))
	require.True(t, past("one", "one").differs(past("two", "one")))
	require.True(t, past("one", "one").differs(past("one", "two")))
}
