package aws

import (
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account"
	"slipway/sandbox/account/ecr"
)

func TestARepositorysPolicyIsChangedInPlace(t *testing.T) {
	t.Parallel()
	const token = "aws:ecr/repositoryPolicy:RepositoryPolicy"
	c := newClient(t)
	c.create("aws:ecr/repository:Repository", "web", values{"name": "shop/web"})
	require.NoError(t, ecr.PutImage(c.account, "shop/web", "one", "sha256:1", 1))
	reader := c.account.As(account.User("222222222222")).In(c.account.ID)
	reads := func() error { return ecr.Access(reader, "shop/web", "ecr:BatchGetImage") }
	require.ErrorContains(t, reads(), "no resource-based policy allows the ecr:BatchGetImage action")

	permit := func(account string) string {
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + account +
			`:root"},"Action":["ecr:BatchGetImage"]}]}`
	}
	policy := c.create(token, "web", values{"repository": "shop/web", "policy": permit("222222222222")})
	require.Equal(t, "shop/web", policy.id)
	require.NoError(t, reads())
	c.imported(policy)
	other := values{"repository": "shop/web", "policy": permit("333333333333")}
	require.Empty(t, c.diff(policy, other).GetReplaces())
	c.update(policy, other)
	require.ErrorContains(t, reads(), "is not authorized to perform: ecr:BatchGetImage")
	require.Equal(t, []string{"repository"}, c.diff(policy, values{"repository": "shop/api",
		"policy": permit("333333333333")}).GetReplaces())
	require.NoError(t, c.remove(policy))

	_, err := c.tryCreate(token, "gone", values{"repository": "shop/gone", "policy": permit("222222222222")})
	require.ErrorContains(t, err, "RepositoryNotFoundException")
	_, err = c.tryCreate(token, "nobody", values{"repository": "shop/web", "policy": `{"Statement": []}`})
	require.ErrorContains(t, err, "Invalid repository policy provided")
}
