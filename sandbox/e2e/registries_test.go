package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/internal/registries/registrytest"
	"slipway/sandbox/account"
	"slipway/sandbox/account/secrets"
)

// An image that somebody else builds: by its tag it is refused, slipway pin writes the digest, and it runs by that.
func TestAnImageOfAnotherRegistryRunsByItsDigest(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	registry := registrytest.Serve(t, "", "")
	web := registry.Push(t, "team/web", "1.4", "linux/amd64", "linux/arm64")
	tag, _, _ := strings.Cut(web.String(), "@")
	p.ok("pulumi", "stack", "init", "release")
	p.write("Pulumi.release.yaml", p.read("Pulumi.release.yaml")+
		"  slipway:images: {web: {ref: \""+tag+"\"}} # of team web\n")
	u := p.tryUp("release")
	require.NotZero(t, u.status)
	require.Contains(t, u.output, "images.web.ref (Pulumi.release.yaml): has no digest, so what it runs could change; "+
		"`slipway pin release` looks it up and writes it")
	require.Empty(t, u.changed())

	before := p.read("Pulumi.release.yaml")
	require.Contains(t, p.ok("slipway", "pin", "release").stdout, "images.web.ref (Pulumi.release.yaml)\n  - "+tag+
		"\n  + "+web.String())
	require.Equal(t, strings.Replace(before, tag, web.String(), 1), p.read("Pulumi.release.yaml"))
	p.ok("slipway", "verify", "release")
	p.up("release")
	container := p.aws.container("slipway-release-web:1")
	require.Equal(t, web.Pinned(), container.Image())
	require.NotContains(t, container, "repositoryCredentials")
	require.Equal(t, web.String(), p.state("release").outputs().Images["web"].Ref)
	require.Equal(t, 2, p.aws.service("slipway-release").Running)
	p.settled("release")

	arm := registry.Push(t, "team/web", "arm", "linux/arm64").String()
	p.replace("Pulumi.release.yaml", web.String(), arm)
	u = p.tryUp("release")
	require.NotZero(t, u.status)
	require.Contains(t, u.output, "images.web.ref (Pulumi.release.yaml): "+arm+" is for linux/arm64, and its tasks run on "+
		"linux/amd64")
	require.Empty(t, u.changed())
}

func TestAPrivateRegistryIsAskedWithItsCredentials(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	registry := registrytest.Serve(t, "robot", "hunter2")
	web := registry.Push(t, "team/web", "1.4", "linux/amd64")
	arn, err := secrets.CreateSecret(p.aws.open(), "ap-northeast-2", account.Object{"name": "registry"})
	require.NoError(t, err)
	put := func(password string) {
		_, err := secrets.PutSecretValue(p.aws.open(), arn, `{"username": "robot", "password": "`+password+`"}`, "")
		require.NoError(t, err)
	}
	put("hunter2")
	p.ok("pulumi", "stack", "init", "release")
	p.write("Pulumi.release.yaml", p.read("Pulumi.release.yaml")+"  slipway:images: {web: {ref: \""+web.String()+"\"}}\n")
	u := p.tryUp("release")
	require.NotZero(t, u.status)
	require.Contains(t, u.output, "images.web.ref (Pulumi.release.yaml): "+web.String()+" may not be read without a password")
	require.Empty(t, u.changed(), "it is refused before anything changes")

	p.write("Pulumi.release.yaml", p.read("Pulumi.release.yaml")+fmt.Sprintf("  slipway:registries: {%q: {credentials: %q}}\n",
		registry.Host, arn))
	u = p.up("release")
	require.NotContains(t, u.output, "hunter2")
	require.Equal(t, map[string]any{"credentialsParameter": arn},
		p.aws.container("slipway-release-web:1")["repositoryCredentials"])
	require.Equal(t, []string{arn}, p.aws.statements("slipway-release-web-execution")["Secrets"].Resource)
	require.Equal(t, 2, p.aws.service("slipway-release").Running)
	p.settled("release")

	put("other")
	u = p.tryUp("release")
	require.NotZero(t, u.status)
	require.Contains(t, u.output, "may not be read with the name and password of registries[")
}
