package components

import (
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecs"
	"github.com/stretchr/testify/require"

	"slipway/internal/origins"
	"slipway/internal/registries"
	"slipway/stage"
)

func TestAnEarlierRevisionFitsTheServiceAsItIsNow(t *testing.T) {
	t.Parallel()
	const (
		parameter = "arn:aws:ssm:ap-northeast-2:123456789012:parameter/token"
		kept      = "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:shop-dev-web-0a1b2c3-AbCdEf:KEY::V1"
	)
	earlier := []containerDefinition{{Name: "web", PortMappings: []portMapping{{ContainerPort: 8080}},
		Secrets: []secret{{"KEY", kept}, {"TOKEN", parameter}}}}
	token := map[string]stage.Secret{"TOKEN": {ARN: parameter}}
	both := map[string]stage.Secret{"TOKEN": {ARN: parameter}, "OTHER": {}}
	service := func(port int, route *stage.Route, secrets map[string]stage.Secret) stage.Service {
		return stage.Service{Port: port, Route: route,
			TaskDefinition: stage.TaskDefinition{Container: stage.Container{Secrets: secrets}}}
	}
	for name, test := range map[string]struct {
		service stage.Service
		says    string
	}{
		"with all that it needs":       {service(8080, &stage.Route{}, both), ""},
		"another port without a route": {service(9090, nil, both), "does not listen on port 9090"},
		"no port any more":             {service(0, nil, both), ""},
		"another port":                 {service(9090, &stage.Route{}, both), "does not listen on port 9090"},
		"no secret of its own any more": {service(0, nil, token),
			"is given KEY from the secret of the service, which the stage no longer has"},
		"a parameter that it may not read": {service(0, nil, map[string]stage.Secret{"OTHER": {}}),
			"is given the secret TOKEN, which the service's role may not read"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := fits(earlier, &stage.Stage{Project: "shop", Name: "dev",
				Services: map[string]stage.Service{"web": test.service}}, "web")
			if test.says == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, test.says)
			}
		})
	}
}

func TestAnEarlierRevisionHasThePortThatOthersCallByItsName(t *testing.T) {
	t.Parallel()
	const missing = "has no port 8080 named api"
	for had, says := range map[portMapping]string{
		{ContainerPort: 8080, Name: "api"}:     "",
		{ContainerPort: 8080}:                  missing,
		{ContainerPort: 8080, Name: "backend"}: missing,
		{ContainerPort: 9090, Name: "api"}:     missing,
	} {
		earlier := []containerDefinition{{Name: "web", PortMappings: []portMapping{had}}}
		settings := &stage.Stage{Services: map[string]stage.Service{"web": {Port: 8080, Name: "api"}}}
		err := fits(earlier, settings, "web")
		if says == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, says)
	}
}

// The task role is let in to the volumes of the stage as it is now.
func TestAnEarlierRevisionMountsWhatTheTaskRoleIsLetInTo(t *testing.T) {
	t.Parallel()
	const files, other, point = "fs-0123456789abcdef0", "fs-0aaaaaaaaaaaaaaaa", "fsap-0123456789abcdef0"
	mounted := func(fileSystem, accessPoint, iam string) []ecs.GetTaskDefinitionVolume {
		return []ecs.GetTaskDefinitionVolume{{Name: "own"}, {Name: "data",
			EfsVolumeConfigurations: []ecs.GetTaskDefinitionVolumeEfsVolumeConfiguration{{FileSystemId: fileSystem,
				AuthorizationConfigs: []ecs.GetTaskDefinitionVolumeEfsVolumeConfigurationAuthorizationConfig{{
					AccessPointId: accessPoint, Iam: iam}}}}}}
	}
	now := func(readOnly bool, volumes map[string]stage.Volume) stage.Service {
		mounts := map[string]stage.Mount{}
		for name := range volumes {
			mounts[name] = stage.Mount{Path: "/" + name, ReadOnly: readOnly}
		}
		return stage.Service{TaskDefinition: stage.TaskDefinition{Volumes: volumes,
			Container: stage.Container{Mounts: mounts}}}
	}
	in := func(id, accessPoint string) map[string]stage.Volume {
		return map[string]stage.Volume{"data": {EFS: &stage.EFS{ID: id, AccessPoint: accessPoint}}}
	}
	for name, test := range map[string]struct {
		volumes []ecs.GetTaskDefinitionVolume
		reads   bool
		now     stage.Service
		says    string
	}{
		"the same":                   {mounted(files, point, "ENABLED"), false, now(false, in(files, point)), ""},
		"a part of what it may":      {mounted(files, point, "ENABLED"), false, now(false, in(files, "")), ""},
		"without the role":           {mounted(other, "", "DISABLED"), false, now(false, nil), ""},
		"reads what it may write":    {mounted(files, "", "ENABLED"), true, now(false, in(files, "")), ""},
		"no volume any more":         {mounted(files, "", "ENABLED"), true, now(false, nil), "mounts " + files},
		"another file system":        {mounted(other, "", "ENABLED"), false, now(false, in(files, "")), "mounts " + other},
		"more than its access point": {mounted(files, "", "ENABLED"), true, now(false, in(files, point)), "mounts " + files},
		"another access point": {mounted(files, point+"1", "ENABLED"), false, now(false, in(files, point)),
			"mounts " + files + " by " + point + "1"},
		"writes what it may read": {mounted(files, "", "ENABLED"), false, now(true, in(files, "")),
			"writes to " + files + ", which the task role may not: write at services.web.volumes and mounts"},
	} {
		containers := []containerDefinition{{Name: "web",
			MountPoints: []mountPoint{{SourceVolume: "data", ReadOnly: test.reads}}}}
		err := mountsFit(test.volumes, containers, test.now.TaskDefinition, "web")
		if test.says == "" {
			require.NoError(t, err, name)
		} else {
			require.ErrorContains(t, err, test.says, name)
		}
	}
}

// The role of a service that copies its image may not pull from where it ran before.
func TestAnEarlierRevisionRunsAnImageThatTheRoleMayPull(t *testing.T) {
	t.Parallel()
	images := &registries.Registries{Account: "123456789012", Region: "ap-northeast-2"}
	containers := []containerDefinition{{Image: "210987654321.dkr.ecr.ap-northeast-2.amazonaws.com/shop-dev/web:1"}}
	theirs := []string{"arn:aws:ecr:ap-northeast-2:210987654321:repository/shop-dev/web"}
	own := []string{"arn:aws:ecr:ap-northeast-2:123456789012:repository/shop-dev/web"}
	require.NoError(t, lookupImages(t.Context(), images, "shop-dev-web:5", containers, theirs))
	require.ErrorContains(t, lookupImages(t.Context(), images, "shop-dev-web:5", containers, own),
		"the service's role may not pull from its repository any more")
}

func TestAnEarlierRevisionsLogsHaveSecretsThatTheRoleMayRead(t *testing.T) {
	t.Parallel()
	const token = "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:splunk-AbCdEf"
	earlier := []containerDefinition{{Name: "web",
		LogConfiguration: logConfiguration{LogDriver: "splunk", SecretOptions: []secret{{"splunk-token", token}}}}}
	now := func(logs *stage.Logs) *stage.Stage {
		return &stage.Stage{Project: "shop", Name: "dev", Services: map[string]stage.Service{"web": {
			TaskDefinition: stage.TaskDefinition{Container: stage.Container{Logs: logs}}}}}
	}
	require.NoError(t, fits(earlier, now(&stage.Logs{Driver: "splunk", SecretNames: map[string]string{"splunk-token": "T"},
		Secrets: map[string]stage.Secret{"splunk-token": {ARN: token}}}), "web"))
	require.ErrorContains(t, fits(earlier, now(nil), "web"), "is given the secret splunk-token")
}

// What a hand-over lets the role read is not among the secrets of the stage file.
func TestAnEarlierRevisionMayHaveASecretThatIsHandedOver(t *testing.T) {
	t.Parallel()
	earlier := []containerDefinition{{Name: "web",
		Secrets:      []secret{{"PASSWORD", "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:db-AbCdEf"}},
		DockerLabels: origins.Origins{"PASSWORD": origins.HandOver("database")}.LabelsWith(nil)}}
	uses := func(names ...string) *stage.Stage {
		return &stage.Stage{Project: "shop", Name: "dev", Services: map[string]stage.Service{"web": {
			TaskDefinition: stage.TaskDefinition{Container: stage.Container{Uses: names}}}}}
	}
	require.NoError(t, fits(earlier, uses("database"), "web"))
	require.ErrorContains(t, fits(earlier, uses(), "web"), "is given the secret PASSWORD")
}
