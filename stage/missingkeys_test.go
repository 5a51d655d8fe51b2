package stage

import (
	"reflect"
	"strings"
	"testing"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/stretchr/testify/require"

	"slipway/stage/fields"
)

// answered tells how a stage file answers to a key of ECS's: it has it, it suggests its own, or it says why not.
func answered(key string, here reflect.Type) string {
	for _, own := range fields.Names(here) {
		if own == key {
			return "is " + own
		}
	}
	if why := insteadOf(key, here); why != "" {
		return "is not there: " + why
	}
	if own := suggestKey(key, here); own != "" {
		return "is " + own
	}
	if top := suggestTopLevel(key); top != "" {
		return "is " + top + " of the stage"
	}
	return ""
}

// Every key of ECS's task definitions is one of a stage file, or leads to one, or to the reason why there is none.
func TestEveryKeyOfATaskDefinitionIsAnswered(t *testing.T) {
	t.Parallel()
	service, sidecar := reflect.TypeFor[Service](), reflect.TypeFor[Sidecar]()
	for structure, here := range map[reflect.Type][]reflect.Type{
		reflect.TypeFor[types.ContainerDefinition]():       {service, sidecar},
		reflect.TypeFor[types.LinuxParameters]():           {service, sidecar},
		reflect.TypeFor[types.TaskDefinition]():            {service},
		reflect.TypeFor[ecs.RegisterTaskDefinitionInput](): {service},
		reflect.TypeFor[types.RuntimePlatform]():           {service},
	} {
		for _, field := range reflect.VisibleFields(structure) {
			if !field.IsExported() || field.Name == "ResultMetadata" {
				continue
			}
			key := string(unicode.ToLower(rune(field.Name[0]))) + field.Name[1:]
			for _, in := range here {
				if key != "name" { // that of the key above
					require.NotEmpty(t, answered(key, in), "%s of %s in %s", key, structure, in)
				}
			}
		}
	}
}

// published are the keys of task definitions that other projects publish, and of their containers: those that have a
// value. What is of EC2 alone is among them.
var published = []struct{ source, task, containers string }{
	{"aws-samples/amazon-ecs-firelens-examples datadog", "family taskRoleArn executionRoleArn containerDefinitions",
		"essential image name firelensConfiguration memoryReservation logConfiguration"},
	{"aws-samples/amazon-ecs-firelens-examples health-check", "family taskRoleArn executionRoleArn containerDefinitions",
		"essential image name firelensConfiguration healthCheck logConfiguration memoryReservation"},
	{"aws-samples/amazon-ecs-firelens-examples efs",
		"family taskRoleArn executionRoleArn networkMode containerDefinitions volumes cpu memory",
		"name image cpu portMappings essential mountPoints user logConfiguration firelensConfiguration"},
	{"aws-samples/amazon-ecs-firelens-examples parse-envoy-app-mesh", "family proxyConfiguration containerDefinitions " +
		"taskRoleArn executionRoleArn requiresCompatibilities networkMode cpu memory",
		"essential image name firelensConfiguration logConfiguration memoryReservation portMappings environment dependsOn " +
			"user ulimits healthCheck"},
	{"aws-samples/amazon-ecs-firelens-examples adot-resource-monitoring",
		"family taskRoleArn executionRoleArn containerDefinitions",
		"essential image name firelensConfiguration logConfiguration memoryReservation command"},
	{"aws-samples/amazon-ecs-firelens-examples fluentd", "taskRoleArn executionRoleArn containerDefinitions memory family " +
		"requiresCompatibilities networkMode cpu", "logConfiguration memoryReservation image firelensConfiguration name"},
	{"aws-observability/aws-otel-collector ecs-fargate-sidecar", "family taskRoleArn executionRoleArn networkMode " +
		"containerDefinitions requiresCompatibilities cpu memory",
		"name image essential environment portMappings logConfiguration"},
	{"aws-observability/aws-otel-collector aws-prometheus", "family taskRoleArn executionRoleArn networkMode " +
		"containerDefinitions requiresCompatibilities cpu memory", "name image essential logConfiguration"},
	{"Abdelali12-codes/aws_ecs_codedeploy_appmesh_xray", "taskRoleArn networkMode requiresCompatibilities " +
		"executionRoleArn memory cpu containerDefinitions family", "name image essential linuxParameters"},
	{"Abdelali12-codes/ecs-opentelemetry", "taskDefinitionArn containerDefinitions family taskRoleArn executionRoleArn " +
		"networkMode revision status requiresAttributes compatibilities runtimePlatform requiresCompatibilities cpu memory " +
		"registeredAt registeredBy", "name image cpu portMappings essential logConfiguration"},
	{"23prime/gokabot", "executionRoleArn containerDefinitions memory family requiresCompatibilities networkMode cpu",
		"logConfiguration portMappings command environment secrets image name"},
	{"COS301-SE-2023/Where-is-the-power", "taskDefinitionArn containerDefinitions family executionRoleArn networkMode " +
		"revision status requiresAttributes compatibilities requiresCompatibilities cpu memory ephemeralStorage " +
		"runtimePlatform registeredAt registeredBy", "name image secrets cpu portMappings essential logConfiguration"},
	{"8tako8tako8/twitter_rails_api", "taskDefinitionArn containerDefinitions family taskRoleArn executionRoleArn " +
		"networkMode revision status requiresAttributes compatibilities requiresCompatibilities cpu memory runtimePlatform " +
		"registeredAt registeredBy", "name image cpu portMappings essential environment secrets logConfiguration"},
	{"Aethernet-network/aethernet", "family networkMode requiresCompatibilities cpu memory executionRoleArn taskRoleArn " +
		"containerDefinitions volumes", "name image essential portMappings environment mountPoints logConfiguration"},
	{"4m9d/sroom-be", "executionRoleArn containerDefinitions taskRoleArn compatibilities taskDefinitionArn family " +
		"requiresAttributes requiresCompatibilities networkMode revision status",
		"logConfiguration portMappings memory memoryReservation image essential name"},
	{"8400TheHealthNetwork/ILCore-IG", "family containerDefinitions executionRoleArn networkMode requiresCompatibilities " +
		"cpu memory runtimePlatform", "name image cpu portMappings essential logConfiguration"},
	{"5sfayas/php-nginx-ecs-docker", "family taskDefinitionArn networkMode revision volumes containerDefinitions " +
		"taskRoleArn executionRoleArn compatibilities requiresCompatibilities",
		"name image cpu memory memoryReservation mountPoints portMappings essential links"},
	{"705jul/sbcntr-backend", "executionRoleArn containerDefinitions memory family requiresCompatibilities networkMode cpu",
		"logConfiguration portMappings cpu readonlyRootFilesystem secrets memoryReservation image essential name"},
	{"Alexandresl/rocketseat-pos-widget-server", "taskDefinitionArn containerDefinitions family taskRoleArn " +
		"executionRoleArn networkMode revision status requiresAttributes compatibilities runtimePlatform " +
		"requiresCompatibilities cpu memory registeredAt registeredBy enableFaultInjection tags",
		"name image cpu memory portMappings essential environment logConfiguration"},
	{"AlpriElse/uiuc-hammock-spots", "taskDefinitionArn containerDefinitions family taskRoleArn executionRoleArn revision " +
		"status requiresAttributes compatibilities requiresCompatibilities",
		"name image cpu memoryReservation portMappings essential secrets logConfiguration healthCheck"},
	{"A0291221R/multi-agent-app", "family networkMode requiresCompatibilities cpu memory executionRoleArn taskRoleArn " +
		"containerDefinitions", "name image portMappings essential logConfiguration"},
	{"Banbury-inc/banbury-cloud-backend", "taskDefinitionArn containerDefinitions family executionRoleArn networkMode " +
		"revision status requiresAttributes compatibilities requiresCompatibilities cpu memory runtimePlatform " +
		"registeredAt registeredBy enableFaultInjection", "name image cpu portMappings essential logConfiguration"},
	{"aws-samples/aws-containers-task-definitions consul", "containerDefinitions family networkMode",
		"command cpu dockerLabels entryPoint environment image logConfiguration memory memoryReservation name"},
	{"aws-samples/aws-containers-task-definitions wildfly", "memory networkMode cpu family requiresCompatibilities " +
		"containerDefinitions", "portMappings essential name image command logConfiguration cpu memory"},
	{"aws-samples/aws-containers-task-definitions kibana", "memory networkMode cpu family requiresCompatibilities " +
		"containerDefinitions", "portMappings essential name environment cpu memory image logConfiguration"},
	{"aws-samples/aws-containers-task-definitions gunicorn", "memory networkMode cpu family requiresCompatibilities " +
		"containerDefinitions", "portMappings essential name image logConfiguration memoryReservation"},
	{"DataDog/documentation Workload Protection", "family cpu memory networkMode pidMode requiresCompatibilities " +
		"containerDefinitions volumes", "name image essential user command mountPoints environment healthCheck entryPoint " +
		"linuxParameters dependsOn"},
}

func TestTaskDefinitionsOfOtherProjectsNeedNoKeyThatIsMissing(t *testing.T) {
	t.Parallel()
	require.GreaterOrEqual(t, len(published), 20)
	refused := map[string][]string{}
	for _, each := range published {
		for here, keys := range map[reflect.Type]string{reflect.TypeFor[Service](): each.task,
			reflect.TypeFor[Sidecar](): each.containers} {
			for _, key := range strings.Fields(keys) {
				if key == "name" || key == "containerDefinitions" {
					continue
				}
				how := answered(key, here)
				require.NotEmpty(t, how, "%s of %s", key, each.source)
				if strings.HasPrefix(how, "is not there: ") {
					refused[key] = append(refused[key], each.source)
				}
			}
		}
	}
	// What other projects use and a stage file has nothing for, beside what slipway decides and AWS writes.
	require.Len(t, refused["proxyConfiguration"], 1)
	require.Len(t, refused["links"], 1)
	require.Len(t, refused["enableFaultInjection"], 2)
	require.NotContains(t, refused, "environmentFiles")
}

// The one among them that asks most of a task: an agent that watches the application by ptrace.
func TestATaskDefinitionWithAnAgentThatWatches(t *testing.T) {
	t.Parallel()
	_, err := loadFiles(t, "dev", "", oneService(`      pidMode: task
      entryPoint: [/cws-instrumentation-volume/cws-instrumentation, trace, --, /app]
      mounts: {cws-instrumentation-volume: {path: /cws-instrumentation-volume, readOnly: true}}
      capabilities: {add: [SYS_PTRACE]}
      dependsOn: {datadog-agent: HEALTHY, cws-instrumentation-init: SUCCESS}
      containers:
        cws-instrumentation-init:
          image: public.ecr.aws/datadog/cws-instrumentation:1@`+digest+`
          essential: false
          user: "0"
          command: [/cws-instrumentation, setup, --cws-volume-mount, /cws-instrumentation-volume]
          mounts: {cws-instrumentation-volume: {path: /cws-instrumentation-volume}}
        datadog-agent:
          image: public.ecr.aws/datadog/agent:7@`+digest+`
          environment: {DD_SITE: datadoghq.com, ECS_FARGATE: "true"}
          secrets: [DATABASE_URL]
          healthCheck: {command: [CMD-SHELL, /probe.sh], interval: 30, timeout: 5, retries: 2, startPeriod: 60}`))
	require.NoError(t, err)
}

func TestWhyAKeyOfECSIsNotHere(t *testing.T) {
	t.Parallel()
	requireMistakes(t, map[string]mistake{
		"privileged": {oneService("      privileged: true"), "services.web.privileged",
			[]string{"there is no such key: Fargate runs no privileged containers; remove it"}},
		"a file system in memory": {beside("{proxy: {image: web, tmpfs: [{containerPath: /run, size: 64}]}}"),
			"services.web.containers.proxy.tmpfs", []string{"there is no such key: Fargate does not take it; mount a volume"}},
		"linux parameters": {oneService("      linuxParameters: {sharedMemorySize: 64}"), "services.web.linuxParameters",
			[]string{"its parts are keys of the container here: capabilities, and init"}},
		"files of variables": {oneService("      environmentFiles: ['arn:aws:s3:::b/x.env']"),
			"services.web.environmentFiles", []string{"a revision would not hold its variables"}},
		"names of its own": {oneService("      extraHosts: [{hostname: db, ipAddress: 10.0.0.1}]"),
			"services.web.extraHosts", []string{"ECS takes it with other networks than a task's own (awsvpc)"}},
		"links": {oneService("      links: [db]"), "services.web.links", []string{"its containers reach each other on localhost"}},
	})
}
