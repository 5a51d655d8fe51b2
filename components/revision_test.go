package components

import (
	"testing"

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
		"another port without a route": {service(9090, nil, both), ""},
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

// The role of a service that copies its image may not pull from where it ran before.
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
