package components

import (
	"errors"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"slipway/stage"
)

// otherStacks answers the engine's function with what its stacks export. Each fails as often as it says.
type otherStacks struct {
	recorder
	failures map[string][]error
	asked    []string
}

func (o *otherStacks) Call(args pulumi.MockCallArgs) (resource.PropertyMap, error) {
	name := args.Args["name"].StringValue()
	o.asked = append(o.asked, args.Token+" "+name)
	if failures := o.failures[name]; len(failures) > 0 {
		o.failures[name] = failures[1:]
		return nil, failures[0]
	}
	return resource.PropertyMap{
		"outputs": resource.NewProperty(resource.PropertyMap{
			"host":     resource.NewProperty("db.internal"),
			"port":     resource.NewProperty(5432.0),
			"subnets":  resource.NewProperty([]resource.PropertyValue{resource.NewProperty("subnet-1")}),
			"password": resource.MakeSecret(resource.NewProperty("hunter2")),
		}),
		"secretOutputNames": resource.NewProperty([]resource.PropertyValue{resource.NewProperty("password")}),
	}, nil
}

func TestOutputsOfOtherStacksAreReadOnceMoreWhereThatFailed(t *testing.T) {
	t.Parallel()
	chance := errors.New("the backend is away")
	others := &otherStacks{failures: map[string][]error{
		"organization/network/dev": {chance},
		"team/network/dev":         {chance, chance},
		"organization/gone/dev":    {errors.New(`unknown stack "organization/gone/dev"`)},
	}}
	err := pulumi.RunErr(func(ctx *pulumi.Context) error {
		read := stackOutputs(ctx, time.Microsecond)
		values, err := read("network/dev")
		require.NoError(t, err)
		require.Equal(t, map[string]stage.OutputValue{
			"host": {Value: "db.internal"}, "port": {Value: 5432.0}, "subnets": {Value: []any{"subnet-1"}},
			"password": {Value: "hunter2", Secret: true},
		}, values)
		_, err = read("team/network/dev")
		require.ErrorContains(t, err, "the outputs of team/network/dev cannot be read; whoever previews and updates the "+
			"stage needs to read that stack, too: ")
		_, err = read("gone/dev")
		require.EqualError(t, err, "there is no stack organization/gone/dev; run `pulumi up` there first, or correct its "+
			"name")
		return nil
	}, pulumi.WithMocks("shop", "dev", others))
	require.NoError(t, err)
	const function = "pulumi:pulumi:readStackOutputs "
	require.Equal(t, []string{function + "organization/network/dev", function + "organization/network/dev",
		function + "team/network/dev", function + "team/network/dev", function + "organization/gone/dev"}, others.asked)
}
