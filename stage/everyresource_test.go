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
