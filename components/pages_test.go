package components

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strings"
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecs"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lb"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"slipway/docs"
)

// The pages' pieces of a program are the bodies of these functions, so that they compile and do what is said of them.

func managedTags(ctx *pulumi.Context) error {
	return ctx.RegisterStackTransformation(
		func(args *pulumi.ResourceTransformationArgs) *pulumi.ResourceTransformationResult {
			service, is := args.Props.(*ecs.ServiceArgs)
			if !is {
				return nil
			}
			service.EnableEcsManagedTags = pulumi.Bool(true)
			return &pulumi.ResourceTransformationResult{Props: service, Opts: args.Opts}
		})
}

func restartPolicy(ctx *pulumi.Context) error {
	return ctx.RegisterStackTransformation(
		func(args *pulumi.ResourceTransformationArgs) *pulumi.ResourceTransformationResult {
			definition, is := args.Props.(*ecs.TaskDefinitionArgs)
			if !is || args.Name != "web" {
				return nil
			}
			definition.ContainerDefinitions = definition.ContainerDefinitions.ToStringOutput().ApplyT(
				func(text string) (string, error) {
					var containers []map[string]any
					if err := json.Unmarshal([]byte(text), &containers); err != nil {
						return "", err
					}
					for _, container := range containers {
						if container["name"] == "proxy" {
							container["restartPolicy"] = map[string]any{"enabled": true, "restartAttemptPeriod": 180}
						}
					}
					changed, err := json.Marshal(containers)
					return string(changed), err
				}).(pulumi.StringOutput)
			return &pulumi.ResourceTransformationResult{Props: definition, Opts: args.Opts}
		})
}

func listener(ctx *pulumi.Context, deployed *Deployed) error {
	_, err := lb.NewListener(ctx, "admin", &lb.ListenerArgs{
		LoadBalancerArn: deployed.LoadBalancer.Arn,
		Port:            pulumi.Int(8443),
		Protocol:        pulumi.String("HTTP"),
		DefaultActions: lb.ListenerDefaultActionArray{&lb.ListenerDefaultActionArgs{
			Type: pulumi.String("forward"), TargetGroupArn: deployed.Workloads["web"].TargetGroup,
		}},
	})
	return err
}

func tags(ctx *pulumi.Context) error {
	return ctx.RegisterStackTransformation(
		func(args *pulumi.ResourceTransformationArgs) *pulumi.ResourceTransformationResult {
			balancer, is := args.Props.(*lb.LoadBalancerArgs)
			if !is {
				return nil
			}
			tags := pulumi.StringMap{"exposure": pulumi.String("public")}
			for key, value := range balancer.Tags.(pulumi.StringMap) {
				tags[key] = value
			}
			balancer.Tags = tags
			return &pulumi.ResourceTransformationResult{Props: balancer, Opts: args.Opts}
		})
}

func deletionProtection(ctx *pulumi.Context) error {
	return ctx.RegisterStackTransformation(
		func(args *pulumi.ResourceTransformationArgs) *pulumi.ResourceTransformationResult {
			if args.Type != "aws:ecr/repository:Repository" && args.Type != "aws:cloudwatch/logGroup:LogGroup" {
				return nil
			}
			return &pulumi.ResourceTransformationResult{Props: args.Props,
				Opts: append(args.Opts, pulumi.Protect(true))}
		})
}

// pieces are the functions above whose bodies are in the pages.
var pieces = []string{"managedTags", "restartPolicy", "listener", "tags", "deletionProtection"}

func TestThePagesHaveThePiecesOfAProgramThatAreTriedHere(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("pages_test.go")
	require.NoError(t, err)
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, "pages_test.go", source, 0)
	require.NoError(t, err)
	bodies := map[string]string{}
	for _, declaration := range file.Decls {
		if function, is := declaration.(*ast.FuncDecl); is {
			body := source[files.Position(function.Body.Lbrace).Offset+2 : files.Position(function.Body.Rbrace).Offset]
			dedented := bytes.ReplaceAll(append([]byte("\n"), body...), []byte("\n\t"), []byte("\n"))
			bodies[function.Name.Name] = strings.TrimPrefix(string(dedented), "\n")
		}
	}
	blocks, err := docs.Blocks("..")
	require.NoError(t, err)
	inPages := map[string]bool{}
	for _, block := range blocks {
		if block.Language == "go" {
			inPages[block.Text] = true
		}
	}
	for _, piece := range pieces {
		require.Contains(t, inPages, strings.ReplaceAll(bodies[piece], "*Deployed", "*components.Deployed"), piece)
	}
	require.Len(t, inPages, len(pieces)+1, "and the hand-over, which the end-to-end tests have")
}

func TestAnyPropertyOfAnyResourceCanBeSet(t *testing.T) {
	t.Parallel()
	keys := map[string]string{"services": `{"web": {"image": "web", "port": 80, "route": {"paths": ["/*"]},
		"containers": {"proxy": {"image": "web"}}}, "api": {"image": "web"}}`}
	recorded := declareOwn(t, keys, ownProgram{after: listener, before: func(ctx *pulumi.Context) error {
		for _, change := range []func(*pulumi.Context) error{managedTags, restartPolicy, tags, deletionProtection} {
			if err := change(ctx); err != nil {
				return err
			}
		}
		return nil
	}}, nil)

	web := recorded.named(t, "aws:ecs/service:Service", "web").Inputs
	require.True(t, web["enableEcsManagedTags"].BoolValue())

	var containers []map[string]any
	require.NoError(t, json.Unmarshal([]byte(recorded.named(t, "aws:ecs/taskDefinition:TaskDefinition",
		"web").Inputs["containerDefinitions"].StringValue()), &containers))
	require.Equal(t, map[string]any{"enabled": true, "restartAttemptPeriod": 180.0}, containers[0]["restartPolicy"])
	require.NotContains(t, containers[1], "restartPolicy")

	own := recorded.named(t, "aws:lb/listener:Listener", "admin").Inputs
	require.Equal(t, "arn:shop-dev", own["loadBalancerArn"].StringValue())
	require.Equal(t, "arn:web", own["defaultActions"].ArrayValue()[0].ObjectValue()["targetGroupArn"].StringValue())

	balancer := recorded.inputs(t, "aws:lb/loadBalancer:LoadBalancer")["tags"].Mappable()
	require.Equal(t, map[string]any{"exposure": "public", "project": "shop", "stage": "dev"}, balancer)
	protected := recorded.named(t, "aws:cloudwatch/logGroup:LogGroup", "web")
	require.True(t, protected.RegisterRPC.Protect != nil && *protected.RegisterRPC.Protect)
}
