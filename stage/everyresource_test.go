package stage

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// AWS knows no resources for these, so * is the one way to allow them: to refuse one would leave a team no way.
func TestWhatAWSGrantsForEveryResourceOnly(t *testing.T) {
	t.Parallel()
	for _, action := range strings.Fields(`cloudwatch:PutMetricData cloudwatch:GetMetricData
		dynamodb:PurchaseReservedCapacityOfferings dynamodb:ListTables ec2:Describe* ec2:CreateKeyPair
		ecr:GetAuthorizationToken ecr:PutReplicationConfiguration ecr:CreateRepositoryCreationTemplate
		ecr:*SigningConfiguration ecr:PutRegistryPolicy ecr:*PullThroughCacheRule events:PutPartnerEvents
		events:TestEventPattern iam:GetServiceLastAccessedDetails iam:SetSecurityTokenServicePreferences
		iam:UpdateAccountName iam:GetAccountSummary iam:ListRoles kinesis:EnableEnhancedMonitoring kms:CreateKey
		kms:GenerateRandom lambda:CreateCodeSigningConfig lambda:CreateEventSourceMapping logs:CreateLogDelivery
		logs:*LogDelivery* logs:PutResourcePolicy logs:GetQueryResults rds:Describe* s3:CreateJob
		s3:ListAllMyBuckets s3:PutAccountPublicAccessBlock s3:PutStorageLensConfiguration
		secretsmanager:BatchGetSecretValue secretsmanager:GetRandomPassword ses:SendEmail ses:SendBulkEmail
		sns:Publish sns:Unsubscribe sns:SetSMSAttributes sqs:ListQueues ssm:DescribeParameters
		ssm:GetCommandInvocation states:SendTaskSuccess states:ValidateStateMachineDefinition sts:GetCallerIdentity
		sts:GetSessionToken textract:DetectDocumentText transcribe:StartStreamTranscription xray:Put*`) {
		require.False(t, narrowable(action), action)
	}
	for _, action := range strings.Fields(`dynamodb:* s3:Get* sqs:SendMessage SQS:sendmessage es:ESHttpGet iam:PassRole
		logs:Put* kms:Decrypt ssm:GetParameter* secretsmanager:Get* ec2:Terminate*`) {
		require.True(t, narrowable(action), action)
	}
}

// Beginning with 5,121 characters a role's permissions are managed policies, which an update must be allowed to make.
func TestARoleThatIsAboutToGetManagedPolicies(t *testing.T) {
	t.Parallel()
	resources := strings.Repeat(`"arn:aws:s3:::a-bucket-with-a-long-name/and-a-long-prefix/*", `, 100)
	settings, err := loadFiles(t, "dev", "", permitted("{actions: ['s3:GetObject'], resources: ["+resources+"]}"))
	require.NoError(t, err)
	arn := func(service, resource string) string { return "arn:aws:" + service + ":r:a:" + resource }
	roles := settings.ManagedRoles("web", arn)
	require.Len(t, roles, 1)
	require.Equal(t, "slipway-dev-web-task", roles[0].Name)
	require.Empty(t, roles[0].Change([]string{"by-hand", "execution-01234567"}))
	change := roles[0].Change([]string{"by-hand", "task-01234567"})
	require.Contains(t, change, "services.web.permissions (Pulumi.dev.yaml): the permissions of the role "+
		"slipway-dev-web-task")
	require.Contains(t, change, "iam:CreatePolicy, DeletePolicy, GetPolicy, GetPolicyVersion, ListPolicyVersions, "+
		"TagPolicy, AttachRolePolicy")

	few, err := loadFiles(t, "dev", "", permitted("{"+readUploads+"}"))
	require.NoError(t, err)
	require.Empty(t, few.ManagedRoles("web", arn))
}
