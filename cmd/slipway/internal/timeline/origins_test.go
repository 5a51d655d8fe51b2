package timeline

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/stretchr/testify/require"

	"slipway/cmd/slipway/internal/awsreader"
	"slipway/internal/origins"
	"slipway/stage"
)

// ownSecret is a reference to a value in the secret that the stage keeps for the service web.
func ownSecret(variable, version string) string {
	return "arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop-dev-web-1-a1b2c3:" + variable + "::" + version
}

// withOrigins is a revision whose container has variables and secrets, all with an origin.
func withOrigins(origin string, variables, secrets map[string]string) *awsreader.Revision {
	container := types.ContainerDefinition{Name: aws.String("web"), Image: aws.String("nginx:1")}
	origins := origins.Origins{}
	for name, value := range variables {
		container.Environment = append(container.Environment, types.KeyValuePair{Name: &name, Value: &value})
		origins[name] = origin
	}
	for name, reference := range secrets {
		container.Secrets = append(container.Secrets, types.Secret{Name: &name, ValueFrom: &reference})
		origins[name] = origin
	}
	container.DockerLabels = origins.LabelsWith(nil)
	return &awsreader.Revision{Definition: &types.TaskDefinition{Cpu: aws.String("256"), Memory: aws.String("512"),
		ContainerDefinitions: []types.ContainerDefinition{container}}}
}

func TestValuesThatTheStageFileDoesNotHaveAreComparedByTheirOrigins(t *testing.T) {
	t.Parallel()
	const from, queue = "output x of network/dev", "hand-over queue"
	type values = map[string]string
	for name, test := range map[string]struct {
		before, after *awsreader.Revision
		ownSecrets    bool
		want          []string
	}{
		"equal": {withOrigins(from, values{"A": "1"}, nil), withOrigins(from, values{"A": "1"}, nil), false, nil},
		"another": {withOrigins(from, values{"A": "1", "B": "1"}, nil), withOrigins(from, values{"A": "2", "B": "1"}, nil),
			false, []string{"web.A (" + from + "): 1 → 2"}},
		"of another origin, which the stage file says": {withOrigins("output y of network/dev", values{"A": "1"}, nil),
			withOrigins(from, values{"A": "2"}, nil), false, nil},
		"new": {withOrigins(from, nil, nil), withOrigins(from, values{"A": "2"}, nil), false, nil},
		"one kept secret": {withOrigins(from, nil, values{"P": ownSecret("P", "v1")}),
			withOrigins(from, nil, values{"P": ownSecret("P", "v2")}), false,
			[]string{"web.P (" + from + "): changed (secret)"}},
		"two in one version": {withOrigins(from, nil, values{"P": ownSecret("P", "v1"), "Q": ownSecret("Q", "v1")}),
			withOrigins(from, nil, values{"P": ownSecret("P", "v2"), "Q": ownSecret("Q", "v2")}), false,
			[]string{"web.P (" + from + "): may have changed (secret)", "web.Q (" + from + "): may have changed (secret)"}},
		"with secrets of the stage file": {withOrigins(from, nil, values{"P": ownSecret("P", "v1")}),
			withOrigins(from, nil, values{"P": ownSecret("P", "v2")}), true, nil},
		"added by a hand-over": {withOrigins(queue, values{"B": "1"}, nil), withOrigins(queue, values{"A": "2", "B": "1"},
			nil), false, []string{"web.A (" + queue + "): + 2"}},
		"removed by a hand-over": {withOrigins(queue, values{"B": "1"}, values{"P": "arn"}), withOrigins(queue,
			values{"B": "1"}, nil), false, []string{"web.P (" + queue + "): removed (secret)"}},
		"of an output in place of a hand-over": {withOrigins(queue, values{"A": "1"}, nil), withOrigins(from,
			values{"A": "2"}, nil), false, nil},
		"a revision that is gone": {nil, withOrigins(queue, values{"A": "1"}, nil), false, nil},
		"gone":                    {withOrigins(from, values{"A": "1"}, nil), nil, false, nil},
	} {
		var got []string
		for _, change := range outsideChanges("shop-dev-web", test.before, test.after, test.ownSecrets) {
			got = append(got, change.Describe())
		}
		require.Equal(t, test.want, got, name)
	}
}

func TestValuesThatTheStageFileDoesNotHaveAreNoMismatch(t *testing.T) {
	t.Parallel()
	const from = "output x of network/dev"
	load := func(environment string) *stage.Stage {
		loaded, err := stage.Load(stage.Input{Project: "shop", Stage: "dev", Config: map[string]string{
			"shop:images":  `{"nginx": {"ref": "nginx:1@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}}`,
			"shop:outputs": `{"X": {"stack": "network", "output": "x"}}`, "shop:secrets": `{"P": {"output": "X"}}`,
			"shop:services": `{"web": {"image": "nginx", "environment": ` + environment + `, "secrets": ["P"]}}`,
		}})
		require.NoError(t, err)
		return loaded
	}
	revision := withOrigins(from, map[string]string{"A": "1"}, map[string]string{"P": ownSecret("P", "v1")})
	revision.Definition.ContainerDefinitions[0].Image = aws.String("docker.io/library/nginx:1")
	asked := load(`{"A": {"output": "X"}}`)
	require.Empty(t, Mismatches(asked, "web", revision))
	require.Empty(t, Mismatches(asked, "web", revision), "nothing of what was asked for was changed")
	require.Equal(t, []string{"web has no variable A"}, Mismatches(load(`{"A": "text"}`), "web", revision))

	container := &revision.Definition.ContainerDefinitions[0]
	container.Environment = append(container.Environment, types.KeyValuePair{Name: aws.String("URL"),
		Value: aws.String("1")})
	container.Secrets = append(container.Secrets, types.Secret{Name: aws.String("T"), ValueFrom: aws.String("x")})
	require.Len(t, Mismatches(asked, "web", revision), 2)
	container.DockerLabels["slipway.from.URL"] = "hand-over queue"
	container.DockerLabels["slipway.from.T"] = "hand-over queue"
	require.Empty(t, Mismatches(asked, "web", revision))
}
