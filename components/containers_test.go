package components

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/require"
)

// several is a stage whose service has a container that prepares a volume, and one beside it that runs another image.
var several = map[string]string{
	"secrets": `{"PASSWORD": "hunter2", "TOKEN": "other-value", "LEVEL": ` +
		`"arn:aws:ssm:ap-northeast-2:123456789012:parameter/level"}`,
	"services": `{"web": {
		"image": "web", "port": 8080, "cpu": 512, "memory": 1024, "secrets": ["TOKEN"], "entryPoint": ["/app"], "command": ["serve"],
		"dependsOn": {"prepare": "SUCCESS", "agent": "START"}, "mounts": {"data": {"path": "/data", "readOnly": true}},
		"containers": {
			"prepare": {"image": "web", "essential": false, "command": ["prepare"], "secrets": ["PASSWORD", "LEVEL"], "environment": {"A": "1"},
				"mounts": {"data": {"path": "/data"}, "cache": {"path": "/cache"}}, "readonlyRootFilesystem": true, "user": "65532:65532", "init": true},
			"agent": {"image": "123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/agent:1@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "cpu": 64, "memory": 128, "stopTimeout": 5,
				"ulimits": {"nofile": {"soft": 4096, "hard": 65535}, "core": {"soft": 0, "hard": 0}},
				"healthCheck": {"command": ["CMD", "/agent", "-check"], "startPeriod": 10}},
			"proxy": {"image": "210987654321.dkr.ecr.us-east-1.amazonaws.com/team/proxy:2@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"},
			"shell": {"image": "public.ecr.aws/docker/library/busybox@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "essential": false}
		}
	}}`,
}

const noneOf = `"systemControls":[],`

func TestContainerDefinitionsOfSeveralContainers(t *testing.T) {
	t.Parallel()
	definition := declareStage(t, several, nil).inputs(t, "aws:ecs/taskDefinition:TaskDefinition")
	log := func(container string) string {
		return `"logConfiguration":{"logDriver":"awslogs","options":{"awslogs-group":"/shop/dev/web","awslogs-region":"ap-northeast-2",` +
			`"awslogs-stream-prefix":"` + container + `"}},`
	}
	const (
		own = `"image":"123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/shop-dev/web@sha256:` +
			`0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",`
		label = `"dockerLabels":{"slipway.tag":"20261123-041205-a1b2c3d-9f8e7d6c"},`
	)
	require.Equal(t, `[{"cpu":64,"dockerLabels":{"slipway.tag":"1"},"environment":[],"essential":true,`+
		`"healthCheck":{"command":["CMD","/agent","-check"],"interval":10,"retries":3,"startPeriod":10,"timeout":5},`+
		`"image":"123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/agent@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",`+log("agent")+`"memory":128,"mountPoints":[],"name":"agent","portMappings":[],`+
		`"stopTimeout":5,`+noneOf+`"ulimits":[{"hardLimit":0,"name":"core","softLimit":0},{"hardLimit":65535,"name":"nofile","softLimit":4096}],"volumesFrom":[]},`+
		`{"command":["prepare"],"cpu":32,`+label+`"environment":[{"name":"A","value":"1"}],"essential":false,`+own+
		`"linuxParameters":{"initProcessEnabled":true},`+log("prepare")+
		`"mountPoints":[{"containerPath":"/cache","readOnly":false,"sourceVolume":"cache"},{"containerPath":"/data","readOnly":false,"sourceVolume":"data"}],`+
		`"name":"prepare","portMappings":[],"readonlyRootFilesystem":true,`+
		`"secrets":[{"name":"LEVEL","valueFrom":"arn:aws:ssm:ap-northeast-2:123456789012:parameter/level"},`+
		`{"name":"PASSWORD","valueFrom":"arn:shop-dev-web:PASSWORD::versionId:shop-dev-web"}],`+
		`"stopTimeout":20,`+noneOf+`"user":"65532:65532","volumesFrom":[]},`+
		`{"cpu":32,"dockerLabels":{"slipway.tag":"2"},"environment":[],"essential":true,`+
		`"image":"210987654321.dkr.ecr.us-east-1.amazonaws.com/team/proxy@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",`+log("proxy")+
		`"mountPoints":[],"name":"proxy","portMappings":[],"stopTimeout":20,`+noneOf+`"volumesFrom":[]},`+
		`{"cpu":32,"environment":[],"essential":false,"image":"public.ecr.aws/docker/library/busybox@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",`+log("shell")+
		`"mountPoints":[],"name":"shell","portMappings":[],"stopTimeout":20,`+noneOf+`"volumesFrom":[]},`+
		`{"command":["serve"],"cpu":352,"dependsOn":[{"condition":"START","containerName":"agent"},{"condition":"SUCCESS","containerName":"prepare"}],`+label+
		`"entryPoint":["/app"],"environment":[],"essential":true,`+own+log("web")+
		`"mountPoints":[{"containerPath":"/data","readOnly":true,"sourceVolume":"data"}],"name":"web",`+
		`"portMappings":[{"containerPort":8080,"hostPort":8080,"protocol":"tcp"}],`+
		`"secrets":[{"name":"TOKEN","valueFrom":"arn:shop-dev-web:TOKEN::versionId:shop-dev-web"}],`+
		`"stopTimeout":20,`+noneOf+`"volumesFrom":[]}]`, definition["containerDefinitions"].StringValue())
	require.Equal(t, []any{map[string]any{"name": "cache"}, map[string]any{"name": "data"}},
		definition["volumes"].Mappable())
	require.NotContains(t, declareService(t, nil).inputs(t, "aws:ecs/taskDefinition:TaskDefinition"),
		resource.PropertyKey("volumes"))
}

func TestTheSecretHasTheValuesOfAllContainers(t *testing.T) {
	t.Parallel()
	recorded := declareStage(t, several, nil)
	secret := recorded.named(t, "aws:secretsmanager/secretVersion:SecretVersion", "shop-dev-web").Inputs["secretString"]
	require.JSONEq(t, `{"PASSWORD": "hunter2", "TOKEN": "other-value"}`, plain(secret).StringValue())
}

func TestTheExecutionRoleReachesWhatAllContainersUse(t *testing.T) {
	t.Parallel()
	reached := map[string][]string{}
	for _, statement := range statements(t, declareStage(t, several, nil), "web-execution") {
		reached[statement.Sid] = statement.Resource
	}
	require.Equal(t, []string{
		"arn:aws:ecr:ap-northeast-2:123456789012:repository/agent",
		"arn:aws:ecr:ap-northeast-2:123456789012:repository/shop-dev/web",
		"arn:aws:ecr:us-east-1:210987654321:repository/team/proxy",
	}, reached["Pull"])
	require.Equal(t, []string{"arn:aws:ssm:ap-northeast-2:123456789012:parameter/level"}, reached["Parameters"])
	require.Equal(t, []string{"arn:shop-dev-web"}, reached["Secrets"])
}

func TestAVolumeInEFSIsEncryptedAndOpenedByTheTaskRole(t *testing.T) {
	t.Parallel()
	recorded := declareStage(t, map[string]string{"services": `{"web": {"image": "web",
		"mounts": {"data": {"path": "/data"}, "in": {"path": "/in", "readOnly": true}, "own": {"path": "/own"}},
		"volumes": {"data": {"efs": {"id": "fs-01234567", "accessPoint": "fsap-01234567"}},
			"in": {"efs": {"id": "fs-89abcdef", "root": "/in"}}}}}`}, nil)
	require.Equal(t, []any{
		map[string]any{"name": "data", "efsVolumeConfiguration": map[string]any{"fileSystemId": "fs-01234567",
			"rootDirectory": "/", "transitEncryption": "ENABLED",
			"authorizationConfig": map[string]any{"accessPointId": "fsap-01234567", "iam": "ENABLED"}}},
		map[string]any{"name": "in", "efsVolumeConfiguration": map[string]any{"fileSystemId": "fs-89abcdef",
			"rootDirectory": "/in", "transitEncryption": "ENABLED", "authorizationConfig": map[string]any{"iam": "ENABLED"}}},
		map[string]any{"name": "own"},
	}, recorded.inputs(t, "aws:ecs/taskDefinition:TaskDefinition")["volumes"].Mappable())
	policy := recorded.named(t, "aws:iam/rolePolicy:RolePolicy", "web-task").Inputs["policy"].StringValue()
	require.JSONEq(t, `{"Version": "2012-10-17", "Statement": [
		{"Effect": "Allow", "Action": ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"],
			"Resource": ["arn:aws:elasticfilesystem:ap-northeast-2:123456789012:file-system/fs-01234567"],
			"Condition": {"StringEquals": {"elasticfilesystem:AccessPointArn":
				["arn:aws:elasticfilesystem:ap-northeast-2:123456789012:access-point/fsap-01234567"]}}},
		{"Effect": "Allow", "Action": ["elasticfilesystem:ClientMount"],
			"Resource": ["arn:aws:elasticfilesystem:ap-northeast-2:123456789012:file-system/fs-89abcdef"]}]}`, policy)
}
