package stage

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestKeysOfTheProjectsOwnProgramStandBesideThoseOfTheStage(t *testing.T) {
	t.Parallel()
	load := func(project string, keys map[string]string) error {
		in := Input{Project: project, Stage: "dev", Config: map[string]string{
			"slipway:images":   `{"web": {"ref": "` + pinned + `"}}`,
			"slipway:services": `{"web": {"image": "web"}}`,
		}}
		for key, value := range keys {
			in.Config[key] = value
		}
		_, err := Load(in)
		return err
	}
	require.NoError(t, load("shop", map[string]string{"shop:databaseSize": "large", "shop:password": "x", "shop:a": "1",
		"shop:limits": `{"a": 1}`}), "more of them than of the stage's")
	const second = "other keys of this stage begin with slipway:, and nothing reads two namespaces; write slipway:%s, or " +
		"give a key of your own program another name"
	require.EqualError(t, load("shop", map[string]string{"shop:services": "{}", "shop:tags": "x", "shop:roles": "x"}),
		"shop:roles (Pulumi.dev.yaml): "+fmt.Sprintf(second, "roles")+"\nshop:services (Pulumi.dev.yaml): "+
			fmt.Sprintf(second, "services")+"\nshop:tags (Pulumi.dev.yaml): "+fmt.Sprintf(second, "tags"),
		"more of them than of the stage's")
	require.EqualError(t, load("shop", map[string]string{"shop:servces": "{}"}), "shop:servces (Pulumi.dev.yaml): is nearly "+
		"slipway:services, and could be a slip for it; write slipway:services, or give a key of your own program another name")
	require.EqualError(t, load("shop", map[string]string{"shp:password": "x"}), "shp:password (Pulumi.dev.yaml): nothing "+
		"reads this key; write shop:password for a key of your own program, whose keys begin with the project's name")
	require.ErrorContains(t, load("slipway", map[string]string{"slipway:databaseSize": "large"}), "there is no such key")
}
