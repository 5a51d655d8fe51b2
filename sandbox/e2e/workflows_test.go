package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// A way through the workflows of docs/ci: dev on merge, the promotion as a pull request, release on merge of that, and
// the comment on a pull request. The stages are in two accounts, and each job has only the profiles that it is given.
func TestTheWorkflowsBringACommitFromMainToRelease(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	for stage, id := range map[string]string{"dev": devAccount, "release": releaseAccount} {
		p.replace("Pulumi."+stage+".yaml", "aws:region: ap-northeast-2", "aws:region: ap-northeast-2\n"+
			"  aws:allowedAccountIds: [\""+id+"\"]\n  aws:profile: shop-"+stage)
	}
	p.stageKeys(`slipway:repository: {readers: ["` + releaseAccount + `"]}`)
	p.ok("pulumi", "stack", "init", "release")
	p.commit("Stages in accounts of their own")
	const releaseRole = "arn:aws:iam::" + releaseAccount + ":role/deploy"
	runner := newRunner(p)

	runner.job("dev.yml", map[string]string{"vars.ROLE": deployRole})
	deployed := p.state("dev").outputs().Images["web"].Digest
	require.NotEmpty(t, deployed)

	promote := map[string]string{"vars.DEV_PROMOTE_ROLE": deployRole, "vars.RELEASE_PREVIEW_ROLE": releaseRole}
	runner.job("promote.yml", promote)
	require.Contains(t, runner.read("gh.log"), "pr create --head promote-release --base main --title Promote")
	require.Contains(t, runner.read("body.md"), "web", "what would change in release is the pull request's text")
	require.Contains(t, p.git("ls-remote", "origin", "promote-release"), strings.TrimSpace(p.git("rev-parse", "HEAD")))

	p.git("switch", "-q", "main")
	p.git("merge", "-q", "--no-ff", "-m", "Merge the promotion", "promote-release")
	p.git("branch", "-q", "-d", "promote-release") // as in a checkout of its own
	runner.job("release.yml", map[string]string{"vars.ROLE": releaseRole})
	require.Equal(t, deployed, p.state("release").outputs().Images["web"].Digest)

	runner.job("promote.yml", promote)
	require.Contains(t, runner.read("summary.md"), "release runs what dev runs")
	require.Equal(t, 1, strings.Count(runner.read("gh.log"), "pr create"), "nothing to promote, so no pull request")

	p.git("switch", "-q", "main")
	p.replace("Pulumi.release.yaml", "hello from release", "good morning")
	p.commit("Greet otherwise")
	preview := map[string]string{"matrix.stage": "release", "vars[matrix.role]": releaseRole,
		"github.event.pull_request.number": "7"}
	runner.job("preview.yml", preview)
	require.Contains(t, runner.read("gh.log"), "api --method POST repos/acme/shop/issues/7/comments --field body=@")
	require.Contains(t, runner.read("comment.md"), "GREETING")
	runner.write("earlier", "https://api.github.com/repos/acme/shop/issues/comments/42\n")
	runner.job("preview.yml", preview)
	require.Contains(t, runner.read("gh.log"),
		"api --method PATCH https://api.github.com/repos/acme/shop/issues/comments/42 --field body=@")

	runner.gitlab("preview", map[string]string{"STAGE": "release", "ROLE": releaseRole})
	runner.gitlab("dev", map[string]string{"ROLE": deployRole})
	runner.gitlab("release", map[string]string{"ROLE": releaseRole})
	require.Contains(t, p.state("release").containers(), "good morning")
}

// runner runs the jobs of workflows as GitHub and GitLab do, with programs of its own for what is theirs: gh records
// what it was asked, curl hands out a token, and make and go have made what they should.
type runner struct {
	p    *project
	temp string
}

func newRunner(p *project) *runner {
	p.Helper()
	r := &runner{p: p, temp: p.TempDir()}
	origin := filepath.Join(r.temp, "origin.git")
	p.git("init", "-q", "--bare", origin)
	p.git("remote", "add", "origin", origin)
	for name, script := range map[string]string{
		"curl": `case "$*" in *get.pulumi.com*) echo true;; *) echo '{"count":1,"value":"eyJhbGciOi"}';; esac`,
		"make": `exit 0`,
		"go":   `exit 0`,
		"gh": `echo "$@" >> "$RUNNER_TEMP/gh.log"
case "$*" in *--paginate*) cat "$RUNNER_TEMP/earlier" 2> /dev/null || true;; esac`,
	} {
		r.write("bin/"+name, "#!/bin/sh\n"+script+"\n")
	}
	return r
}

func (r *runner) write(name, content string) {
	r.p.Helper()
	file := filepath.Join(r.temp, name)
	require.NoError(r.p, os.MkdirAll(filepath.Dir(file), 0o755))
	require.NoError(r.p, os.WriteFile(file, []byte(content), 0o755))
}

func (r *runner) read(name string) string {
	r.p.Helper()
	content, err := os.ReadFile(filepath.Join(r.temp, name))
	require.NoError(r.p, err)
	return string(content)
}

// step is one of a job, or of an action.
type step struct {
	Run, Uses string
	With, Env map[string]string
}

// job runs the steps of a workflow's only job. known has what the expressions in it stand for, beside what every
// job of the repository has.
func (r *runner) job(name string, known map[string]string) {
	r.p.Helper()
	var workflow struct {
		Env  map[string]string
		Jobs map[string]struct{ Steps []step }
	}
	r.load("github/workflows/"+name, &workflow)
	require.Len(r.p, workflow.Jobs, 1)
	context := map[string]string{
		"vars.PULUMI_BACKEND_URL": "", "secrets.PULUMI_CONFIG_PASSPHRASE": "", "github.token": "gho_token",
		"vars.STATE_ROLE": deployRole, "vars.STATE_READ_ROLE": deployRole,
	}
	for expression, value := range known {
		context[expression] = value
	}
	environment := []string{"RUNNER_TEMP=" + r.temp, "GITHUB_ENV=" + filepath.Join(r.temp, "env"),
		"GITHUB_PATH=" + filepath.Join(r.temp, "path"), "GITHUB_STEP_SUMMARY=" + filepath.Join(r.temp, "summary.md"),
		"GITHUB_REPOSITORY=acme/shop", "ACTIONS_ID_TOKEN_REQUEST_URL=https://token.example.com/?v=1",
		"ACTIONS_ID_TOKEN_REQUEST_TOKEN=request"}
	environment = append(environment, r.expand(workflow.Env, context)...)
	for _, job := range workflow.Jobs {
		r.steps(job.Steps, environment, context)
	}
}

func (r *runner) steps(steps []step, environment []string, context map[string]string) {
	r.p.Helper()
	for _, each := range steps {
		switch {
		case each.Run != "":
			if set, err := os.ReadFile(filepath.Join(r.temp, "env")); err == nil {
				environment = append(environment, strings.Fields(string(set))...)
			}
			r.script(each.Run, append(environment, r.expand(each.Env, context)...))
		case each.Uses == "./.github/actions/slipway":
			var action struct{ Runs struct{ Steps []step } }
			r.load("github/actions/slipway/action.yml", &action)
			inputs := map[string]string{"inputs.profiles": r.evaluate(each.With["profiles"], context)}
			r.steps(action.Runs.Steps, environment, inputs)
		default: // checks out, or installs
			require.Regexp(r.p, `^(actions/(checkout|setup-go)|pulumi/actions)@v\d+$`, each.Uses)
		}
	}
}

// script runs a piece of shell as GitHub does.
func (r *runner) script(text string, environment []string) {
	r.p.Helper()
	require.NotContains(r.p, text, "${{", "an expression in a script is run as one")
	text = "PATH=" + filepath.Join(r.temp, "bin") + ":$PATH\n" + text
	ran := r.p.runWith(environment, "bash", "-eo", "pipefail", "-c", text)
	require.Zero(r.p, ran.status, ran.output)
}

var expression = regexp.MustCompile(`\$\{\{ (.+?) \}\}`)

func (r *runner) evaluate(text string, context map[string]string) string {
	r.p.Helper()
	return expression.ReplaceAllStringFunc(text, func(found string) string {
		name := expression.FindStringSubmatch(found)[1]
		value, known := context[name]
		require.True(r.p, known, "the test does not know %s", name)
		return value
	})
}

func (r *runner) expand(variables, context map[string]string) (environment []string) {
	r.p.Helper()
	for name, text := range variables {
		environment = append(environment, name+"="+r.evaluate(text, context))
	}
	return environment
}

// gitlab runs the scripts of a job with its variables.
func (r *runner) gitlab(name string, variables map[string]string) {
	r.p.Helper()
	var file map[string]yaml.Node
	r.load("gitlab-ci.yml", &file)
	var shared, job struct {
		Before    []string `yaml:"before_script"`
		Script    []string
		Variables map[string]string
	}
	for key, into := range map[string]any{".slipway": &shared, name: &job} {
		node := file[key]
		require.NoError(r.p, node.Decode(into))
	}
	environment := []string{"AWS_TOKEN=eyJhbGciOi", "STATE_ROLE=" + deployRole,
		"AWS_CONFIG_FILE=" + filepath.Join(r.temp, "config")}
	for _, each := range []map[string]string{job.Variables, variables} {
		for variable, value := range each {
			environment = append(environment, variable+"="+value)
		}
	}
	script := strings.Join(append(shared.Before, job.Script...), "\n")
	r.script(strings.ReplaceAll(script, "/tmp/aws-token", filepath.Join(r.temp, "aws-token")), environment)
}

func (r *runner) load(name string, into any) {
	r.p.Helper()
	content, err := os.ReadFile(filepath.Join(root, "docs/ci", name))
	require.NoError(r.p, err)
	require.NoError(r.p, yaml.Unmarshal(content, into))
}
