package stage

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"slipway/internal/pulumiconfig"
)

const digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// pinned is an image as promotion writes it.
const pinned = "123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/slipway-dev/web:20261123-041205-a1b2c3d-9f8e7d6c@" +
	digest

// project is a directory with the files that the builds of the tests need.
func project(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for _, name := range []string{"app/Dockerfile", "app/Dockerfile.golang", "app/deploy/Dockerfile.release",
		"empty/.keep"} {
		write(t, root, name, "FROM scratch\n")
	}
	for name, content := range files {
		write(t, root, name, content)
	}
	return root
}

func write(t *testing.T, root, name, content string) {
	t.Helper()
	path := filepath.Join(root, name)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(content), 0o644))
}

// input is what the engine makes of the two files. Keys below "secure" arrive decrypted.
func input(t *testing.T, stage, projectYAML, stageYAML string) Input {
	t.Helper()
	files := map[string]string{pulumiconfig.FileName(stage): stageYAML, projectFile: projectYAML}
	in := Input{Project: "slipway", Stage: stage, Root: project(t, files), Config: map[string]string{}}
	for _, name := range []string{projectFile, pulumiconfig.FileName(stage)} {
		var file struct {
			Config map[string]any `yaml:"config"`
		}
		require.NoError(t, yaml.Unmarshal([]byte(files[name]), &file), name)
		for key, value := range file.Config {
			if holder, isHolder := value.(map[string]any); isHolder && name == projectFile {
				value = holder["value"]
			}
			value, encrypted := engine(value)
			if encrypted {
				in.SecretKeys = append(in.SecretKeys, key)
			}
			if text, isText := value.(string); isText {
				in.Config[key] = text
				continue
			}
			text, err := json.Marshal(value)
			require.NoError(t, err)
			in.Config[key] = string(text)
		}
	}
	return in
}

// engine turns values as the CLI does: dates to text, {secure: x} to x.
func engine(value any) (result any, encrypted bool) {
	switch value := value.(type) {
	case nil:
		return nil, false
	case time.Time:
		return value.String(), false
	case map[string]any:
		if secret, isSecret := value["secure"]; isSecret && len(value) == 1 {
			return secret, true
		}
		for key, element := range value {
			turned, secret := engine(element)
			value[key], encrypted = turned, encrypted || secret
		}
	case []any:
		for i, element := range value {
			turned, secret := engine(element)
			value[i], encrypted = turned, encrypted || secret
		}
	}
	return value, encrypted
}

func loadFiles(t *testing.T, stage, projectYAML, stageYAML string) (*Stage, error) {
	t.Helper()
	return Load(input(t, stage, projectYAML, stageYAML))
}

// oneService is a sound stage but for what stands in its service.
func oneService(lines string) string {
	return fmt.Sprintf(`
config:
  slipway:images: {web: {ref: "%s"}}
  slipway:secrets: {DATABASE_URL: "arn:aws:ssm:ap-northeast-2:123456789012:parameter/dev/database-url"}
  slipway:services:
    web:
      image: web
%s
`, pinned, lines)
}

func TestLoadASmallStage(t *testing.T) {
	t.Parallel()
	got, err := loadFiles(t, "dev", "", `
config:
  aws:region: ap-northeast-2
  aws:allowedAccountIds: ["123456789012"]
  slipway:images: {web: {build: {context: ./app}}}
  slipway:services: {web: {image: web}}
`)
	require.NoError(t, err)
	got.written = nil // TestWhere looks at it
	require.Equal(t, &Stage{
		Project: "slipway",
		Name:    "dev",
		Images: map[string]Image{"web": {Build: &Build{
			Context: "app", Dockerfile: "app/Dockerfile", Platform: "linux/amd64",
		}, Platform: "linux/amd64"}},
		Services: map[string]Service{"web": {
			TaskDefinition: TaskDefinition{
				Image: "web", CPU: 256, Memory: 512, LogRetention: 30, Containers: map[string]Sidecar{},
				Container: Container{Environment: map[string]string{}, Secrets: map[string]Secret{}, StopTimeout: 20},
			},
			Replicas: 1, Deployment: rolling,
		}},
		Tasks:        map[string]Task{},
		LoadBalancer: balanced, InternalLoadBalancer: InternalLoadBalancer{TLSPolicy: balanced.TLSPolicy, IdleTimeout: 60},
		ClusterSettings: ClusterSettings{ContainerInsights: "disabled"}, Roles: Roles{Path: "/"},
		Repository: Repository{KeepImages: 100, KeepRevisions: 30},
		AWS:        AWS{Region: "ap-northeast-2", AllowedAccountIDs: []string{"123456789012"}},
	}, got)
}

// What a stage has that says nothing of it.
var (
	rolling  = Deployment{MinimumHealthy: 100, Maximum: 200, CircuitBreaker: "rollback"}
	balanced = LoadBalancer{TLSPolicy: "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09", IdleTimeout: 60}
)

func TestLoadEveryKey(t *testing.T) {
	t.Parallel()
	got, err := loadFiles(t, "release", "", `
config:
  slipway:environment: {STAGE: "release", EMPTY: ""}
  slipway:images:
    web:
      build:
        context: app
        dockerfile: ./app/deploy/Dockerfile.release
        target: final
        args: {VERSION: "1.10"}
        platform: linux/arm64
        cacheFrom: ["golang:1.26", "public.ecr.aws/docker/library/alpine:3"]
        refresh: "2024-01-01"
    pinned: {ref: "`+pinned+`", platform: linux/arm64}
  slipway:secrets:
    DATABASE_URL: "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:dev/db-AbCdEf:url::"
    TOKEN: arn:aws:ssm:ap-northeast-2:123456789012:parameter/dev/token
    API_KEY: {secure: hunter2}
  slipway:services:
    web:
      image: web
      entryPoint: ["/app"]
      command: ["serve", "--verbose"]
      dependsOn: {prepare: SUCCESS}
      mounts: {data: {path: /var/data, readOnly: true}}
      user: "65532:65532"
      init: true
      ulimits: {nofile: {soft: 4096, hard: 65535}}
      containers:
        prepare: {image: pinned, command: [prepare], essential: false, cpu: 64, memory: 128, stopTimeout: 5, environment: {GREETING: "hi"},
          secrets: [TOKEN], readonlyRootFilesystem: true, mounts: {data: {path: /data}}}
        proxy: {image: "public.ecr.aws/nginx/nginx:1.27@`+digest+`", dependsOn: {web: HEALTHY}}
      port: 8080
      replicas: 3
      cpu: 1024
      memory: 3072
      environment: {STAGE: "release-web", GREETING: "hello"}
      secrets: [DATABASE_URL, API_KEY]
      revision: 12
      allowFrom: ["203.0.113.0/24", "2001:db8::/32"]
      route:
        hosts: [shop.example.com, "*.shop.example.com"]
        paths: ["/api/*"]
        priority: 7
        protocol: grpc
        healthCheck: {path: /health, codes: 0-99, interval: 10, timeout: 3, healthyThreshold: 3, unhealthyThreshold: 4}
        gracePeriod: 0
        deregistrationDelay: 30
        stickiness: 3600
      scaling:
        min: 2
        max: 10
        cpu: 60
        memory: 70
        requests: 1000
        scaleInCooldown: 600
        scaleOutCooldown: 30
        schedules: {night: {when: "cron(0 22 * * ? *)", timeZone: Asia/Seoul, min: 0, max: 1}}
      deployment: {minimumHealthy: 50, maximum: 150, circuitBreaker: stop, alarms: [latency], maxErrors: 5}
      healthCheck: {command: [CMD, /app, -healthcheck], interval: 5, timeout: 3, retries: 2, startPeriod: 10}
      stopTimeout: 60
      exec: true
      logRetention: 90
      permissions:
        - {actions: ["s3:GetObject"], resources: ["arn:aws:s3:::uploads/*"], conditions: {Bool: {"aws:SecureTransport": ["true"]}}}
  slipway:tasks:
    migrate:
      image: web
      command: [migrate]
      secrets: [DATABASE_URL]
      before: [web]
    report:
      image: web
      cpu: 512
      memory: 1024
      schedule: {when: "cron(0 6 ? * MON-FRI *)", timeZone: Asia/Seoul, retries: 0, maxAge: 3600, enabled: false,
        deadLetterQueue: "arn:aws:sqs:ap-northeast-2:123456789012:failed"}
      logRetention: 7
  slipway:loadBalancer:
    zone: example.com
    certificate: arn:aws:acm:ap-northeast-2:123456789012:certificate/12345678-1234-1234-1234-123456789012
    tlsPolicy: ELBSecurityPolicy-TLS13-1-3-2021-06
    internal: true
    subnets: [subnet-0123456789abcdef2, subnet-0123456789abcdef3]
    allowFrom: [10.0.0.0/8]
    idleTimeout: 120
    deletionProtection: true
    accessLogs: {bucket: shop-logs, prefix: dev}
  slipway:internalLoadBalancer:
    certificate: arn:aws:acm:ap-northeast-2:123456789012:certificate/12345678-1234-1234-1234-123456789012
    tlsPolicy: ELBSecurityPolicy-TLS13-1-3-2021-06
    subnets: [subnet-0123456789abcdef2, subnet-0123456789abcdef3]
    allowFrom: [10.0.0.0/8]
    idleTimeout: 120
    deletionProtection: true
    accessLogs: {bucket: shop-logs, prefix: internal}
  slipway:cluster: {containerInsights: enhanced}
  slipway:roles: {path: /slipway/, permissionsBoundary: "arn:aws:iam::123456789012:policy/boundary"}
  slipway:tags: {team: shop}
  slipway:network:
    vpc: vpc-0123456789abcdef0
    subnets: [subnet-0123456789abcdef0, subnet-0123456789abcdef1]
    assignPublicIp: false
  slipway:repository: {forceDelete: true, keepImages: 20, keepRevisions: 50}
`)
	require.NoError(t, err)
	no, none, one := false, 0, 1
	database := Secret{ARN: "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:dev/db-AbCdEf:url::"}
	password := "hunter2"
	key := Secret{Value: SecretValue{&password}}
	token := Secret{ARN: "arn:aws:ssm:ap-northeast-2:123456789012:parameter/dev/token"}
	stageVariables := map[string]string{"STAGE": "release", "EMPTY": ""}
	got.written = nil // TestWhere looks at it
	require.Equal(t, &Stage{
		Project:     "slipway",
		Name:        "release",
		Environment: map[string]string{"STAGE": "release", "EMPTY": ""},
		Images: map[string]Image{
			"web": {Build: &Build{
				Context: "app", Dockerfile: "app/deploy/Dockerfile.release", Target: "final",
				Args: map[string]string{"VERSION": "1.10"}, Platform: "linux/arm64", Refresh: "2024-01-01",
				CacheFrom: []string{"golang:1.26", "public.ecr.aws/docker/library/alpine:3"},
			}, Platform: "linux/arm64"},
			"pinned": {Ref: &Ref{
				Host: "123456789012.dkr.ecr.ap-northeast-2.amazonaws.com", Account: "123456789012",
				Region: "ap-northeast-2", Repository: "slipway-dev/web", Tag: "20261123-041205-a1b2c3d-9f8e7d6c", Digest: digest,
			}, Platform: "linux/arm64"},
		},
		Secrets: map[string]Secret{"DATABASE_URL": database, "TOKEN": token, "API_KEY": key},
		Services: map[string]Service{"web": {
			TaskDefinition: TaskDefinition{
				Image: "web", CPU: 1024, Memory: 3072, LogRetention: 90,
				Container: Container{
					EntryPoint: []string{"/app"}, Command: []string{"serve", "--verbose"},
					DependsOn:   map[string]string{"prepare": "SUCCESS"},
					Environment: map[string]string{"STAGE": "release-web", "EMPTY": "", "GREETING": "hello"},
					SecretNames: []string{"DATABASE_URL", "API_KEY"}, Secrets: map[string]Secret{"DATABASE_URL": database,
						"API_KEY": key},
					HealthCheck: &HealthCheck{Command: []string{"CMD", "/app", "-healthcheck"}, Interval: 5, Timeout: 3, Retries: 2,
						StartPeriod: 10},
					StopTimeout: 60, Mounts: map[string]Mount{"data": {Path: "/var/data", ReadOnly: true}}, User: "65532:65532",
					Init:    true,
					Ulimits: map[string]Ulimit{"nofile": {Soft: 4096, Hard: 65535}},
				},
				Containers: map[string]Sidecar{
					"prepare": {Image: "pinned", CPU: 64, Memory: 128, Container: Container{
						Command: []string{"prepare"}, Environment: map[string]string{"STAGE": "release", "EMPTY": "", "GREETING": "hi"},
						SecretNames: []string{"TOKEN"}, Secrets: map[string]Secret{"TOKEN": token}, StopTimeout: 5,
						Mounts: map[string]Mount{"data": {Path: "/data"}}, ReadonlyRootFilesystem: true,
					}},
					"proxy": {Image: "public.ecr.aws/nginx/nginx:1.27@" + digest, CPU: 32, Essential: true, Container: Container{
						Environment: stageVariables, Secrets: map[string]Secret{}, StopTimeout: 20,
						DependsOn: map[string]string{"web": "HEALTHY"},
					}},
				},
				Permissions: []Permission{{Actions: []string{"s3:GetObject"}, Resources: []string{"arn:aws:s3:::uploads/*"},
					Conditions: map[string]map[string][]string{"Bool": {"aws:SecureTransport": {"true"}}}}},
			},
			Port: 8080, Replicas: 3, Revision: 12, AllowFrom: []string{"203.0.113.0/24", "2001:db8::/32"},
			Route: &Route{
				Hosts: []string{"shop.example.com", "*.shop.example.com"}, Paths: []string{"/api/*"}, Priority: 7, Protocol: "grpc",
				HealthCheck: TargetHealthCheck{Path: "/health", Codes: "0-99", Interval: 10, Timeout: 3, HealthyThreshold: 3,
					UnhealthyThreshold: 4},
				GracePeriod: 0, DeregistrationDelay: 30, Stickiness: 3600,
			},
			Scaling: &Scaling{
				Min: 2, Max: 10, CPU: 60, Memory: 70, Requests: 1000, ScaleInCooldown: 600, ScaleOutCooldown: 30,
				Schedules: map[string]Schedule{"night": {When: "cron(0 22 * * ? *)", TimeZone: "Asia/Seoul", Min: &none,
					Max: &one}},
			},
			Deployment: Deployment{MinimumHealthy: 50, Maximum: 150, CircuitBreaker: "stop", Alarms: []string{"latency"},
				MaxErrors: 5},
			Exec: true,
		}},
		Tasks: map[string]Task{
			"migrate": {Before: []string{"web"}, TaskDefinition: TaskDefinition{
				Image: "web", CPU: 256, Memory: 512, LogRetention: 30, Containers: map[string]Sidecar{}, Container: Container{
					Command: []string{"migrate"}, Environment: stageVariables, StopTimeout: 20,
					SecretNames: []string{"DATABASE_URL"}, Secrets: map[string]Secret{"DATABASE_URL": database},
				}}},
			"report": {
				Schedule: &TaskSchedule{When: "cron(0 6 ? * MON-FRI *)", TimeZone: "Asia/Seoul", MaxAge: 3600,
					DeadLetterQueue: "arn:aws:sqs:ap-northeast-2:123456789012:failed"},
				TaskDefinition: TaskDefinition{Image: "web", CPU: 512, Memory: 1024, LogRetention: 7,
					Containers: map[string]Sidecar{},
					Container:  Container{Environment: stageVariables, Secrets: map[string]Secret{}, StopTimeout: 20}},
			},
		},
		LoadBalancer: LoadBalancer{
			Zone: "example.com", Certificate: "arn:aws:acm:ap-northeast-2:123456789012:certificate/12345678-1234-1234-1234-123456789012",
			TLSPolicy: "ELBSecurityPolicy-TLS13-1-3-2021-06", Internal: true,
			Subnets:   []string{"subnet-0123456789abcdef2", "subnet-0123456789abcdef3"},
			AllowFrom: []string{"10.0.0.0/8"}, IdleTimeout: 120, DeletionProtection: true,
			AccessLogs: &AccessLogs{Bucket: "shop-logs", Prefix: "dev"},
		},
		InternalLoadBalancer: InternalLoadBalancer{
			Certificate: "arn:aws:acm:ap-northeast-2:123456789012:certificate/12345678-1234-1234-1234-123456789012",
			TLSPolicy:   "ELBSecurityPolicy-TLS13-1-3-2021-06",
			Subnets:     []string{"subnet-0123456789abcdef2", "subnet-0123456789abcdef3"},
			AllowFrom:   []string{"10.0.0.0/8"}, IdleTimeout: 120, DeletionProtection: true,
			AccessLogs: &AccessLogs{Bucket: "shop-logs", Prefix: "internal"},
		},
		ClusterSettings: ClusterSettings{ContainerInsights: "enhanced"},
		Roles:           Roles{Path: "/slipway/", PermissionsBoundary: "arn:aws:iam::123456789012:policy/boundary"},
		Tags:            map[string]string{"team": "shop"},
		Network: Network{
			VPC:            "vpc-0123456789abcdef0",
			Subnets:        []string{"subnet-0123456789abcdef0", "subnet-0123456789abcdef1"},
			AssignPublicIP: &no,
		},
		Repository: Repository{ForceDelete: true, KeepImages: 20, KeepRevisions: 50},
	}, got)
}

func TestPinnedReferences(t *testing.T) {
	t.Parallel()
	ref, err := parseRef(pinned, "dev")
	require.NoError(t, err)
	require.Equal(t, "123456789012.dkr.ecr.ap-northeast-2.amazonaws.com", ref.Host)
	require.Equal(t, ref.Host+"/slipway-dev/web@"+digest, ref.Pinned())

	for text, repository := range map[string]string{
		"public.ecr.aws/nginx/nginx:1.29": "public.ecr.aws/nginx/nginx",
		"nginx:1.29":                      "docker.io/library/nginx",
		"grafana/grafana:12":              "docker.io/grafana/grafana",
		"docker.io/grafana/grafana:12":    "docker.io/grafana/grafana",
		"ghcr.io/shop/web:1":              "ghcr.io/shop/web",
		"registry.example.com:5000/web:1": "registry.example.com:5000/web",
		"210987654321.dkr.ecr.eu-west-1.amazonaws.com/shop-dev/web:1": "210987654321.dkr.ecr.eu-west-1.amazonaws.com/shop-dev/web",
	} {
		got, err := loadFiles(t, "dev", "", refTo(text+"@"+digest))
		require.NoError(t, err, text)
		require.Equal(t, repository+"@"+digest, got.Images["web"].Ref.Pinned())
		require.False(t, got.Images["web"].Mirror)
	}
	got, err := loadFiles(t, "dev", "", "config: {'slipway:images': {web: {ref: 'nginx:1@"+digest+"', mirror: true}}}")
	require.NoError(t, err)
	require.True(t, got.Images["web"].Mirror)
}

func TestRegistriesAndReaders(t *testing.T) {
	t.Parallel()
	const arn = "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:ghcr-a1b2c3"
	const registries = "\n  slipway:registries: {ghcr.io: {credentials: '" + arn + "'}}"
	got, err := loadFiles(t, "dev", "", refTo("ghcr.io/shop/web:1@"+digest)+registries+
		"\n  slipway:repository: {readers: ['210987654321', o-a1b2c3d4e5]}")
	require.NoError(t, err)
	require.Equal(t, map[string]Registry{"ghcr.io": {Credentials: arn}}, got.Registries)
	require.Equal(t, []string{"210987654321", "o-a1b2c3d4e5"}, got.Repository.Readers)

	_, err = loadFiles(t, "dev", "", beside("{proxy: {image: 'ghcr.io/shop/proxy@"+digest+"'}}")+registries)
	require.NoError(t, err, "a container beside the main one runs an image of it")
	_, err = loadFiles(t, "dev", "config: {'slipway:defaults': {value: {registries: {ghcr.io: {credentials: '"+arn+
		"'}}}}}", oneService(""))
	require.NoError(t, err, "all stages share it, and this one does not need it")
}

func TestWhere(t *testing.T) {
	t.Parallel()
	s, err := loadFiles(t, "dev", "config: {'slipway:defaults': {value: {services: {web: {revision: 3}}}}}",
		oneService("      port: 80"))
	require.NoError(t, err)
	require.Equal(t, "services.web.port (Pulumi.dev.yaml)", s.Where("services", "web", "port"))
	require.Equal(t, "services.web.cpu (Pulumi.dev.yaml)", s.Where("services", "web", "cpu"))
	require.Equal(t, "defaults.services.web.revision (Pulumi.yaml)", s.Where("services", "web", "revision"))
	require.Equal(t, "images.web.ref (Pulumi.qa.yaml)", (&Stage{Name: "qa"}).Where("images", "web", "ref"))
}

func TestNamesInAWS(t *testing.T) {
	t.Parallel()
	s := Stage{Project: "slipway", Name: "dev"}
	require.Equal(t, "slipway-dev", s.Cluster())
	require.Equal(t, "slipway-dev/web", s.RepositoryName("web"))
	require.Equal(t, "slipway-dev-web", s.Family("web"))
	require.Equal(t, "slipway-dev-web-execution", s.ExecutionRole("web"))
	require.Equal(t, "slipway-dev-web-task", s.TaskRole("web"))
	require.Equal(t, "/slipway/dev/web", s.LogGroup("web"))
}

func TestGoodStages(t *testing.T) {
	t.Parallel()
	for name, stage := range map[string]string{
		"images alone": "config: {'slipway:images': {web: {build: {context: app}}}}",
		"an image that no one runs": "config: {'slipway:images': {web: {ref: '" + pinned +
			"'}, job: {build: {context: app}}}, 'slipway:services': {web: {image: web}}}",
		"a context outside":           "config: {'slipway:images': {web: {build: {context: ../app}}}}",
		"no arguments":                oneService("      command: []"),
		"a quoted date":               oneService(`      environment: {DAY: "2024-01-01"}`),
		"a date's text, quoted":       oneService(`      environment: {DAY: "2024-01-01 00:00:00 +0000 UTC"}`),
		"a word that YAML 1.1 reads":  oneService(`      environment: {ANSWER: yes}`),
		"text in many lines":          oneService("      environment:\n        LINES: |\n          one\n          two"),
		"all of the Internet":         oneService("      port: 80\n      allowFrom: [0.0.0.0/0, '::/0']"),
		"a port that no one reaches":  oneService("      port: 80\n      allowFrom: []"),
		"the largest size":            oneService("      cpu: 32768\n      memory: 249856"),
		"another project's keys":      oneService("") + "\n  other:servises: {}",
		"keys of a provider":          oneService("") + "\n  aws:profile: dev\n  aws:region: ap-northeast-2",
		"an encrypted provider's key": oneService("") + "\n  aws:secretKey: {secure: hunter2}",
		"an anchor and its alias": oneService("      environment: &e {A: 'x'}\n    job:\n      image: web\n      " +
			"environment: *e"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := input(t, "dev", "", stage)
			if name == "a context outside" {
				in.Root = filepath.Join(in.Root, "empty")
			}
			_, err := Load(in)
			require.NoError(t, err)
		})
	}
}
