package deployrole

import (
	"fmt"
	"regexp"
	"strings"

	"slipway/cmd/slipway/internal/exit"
	"slipway/internal/policies"
	"slipway/internal/pulumiconfig"
	"slipway/stage"
)

var repository = regexp.MustCompile(`^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$`)

// gitHub is who signs the tokens of GitHub's workflows, and for whom
// (https://docs.github.com/en/actions/how-tos/secure-your-work/security-harden-deployments/oidc-in-aws).
const gitHub, audience = "token.actions.githubusercontent.com", "sts.amazonaws.com"

// Trust is the trust policy of a role that workflows of a repository assume, given as github:ORG/REPO. What updates or
// promotes a stage is a job in the environment that is named after it, whose protection rules on GitHub say which
// branches may, and after whose review. A job without one says its branch, which anybody who can push may create. A
// preview or a look needs no environment, so that every pull request can have one: its tokens say pull_request.
func Trust(s *stage.Stage, purpose, who string) (*Policy, error) {
	name, isGitHub := strings.CutPrefix(who, "github:")
	if !isGitHub || !repository.MatchString(name) {
		return nil, exit.Refuse("--trust %s: write the repository of the workflows, as in github:example/shop", who)
	}
	n := newNames(s, false)
	if n.account == "*" {
		return nil, exit.Refuse("%s does not say the account, which a trust policy names: write it as the only one of "+
			"aws:allowedAccountIds", pulumiconfig.FileName(s.Name))
	}
	subject := fmt.Sprintf("repo:%s:environment:%s", name, s.Name)
	if purpose == "preview" || purpose == "read" {
		subject = fmt.Sprintf("repo:%s:pull_request", name)
	}
	return &Policy{Version: "2012-10-17", Statement: []policies.Statement{{
		Effect:    "Allow",
		Principal: map[string]string{"Federated": n.iam("oidc-provider/" + gitHub)},
		Action:    []string{"sts:AssumeRoleWithWebIdentity"},
		Condition: conditions{"StringEquals": {gitHub + ":aud": {audience}, gitHub + ":sub": {subject}}},
	}}}, nil
}
