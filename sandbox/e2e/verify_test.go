package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account"
	"slipway/sandbox/account/ecr"
	"slipway/sandbox/account/ecs"
	"slipway/sandbox/account/iam"
	"slipway/sandbox/account/scheduler"
	"slipway/sandbox/account/secrets"
	"slipway/sandbox/account/vpc"
)

func TestVerifyAGoodStage(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	a := p.aws.open()
	secret, err := secrets.CreateSecret(a, "ap-northeast-2", account.Object{"name": "shop/database"})
	require.NoError(t, err)
	_, err = secrets.PutSecretValue(a, secret, `{"url": "postgres://…"}`, "")
	require.NoError(t, err)
	parameter := account.ARN(account.DefaultID, "ssm", "ap-northeast-2", "parameter/shop/token")
	require.NoError(t, a.CreateObject(secrets.Parameter, parameter, account.Object{"name": "/shop/token"}, nil))
	certificate := issueCertificate(p, "11111111-2222-3333-4444-555555555555", true, "*.example.com")
	p.stageKeys("slipway:secrets: {DATABASE_URL: \""+secret+":url::\", TOKEN: \""+parameter+"\"}",
		"slipway:loadBalancer: {certificate: \""+certificate+"\"}")
	p.serviceKeys("secrets: [DATABASE_URL, TOKEN]", "route: {hosts: [shop.example.com]}")
	before := p.read("Pulumi.dev.yaml")

	r := p.ok("slipway", "verify", "dev")
	require.Equal(t, before, p.read("Pulumi.dev.yaml"))
	lines := strings.Split(strings.TrimSpace(r.stdout), "\n")
	for i, says := range []string{
		"ok       images.web.build (Pulumi.dev.yaml): is built by the update, for the repository slipway-dev/web",
		"ok       secrets.DATABASE_URL (Pulumi.dev.yaml): the secret is there",
		"ok       secrets.TOKEN (Pulumi.dev.yaml): the parameter is there",
		"ok       services.web (Pulumi.dev.yaml): the account has the role AWSServiceRoleForECS",
		"ok       loadBalancer (Pulumi.dev.yaml): the account has the role AWSServiceRoleForElasticLoadBalancing",
		"ok       services.web (Pulumi.dev.yaml): the role slipway-dev-web-execution can be assumed by tasks",
		"ok       services.web (Pulumi.dev.yaml): the role slipway-dev-web-execution may pull its images, write its log " +
			"and read its secrets",
		"ok       services.web (Pulumi.dev.yaml): the role slipway-dev-web-task can be assumed by tasks",
		"ok       network (Pulumi.dev.yaml): tasks in " + vpc.Subnets[0].ID + " reach ECR by igw-",
		"ok       network", "ok       network", "ok       network",
		"ok       loadBalancer.certificate (Pulumi.dev.yaml): the certificate is issued, and valid until 20",
		"ok       services.web.route.hosts (Pulumi.dev.yaml): the certificate covers shop.example.com",
	} {
		require.True(t, strings.HasPrefix(lines[i], says), lines[i])
	}
	require.Len(t, lines, 14)
}

func TestVerifyAStageThatWasNeverDeployed(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	boundary, err := iam.AddPolicy(p.aws.open(), "boundary", `{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}`)
	require.NoError(t, err)
	p.stageKeys("slipway:roles: {permissionsBoundary: \""+boundary+"\"}", "slipway:loadBalancer: {zone: example.com}",
		"slipway:secrets: {API_KEY: {secure: v1:abc=}}")
	p.serviceKeys("route: {hosts: [shop.example.com]}", "secrets: [API_KEY]")
	queue := account.ARN(account.DefaultID, "sqs", "ap-northeast-2", "failed")
	require.NoError(t, p.aws.open().CreateObject(scheduler.Queue, queue, account.Object{"name": "failed"}, nil))
	p.task("report", `schedule: {when: "rate(1 hour)", deadLetterQueue: "`+queue+`"}`)
	notes := 0
	checks := verified(p, 0, "dev")
	for _, each := range checks {
		if each.Status == "note" {
			require.Contains(t, each.Message, "by the update")
			notes++
		}
	}
	require.Equal(t, 6, notes, "a repository, and two roles of the service and three of the task")
	require.Contains(t, checks, check{"queue", "tasks.report.schedule.deadLetterQueue (Pulumi.dev.yaml)", "ok",
		"the queue is there"})
	p.replace("Pulumi.dev.yaml", "policy/boundary", "policy/gone")
	p.replace("Pulumi.dev.yaml", queue, queue+"-gone")
	p.replace("Pulumi.dev.yaml", "zone: example.com", "zone: example.org")
	p.replace("Pulumi.dev.yaml", "shop.example.com", "shop.example.org")
	requireProblems(p, "dev",
		[]string{"role", "roles.permissionsBoundary (Pulumi.dev.yaml): there is no policy", "policy/gone"},
		[]string{"queue", "tasks.report.schedule.deadLetterQueue (Pulumi.dev.yaml): there is no queue failed-gone",
			"aws sqs create-queue"},
		[]string{"certificate", "loadBalancer.zone (Pulumi.dev.yaml): there is no hosted zone example.org"})
	p.replace("Pulumi.dev.yaml", "replicas: 1", "replicas: one")
	r := p.run("slipway", "verify", "dev")
	require.Equal(t, 1, r.status)
	require.Contains(t, r.output, "services.web.replicas (Pulumi.dev.yaml)")
}

func TestVerifyFindsWhatIsWrongWithImages(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.ok("pulumi", "stack", "init", "release")
	p.ok("slipway", "promote", "dev", "release")
	p.serviceKeys("revision: 1")
	for _, each := range append(verified(p, 0, "release"), verified(p, 0, "dev")...) {
		if each.About == "image" || each.About == "revision" {
			require.Equal(t, "ok", each.Status, each.Message)
		}
	}
	release := p.read("Pulumi.release.yaml")
	image := p.state("dev").outputs().Images["web"]
	p.write("Pulumi.release.yaml", strings.Replace(release, image.Ref, image.Ref+"\n      platform: linux/arm64", 1))
	requireProblem(p, "release", "image",
		"images.web.ref (Pulumi.release.yaml): "+image.Ref+" is for linux/amd64, and its tasks run on linux/arm64")
	p.write("Pulumi.release.yaml", strings.Replace(release, image.Tag, "another-tag", 1))
	requireProblem(p, "release", "image", "does not carry the tag another-tag, but "+image.Tag)
	p.write("Pulumi.release.yaml", release)

	_, err := ecr.DeleteImage(p.aws.open(), "slipway-dev/web", "", image.Digest)
	require.NoError(t, err)
	requireProblem(p, "release", "image", "is not in ECR: name an image that the repository slipway-dev/web holds")
	requireProblem(p, "dev", "revision", "services.web.revision (Pulumi.dev.yaml): the image of its container web",
		"is no longer in ECR")
	_, err = ecs.DeregisterTaskDefinition(p.aws.open(), "slipway-dev-web:1")
	require.NoError(t, err)
	requireProblem(p, "dev", "revision", "slipway-dev-web:1 is INACTIVE")
	p.replace("Pulumi.dev.yaml", "revision: 1", "revision: 7")
	requireProblem(p, "dev", "revision", "there is no revision slipway-dev-web:7")
}

func TestVerifyFindsWhatIsWrongWithSecretsAndRoles(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	a := p.aws.open()
	secret := func(name string) string {
		arn, err := secrets.CreateSecret(a, "ap-northeast-2", account.Object{"name": "shop/" + name,
			"kmsKeyId": "alias/shop"})
		require.NoError(t, err)
		return arn
	}
	empty, good, deleted := secret("empty"), secret("good"), secret("deleted")
	for _, arn := range []string{good, deleted} {
		_, err := secrets.PutSecretValue(a, arn, "one", "")
		require.NoError(t, err)
	}
	require.NoError(t, secrets.DeleteSecret(a, deleted, 7))
	p.serviceKeys("secrets: [EMPTY, PREVIOUS, DELETED, GONE, PARAMETER]")
	p.stageKeys("slipway:secrets:", "  EMPTY: \""+empty+"\"", "  PREVIOUS: \""+good+"::AWSPREVIOUS:\"",
		"  DELETED: \""+deleted+"\"",
		"  GONE: \""+good[:len(good)-6]+"AbCdEf\"",
		"  PARAMETER: \""+account.ARN(account.DefaultID, "ssm", "ap-northeast-2", "parameter/gone")+"\"")
	requireProblems(p, "dev", []string{"secret", "secrets.EMPTY (Pulumi.dev.yaml): the secret has no value yet"},
		[]string{"secret", "secrets.PREVIOUS (Pulumi.dev.yaml)", "has no version with the label AWSPREVIOUS"},
		[]string{"secret", "secrets.DELETED (Pulumi.dev.yaml)", "is scheduled for deletion",
			"aws secretsmanager restore-secret --region ap-northeast-2 --secret-id " + deleted},
		[]string{"secret", "secrets.GONE (Pulumi.dev.yaml)", "there is no secret"},
		[]string{"secret", "secrets.PARAMETER (Pulumi.dev.yaml)", "there is no parameter"})

	p.withoutOptions()
	p.stageKeys("slipway:secrets: {DATABASE_URL: \"" + good + "\"}")
	p.serviceKeys("secrets: [DATABASE_URL]")
	var notes []string
	for _, each := range verified(p, 0, "dev") {
		if each.Status == "note" {
			notes = append(notes, each.Message)
		}
	}
	require.Equal(t, []string{"the secret is there, encrypted with the KMS key alias/shop, whose policy must let " +
		"slipway-dev-web-execution decrypt (kms:Decrypt)"}, notes)

	boundary, err := iam.AddPolicy(a, "boundary",
		`{"Statement": [{"Effect": "Allow", "NotAction": "secretsmanager:*", "Resource": "*"}]}`)
	require.NoError(t, err)
	require.NoError(t, a.UpdateObject(iam.Role, "slipway-dev-web-execution",
		account.Object{"permissionsBoundary": boundary}))
	role, err := a.Object(iam.Role, "slipway-dev-web-task")
	require.NoError(t, err)
	trust := role["assumeRolePolicy"].(string)
	require.NoError(t, a.UpdateObject(iam.Role, "slipway-dev-web-task", account.Object{
		"assumeRolePolicy": strings.ReplaceAll(trust, "ecs-tasks.amazonaws.com", "ec2.amazonaws.com")}))
	requireProblems(p, "dev", []string{"role",
		"the role slipway-dev-web-execution could not do secretsmanager:GetSecretValue on " + good,
		"the permissions boundary " + boundary + " does not allow it"},
		[]string{"role",
			"the trust policy of the role slipway-dev-web-task does not let ecs-tasks.amazonaws.com assume it",
			"pulumi up --refresh --stack dev"})

	require.NoError(t, a.UpdateObject(iam.Role, "slipway-dev-web-execution",
		account.Object{"permissionsBoundary": ""}))
	require.NoError(t, a.CreateObject(iam.RolePolicy, "slipway-dev-web-execution:own",
		account.Object{"role": "slipway-dev-web-execution",
			"name": "own", "policy": `{"Statement": [{"Effect": "Deny", "Action": "logs:*", "Resource": "*"}]}`}, nil))
	require.NoError(t, a.UpdateObject(iam.Role, "slipway-dev-web-task", account.Object{
		"assumeRolePolicy": strings.ReplaceAll(trust, account.DefaultID, "210987654321")}))
	requireProblems(p, "dev",
		[]string{"role", "could not do logs:CreateLogStream", "another policy of the role denies it"},
		[]string{"role", "for tasks of this account and region"})
}

func TestVerifyFindsWhatIsWrongWithNetworkAndCertificate(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.aws.setFaults(map[string]string{account.NoRoute: vpc.Subnets[2].ID})
	pending := issueCertificate(p, "11111111-2222-3333-4444-555555555555", false, "*.example.com")
	p.stageKeys("slipway:loadBalancer: {certificate: \"" + pending + "\"}")
	p.serviceKeys("route: {hosts: [shop.example.com]}")
	requireProblems(p, "dev", []string{"network",
		"network (Pulumi.dev.yaml): the route table " + vpc.PrivateRouteTable + " of " +
			vpc.Subnets[2].ID + " leads nowhere outside",
		"no endpoint for ecr.api, ecr.dkr, logs, s3", "NAT gateway"},
		[]string{"certificate",
			"loadBalancer.certificate (Pulumi.dev.yaml): the certificate is not issued yet (PENDING_VALIDATION)"})
	p.stageKeys("slipway:network: {vpc: " + vpc.DefaultVPC + ", subnets: [" + vpc.Subnets[0].ID + ", " +
		vpc.Subnets[2].ID + ", subnet-0123456789abcdef0]}")
	issued := issueCertificate(p, "22222222-2222-3333-4444-555555555555", true, "*.example.com")
	p.replace("Pulumi.dev.yaml", pending, issued)
	p.replace("Pulumi.dev.yaml", "shop.example.com", "eu.shop.example.com")
	requireProblems(p, "dev", []string{"network", "network.subnets[1] (Pulumi.dev.yaml): the route table"},
		[]string{"network", "network.subnets[2] (Pulumi.dev.yaml): there is no subnet subnet-0123456789abcdef0"},
		[]string{"certificate",
			"services.web.route.hosts (Pulumi.dev.yaml): the certificate of loadBalancer.certificate is for *.example.com, " +
				"which does not cover eu.shop.example.com"})

	p.aws.setFaults(nil)
	p.replace("Pulumi.dev.yaml", ", subnet-0123456789abcdef0]", "]")
	p.replace("Pulumi.dev.yaml", "eu.shop.example.com", "shop.example.com")
	for _, each := range verified(p, 0, "dev") {
		require.Equal(t, "ok", each.Status, each.Message)
	}
	p.replace("Pulumi.dev.yaml", vpc.Subnets[2].ID+"]", vpc.Subnets[2].ID+"], assignPublicIp: false")
	p.replace("Pulumi.dev.yaml", issued, issued[:len(issued)-1]+"0")
	const none = "takes tasks with public addresses only, and they get none (network.assignPublicIp)"
	requireProblems(p, "dev", []string{"network", "network.subnets[0] (Pulumi.dev.yaml)", none},
		[]string{"network", "network.subnets[1] (Pulumi.dev.yaml)", none},
		[]string{"certificate", "there is no such certificate"})
}

func TestVerifySaysWhatItCouldNotTell(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte(`<ErrorResponse><Error><Code>AccessDenied</Code><Message>not ` +
			`you</Message></Error></ErrorResponse>`))
	}))
	defer refusing.Close()
	p.stageKeys(`aws:endpoints: [{iam: "` + refusing.URL + `"}]`)
	checks := verified(p, 2, "dev")
	unknown := 0
	for _, each := range checks {
		if each.Status == "unknown" {
			require.Equal(t, "role", each.About)
			require.Equal(t, "could not be checked: IAM GetRole refused: AccessDenied: not you; let your own credentials make "+
				"that call, or try again",
				each.Message)
			unknown++
		}
	}
	require.Equal(t, 3, unknown, "two of the service's own, and that of ECS")
	require.Greater(t, len(checks), unknown)
	r := p.run("slipway", "verify", "dev")
	require.Equal(t, 2, r.status)
	require.Contains(t, r.output, fmt.Sprintf("%d of %d checks of dev could not be made", unknown, len(checks)))
	p.replace("Pulumi.dev.yaml", "aws:region: ap-northeast-2",
		"aws:region: ap-northeast-2\n  aws:allowedAccountIds: [\"210987654321\"]")
	r = p.run("slipway", "verify", "dev")
	require.Equal(t, 2, r.status)
	require.Contains(t, r.output, "aws:allowedAccountIds")
	require.Equal(t, 2, p.run("slipway", "verify").status)
}
