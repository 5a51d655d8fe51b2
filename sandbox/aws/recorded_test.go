package aws

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"testing"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/peer"
	"google.golang.org/protobuf/types/known/structpb"

	"slipway/sandbox/account"
	"slipway/sandbox/account/secrets"
	"slipway/sandbox/seed"
)

// structure is properties as the engine sends them.
func structure(t *testing.T, v values) *structpb.Struct {
	t.Helper()
	made, err := structpb.NewStruct(v)
	require.NoError(t, err)
	return made
}

func newRecorder(t *testing.T) *recorder {
	t.Helper()
	a, err := account.Open(t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { _ = a.Close() })
	r := &recorder{server: newServer(a, OwnUser(a))}
	_, err = r.Configure(t.Context(), &pulumirpc.ConfigureRequest{Args: structure(t, values{"region": "ap-northeast-2"})})
	require.NoError(t, err)
	return r
}

func TestATypeThatTheTableDoesNotHaveIsRecorded(t *testing.T) {
	t.Parallel()
	r, ctx := newRecorder(t), t.Context()
	const queue = "urn:pulumi:dev::shop::aws:sqs/queue:Queue::orders"
	inputs := structure(t, values{"name": "orders", "delaySeconds": 5.0, "policy": conceal("hush")})

	checked, err := r.Check(ctx, &pulumirpc.CheckRequest{Urn: queue, News: inputs})
	require.NoError(t, err)
	require.Empty(t, checked.GetFailures())
	planned, err := r.Create(ctx, &pulumirpc.CreateRequest{Urn: queue, Properties: inputs, Preview: true})
	require.NoError(t, err)
	require.NotContains(t, planned.GetProperties().AsMap(), "arn", "a preview does not know it")
	const url = "https://sqs.ap-northeast-2.amazonaws.com/123456789012/orders"
	gone, err := r.Read(ctx, &pulumirpc.ReadRequest{Urn: queue, Id: url})
	require.NoError(t, err)
	require.Empty(t, gone.GetId(), "a preview makes nothing")

	made, err := r.Create(ctx, &pulumirpc.CreateRequest{Urn: queue, Properties: inputs})
	require.NoError(t, err)
	require.Equal(t, url, made.GetId())
	require.Equal(t, values{"name": "orders", "delaySeconds": 5.0, "policy": conceal("hush"), "url": url,
		"arn": "arn:aws:sqs:ap-northeast-2:123456789012:orders"}, made.GetProperties().AsMap())
	_, err = r.Create(ctx, &pulumirpc.CreateRequest{Urn: queue, Properties: inputs})
	require.ErrorContains(t, err, "it exists already")
	imported, err := r.Read(ctx, &pulumirpc.ReadRequest{Urn: queue, Id: url})
	require.NoError(t, err)
	require.Equal(t, values{"name": "orders", "delaySeconds": 5.0, "policy": "hush"}, imported.GetInputs().AsMap())
	require.Contains(t, imported.GetProperties().AsMap()["arn"], ":orders")

	diff := func(news values) *pulumirpc.DiffResponse {
		response, err := r.Diff(ctx, &pulumirpc.DiffRequest{Urn: queue, Id: url, OldInputs: inputs,
			Olds: made.GetProperties(), News: structure(t, news)})
		require.NoError(t, err)
		return response
	}
	require.Equal(t, pulumirpc.DiffResponse_DIFF_NONE, diff(inputs.AsMap()).GetChanges())
	changed := diff(values{"name": "orders", "policy": conceal("hush")})
	require.Equal(t, []string{"delaySeconds"}, changed.GetDiffs())
	require.Empty(t, changed.GetReplaces())
	renamed := diff(values{"name": "jobs", "delaySeconds": 5.0, "policy": conceal("hush")})
	require.Equal(t, []string{"name"}, renamed.GetReplaces())

	updated, err := r.Update(ctx, &pulumirpc.UpdateRequest{Urn: queue, Id: url, OldInputs: inputs,
		Olds: made.GetProperties(), News: structure(t, values{"name": "orders"})})
	require.NoError(t, err)
	require.Equal(t, values{"name": "orders", "url": url, "arn": "arn:aws:sqs:ap-northeast-2:123456789012:orders"},
		updated.GetProperties().AsMap())

	_, err = r.Delete(ctx, &pulumirpc.DeleteRequest{Urn: queue, Id: url})
	require.NoError(t, err)
	gone, err = r.Read(ctx, &pulumirpc.ReadRequest{Urn: queue, Id: url, Properties: made.GetProperties(), Inputs: inputs})
	require.NoError(t, err)
	require.Empty(t, gone.GetId(), "a refresh finds that it is gone")
}

func TestWhatAWSDecidesOfARecordedResourceIsByItsPatterns(t *testing.T) {
	t.Parallel()
	r := newRecorder(t)
	for token, want := range map[string]struct {
		inputs values
		id     string
		state  map[string]string
	}{
		"aws:s3/bucket:Bucket": {values{"bucket": "shop-logs"}, "^shop-logs$", map[string]string{
			"arn": "^arn:aws:s3:::shop-logs$", "bucketRegionalDomainName": `^shop-logs\.s3\.ap-northeast-2\.amazonaws\.com$`}},
		"aws:rds/instance:Instance": {values{"engine": "postgres"}, "^db-[0-9a-f]{17}$", map[string]string{
			"identifier": "^mine-[0-9a-f]{7}$", "arn": `^arn:aws:rds:ap-northeast-2:123456789012:db:mine-[0-9a-f]{7}$`,
			"address": `^mine-[0-9a-f]{7}\.[0-9a-f]{12}\.ap-northeast-2\.rds\.amazonaws\.com$`}},
		"aws:ec2/vpc:Vpc": {values{"cidrBlock": "10.0.0.0/16"}, "^vpc-[0-9a-f]{17}$", map[string]string{
			"arn": `^arn:aws:ec2:ap-northeast-2:123456789012:vpc/vpc-[0-9a-f]{17}$`}},
		"aws:sns/topic:Topic": {values{}, `^arn:aws:sns:ap-northeast-2:123456789012:mine-[0-9a-f]{7}$`, nil},
		"aws:glue/job:Job": {values{"name": "nightly"}, "^nightly$", map[string]string{
			"arn": `^arn:aws:glue:ap-northeast-2:123456789012:job/nightly$`}},
	} {
		made, err := r.Create(t.Context(), &pulumirpc.CreateRequest{Urn: "urn:pulumi:dev::shop::" + token + "::mine",
			Properties: structure(t, want.inputs)})
		require.NoError(t, err)
		require.Regexp(t, want.id, made.GetId(), token)
		for key, pattern := range want.state {
			require.Regexp(t, pattern, made.GetProperties().AsMap()[key], "%s: %s", token, key)
		}
	}
}

func TestProvidersOfTwoRegionsAreToldApart(t *testing.T) {
	t.Parallel()
	r := newRecorder(t)
	from := func(port int) context.Context {
		return peer.NewContext(t.Context(), &peer.Peer{Addr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}})
	}
	for port, region := range []string{"us-east-1", "eu-west-1"} {
		_, err := r.Configure(from(port), &pulumirpc.ConfigureRequest{Args: structure(t, values{"region": region})})
		require.NoError(t, err)
	}
	for port, region := range []string{"us-east-1", "eu-west-1"} {
		made, err := r.Create(from(port), &pulumirpc.CreateRequest{Urn: "urn:pulumi:dev::shop::aws:sqs/queue:Queue::orders",
			Properties: structure(t, values{"name": "orders"})})
		require.NoError(t, err)
		require.Equal(t, "https://sqs."+region+".amazonaws.com/123456789012/orders", made.GetId())
	}
}

func TestARecordedParameterIsGivenToTasks(t *testing.T) {
	t.Parallel()
	r, ctx := newRecorder(t), t.Context()
	const urn = "urn:pulumi:dev::shop::" + parameterType + "::token"
	const arn = "arn:aws:ssm:ap-northeast-2:123456789012:parameter/shop/token"
	inputs := structure(t, values{"name": "/shop/token", "type": "SecureString", "value": conceal("hush")})
	made, err := r.Create(ctx, &pulumirpc.CreateRequest{Urn: urn, Properties: inputs})
	require.NoError(t, err)
	require.Equal(t, arn, made.GetProperties().AsMap()["arn"])
	value, err := secrets.SecretValue(r.account, arn)
	require.NoError(t, err)
	require.Equal(t, "hush", value)

	changed := structure(t, values{"name": "/shop/token", "type": "SecureString", "value": conceal("another")})
	updated, err := r.Update(ctx, &pulumirpc.UpdateRequest{Urn: urn, Id: made.GetId(), Olds: made.GetProperties(),
		OldInputs: inputs, News: changed})
	require.NoError(t, err)
	value, err = secrets.SecretValue(r.account, arn)
	require.NoError(t, err)
	require.Equal(t, "another", value)

	_, err = r.Delete(ctx, &pulumirpc.DeleteRequest{Urn: urn, Id: made.GetId(), Properties: updated.GetProperties()})
	require.NoError(t, err)
	missing, err := secrets.Missing(r.account, []string{arn, arn})
	require.NoError(t, err)
	require.Equal(t, []string{arn}, missing)
}

func TestTheSeedOfWhatIsMissing(t *testing.T) {
	t.Parallel()
	const secret = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:"
	const parameter = "arn:aws:ssm:eu-west-1:123456789012:parameter/"
	text := seedOf([]string{secret + "b-AbCdEf:url::", secret + "b-AbCdEf:user::", parameter + "x", secret + "a-AbCdEf"})
	require.Equal(t, "parameters:\n  "+parameter+"x: …\nsecrets:\n  "+secret+"a-AbCdEf: …\n  "+secret+
		`b-AbCdEf: '{"url": "…", "user": "…"}'`, text)
	name := filepath.Join(t.TempDir(), seed.FileName)
	require.NoError(t, os.WriteFile(name, []byte(text), 0o644))
	_, err := seed.Read(name)
	require.NoError(t, err)
}
