package verify

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	acmtypes "github.com/aws/aws-sdk-go-v2/service/acm/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/stretchr/testify/require"

	"slipway/cmd/slipway/internal/awsreader"
	"slipway/cmd/slipway/internal/exit"
	"slipway/internal/awsclient"
	"slipway/stage"
)

func TestWayOutOfASubnet(t *testing.T) {
	t.Parallel()
	needed := []string{"ecr.api", "ecr.dkr", "logs", "s3"}
	interfaces := []endpoint{}
	for _, service := range []string{"ecr.api", "ecr.dkr", "logs"} {
		interfaces = append(interfaces, endpoint{Service: "com.amazonaws.eu-central-1." + service, Type: "Interface",
			State: "available", PrivateDNS: true})
	}
	s3 := endpoint{Service: "com.amazonaws.eu-central-1.s3", Type: "Gateway", State: "available",
		Tables: []string{"rtb-own"}}
	everywhere := func(r route) []route {
		r.To = "0.0.0.0/0"
		return []route{{To: "10.0.0.0/16", Gateway: "local"}, r}
	}
	for name, c := range map[string]struct {
		routes    []route
		endpoints []endpoint
		publicIP  bool
		says      string
		wrong     bool
	}{
		"an internet gateway, with public addresses": {routes: everywhere(route{Gateway: "igw-1"}), publicIP: true,
			says: "reach ECR by igw-1"},
		"an internet gateway, without": {routes: everywhere(route{Gateway: "igw-1"}),
			says: "they get none (network.assignPublicIp), and vpc-1 has no endpoint for", wrong: true},
		"a NAT gateway": {routes: everywhere(route{NATGateway: "nat-1"}),
			says: "reach ECR by nat-1"},
		"a NAT gateway, with public addresses": {routes: everywhere(route{NATGateway: "nat-1"}), publicIP: true,
			says: "reach ECR by nat-1"},
		"a transit gateway": {routes: everywhere(route{TransitGateway: "tgw-1"}),
			says: "reach ECR by tgw-1"},
		"a NAT gateway that is gone": {routes: everywhere(route{NATGateway: "nat-1", State: "blackhole"}),
			says: "(nat-1 in rtb-own) leads to what is gone", wrong: true},
		"nothing": {says: "the route table rtb-own of subnet-1 leads nowhere " +
			"outside, and vpc-1 has no endpoint for ecr.api, ecr.dkr, logs, s3", wrong: true},
		"endpoints": {endpoints: append(slices.Clip(interfaces), s3),
			says: "by the endpoints of vpc-1"},
		"endpoints, and the one of S3 for other tables": {endpoints: append(slices.Clip(interfaces),
			endpoint{Service: s3.Service, Type: "Gateway", State: "available", Tables: []string{"rtb-other"}}),
			says: "no endpoint for s3:", wrong: true},
		"endpoints that are not ready": {endpoints: []endpoint{s3, interfaces[0], interfaces[1],
			{Service: interfaces[2].Service, Type: "Interface", State: "pending", PrivateDNS: true}},
			says: "no endpoint for logs:", wrong: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := &network{vpc: "vpc-1", publicIP: c.publicIP, endpoints: c.endpoints,
				subnets: []subnet{{ID: "subnet-1", VPC: "vpc-1"}},
				tables: []routeTable{{ID: "rtb-own", Routes: c.routes, Associations: []association{{Subnet: "subnet-1"}}},
					{ID: "rtb-main", Associations: []association{{Main: true}}}}}
			said, err := n.namedSubnet("subnet-1", needed)
			if c.wrong {
				require.ErrorAs(t, err, &exit.Finding{})
				require.ErrorContains(t, err, c.says)
				return
			}
			require.NoError(t, err)
			require.Contains(t, said, c.says)
		})
	}
	n := &network{vpc: "vpc-1", subnets: []subnet{{ID: "subnet-2", VPC: "vpc-2"}},
		tables: []routeTable{{ID: "rtb-main", Associations: []association{{Main: true}}}}}
	require.Equal(t, "rtb-main", n.tableOf("subnet-1").ID)
	_, err := n.namedSubnet("subnet-1", nil)
	require.ErrorContains(t, err, "there is no subnet subnet-1")
	_, err = n.namedSubnet("subnet-2", nil)
	require.ErrorContains(t, err, "subnet-2 belongs to vpc-2, not to vpc-1")
}

func TestCertificateCoversHosts(t *testing.T) {
	t.Parallel()
	domains := []string{"Example.com", "*.example.com", "*.eu.example.com"}
	for host, covered := range map[string]bool{
		"example.com": true, "shop.example.com": true, "*.example.com": true, "a.b.example.com": false,
		"shop.eu.example.com": true,
		"*.eu.example.com":    true, "example.org": false, "com": false, "s*p.example.com": true,
	} {
		require.Equal(t, covered, covers(domains, host), host)
	}
	now := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	for says, certificate := range map[string]acmtypes.CertificateDetail{
		"expired on 2026-11-23":      {Status: acmtypes.CertificateStatusIssued, NotAfter: aws.Time(now.AddDate(0, 0, -1))},
		"not issued (EXPIRED)":       {Status: acmtypes.CertificateStatusExpired},
		"not issued yet (PENDING_VA": {Status: acmtypes.CertificateStatusPendingValidation},
	} {
		_, err := usable(&certificate, now)
		require.ErrorAs(t, err, &exit.Finding{})
		require.ErrorContains(t, err, says)
	}
	said, err := usable(&acmtypes.CertificateDetail{Status: acmtypes.CertificateStatusIssued,
		NotAfter: aws.Time(now.AddDate(1, 0, 0))}, now)
	require.NoError(t, err)
	require.Equal(t, "the certificate is issued, and valid until 2027-11-24", said)
}

func TestTrustPolicies(t *testing.T) {
	t.Parallel()
	v := &verifier{Client: &awsreader.Client{Account: "123456789012", Region: "eu-central-1"}, stack: "dev"}
	statement := func(effect, principal, condition string) string {
		return `{"Effect": "` + effect + `", "Principal": ` + principal + `, "Action": "sts:AssumeRole", "Condition": {` +
			condition + `}}`
	}
	const ecs = `{"Service": ["ec2.amazonaws.com", "ecs-tasks.amazonaws.com"]}`
	for name, c := range map[string]struct{ policy, wrong, note string }{
		"as the program writes it": {policy: "[" + statement("Allow", `{"Service": "ecs-tasks.amazonaws.com"}`,
			`"StringEquals": {"aws:SourceAccount": ["123456789012"]}, "ArnLike": {"aws:SourceArn": `+
				`["arn:aws:ecs:eu-central-1:123456789012:*"]}`) + "]"},
		"one statement, several services": {policy: statement("Allow", ecs, "")},
		"every region": {policy: statement("Allow", ecs,
			`"ArnLike": {"aws:SourceArn": "arn:aws:ecs:*:123456789012:*"}`)},
		"another service": {policy: statement("Allow", `{"Service": "ec2.amazonaws.com"}`, ""),
			wrong: "does not let ecs-tasks.amazonaws.com"},
		"nobody": {policy: "[]", wrong: "does not let ecs-tasks.amazonaws.com"},
		"another account": {policy: statement("Allow", ecs,
			`"StringEquals": {"aws:SourceAccount": "210987654321"}`), wrong: "this account and region"},
		"another region": {policy: statement("Allow", ecs,
			`"ArnLike": {"aws:SourceArn": "arn:aws:ecs:us-east-1:123456789012:*"}`), wrong: "this account and region"},
		"denied": {policy: "[" + statement("Allow", ecs, "") + ", " + statement("Deny", `"*"`, "") +
			"]", wrong: "denies ecs-tasks"},
		"a condition of another kind": {policy: statement("Allow", ecs,
			`"DateLessThan": {"aws:CurrentTime": "2030-01-01T00:00:00Z"}`), note: "has conditions that slipway does not know"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			said, err := v.trusted("web-execution",
				&role{Trust: url.PathEscape(`{"Version": "2012-10-17", "Statement": ` + c.policy + `}`)}, ecsTasks)
			switch {
			case c.wrong != "":
				require.ErrorAs(t, err, &exit.Finding{})
				require.ErrorContains(t, err, c.wrong)
				require.ErrorContains(t, err, "pulumi up --refresh --stack dev")
			case c.note != "":
				require.ErrorAs(t, err, &note{})
				require.ErrorContains(t, err, c.note)
			default:
				require.NoError(t, err)
				require.Equal(t, "the role web-execution can be assumed by tasks", said)
			}
		})
	}
}

func TestAStageOfTasksAloneNeedsANetworkToo(t *testing.T) {
	t.Parallel()
	proxy := stage.Sidecar{Container: stage.Container{Secrets: map[string]stage.Secret{
		"A": {ARN: "arn:aws:ssm:eu-central-1:123456789012:parameter/a"}, "B": {}}}}
	v := &verifier{stage: &stage.Stage{Tasks: map[string]stage.Task{
		"report": {TaskDefinition: stage.TaskDefinition{Containers: map[string]stage.Sidecar{"proxy": proxy}}}}}}
	require.Equal(t, []string{"ecr.api", "ecr.dkr", "logs", "s3", "secretsmanager", "ssm"}, v.endpointsNeeded())
	v.checkNetwork()
	require.Len(t, v.pending, 1)
}

func TestRolesAreThoseOfIAM(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := r.FormValue("RoleName")
		if name == "none" {
			w.WriteHeader(http.StatusNotFound)
			_, _ = w.Write([]byte(`<ErrorResponse><Error><Code>NoSuchEntity</Code><Message>no</Message></Error></ErrorResponse>`))
			return
		}
		service := map[bool]string{true: "scheduler", false: "ecs-tasks"}[name == "slipway-dev-report-schedule"]
		policy := url.PathEscape(`{"Statement": {"Effect": "Allow", "Principal": {"Service": "` + service + `.amazonaws.com"}, "Action": "sts:AssumeRole",
			"Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:` + strings.TrimSuffix(service, "-tasks") + `:eu-central-1:123456789012:*"}}}}`)
		tags := ""
		if strings.Contains(name, "eu-report") {
			tags = `<Tags><member><Key>project</Key><Value>slipway</Value></member><member><Key>stage</Key><Value>dev-eu</Value></member></Tags>`
		}
		_, _ = w.Write([]byte(`<GetRoleResponse><GetRoleResult><Role><Arn>arn:aws:iam::123456789012:role/web</Arn>` + tags +
			`<AssumeRolePolicyDocument>` + policy +
			`</AssumeRolePolicyDocument><PermissionsBoundary><PermissionsBoundaryArn>arn:aws:iam::aws:policy/b</PermissionsBoundaryArn></PermissionsBoundary>` +
			`</Role></GetRoleResult></GetRoleResponse>`))
	}))
	defer server.Close()
	settings := awsclient.Settings{Region: "eu-central-1", AccessKey: "a", SecretKey: "b"}
	cfg, err := settings.Load(t.Context())
	require.NoError(t, err)
	v := &verifier{Client: &awsreader.Client{Account: "123456789012", Region: "eu-central-1",
		Clients: &awsclient.Clients{IAM: iam.NewFromConfig(cfg,
			func(o *iam.Options) { o.BaseEndpoint = &server.URL })}}, stack: "dev",
		stage: &stage.Stage{Project: "slipway", Name: "dev",
			Roles: stage.Roles{PermissionsBoundary: "arn:aws:iam::aws:policy/other"},
			Tasks: map[string]stage.Task{"report": {Schedule: &stage.TaskSchedule{}}, "eu-report": {}}}}
	found, err := v.role(t.Context(), "none")
	require.NoError(t, err)
	require.Nil(t, found)
	found, err = v.role(t.Context(), "web")
	require.NoError(t, err)
	require.Equal(t, "arn:aws:iam::aws:policy/b", found.Boundary)
	var messages []string
	for _, each := range v.rolesOf(t.Context(), "report") {
		messages = append(messages, each.Status+" "+each.Message)
	}
	require.Len(t, messages, 4)
	require.Equal(t, "ok the role slipway-dev-report-schedule can be assumed by schedules", messages[3])

	taken := v.rolesOf(t.Context(), "eu-report")
	require.Len(t, taken, 1)
	require.Equal(t, "wrong", taken[0].Status)
	require.Contains(t, taken[0].Message,
		"in the stage dev-eu (project slipway) have already; use another name here or there")
	require.NotContains(t, taken[0].Message, "tasks.eu-report", "the check has the key")
}

func TestVerdict(t *testing.T) {
	t.Parallel()
	found := &Result{Stage: "dev", Checks: []Check{newCheck("role", "a", "well", nil),
		newCheck("role", "b", "", noted("later"))}}
	require.NoError(t, found.Verdict())
	found.Checks = append(found.Checks, newCheck("role", "c", "", errors.New("no answer")))
	require.EqualError(t, found.Verdict(), "1 of 3 checks of dev could not be made")
	require.False(t, errors.As(found.Verdict(), &exit.Finding{}))
	found.Checks = append(found.Checks, newCheck("role", "d", "", exit.Refuse("not well")))
	require.ErrorAs(t, found.Verdict(), &exit.Finding{})
	statuses := []string{}
	for _, each := range found.Checks {
		statuses = append(statuses, each.Status)
	}
	require.Equal(t, []string{"ok", "note", "unknown", "wrong"}, statuses)
}

func TestTheQueueOfASchedule(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("Action") != "GetQueueUrl" || r.FormValue("QueueOwnerAWSAccountId") != "123456789012" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		if r.FormValue("QueueName") == "there" {
			_, _ = w.Write([]byte("<GetQueueUrlResponse><GetQueueUrlResult><QueueUrl>https://q</QueueUrl></GetQueueUrlResult></GetQueueUrlResponse>"))
			return
		}
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte("<ErrorResponse><Error><Code>AWS.SimpleQueueService.NonExistentQueue</Code></Error></ErrorResponse>"))
	}))
	t.Cleanup(server.Close)
	v := &verifier{Client: &awsreader.Client{Query: awsreader.Query{Cfg: aws.Config{Region: "eu-west-1",
		HTTPClient:  http.DefaultClient,
		Retryer:     func() aws.Retryer { return aws.NopRetryer{} },
		Credentials: credentials.NewStaticCredentialsProvider("a", "b", "")},
		Settings: awsclient.Settings{Endpoints: map[string]string{"sqs": server.URL}}}}}
	of := func(account string) url.Values { return url.Values{"QueueOwnerAWSAccountId": {account}} }
	said, err := v.queue(t.Context(), "there", of("123456789012"))
	require.NoError(t, err)
	require.Equal(t, "the queue is there", said)
	_, err = v.queue(t.Context(), "gone", of("123456789012"))
	require.ErrorAs(t, err, &exit.Finding{})
	require.ErrorContains(t, err, "there is no queue gone: create it with `aws sqs create-queue --queue-name gone`")
	_, err = v.queue(t.Context(), "there", of("210987654321"))
	require.NotErrorIs(t, err, exit.Finding{}, "it could not tell")
	require.Error(t, err)
}
