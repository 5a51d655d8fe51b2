package api

import (
	"slipway/sandbox/account"
	"slipway/sandbox/account/ecr"
)

func getRepositoryPolicy(a *account.Account, _ string, p struct{ RepositoryName string }) (any, error) {
	if _, err := images(a, p.RepositoryName); err != nil {
		return nil, err
	}
	policy, err := a.Object(ecr.RepositoryPolicy, p.RepositoryName)
	if err != nil {
		return nil, err
	}
	if policy == nil {
		return nil, account.Refuse("RepositoryPolicyNotFoundException", "Repository policy does not exist for the repository "+
			"with name '%s' in the registry with id '%s'", p.RepositoryName, a.ID)
	}
	return object{"registryId": a.ID, "repositoryName": p.RepositoryName, "policyText": policy["policy"]}, nil
}

func setRepositoryPolicy(a *account.Account, _ string, p struct{ RepositoryName, PolicyText string }) (any, error) {
	err := ecr.PutRepositoryPolicy(a, p.RepositoryName, p.PolicyText, account.Object{"policy": p.PolicyText,
		"repository": p.RepositoryName, "registryId": a.ID})
	return object{"registryId": a.ID, "repositoryName": p.RepositoryName, "policyText": p.PolicyText}, err
}
