package stage

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/internal/origins"
)

// network are the outputs of the stack network/dev in these tests.
var network = map[string]OutputValue{
	"databaseHost": {Value: "db.internal"},
	"empty":        {Value: ""},
	"none":         {Value: []any{}},
	"null":         {},
	"port":         {Value: 5432.0},
	"ready":        {Value: true},
	"date":         {Value: "2026-11-23 00:00:00 +0000 UTC"},
	"braces":       {Value: "a${b}c"},
	"vpcId":        {Value: "vpc-0123456789abcdef0"},
	"wrongId":      {Value: "i-0123"},
	"subnetIds":    {Value: []any{"subnet-0123456789abcdef0", "subnet-0123456789abcdef1"}},
	"mixed":        {Value: []any{"subnet-0123456789abcdef0", 1.0}},
	"settings":     {Value: map[string]any{"host": "db.internal"}},
	"bucketArn":    {Value: "arn:aws:s3:::shop-uploads"},
	"secretArn":    {Value: "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:db-a1b2c3"},
	"hiddenArn":    {Value: "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:db-a1b2c3", Secret: true},
	"password":     {Value: "hunter2", Secret: true},
	"number":       {Value: 7.0, Secret: true},
	"locked":       {Value: map[string]any{}, Secret: true},
}

func readNetwork(stack string) (map[string]OutputValue, error) {
	if stack == "network/dev" {
		return network, nil
	}
	return nil, errors.New("there is no stack " + stack)
}

// loadOutputs loads a stage whose config begins with an image, and goes on with more.
func loadOutputs(t *testing.T, defaults, more string, read ReadOutputs) (*Stage, error) {
	t.Helper()
	file := "config:\n  slipway:images: {web: {build: {context: app}}}\n" + more
	in := input(t, "dev", defaults, file)
	in.Outputs = read
	if read == nil { // as of an earlier update
		in.Root = ""
	}
	got, err := Load(in)
	if err == nil {
		require.NoError(t, checkSchema(t, compiledSchema(t), file))
	}
	return got, err
}

func TestValuesOfOtherStacksStandForTexts(t *testing.T) {
	t.Parallel()
	var asked []string
	got, err := loadOutputs(t, `config:
  slipway:defaults:
    value:
      environment: {STAGE: "x", BORN: {output: DATE}}
      outputs:
        HOST: {stack: network, output: databaseHost}
        DATE: {stack: network, output: date}
        SPARE: {stack: gone, output: x}
`, `
  slipway:outputs:
    VPC: {stack: network/dev, output: vpcId}
    SUBNETS: {stack: network, output: subnetIds}
    BUCKET: {stack: network, output: bucketArn}
    PASSWORD: {stack: network, output: password}
    KEPT: {stack: network, output: secretArn}
    BRACES: {stack: network, output: braces}
  slipway:environment: {DATABASE_HOST: {output: HOST}, OTHER: {output: HOST}}
  slipway:secrets: {PASSWORD: {output: PASSWORD}, KEPT: {output: KEPT}}
  slipway:network: {vpc: {output: VPC}, subnets: {output: SUBNETS}}
  slipway:services:
    web:
      image: web
      environment: {OTHER: "own", output: "a name like any other"}
      secrets: [PASSWORD, KEPT]
      permissions:
        - actions: ["s3:GetObject"]
          resources: [{output: BUCKET}, "arn:aws:s3:::other/${aws:username}"]
          conditions: {StringEquals: {"aws:SourceVpc": [{output: VPC}]}}
      containers: {beside: {image: web, environment: {OTHER: {output: BRACES}}}}
`, func(stack string) (map[string]OutputValue, error) {
		asked = append(asked, stack)
		return readNetwork(stack)
	})
	require.NoError(t, err)
	require.Equal(t, []string{"network/dev"}, asked, "each stack is read once, and one that nothing stands for is not")
	web := got.Services["web"]
	require.Equal(t, map[string]string{"STAGE": "x", "BORN": "2026-11-23 00:00:00 +0000 UTC",
		"DATABASE_HOST": "db.internal", "OTHER": "own", "output": "a name like any other"}, web.Environment)
	require.Equal(t, origins.Origins{
		"DATABASE_HOST": "output databaseHost of network/dev", "BORN": "output date of network/dev",
		"PASSWORD": "output password of network/dev", "KEPT": "output secretArn of network/dev",
	}, web.Origins)
	require.Equal(t, "a${b}c", web.Containers["beside"].Environment["OTHER"])
	require.Equal(t, "output braces of network/dev", web.Containers["beside"].Origins["OTHER"])
	require.Equal(t, "hunter2", web.Secrets["PASSWORD"].Value.Reveal())
	require.Equal(t, network["secretArn"].Value, web.Secrets["KEPT"].ARN)
	require.Equal(t, Network{VPC: "vpc-0123456789abcdef0",
		Subnets: []string{"subnet-0123456789abcdef0", "subnet-0123456789abcdef1"}}, got.Network)
	require.Equal(t, []string{"arn:aws:s3:::shop-uploads", "arn:aws:s3:::other/${aws:username}"},
		web.Permissions[0].Resources)
	require.Equal(t, []string{"vpc-0123456789abcdef0"}, web.Permissions[0].Conditions["StringEquals"]["aws:SourceVpc"])
}

func TestMistakesWithValuesOfOtherStacks(t *testing.T) {
	t.Parallel()
	const (
		file        = " (Pulumi.dev.yaml): "
		outputs     = "  slipway:outputs: {HOST: {stack: network, output: databaseHost}}\n"
		used        = "  slipway:environment: {HOST: {output: HOST}}\n"
		environment = "  slipway:environment: {IT: {output: IT}}\n"
		secrets     = "  slipway:secrets: {IT: {output: IT}}\n"
		subnets     = "  slipway:network: {vpc: vpc-0123456789abcdef0, subnets: {output: IT}}\n"
	)
	of := func(output string) string {
		return "  slipway:outputs: {IT: {stack: network, output: " + output + "}}\n"
	}
	for name, test := range map[string]struct{ more, want string }{
		"not declared": {outputs + "  slipway:environment: {A: {output: HOST}, B: {output: HSOT}}\n",
			"environment.B" + file + "is an output that outputs does not declare; declare it there, with its stack and " +
				"output, or name one of: HOST"},
		"in place of all variables": {outputs + "  slipway:environment: {output: HOST}\n", "environment" + file + "is " +
			"{output: HOST}, which stands for a single value and not for all of them; write NAME: {output: HOST}, or give a " +
			"variable that is called output another name"},
		"in place of all secrets": {outputs + used + "  slipway:secrets: {output: HOST}\n", "secrets" + file + "is " +
			"{output: HOST}, which stands for a single value"},
		"not used": {outputs, "outputs.HOST" + file + "is used by nothing; write {output: HOST} in place of a value, or " +
			"remove it"},
		"of no stack": {"  slipway:outputs: {HOST: {output: x}}\n" + used,
			"outputs.HOST.stack" + file + "is missing; write the project whose stack exports the value, as in network"},
		"of no output": {"  slipway:outputs: {HOST: {stack: network}}\n" + used,
			"outputs.HOST.output" + file + "is missing; write the name that the value has among the stack's outputs"},
		"of a strange stack": {"  slipway:outputs: {HOST: {stack: a/b/c/d, output: x}}\n" + used,
			"outputs.HOST.stack" + file + `is "a/b/c/d"; write PROJECT, PROJECT/STAGE or ORGANIZATION/PROJECT/STAGE`},
		"of itself, with all parts of its name": {"  slipway:outputs: {HOST: {stack: organization/slipway/dev, output: x}}\n" +
			used, "outputs.HOST.stack" + file + "is this stage itself; write the project of another stack"},
		"of itself": {"  slipway:outputs: {HOST: {stack: slipway, output: x}}\n" + used,
			"outputs.HOST.stack" + file + "is this stage itself; write the project of another stack"},
		"an unknown stack": {"  slipway:outputs: {HOST: {stack: netwrok, output: x}, B: {stack: netwrok, output: y}}\n" +
			"  slipway:environment: {A: {output: B}, HOST: {output: HOST}}\n",
			"outputs.B.stack" + file + "there is no stack netwrok/dev"},
		"an unknown output": {of("databaseHots") + environment,
			"outputs.IT.output" + file + `network/dev has no output "databaseHots"; did you mean "databaseHost"? Its outputs ` +
				"are braces, bucketArn, "},
		"a number": {of("port") + environment, "environment.IT" + file + "the output port of network/dev is the number " +
			"5432; it must be text: let the other stack export it as text"},
		"a boolean": {of("ready") + environment, "environment.IT" + file + "the output ready of network/dev is the boolean " +
			"true; it must be text: let the other stack export it as text"},
		"an object": {of("settings") + environment, "environment.IT" + file + "the output settings of network/dev is an " +
			"object; it must be text: let the other stack export it as text"},
		"empty text": {of("empty") + environment, "environment.IT" + file + "the output empty of network/dev is empty; let " +
			"the other stack export a value"},
		"null": {of("'null'") + environment, "environment.IT" + file + "the output null of network/dev is empty; let the " +
			"other stack export a value"},
		"an empty list": {of("none") + subnets,
			"network.subnets" + file + "the output none of network/dev is empty; let the other stack export a value"},
		"a list with a number": {of("mixed") + subnets,
			"network.subnets" + file + "the output mixed of network/dev is a list; it must be a list of texts, none of them " +
				"empty: let the other stack export one"},
		"a list for an element": {of("subnetIds") +
			"  slipway:network: {vpc: vpc-0123456789abcdef0, subnets: [{output: IT}]}\n",
			"network.subnets[0]" + file + "the output subnetIds of network/dev is a list; let {output: IT} stand for a whole " +
				"list, or let the other stack export a single element"},
		"text for a list": {of("vpcId") + subnets,
			`network.subnets` + file + `the output vpcId of network/dev is the text "vpc-0123456789abcdef0"; it must be a list ` +
				"of texts, none of them empty: let the other stack export one"},
		"a value that a check refuses": {of("wrongId") + "  slipway:network: {vpc: {output: IT}, " +
			"subnets: [subnet-0123456789abcdef0]}\n",
			"network.vpc" + file + `the output wrongId of network/dev is "i-0123"; write a VPC's id, as in ` +
				"vpc-0123456789abcdef0"},
		"a secret in environment": {of("password") + environment,
			"environment.IT" + file + "the output password of network/dev is a secret there, and would end up readable in AWS; " +
				"write {output: IT} in slipway:secrets, and its name there in the secrets of the containers that need it"},
		"plain text in secrets": {of("databaseHost") + secrets,
			"secrets.IT" + file + "the output databaseHost of network/dev is neither a secret there nor the ARN of one; let the " +
				"other stack mark it as a secret (in Go, pulumi.ToSecret), or export the ARN of where it is kept in Secrets " +
				"Manager or SSM"},
		"a secret that is an ARN": {of("hiddenArn") + secrets,
			"secrets.IT" + file + "the output hiddenArn of network/dev is an ARN that its stack marks as a secret; an ARN is no " +
				"secret: let it export that as plain text"},
		"a secret that is a number": {of("number") + secrets, "secrets.IT" + file + "the output number of network/dev is a " +
			"number; it must be text: let the other stack export it as text"},
		"a secret that cannot be decrypted": {of("locked") + secrets, "secrets.IT" + file + "the output locked of " +
			"network/dev cannot be decrypted; give pulumi what decrypts the other stack, such as the passphrase that both have"},
		"in another place": {outputs + used + "  slipway:tags: {host: {output: HOST}}\n",
			"tags.host" + file + "takes no output of another stack; {output: …} can stand for the values of environment and " +
				"secrets, resources and the values of conditions in permissions, a queue and the dimensions of metrics in scaling, " +
				"network.vpc and network.subnets"},
		"in place of a number": {outputs + used + "  slipway:services: {web: {image: web, cpu: {output: HOST}}}\n",
			"services.web.cpu" + file + "takes no output of another stack; "},
		"in place of an object": {outputs + used + "  slipway:services: {web: {output: HOST}}\n",
			"services.web" + file + "takes no output of another stack; "},
		"below a key that is unknown": {outputs + "  slipway:enviroment: {A: {output: HOST}}\n",
			"enviroment" + file + `there is no such key; did you mean "environment"?`},
		"not by its name": {outputs + used + "  slipway:secrets: {A: {stack: network, output: hunter2}}\n",
			"secrets.A" + file + "has other keys beside output; declare stack and output in outputs under a name, and write " +
				"{output: NAME}"},
		"by a number": {outputs + "  slipway:environment: {A: {output: 1}, HOST: {output: HOST}}\n",
			"environment.A" + file + "is no reference to an output; write {output: NAME}, with a name that outputs declares, " +
				"or name one of: HOST"},
		"in braces": {outputs + used + "  slipway:tags: {url: \"${HOST}\"}\n",
			"tags.url" + file + "holds ${HOST}, which nothing replaces; declare the value in outputs and write " +
				"{output: NAME} for the whole text, or $${HOST} where the text itself is meant"},
		"in braces, in a policy": {outputs + used + "  slipway:services: {web: {image: web, permissions: [{actions: " +
			"[\"s3:GetObject\"], resources: [\"arn:aws:s3:::${HOST}/*\"]}]}}\n",
			"services.web.permissions[0].resources[0]" + file + "holds ${HOST}, which nothing replaces; "},
		"in braces, where a secret may stand": {outputs + used + "  slipway:secrets: {A: \"${hunter2}\"}\n",
			"secrets.A" + file + "holds ${…}, which nothing replaces; "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := loadOutputs(t, "", test.more, readNetwork)
			require.ErrorContains(t, err, test.want)
			require.Len(t, strings.Split(err.Error(), "\n"), 1, "%v", err)
			require.NotContains(t, err.Error(), "hunter2")
		})
	}
}

func TestBracesStandWhereSomebodyReadsThem(t *testing.T) {
	t.Parallel()
	got, err := loadOutputs(t, "", `
  slipway:environment: {TEMPLATE: "$${USER} and $$${USER}", DOLLARS: "$5 {x}"}
  slipway:secrets: {PASSWORD: {secure: "a${b}$${c}"}}
  slipway:services:
    web:
      image: web
      command: ["sh", "-c", "echo ${HOME} $${HOME}"]
      entryPoint: ["${A}"]
      healthCheck: {command: ["CMD-SHELL", "test ${B}"]}
      secrets: [PASSWORD]
      permissions:
        - actions: ["s3:GetObject"]
          resources: ["arn:aws:s3:::uploads/${aws:username}/${*}"]
          conditions: {StringLike: {"s3:prefix": ["${s3:prefix}", "$${x}"]}}
`, readNetwork)
	require.NoError(t, err)
	web := got.Services["web"]
	require.Equal(t, map[string]string{"TEMPLATE": "${USER} and $${USER}", "DOLLARS": "$5 {x}"}, web.Environment)
	require.Equal(t, "a${b}$${c}", web.Secrets["PASSWORD"].Value.Reveal())
	require.Equal(t, []string{"sh", "-c", "echo ${HOME} $${HOME}"}, web.Command)
	require.Equal(t, []string{"${A}"}, web.EntryPoint)
	require.Equal(t, []string{"CMD-SHELL", "test ${B}"}, web.HealthCheck.Command)
	require.Equal(t, []string{"arn:aws:s3:::uploads/${aws:username}/${*}"}, web.Permissions[0].Resources)
	require.Equal(t, []string{"${s3:prefix}", "${x}"}, web.Permissions[0].Conditions["StringLike"]["s3:prefix"])
}

func TestWithoutOtherStacksAtHandTheirValuesPassAllChecks(t *testing.T) {
	t.Parallel()
	got, err := loadOutputs(t, "", `
  slipway:outputs: {A: {stack: network, output: a}, SPARE: {stack: network, output: b}}
  slipway:environment: {HOST: {output: A}, OLD: "${OLD}"}
  slipway:secrets: {PASSWORD: {output: A}}
  slipway:network: {vpc: {output: A}, subnets: {output: A}}
  slipway:services:
    web:
      image: web
      secrets: [PASSWORD]
      permissions:
        - actions: ["s3:GetObject"]
          resources: {output: A}
          conditions: {StringEquals: {"aws:SourceVpc": [{output: A}]}}
`, nil)
	require.NoError(t, err)
	require.Equal(t, origins.Origins{"HOST": "output a of network/dev", "PASSWORD": "output a of network/dev"},
		got.Services["web"].Origins)
	require.Equal(t, "${OLD}", got.Services["web"].Environment["OLD"])
}
