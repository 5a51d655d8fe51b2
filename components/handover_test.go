package components

import (
	"encoding/json"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/internals"
	"github.com/stretchr/testify/require"
)

// handedOver are a queue and a database of a team's own.
var handedOver = Handovers{
	"queue": {
		Environment: pulumi.StringMap{"QUEUE_URL": pulumi.String("https://sqs/orders")},
		Permissions: []Permission{{Actions: []string{"sqs:SendMessage", "sqs:ReceiveMessage"},
			Resources: pulumi.StringArray{pulumi.String("arn:aws:sqs:ap-northeast-2:123456789012:orders")}}},
	},
	"database": {
		Environment: pulumi.StringMap{"DATABASE_HOST": pulumi.String("db.internal")},
		Secrets: pulumi.StringMap{
			"DATABASE_PASSWORD": pulumi.String(
				"arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:db-AbCdEf:password::"),
			"DATABASE_USER": pulumi.String("arn:aws:ssm:ap-northeast-2:123456789012:parameter/user"),
		},
	},
}

// usesStage has containers that use both, one and none.
var usesStage = map[string]string{"services": `{
	"web": {"image": "web", "uses": ["database"], "environment": {"A": "a"},
		"containers": {"proxy": {"image": "web", "uses": ["queue"]}}},
	"job": {"image": "web"}}`}

func TestAContainerGetsWhatItUses(t *testing.T) {
	t.Parallel()
	recorded := declareWith(t, usesStage, handedOver, nil)
	definitions := map[string][]containerDefinition{}
	for _, each := range recorded.all("aws:ecs/taskDefinition:TaskDefinition") {
		var containers []containerDefinition
		require.NoError(t, json.Unmarshal([]byte(each.Inputs["containerDefinitions"].StringValue()), &containers))
		definitions[each.Name] = containers
	}
	proxy, web := definitions["web"][0], definitions["web"][1]
	require.Equal(t, []keyValue{{"A", "a"}, {"DATABASE_HOST", "db.internal"}}, web.Environment)
	require.Equal(t, []secret{
		{"DATABASE_PASSWORD", "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:db-AbCdEf:password::"},
		{"DATABASE_USER", "arn:aws:ssm:ap-northeast-2:123456789012:parameter/user"},
	}, web.Secrets)
	require.Equal(t, "hand-over database", web.DockerLabels["slipway.from.DATABASE_PASSWORD"])
	require.Equal(t, []keyValue{{"QUEUE_URL", "https://sqs/orders"}}, proxy.Environment)
	require.Empty(t, proxy.Secrets)

	policy := func(name string) string {
		return recorded.named(t, "aws:iam/rolePolicy:RolePolicy", name).Inputs["policy"].StringValue()
	}
	require.JSONEq(t, `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
		"Action": ["sqs:SendMessage", "sqs:ReceiveMessage"],
		"Resource": ["arn:aws:sqs:ap-northeast-2:123456789012:orders"]}]}`, policy("web-task-uses-queue"))
	require.JSONEq(t, `{"Version": "2012-10-17", "Statement": [
		{"Sid": "Parameters", "Effect": "Allow", "Action": ["ssm:GetParameters"],
			"Resource": ["arn:aws:ssm:ap-northeast-2:123456789012:parameter/user"]},
		{"Sid": "Secrets", "Effect": "Allow", "Action": ["secretsmanager:GetSecretValue"],
			"Resource": ["arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:db-AbCdEf"]}]}`,
		policy("web-execution-uses-database"))

	plain := declareStage(t, map[string]string{"services": `{"job": {"image": "web"}}`}, nil)
	require.Equal(t, plain.named(t, "aws:ecs/taskDefinition:TaskDefinition", "job").Inputs,
		recorded.named(t, "aws:ecs/taskDefinition:TaskDefinition", "job").Inputs, "what uses nothing is as it was")
}

func TestATeamsNetworkIsThatOfAllResources(t *testing.T) {
	t.Parallel()
	handovers := Handovers{"network": {Network: &NetworkHandover{VPC: pulumi.String("vpc-own"),
		Subnets: pulumi.ToStringArray([]string{"subnet-own"}), LoadBalancerSubnets: pulumi.ToStringArray([]string{"a", "b"}),
	}}}
	recorded := declareWith(t, map[string]string{
		"network":  `{"uses": "network", "assignPublicIp": false}`,
		"services": `{"web": {"image": "web", "port": 80, "route": {"paths": ["/*"]}}}`,
		"tasks":    `{"report": {"image": "web", "schedule": {"when": "rate(1 hour)"}}}`,
	}, handovers, func(preflight *Preflight) { preflight.Network, preflight.ingress = &Network{}, &ingressLookup{} })
	for _, each := range recorded.all("aws:ec2/securityGroup:SecurityGroup") {
		require.Equal(t, "vpc-own", each.Inputs["vpcId"].StringValue())
	}
	require.Equal(t, "vpc-own", recorded.inputs(t, "aws:lb/targetGroup:TargetGroup")["vpcId"].StringValue())
	require.Equal(t, []any{"a", "b"}, recorded.inputs(t, "aws:lb/loadBalancer:LoadBalancer")["subnets"].Mappable())
	require.Equal(t,
		map[string]any{"assignPublicIp": false, "securityGroups": []any{"web-id"}, "subnets": []any{"subnet-own"}},
		recorded.inputs(t, "aws:ecs/service:Service")["networkConfiguration"].Mappable())
	require.Contains(t, recorded.summaries["report"]["run"], "subnets=[subnet-own]")
}

func TestWhatIsHandedOverWronglyIsRefused(t *testing.T) {
	t.Parallel()
	with := func(change func(Handovers)) error {
		handovers := Handovers{"queue": handedOver["queue"], "database": handedOver["database"]}
		change(handovers)
		settings := loadStage(t, usesStage)
		return pulumi.RunErr(func(ctx *pulumi.Context) error {
			_, err := Deploy(ctx, &Preflight{Stage: settings}, handovers)
			return err
		}, pulumi.WithMocks("shop", "dev", &recorder{}), func(info *pulumi.RunInfo) { info.DryRun = true })
	}
	require.ErrorContains(t, with(func(handovers Handovers) {
		handovers["database"] = Handover{Environment: pulumi.StringMap{
			"PASSWORD": pulumi.ToSecret(pulumi.String("hunter2")).(pulumi.StringOutput)}}
	}), "the program's hand-over database: PASSWORD is a secret of Pulumi's")
	err := with(func(handovers Handovers) {
		handovers["queue"] = Handover{Environment: pulumi.StringMap{"A": nil}, Secrets: pulumi.StringMap{"B": nil},
			Permissions: []Permission{{Actions: []string{"sqs:SendMessage"}}}, Network: &NetworkHandover{}}
	})
	for _, says := range []string{"Environment has no value for A", "Secrets has no value for B",
		"the permission to sqs:SendMessage has no Resources", "its Network has no VPC, or no Subnets"} {
		require.ErrorContains(t, err, "the program's hand-over queue: "+says)
	}
	require.ErrorContains(t, with(func(handovers Handovers) { delete(handovers, "queue") }),
		`services.web.containers.proxy.uses[0] (Pulumi.dev.yaml): is "queue", which the program does not hand over; `+
			`it hands over database`)
}

func TestAPermissionOnWhatIsNoARNIsRefused(t *testing.T) {
	t.Parallel()
	failed := make(chan error, 1)
	_ = pulumi.RunErr(func(ctx *pulumi.Context) error {
		_, policy := Handover{Permissions: []Permission{{Actions: []string{"sqs:SendMessage"},
			Resources: pulumi.StringArray{pulumi.String("orders")}}}}.taskPolicy()
		_, err := internals.UnsafeAwaitOutput(ctx.Context(), policy)
		failed <- err
		return nil
	}, pulumi.WithMocks("shop", "dev", &recorder{}))
	require.ErrorContains(t, <-failed, `the permission to sqs:SendMessage on "orders", which is not an ARN`)
}

func TestAHandedOverSecretIsAnARNAndNotShownWhereItIsNot(t *testing.T) {
	t.Parallel()
	failed := make(chan error, 1)
	_ = pulumi.RunErr(func(ctx *pulumi.Context) error {
		checked := Handover{Secrets: pulumi.StringMap{"PASSWORD": pulumi.String("hunter2")}}.withChecks(ctx, "database")
		_, err := internals.UnsafeAwaitOutput(ctx.Context(), checked.Secrets["PASSWORD"].ToStringOutput())
		failed <- err
		return nil
	}, pulumi.WithMocks("shop", "dev", &recorder{}))
	err := <-failed
	require.ErrorContains(t, err, "Secrets has PASSWORD, whose value is not the ARN of a secret")
	require.NotContains(t, err.Error(), "hunter2")
}
