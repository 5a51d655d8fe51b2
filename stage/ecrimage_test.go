package stage

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestImagesOfTheStagesOwnAccountAndRegion(t *testing.T) {
	t.Parallel()
	const account, region, digest = "123456789012", "ap-northeast-2",
		"sha256:" + "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	const registry = "123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/"
	for reference, want := range map[string]ECRImage{
		registry + "shop-dev/web:one":                            {account, region, "shop-dev/web", "one", ""},
		registry + "shop-dev/web@" + digest:                      {account, region, "shop-dev/web", "", digest},
		registry + "shop-dev/web:one@" + digest:                  {account, region, "shop-dev/web", "one", digest},
		registry + "web":                                         {account, region, "web", "latest", ""},
		"nginx:1":                                                {},
		"public.ecr.aws/docker/library/nginx:1":                  {},
		strings.Replace(registry, "1234", "4321", 1) + "web:one": {},
		strings.Replace(registry, "northeast-2", "northeast-1", 1) + "web:one": {},
	} {
		image, stored := ParseECRIn(account, region, reference)
		require.Equal(t, want, image, reference)
		require.Equal(t, want != ECRImage{}, stored, reference)
	}
}
