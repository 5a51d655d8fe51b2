package recovery

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/cmd/slipway/internal/pulumicli"
	"slipway/cmd/slipway/internal/stagefile"
)

// keepingPulumi keeps one state. Its refresh changes that, and fails.
type keepingPulumi struct {
	state   *stackState
	refresh func(*stackState) error
	broken  bool // no state is given any more once it was refreshed
}

func (p *keepingPulumi) run(ctx context.Context, _ string, input io.Reader, args ...string) (stdout, stderr string,
	err error) {
	switch {
	case args[0] == "refresh":
		err = p.refresh(p.state)
	case ctx.Err() != nil:
		err = ctx.Err()
	case args[1] == "export" && p.broken && p.refresh == nil:
		err = errors.New("the backend is gone")
	case args[1] == "export":
		var text []byte
		text, err = p.state.json()
		return string(text), "", err
	case args[1] == "import":
		err = json.NewDecoder(input).Decode(&p.state.document)
	}
	return "", "", err
}

const (
	ownRole     = "urn:pulumi:dev::shop::aws:iam/role:Role::web"
	othersRole  = "urn:pulumi:dev::shop::aws:iam/role:Role::api"
	unreadGroup = "urn:pulumi:dev::shop::aws:cloudwatch/logGroup:LogGroup::web"
)

// recovering is a recovery of three resources of which the refresh reads two: one of the stage, and one of others.
func recovering(t *testing.T, pulumi *keepingPulumi) *Recovery {
	t.Helper()
	made := func(urn, token, id string) *recovered {
		return &recovered{URN: urn, Operation: "creating", Result: imported, ID: id, made: stateResource{"urn": urn,
			"type": token, "inputs": map[string]any{"name": id, "tags": map[string]any{"project": "shop", "stage": "dev"}}}}
	}
	var err error
	pulumi.state, err = parseState([]byte(`{"version": 3, "deployment": {"resources": []}}`))
	require.NoError(t, err)
	r := &Recovery{Stage: "dev", project: &stagefile.Project{Directory: t.TempDir()},
		pulumi: pulumicli.CLI{Run: pulumi.run},
		Operations: []*recovered{made(ownRole, "aws:iam/role:Role", "shop-dev-web"),
			made(othersRole, "aws:iam/role:Role", "shop-dev-api"),
			made(unreadGroup, "aws:cloudwatch/logGroup:LogGroup", "/shop/dev/web")}}
	require.NoError(t, r.readState(t.Context()))
	return r
}

func readTwo(state *stackState) {
	tagged := func(project string) map[string]any {
		return map[string]any{"tags": map[string]any{"project": project, "stage": "dev"}}
	}
	state.liveOf(ownRole)["outputs"] = tagged("shop")
	state.liveOf(othersRole)["outputs"] = tagged("other")
}

// The engine keeps what a refresh has read before it failed or was interrupted.
func TestWhatIsOthersDoesNotStayWhereARefreshFails(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	pulumi := &keepingPulumi{refresh: func(state *stackState) error {
		readTwo(state)
		cancel()
		return errors.New("no access to the log group")
	}}
	r := recovering(t, pulumi)
	err := r.apply(ctx)
	require.ErrorContains(t, err, "no access to the log group")
	require.ErrorContains(t, err, othersRole+": AWS has shop-dev-api, which does not carry the tags project=shop")
	require.ErrorContains(t, err, "Run slipway recover dev again")
	require.Nil(t, pulumi.state.liveOf(othersRole))
	require.NotNil(t, pulumi.state.liveOf(ownRole))
	require.True(t, pulumi.state.liveOf(unreadGroup).unread(), "and so the next recovery reads it")
}

func TestAStateThatMayHaveWhatIsOthersIsToBePutBack(t *testing.T) {
	t.Parallel()
	pulumi := &keepingPulumi{broken: true}
	pulumi.refresh = func(state *stackState) error {
		readTwo(state)
		pulumi.refresh = nil
		return nil
	}
	r := recovering(t, pulumi)
	err := r.apply(t.Context())
	require.ErrorContains(t, err, "the backend is gone")
	require.ErrorContains(t, err,
		"put it back with `pulumi stack import --stack dev --file "+r.Backup+"`, and run slipway "+
			"recover dev again")
}

// A service that becomes a task keeps its names, and has other URNs.
func TestWhatTheStateHasIsNotTakenOnceMore(t *testing.T) {
	t.Parallel()
	state, err := parseState([]byte(`{"deployment": {"resources": [
		{"urn": "urn:service", "type": "aws:iam/role:Role", "id": "shop-dev-web", "inputs": {"name": "shop-dev-web"}},
		{"urn": "urn:service", "type": "aws:ecs/cluster:Cluster", "id": "arn:aws:ecs:cluster/shop-dev",
			"inputs": {"name": "shop-dev"}},
		{"urn": "urn:gone", "type": "aws:iam/role:Role", "id": "shop-dev-api", "pendingReplacement": true}]}}`))
	require.NoError(t, err)
	find := answering(t, nil)
	find.holds = state.holds
	for _, c := range []struct{ token, name, result, foundAgain string }{
		{"aws:iam/role:Role", "shop-dev-web", forgotten, again},
		{"aws:ecs/cluster:Cluster", "shop-dev", forgotten, again},
		{"aws:iam/role:Role", "shop-dev-api", imported, imported},
	} {
		made := stateResource{"urn": "urn:task", "type": c.token, "inputs": map[string]any{"name": c.name}}
		o := &recovered{URN: made.urn(), Operation: "creating", made: made}
		require.NoError(t, o.plan(t.Context(), find, state))
		require.Equal(t, c.result, o.Result, c.name)
		o = &recovered{URN: made.urn(), Operation: lost, made: made}
		require.NoError(t, o.lookFor(t.Context(), find))
		require.Equal(t, c.foundAgain, o.Result, c.name)
	}
}
