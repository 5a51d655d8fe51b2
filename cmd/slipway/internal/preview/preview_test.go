package preview

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	"slipway/cmd/slipway/internal/commits"
	"slipway/cmd/slipway/internal/console"
	"slipway/cmd/slipway/internal/pulumicli"
	"slipway/internal/imageref"
	"slipway/stage"
)

var update = flag.Bool("update", false, "rewrite testdata")

const (
	service    = "slipway:components:Service"
	definition = service + "$slipway:components:TaskDefinition$" + taskDefinitionType
	unknown    = pulumicli.UnknownValue
)

// step is one as `pulumi preview --json` prints it; old and new are the resource's inputs.
func step(op, token, name, parent string, old, new map[string]any, differ ...string) pulumicli.Step {
	urn := func(token, name string) string { return "urn:pulumi:dev::shop::" + token + "::" + name }
	state := func(inputs map[string]any) map[string]any {
		if inputs == nil {
			return nil
		}
		outputs := map[string]any{"revision": json.Number("3")}
		state := map[string]any{"custom": true, "inputs": inputs, "outputs": outputs}
		if parent == "" {
			state["custom"] = false
		} else {
			state["parent"] = urn(token[:max(strings.LastIndex(token, "$"), 0)], parent)
		}
		return state
	}
	return pulumicli.Step{Op: op, URN: urn(token, name), OldState: state(old), NewState: state(new), DiffReasons: differ}
}

// containers is a task definition's property with one container.
func containers(name, image, environment, more string) map[string]any {
	return map[string]any{"containerDefinitions": fmt.Sprintf(
		`[{"name": %q, "image": %q, "environment": [%s], "cpu": 256 %s}]`, name, image, environment, more)}
}

func variable(name, value string) string {
	return fmt.Sprintf(`{"name": %q, "value": %q}`, name, value)
}

func rolled(name string, old, new map[string]any) []pulumicli.Step {
	return []pulumicli.Step{step("replace", definition, name, name, old, new, "containerDefinitions"),
		step("update", service+"$"+serviceType, name, name,
			map[string]any{"taskDefinition": "arn:aws:ecs:x:1:d/" + name + ":3"},
			map[string]any{"taskDefinition": unknown}, "taskDefinition")}
}

var bare = &stage.Stage{Project: "shop", Name: "dev"}

func printed(t *testing.T, p *Preview, markdown bool) string {
	t.Helper()
	var out bytes.Buffer
	command := &cobra.Command{}
	command.SetOut(&out)
	p.Print(console.NewReport(command), markdown)
	return out.String()
}

func TestVariablesAreTheirOwnLines(t *testing.T) {
	t.Parallel()
	old := containers("web", "r/web:1", variable("B", "1")+","+variable("C", "old")+","+variable("D", "4"),
		`, "secrets": [{"name": "KEY", "valueFrom": "arn:1"}]`)
	for name, c := range map[string]struct{ environment, secrets, said string }{
		"added in front": {variable("A", "0") + "," + variable("B", "1") + "," + variable("C", "old") + "," +
			variable("D", "4"),
			"arn:1", "web.environment.A: + 0"},
		"removed": {variable("B", "1") + "," + variable("D", "4"), "arn:1", "web.environment.C: - old"},
		"renamed": {variable("B", "1") + "," + variable("C2", "old") + "," + variable("D", "4"), "arn:1",
			"web.environment.C: - old\n  web.environment.C2: + old"},
		"changed": {variable("B", "1") + "," + variable("C", "new") + "," + variable("D", "4"), "arn:1",
			"web.environment.C: old → new"},
		"a secret": {variable("B", "1") + "," + variable("C", "old") + "," + variable("D", "4"), "arn:2",
			"web.secrets.KEY: changed (secret)"},
	} {
		new := containers("web", "r/web:1", c.environment, `, "secrets": [{"name": "KEY", "valueFrom": "`+c.secrets+`"}]`)
		found := Of("dev", &pulumicli.Preview{Steps: rolled("web", old, new)}, bare)
		require.Equal(t, "dev: 1 service rolls, 2 resources in all\n\n"+
			"web (service) rolls to a new revision (the newest is 3)\n  "+c.said+"\n", printed(t, found, false), name)
	}
}

func TestEachThingBecomesWhatTheUpdateDoesToIt(t *testing.T) {
	t.Parallel()
	at := func(revision string) map[string]any {
		return map[string]any{"taskDefinition": "arn:aws:ecs:x:1:d/web:" + revision}
	}
	count := func(n string) map[string]any { return map[string]any{"desiredCount": json.Number(n)} }
	capacity := func(on string) map[string]any {
		return map[string]any{"tags": map[string]any{stage.CapacityTag: on, "team": "a"}}
	}
	ecs, definitions := service+"$"+serviceType, containers("web", "r/web:1", variable("A", "1"), "")
	none := map[string]any{}
	for name, c := range map[string]struct {
		steps []pulumicli.Step
		said  string
	}{
		"nothing": {[]pulumicli.Step{step("same", ecs, "web", "web", none, none)}, "dev: nothing changes\n"},
		"replicas": {[]pulumicli.Step{step("update", ecs, "web", "web", count("1"), count("2"), "desiredCount")},
			"web (service) changes in place: its tasks run on\n  desiredCount: 1 → 2\n"},
		"a pin": {[]pulumicli.Step{step("update", ecs, "web", "web", at("3"), at("1"), "taskDefinition")},
			"web (service) rolls to revision 1\n"},
		"another network": {[]pulumicli.Step{step("update", ecs, "web", "web",
			map[string]any{"networkConfiguration": map[string]any{"subnets": []any{"a"}}},
			map[string]any{"networkConfiguration": map[string]any{"subnets": []any{"a", "b"}}}, "networkConfiguration.subnets")},
			`web (service) rolls on its revision` + "\n" + `  networkConfiguration.subnets: ["a"] → ["a","b"]` + "\n"},
		"another capacity": {[]pulumicli.Step{step("update", ecs, "web", "web", capacity("FARGATE"), capacity("FARGATE_SPOT"),
			"tags", "tagsAll")},
			"web (service) rolls on its revision\n  tags[\"slipway:capacity\"]: FARGATE → FARGATE_SPOT\n"},
		"a capacity that is removed": {[]pulumicli.Step{step("update", ecs, "web", "web", capacity("FARGATE_SPOT"),
			map[string]any{"tags": map[string]any{"team": "a"}}, "tags")}, "web (service) rolls on its revision\n"},
		"another tag of a service with a capacity": {[]pulumicli.Step{step("update", ecs, "web", "web", capacity("FARGATE"),
			map[string]any{"tags": map[string]any{stage.CapacityTag: "FARGATE", "team": "b"}}, "tags")},
			"web (service) changes in place: its tasks run on\n"},
		"a pinned service's variable": {[]pulumicli.Step{step("replace", definition, "web", "web", definitions,
			containers("web", "r/web:1", variable("A", "2"), ""), "containerDefinitions")},
			"web (service) gets a new revision, and stays on the one that it is pinned to (the newest is 3)\n" +
				"  web.environment.A: 1 → 2\n"},
		"a replacement": {[]pulumicli.Step{step("replace", ecs, "web", "web", map[string]any{"cluster": "a"},
			map[string]any{"cluster": "b"}, "cluster")},
			"web (service) is replaced: the former service is deleted first, so nothing serves until the new one runs\n" +
				"  cluster: a → b\n"},
		"removal": {[]pulumicli.Step{step("delete", ecs, "web", "web", none, nil),
			step("delete", service, "web", "", none, nil),
			step("delete", service+"$aws:iam/role:Role", "web-task", "web", none, nil)},
			"web (service) is deleted: its revisions stay in ECS, and its images in ECR\n"},
		"what AWS has otherwise": {[]pulumicli.Step{
			step("update", ecs, "web", "web", count("2"), count("2"), "desiredCount")},
			"  desiredCount: changed in AWS\n"},
		"what only the update knows": {[]pulumicli.Step{step("replace", definition, "web", "web", definitions,
			map[string]any{"containerDefinitions": unknown}, "containerDefinitions")},
			"  containerDefinitions: changed, to what only the update knows\n"},
		"what is secret from now on": {[]pulumicli.Step{step("update", service+"$aws:x:V", "web", "web",
			map[string]any{"text": "plain"}, map[string]any{"text": "[secret]"}, "text")},
			"  aws:x:V web is updated\n    text: changed (secret)\n"},
		"a variable called image": {[]pulumicli.Step{step("replace", definition, "web", "web",
			containers("web", "r/web:1", variable("image", "a"), ""), containers("web", "r/web:1", variable("image", "b"), ""),
			"containerDefinitions")}, "  web.environment.image: a → b\n"},
		"a secret with a dot in its name": {[]pulumicli.Step{step("replace", definition, "web", "web",
			containers("web", "r/web:1", "", `, "secrets": [{"name": "db.key", "valueFrom": "arn:1"}]`),
			containers("web", "r/web:1", "", `, "secrets": [{"name": "db.key", "valueFrom": "arn:2"}]`),
			"containerDefinitions")}, `  web.secrets["db.key"]: changed (secret)` + "\n"},
		"a secret's value": {[]pulumicli.Step{step("replace", service+"$slipway:components:Secrets$aws:x:V", "web", "web",
			map[string]any{"secretString": "[secret]"}, map[string]any{"secretString": "[secret]"}, "secretString")},
			"  aws:x:V web is replaced\n    secretString: changed (secret)\n"},
		"a statement of a policy": {[]pulumicli.Step{step("update", service+"$aws:iam/rolePolicy:RolePolicy", "web-task",
			"web", map[string]any{"policy": `{"Statement": [{"Sid": "B", "Action": ["s3:GetObject"]}]}`},
			map[string]any{"policy": `{"Statement": [{"Sid": "A", "Action": ["sqs:SendMessage"]}, ` +
				`{"Sid": "B", "Action": ["s3:GetObject"]}]}`}, "policy")},
			"    policy.Statement.A.Action: + [\"sqs:SendMessage\"]\n"},
		"other permissions": {[]pulumicli.Step{
			step("create", service+"$aws:iam/rolePolicy:RolePolicy", "web-task-0123abcd", "web", none,
				map[string]any{"name": "task-0123abcd", "policy": `{"Statement": [{"Sid": "A", "Action": ["sns:Publish"]}]}`}),
			step("delete", service+"$aws:iam/rolePolicy:RolePolicy", "web-task-89abcdef", "web",
				map[string]any{"name": "task-89abcdef", "policy": `{"Statement": [{"Sid": "A", "Action": ["s3:GetObject"]}]}`}, nil)},
			"  aws:iam/rolePolicy:RolePolicy web-task is replaced\n" +
				`    policy.Statement.A.Action: ["s3:GetObject"] → ["sns:Publish"]` + "\n"},
		"other tags": {[]pulumicli.Step{
			step("update", service+"$aws:iam/role:Role", "web-task", "web", map[string]any{"tags": map[string]any{"team": "a"}},
				map[string]any{"tags": map[string]any{"team": "b"}}, "tags", "tagsAll"),
			step("update", "slipway:components:Cluster$aws:ecs/cluster:Cluster", "dev", "dev",
				map[string]any{"tags": map[string]any{"team": "a"}},
				map[string]any{"tags": map[string]any{"team": "b"}}, "tags.team")},
			"\nTags\n  of 2 resources: tags.team: a → b\n"},
	} {
		require.Contains(t, printed(t, Of("dev", &pulumicli.Preview{Steps: c.steps}, bare), false), c.said, name)
	}
}

func TestAPreviewAsMarkdown(t *testing.T) {
	t.Parallel()
	const registry = "123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/shop-dev/web:"
	earlier, later := registry+"20261123-041205-a1b2c3d-9f8e7d6c", registry+"20261124-091500-d4c3b2a-0a1b2c3d"
	task := "slipway:components:Task$"
	build := map[string]any{"imageName": later}
	found := Of("dev", &pulumicli.Preview{Steps: append(
		rolled("web", containers("web", earlier, variable("GREETING", "hello"), ""),
			containers("web", later, variable("GREETING", "a `tick`, <b> & @all")+","+variable("NOTE", "two\nlines"), "")),
		step("replace", "slipway:components:Image$"+imageType, "web", "web", build, build),
		step("create", task+stashType, "migrate", "migrate", nil, map[string]any{}),
		step("update", "slipway:components:Repository$aws:ecr/repository:Repository", "web", "web",
			map[string]any{"forceDelete": true}, map[string]any{"forceDelete": false}, "forceDelete")),
		Diagnostics: []pulumicli.Diagnostic{{Severity: "warning", Message: "services.web: *careful*"},
			{Severity: "info", Message: "built"}},
	}, &stage.Stage{Project: "shop", Name: "dev", Images: map[string]stage.Image{"web": {Build: &stage.Build{}}},
		Tasks: map[string]stage.Task{"migrate": {Before: []string{"web"}}}})
	found.Workloads[0].Images[0].Commits = &commits.Between{Count: [2]int{0, 22},
		Only: [2][]commits.Commit{{}, {{Hash: "d4c3b2a", Subject: "Greet `everybody` <kindly>"}}}}
	found.Drift = []string{"services.api: runs revision 4, and the last update that succeeded deployed 5"}

	const golden = "testdata/preview.md"
	if *update {
		require.NoError(t, os.WriteFile(golden, []byte(printed(t, found, true)), 0o600))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), printed(t, found, true))
}

// The steps and messages are those of `pulumi preview --json`, of a stage that exists already.
func TestWhatBecomesOfEachImage(t *testing.T) {
	t.Parallel()
	const own, from = "210987654321.dkr.ecr.eu-west-1.amazonaws.com/shop-dev/", "ghcr.io/example/"
	digest := func(digit string) string { return "sha256:" + strings.Repeat(digit, 64) }
	ref := func(name, tag, digit string) *imageref.Ref {
		ref, err := imageref.Parse(from + name + ":" + tag + "@" + digest(digit))
		require.NoError(t, err)
		return &ref
	}
	stash := imageComponent + "$" + stashType
	settings := &stage.Stage{Project: "shop", Name: "dev", Images: map[string]stage.Image{
		"built": {Build: &stage.Build{}}, "first": {Build: &stage.Build{}}, "kept": {Build: &stage.Build{}},
		"copied": {Ref: ref("copied", "2", "b"), Mirror: true}, "there": {Ref: ref("there", "1", "a"), Mirror: true},
		"back": {Build: &stage.Build{}, Ref: ref("back", "1", "a")}, "same": {Ref: ref("same", "1", "a")}}}
	found := Of("dev", &pulumicli.Preview{
		Steps: append(rolled("web", containers("web", own+"copied:1", "", ""), containers("web", own+"copied:2", "", "")),
			step("replace", imageComponent+"$"+imageType, "built", "built", map[string]any{"imageName": own + "built:1"},
				map[string]any{"imageName": own + "built:2"}),
			step("create", imageComponent, "first", "", nil, map[string]any{}),
			step("create", imageComponent+"$"+imageType, "first", "first", nil, map[string]any{"imageName": unknown}),
			step("replace", stash, "copied", "copied", map[string]any{"input": map[string]any{"from": from + "copied:1"}},
				map[string]any{"input": map[string]any{"from": from + "copied:2"}}, "input"),
			step("replace", stash, "there", "there", map[string]any{}, map[string]any{}),
			step("delete", imageComponent+"$"+imageType, "back", "back", map[string]any{"imageName": own + "back:2"}, nil),
			pulumicli.Step{Op: "same", URN: "urn:pulumi:dev::shop::" + stackType + "::shop-dev", OldState: map[string]any{
				"outputs": map[string]any{"images": map[string]any{"copied": map[string]any{"digest": digest("a")},
					"there": map[string]any{"digest": digest("b")}, "same": map[string]any{"digest": digest("a")}}}}}),
		Diagnostics: []pulumicli.Diagnostic{
			{URN: "urn:pulumi:dev::shop::" + imageComponent + "::copied", Severity: "info", Message: "copies " + from +
				"copied:2@" + digest("b") + " into shop-dev/copied: 1.2 MB of 3.4 MB are missing there, in 2 of 3 layers\n"},
			{URN: "urn:pulumi:dev::shop::" + service + "::web", Severity: "info", Message: "copies a file"}},
	}, settings)
	require.Equal(t, "dev: 1 image is copied, 1 service rolls, 7 resources in all\n"+
		"  image back is now 1, and neither built nor copied\n"+
		"  image built is built, and pushed as 2 (or the time of the update)\n"+
		"  image copied is copied: ghcr.io/example/copied:2@"+digest("b")+" into shop-dev/copied: 1.2 MB of 3.4 MB are "+
		"missing there, in 2 of 3 layers\n"+
		"  image first is built, and pushed to a new repository\n"+
		"  image there is now 1, and neither built nor copied\n"+
		"  the same as before: image kept, same\n\n"+
		"web (service) rolls to a new revision (the newest is 3)\n"+
		"  image of web: 1 → 2 (copied)\n", printed(t, found, false))
	encoded, err := json.Marshal(found)
	require.NoError(t, err)
	require.Contains(t, string(encoded), `{"name":"built","what":"built","tag":"2"}`)
	require.Contains(t, string(encoded), `{"name":"copied","what":"copied","tag":"2","copy":"ghcr.io/example/copied:2@sha`)
	require.Contains(t, string(encoded), `{"name":"kept","what":"same"}`)
}

// Somebody has removed it from the repository: the state is as it was, and the update copies it again.
func TestAnImageThatIsCopiedAgain(t *testing.T) {
	t.Parallel()
	settings := &stage.Stage{Project: "shop", Name: "dev", Images: map[string]stage.Image{
		"web": {Ref: &imageref.Ref{Tag: "1"}, Mirror: true}}}
	found := Of("dev", &pulumicli.Preview{Diagnostics: []pulumicli.Diagnostic{
		{URN: "urn:pulumi:dev::shop::" + imageComponent + "::web", Severity: "info", Message: "copies a into b: all"}}},
		settings)
	require.True(t, found.Anything())
	require.Equal(t, "dev: 1 image is copied\n  image web is copied: a into b: all\n", printed(t, found, false))
}

// A secret whose ARN AWS makes up hides the rest of the container definitions.
func TestWhatIsDeclaredIsToldOfUnknownDefinitions(t *testing.T) {
	t.Parallel()
	old := map[string]any{containerDefinitions: `[{"name": "web", "image": "r/web:1", "environment": [` +
		variable("GREETING", "hello") + "," + variable("GONE", "1") + "," + variable("SAME", "2") +
		`], "secrets": [{"name": "KEPT", "valueFrom": "arn:1"}]}, {"name": "log-agent", "image": "r/agent:1"}]`}
	container := func(environment map[string]string, secrets ...string) stage.Container {
		container := stage.Container{Environment: environment, Secrets: map[string]stage.Secret{}}
		for _, secret := range secrets {
			container.Secrets[secret] = stage.Secret{}
		}
		return container
	}
	settings := &stage.Stage{Project: "shop", Name: "dev", Services: map[string]stage.Service{"web": {
		TaskDefinition: stage.TaskDefinition{
			Container:  container(map[string]string{"GREETING": "good day", "SAME": "2", "a.b": "3"}, "KEPT", "NEW"),
			Containers: map[string]stage.Sidecar{"log-agent": {Container: container(map[string]string{"LEVEL": "debug"})}},
		}}}}
	new := map[string]any{containerDefinitions: unknown}
	found := Of("dev", &pulumicli.Preview{Steps: rolled("web", old, new)}, settings)
	require.Contains(t, printed(t, found, false), "(the newest is 3)\n"+
		"  containerDefinitions: changed, to what only the update knows\n"+
		"  log-agent.environment.LEVEL: + debug\n"+
		"  web.environment.GONE: - 1\n"+
		"  web.environment.GREETING: hello → good day\n"+
		`  web.environment["a.b"]: + 3`+"\n"+
		"  web.secrets.NEW: added (secret)\n")
}

func TestARepositoryThatECRWouldNotDelete(t *testing.T) {
	t.Parallel()
	var steps []pulumicli.Step
	for i, name := range []string{"removed", "pinned", "empty", "unread", "forced"} {
		one := step("delete", "slipway:components:Repository$"+repositoryType, name, name,
			map[string]any{"name": "shop-dev/" + name}, nil)
		one.OldState["outputs"] = map[string]any{"forceDelete": i == 4}
		steps = append(steps, one)
	}
	settings := &stage.Stage{Project: "shop", Name: "dev", Images: map[string]stage.Image{
		"pinned": {Ref: &imageref.Ref{Tag: "1"}}}}
	found := Of("dev", &pulumicli.Preview{Steps: steps, Diagnostics: []pulumicli.Diagnostic{
		{Severity: "warning", Message: "warning: images.pinned (Pulumi.dev.yaml): " +
			settings.KeptRepository("pinned", "holds images") + ". A repository that\n"},
		{Severity: "warning", Message: "images.other (Pulumi.dev.yaml): is not known"}}}, settings)
	found.FindRefusals(settings, func(repository string) (int, error) {
		if repository == "shop-dev/unread" {
			return 0, errors.New("denied")
		}
		return map[string]int{"shop-dev/removed": 3, "shop-dev/pinned": 1, "shop-dev/forced": 1}[repository], nil
	})
	require.Len(t, found.Refusals, 3)
	said := printed(t, found, false)
	require.Contains(t, said, "\nThe update would fail\n  images.removed (Pulumi.dev.yaml): the update deletes its repository "+
		"shop-dev/removed, last of all, and ECR refuses that: it holds images, and repository.forceDelete was not true in "+
		"the update before. To keep the repository, leave the image in the file. To delete it with its images, ")
	require.Contains(t, said, "To keep the repository, write mirror: true beside ref. ")
	require.Contains(t, said, "it may hold images (denied; try again), ")
	require.Equal(t, []string{"images.other (Pulumi.dev.yaml): is not known"}, found.Warnings)
}

func TestMarkdownMentionsNobody(t *testing.T) {
	t.Parallel()
	found := Of("dev", &pulumicli.Preview{Diagnostics: []pulumicli.Diagnostic{
		{Severity: "warning", Message: "ask @all_of\nus, see ##12"}}}, bare)
	require.Contains(t, printed(t, found, true), "- ask `@`all\\_of us, see `##`12\n")
	require.Contains(t, printed(t, found, false), "  ask @all_of us, see ##12\n")
}

func TestAPreviewFitsIntoAComment(t *testing.T) {
	t.Parallel()
	var steps []pulumicli.Step
	for i := range 40 {
		var old, new []string
		for j := range 40 {
			old = append(old, variable(fmt.Sprint("VARIABLE", j), strings.Repeat("ä", 100)))
			new = append(new, variable(fmt.Sprint("VARIABLE", j), strings.Repeat("ö", 100)))
		}
		name := fmt.Sprintf("service%02d", i)
		steps = append(steps, rolled(name, containers(name, "r/a:1", strings.Join(old, ","), ""),
			containers(name, "r/a:1", strings.Join(new, ","), ""))...)
	}
	found := Of("dev", &pulumicli.Preview{Steps: steps}, bare)
	for _, markdown := range []bool{true, false} {
		text := printed(t, found, markdown)
		require.LessOrEqual(t, utf8.RuneCountInString(text), 60_100)
		require.Contains(t, text, "40 services roll, 80 resources in all")
		require.Regexp(t, `\n… and \d+ more lines\n$`, text)
	}
}

func TestAnImageUnderItsTagOfBeforeIsToldByItsReference(t *testing.T) {
	t.Parallel()
	digest := "sha256:" + strings.Repeat("a", 64)
	image := func(ref string) *pulumicli.Image { return &pulumicli.Image{Ref: ref, Tag: "1", Digest: digest} }
	change := ImageChange{Container: "web", Old: image("own/web:1"), New: image("ghcr.io/example/web@" + digest)}
	require.Equal(t, "image of web: own/web:1 → ghcr.io/example/web@"+digest+" (the same digest)", change.lines()[0].text)
}
