package api

import (
	"encoding/xml"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	acmtypes "github.com/aws/aws-sdk-go-v2/service/acm/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	secrettypes "github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/stretchr/testify/require"

	"slipway/sandbox/account"
	"slipway/sandbox/account/dns"
	accountecr "slipway/sandbox/account/ecr"
	accountiam "slipway/sandbox/account/iam"
	"slipway/sandbox/account/logs"
	"slipway/sandbox/account/secrets"
	"slipway/sandbox/account/vpc"
)

func TestManifestsAndBlobsAsTheSDKSeesThem(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	digest := "sha256:" + strings.Repeat("a", 64)
	manifest := `{"mediaType": "application/vnd.oci.image.manifest.v1+json"}`
	blob := s.images.File(digest)
	require.NoError(t, os.MkdirAll(filepath.Dir(blob), 0o755))
	require.NoError(t, os.WriteFile(blob, []byte(manifest), 0o644))
	require.NoError(t, accountecr.PutImage(s.Account, "web", "two", digest, 1))
	client := ecr.NewFromConfig(s.config)

	got, err := client.BatchGetImage(t.Context(), &ecr.BatchGetImageInput{RepositoryName: aws.String("web"),
		ImageIds: []ecrtypes.ImageIdentifier{{ImageTag: aws.String("two")}, {ImageTag: aws.String("gone")}}})
	require.NoError(t, err)
	require.Len(t, got.Images, 1)
	require.Equal(t, manifest, *got.Images[0].ImageManifest)
	require.Equal(t, "application/vnd.oci.image.manifest.v1+json", *got.Images[0].ImageManifestMediaType)
	require.Equal(t, digest, *got.Images[0].ImageId.ImageDigest)
	require.Equal(t, ecrtypes.ImageFailureCodeImageNotFound, got.Failures[0].FailureCode)

	download, err := client.GetDownloadUrlForLayer(t.Context(),
		&ecr.GetDownloadUrlForLayerInput{RepositoryName: aws.String("web"), LayerDigest: &digest})
	require.NoError(t, err)
	response, err := http.Get(*download.DownloadUrl)
	require.NoError(t, err)
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Equal(t, manifest, string(content))
	for _, wrong := range []string{"sha256:" + strings.Repeat("b", 64), "../../account.db"} {
		_, err = client.GetDownloadUrlForLayer(t.Context(),
			&ecr.GetDownloadUrlForLayerInput{RepositoryName: aws.String("web"), LayerDigest: &wrong})
		require.ErrorContains(t, err, "LayersNotFoundException")
	}
}

func TestRolesAsTheSDKSeesThem(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	boundary, err := accountiam.AddPolicy(s.Account, "team/boundary", `{"Statement": [{"Effect": "Allow", "Action": "secretsmanager:*", "Resource": "*"},
		{"Effect": "Deny", "Action": "*", "Resource": "arn:aws:secretsmanager:*:secret:forbidden-*"}]}`)
	require.NoError(t, err)
	const trust = `{"Statement": [{"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": ` +
		`"sts:AssumeRole"}]}`
	arn := "arn:aws:iam::" + account.DefaultID + ":role/slipway/web-execution"
	require.NoError(t, s.CreateObject(accountiam.Role, "web-execution",
		account.Object{"name": "web-execution", "arn": arn, "path": "/slipway/",
			"assumeRolePolicy": trust, "permissionsBoundary": boundary,
			"tagsAll": map[string]any{"stage": "dev", "project": "shop"}}, nil))
	require.NoError(t, s.CreateObject(accountiam.RolePolicy, "web-execution:one", account.Object{"role": "web-execution",
		"policy": `{"Statement": {"Effect": "Allow", "Action": ["ecr:*"], "Resource": "*"}}`}, nil))
	client := iam.NewFromConfig(s.config)

	role, err := client.GetRole(t.Context(), &iam.GetRoleInput{RoleName: aws.String("web-execution")})
	require.NoError(t, err)
	require.Equal(t, arn, *role.Role.Arn)
	require.Equal(t, boundary, *role.Role.PermissionsBoundary.PermissionsBoundaryArn)
	document, err := url.PathUnescape(*role.Role.AssumeRolePolicyDocument)
	require.NoError(t, err)
	require.Equal(t, trust, document)
	require.Equal(t, []iamtypes.Tag{{Key: aws.String("project"), Value: aws.String("shop")},
		{Key: aws.String("stage"), Value: aws.String("dev")}}, role.Role.Tags)
	linked, err := client.GetRole(t.Context(), &iam.GetRoleInput{RoleName: aws.String("AWSServiceRoleForECS")})
	require.NoError(t, err)
	require.Equal(t, "AWSServiceRoleForECS", *linked.Role.RoleName)
	var missing *iamtypes.NoSuchEntityException
	_, err = client.GetRole(t.Context(), &iam.GetRoleInput{RoleName: aws.String("gone")})
	require.ErrorAs(t, err, &missing)
	policy, err := client.GetPolicy(t.Context(), &iam.GetPolicyInput{PolicyArn: &boundary})
	require.NoError(t, err)
	require.Equal(t, "boundary", *policy.Policy.PolicyName)
	_, err = client.GetPolicy(t.Context(), &iam.GetPolicyInput{PolicyArn: aws.String(boundary + "-gone")})
	require.ErrorAs(t, err, &missing)

	const add = `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ` +
		`["secretsmanager:GetSecretValue"], "Resource": ["*"]}]}`
	simulate := func(action, resource string, more ...string) iamtypes.EvaluationResult {
		answer, err := client.SimulatePrincipalPolicy(t.Context(), &iam.SimulatePrincipalPolicyInput{PolicySourceArn: &arn,
			ActionNames: []string{action}, ResourceArns: []string{resource}, PolicyInputList: more})
		require.NoError(t, err)
		require.Len(t, answer.EvaluationResults, 1)
		return answer.EvaluationResults[0]
	}
	secret := "arn:aws:secretsmanager:eu-central-1:123456789012:secret:"
	require.Equal(t, iamtypes.PolicyEvaluationDecisionTypeImplicitDeny,
		simulate("secretsmanager:GetSecretValue", secret+"shop-AbCdEf").EvalDecision)
	allowed := simulate("secretsmanager:GetSecretValue", secret+"shop-AbCdEf", add)
	require.Equal(t, iamtypes.PolicyEvaluationDecisionTypeAllowed, allowed.EvalDecision)
	require.True(t, allowed.PermissionsBoundaryDecisionDetail.AllowedByPermissionsBoundary)
	require.Equal(t, iamtypes.PolicyEvaluationDecisionTypeExplicitDeny,
		simulate("secretsmanager:GetSecretValue", secret+"forbidden-AbCdEf", add).EvalDecision)
	outside := simulate("ecr:BatchGetImage", "arn:aws:ecr:eu-central-1:123456789012:repository/web")
	require.Equal(t, iamtypes.PolicyEvaluationDecisionTypeImplicitDeny, outside.EvalDecision)
	require.False(t, outside.PermissionsBoundaryDecisionDetail.AllowedByPermissionsBoundary)
	_, err = client.SimulatePrincipalPolicy(t.Context(), &iam.SimulatePrincipalPolicyInput{PolicySourceArn: &arn,
		ActionNames: []string{"a:b"},
		CallerArn:   aws.String(account.User(account.DefaultID).ARN)})
	require.ErrorContains(t, err, "The sandbox has no parameter CallerArn of SimulatePrincipalPolicy.")
	_, err = client.ListRoles(t.Context(), &iam.ListRolesInput{})
	require.ErrorContains(t, err, "The sandbox has no operation ListRoles of iam.")
}

func TestSecretsAsTheSDKSeesThem(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	arn, err := secrets.CreateSecret(s.Account, testRegion, account.Object{"name": "shop", "kmsKeyId": "alias/shop"})
	require.NoError(t, err)
	old, err := secrets.PutSecretValue(s.Account, arn, "one", "")
	require.NoError(t, err)
	current, err := secrets.PutSecretValue(s.Account, arn, "two", "")
	require.NoError(t, err)
	client := secretsmanager.NewFromConfig(s.config)
	secret, err := client.DescribeSecret(t.Context(), &secretsmanager.DescribeSecretInput{SecretId: &arn})
	require.NoError(t, err)
	require.Equal(t, "alias/shop", *secret.KmsKeyId)
	require.Nil(t, secret.DeletedDate)
	require.Equal(t, map[string][]string{old.VersionID: {"AWSPREVIOUS"}, current.VersionID: {"AWSCURRENT"}},
		secret.VersionIdsToStages)
	listed := func(prefix string) []secrettypes.SecretListEntry {
		found, err := client.ListSecrets(t.Context(), &secretsmanager.ListSecretsInput{
			Filters: []secrettypes.Filter{{Key: secrettypes.FilterNameStringTypeName, Values: []string{prefix}}}})
		require.NoError(t, err)
		return found.SecretList
	}
	require.Empty(t, listed("other"))
	require.Len(t, listed("sh"), 1)
	require.Equal(t, arn, *listed("sh")[0].ARN)
	require.NoError(t, secrets.DeleteSecret(s.Account, arn, 7))
	require.Empty(t, listed("sh"))
	secret, err = client.DescribeSecret(t.Context(), &secretsmanager.DescribeSecretInput{SecretId: &arn})
	require.NoError(t, err)
	require.NotNil(t, secret.DeletedDate)
	var missing *secrettypes.ResourceNotFoundException
	_, err = client.DescribeSecret(t.Context(), &secretsmanager.DescribeSecretInput{SecretId: aws.String("gone")})
	require.ErrorAs(t, err, &missing)

	parameter := account.ARN(account.DefaultID, "ssm", testRegion, "parameter/shop/key")
	require.NoError(t, s.CreateObject(secrets.Parameter, parameter, account.Object{"name": "/shop/key"}, nil))
	got, err := ssm.NewFromConfig(s.config).GetParameters(t.Context(),
		&ssm.GetParametersInput{Names: []string{parameter, "/shop/key", "/gone"}})
	require.NoError(t, err)
	require.Equal(t, []string{"/gone"}, got.InvalidParameters)
	require.Len(t, got.Parameters, 2)
	require.Equal(t, parameter, *got.Parameters[1].ARN)
}

func TestCertificatesAndZonesAsTheSDKSeesThem(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	arn := account.ARN(account.DefaultID, "acm", testRegion, "certificate/1")
	require.NoError(t, s.CreateObject(dns.Certificate, "1", account.Object{"arn": arn, "domainName": "example.com",
		"subjectAlternativeNames": []any{"example.com", "*.example.com"}}, nil))
	client := acm.NewFromConfig(s.config)
	describe := func() *acmtypes.CertificateDetail {
		answer, err := client.DescribeCertificate(t.Context(), &acm.DescribeCertificateInput{CertificateArn: &arn})
		require.NoError(t, err)
		return answer.Certificate
	}
	require.Equal(t, acmtypes.CertificateStatusPendingValidation, describe().Status)
	name, value := dns.ValidationRecord(account.DefaultID, "example.com")
	name = strings.TrimSuffix(name, ".")
	require.NoError(t, s.CreateObject(dns.Record, dns.HostedZone+"_"+name+"_CNAME",
		account.Object{"zoneId": dns.HostedZone,
			"fqdn": name, "type": "CNAME", "records": []any{value}}, nil))
	require.Equal(t, acmtypes.CertificateStatusIssued, describe().Status)
	require.Equal(t, []string{"example.com", "*.example.com"}, describe().SubjectAlternativeNames)
	require.NotNil(t, describe().NotAfter)
	var missing *acmtypes.ResourceNotFoundException
	_, err := client.DescribeCertificate(t.Context(), &acm.DescribeCertificateInput{CertificateArn: aws.String(arn + "0")})
	require.ErrorAs(t, err, &missing)

	zones := route53.NewFromConfig(s.config)
	for from, found := range map[string]int{"example.com": 1, "alpha.com": 1, "shop.example.com": 0, "other.org": 0} {
		list, err := zones.ListHostedZonesByName(t.Context(), &route53.ListHostedZonesByNameInput{DNSName: &from})
		require.NoError(t, err)
		require.Len(t, list.HostedZones, found, from)
	}
	list, err := zones.ListHostedZonesByName(t.Context(), &route53.ListHostedZonesByNameInput{})
	require.NoError(t, err)
	require.Equal(t, "example.com.", *list.HostedZones[0].Name)
	require.False(t, list.HostedZones[0].Config.PrivateZone)
	_, err = zones.ListHostedZones(t.Context(), &route53.ListHostedZonesInput{})
	require.ErrorContains(t, err, "The sandbox has no operation GET hostedzone of Route 53.")
}

func TestLogsAsTheSDKSeesThem(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	require.NoError(t, s.CreateObject(logs.LogGroup, "/shop/dev/web", account.Object{"name": "/shop/dev/web"}, nil))
	client := cloudwatchlogs.NewFromConfig(s.config)
	group := aws.String("/shop/dev/web")
	put := func(stream string, at int64, message string) {
		_, err := client.PutLogEvents(t.Context(), &cloudwatchlogs.PutLogEventsInput{LogGroupName: group,
			LogStreamName: &stream,
			LogEvents:     []logtypes.InputLogEvent{{Timestamp: &at, Message: &message}}})
		require.NoError(t, err)
	}
	for _, stream := range []string{"web/web/one", "web/web/two"} {
		_, err := client.CreateLogStream(t.Context(), &cloudwatchlogs.CreateLogStreamInput{LogGroupName: group,
			LogStreamName: &stream})
		require.NoError(t, err)
	}
	_, err := client.CreateLogStream(t.Context(), &cloudwatchlogs.CreateLogStreamInput{LogGroupName: group,
		LogStreamName: aws.String("web/web/one")})
	require.ErrorContains(t, err, "ResourceAlreadyExistsException")
	put("web/web/one", 1000, "first")
	put("web/web/one", 3000, "third")
	put("web/web/two", 2000, "second")

	var messages []string
	pages := cloudwatchlogs.NewFilterLogEventsPaginator(client,
		&cloudwatchlogs.FilterLogEventsInput{LogGroupName: group, Limit: aws.Int32(2)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		require.NoError(t, err)
		for _, event := range page.Events {
			messages = append(messages, *event.LogStreamName+" "+*event.Message)
			require.NotEmpty(t, *event.EventId)
		}
	}
	require.Equal(t, []string{"web/web/one first", "web/web/two second", "web/web/one third"}, messages)
	some, err := client.FilterLogEvents(t.Context(), &cloudwatchlogs.FilterLogEventsInput{LogGroupName: group,
		StartTime: aws.Int64(2000),
		EndTime:   aws.Int64(2500)})
	require.NoError(t, err)
	require.Len(t, some.Events, 1)
	_, err = client.FilterLogEvents(t.Context(), &cloudwatchlogs.FilterLogEventsInput{LogGroupName: aws.String("/gone")})
	var missing *logtypes.ResourceNotFoundException
	require.ErrorAs(t, err, &missing)
	_, err = client.FilterLogEvents(t.Context(), &cloudwatchlogs.FilterLogEventsInput{LogGroupName: group,
		FilterPattern: aws.String("ERROR")})
	require.ErrorContains(t, err, "The sandbox has no parameter filterPattern of FilterLogEvents.")

	stream := func(in cloudwatchlogs.GetLogEventsInput) (messages []string, out *cloudwatchlogs.GetLogEventsOutput) {
		in.LogGroupName, in.LogStreamName = group, aws.String("web/web/one")
		out, err := client.GetLogEvents(t.Context(), &in)
		require.NoError(t, err)
		for _, event := range out.Events {
			messages = append(messages, *event.Message)
		}
		return messages, out
	}
	messages, newest := stream(cloudwatchlogs.GetLogEventsInput{Limit: aws.Int32(1)})
	require.Equal(t, []string{"third"}, messages, "the newest, unless told otherwise")
	messages, earlier := stream(cloudwatchlogs.GetLogEventsInput{Limit: aws.Int32(1), NextToken: newest.NextBackwardToken})
	require.Equal(t, []string{"first"}, messages)
	messages, end := stream(cloudwatchlogs.GetLogEventsInput{Limit: aws.Int32(1), NextToken: earlier.NextBackwardToken})
	require.Empty(t, messages)
	require.Equal(t, earlier.NextBackwardToken, end.NextBackwardToken, "the same token is the end")
	messages, head := stream(cloudwatchlogs.GetLogEventsInput{StartFromHead: aws.Bool(true)})
	require.Equal(t, []string{"first", "third"}, messages)
	put("web/web/one", 4000, "fourth")
	messages, _ = stream(cloudwatchlogs.GetLogEventsInput{StartFromHead: aws.Bool(true), NextToken: head.NextForwardToken})
	require.Equal(t, []string{"fourth"}, messages)
	_, err = client.GetLogEvents(t.Context(), &cloudwatchlogs.GetLogEventsInput{LogGroupName: group,
		LogStreamName: aws.String("gone")})
	require.ErrorAs(t, err, &missing)
}

// The ec2 package of the AWS SDK takes longer to compile than all others together, so its requests are written by hand.
func TestNetworkAsTheQueryProtocolHasIt(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	ask := func(action string, answer any, filters ...string) string {
		form := url.Values{"Action": {action}, "Version": {"2016-11-15"}}
		for i := 0; i < len(filters); i += 2 {
			key := "Filter." + string(rune('1'+i/2)) + "."
			form.Set(key+"Name", filters[i])
			form.Set(key+"Value.1", filters[i+1])
		}
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, *s.config.BaseEndpoint,
			strings.NewReader(form.Encode()))
		require.NoError(t, err)
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.Header.Set("Authorization",
			"AWS4-HMAC-SHA256 Credential=AKIA123456789012/20261124/eu-central-1/ec2/aws4_request, SignedHeaders=host, Signature=0")
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		defer response.Body.Close()
		content, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		require.NoError(t, xml.Unmarshal(content, answer))
		return string(content)
	}
	var vpcs struct {
		XMLName xml.Name `xml:"DescribeVpcsResponse"`
		vpcSet
	}
	ask("DescribeVpcs", &vpcs, "is-default", "true")
	require.Equal(t, vpc.DefaultVPC, vpcs.VPCs[0].ID)
	var subnets subnetSet
	ask("DescribeSubnets", &subnets, "vpc-id", vpc.DefaultVPC, "default-for-az", "true")
	require.Len(t, subnets.Subnets, len(vpc.Subnets))
	require.True(t, subnets.Subnets[0].MapPublicIPOnLaunch)
	require.Equal(t, "eu-central-1a", subnets.Subnets[0].Zone)
	var none subnetSet
	ask("DescribeSubnets", &none, "vpc-id", "vpc-0")
	require.Empty(t, none.Subnets)
	var tables routeTableSet
	ask("DescribeRouteTables", &tables, "vpc-id", vpc.DefaultVPC)
	require.Len(t, tables.Tables, 1)
	require.True(t, tables.Tables[0].Associations[0].Main)
	require.Equal(t, route{CIDR: "0.0.0.0/0", Gateway: vpc.InternetGateway, State: "active"}, tables.Tables[0].Routes[1])
	require.NoError(t, s.SetFaults(map[string]string{account.NoRoute: vpc.Subnets[1].ID}))
	tables = routeTableSet{}
	ask("DescribeRouteTables", &tables, "vpc-id", vpc.DefaultVPC)
	require.Equal(t, vpc.Subnets[1].ID, tables.Tables[1].Associations[0].Subnet)
	require.Len(t, tables.Tables[1].Routes, 1)
	var refused struct {
		XMLName xml.Name `xml:"Response"`
		Code    string   `xml:"Errors>Error>Code"`
		Message string   `xml:"Errors>Error>Message"`
	}
	ask("DescribeInstances", &refused)
	require.Equal(t, "The sandbox has no operation DescribeInstances of ec2.", refused.Message)
	ask("DescribeVpcEndpoints", &refused, "service-name", "x")
	require.Equal(t, "InvalidParameterValue", refused.Code)
}
