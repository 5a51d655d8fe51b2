package components

import (
	"testing"

	"github.com/stretchr/testify/require"

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
	for name, test := range map[string]struct {
		service stage.Service
		says    string
	}{
		"with all that it needs":           {stage.Service{Port: 8080, Route: &stage.Route{}, Secrets: both}, ""},
		"another port without a route":     {stage.Service{Port: 9090, Secrets: both}, ""},
		"another port":                     {stage.Service{Port: 9090, Route: &stage.Route{}, Secrets: both}, "does not listen on port 9090"},
		"no secret of its own any more":    {stage.Service{Secrets: token}, "is given KEY from the secret of the service, which the stage no longer has"},
		"a parameter that it may not read": {stage.Service{Secrets: map[string]stage.Secret{"OTHER": {}}}, "is given the secret TOKEN, which the service's role may not read"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := fits(earlier, &stage.Stage{Project: "shop", Name: "dev", Services: map[string]stage.Service{"web": test.service}}, "web")
			if test.says == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, test.says)
			}
		})
	}
}
