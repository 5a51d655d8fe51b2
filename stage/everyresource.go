package stage

import (
	"regexp"
	"slices"
	"strings"

	"slipway/awslimits"
)

// listing are actions that tell what there is: AWS narrows few of them to resources.
var listing = regexp.MustCompile(`(?i)^(List|Describe|GetCallerIdentity|GetAuthorizationToken)`)

// narrowed are actions that AWS narrows to resources, whatever their service, as patterns of IAM in lower case. What is
// in neither list passes: AWS may grant it for * alone, and to refuse it would leave no way to allow it
// (https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html).
var narrowed = strings.Fields(`
	dynamodb:* ecr:* events:* execute-api:* firehose:* iam:* kafka-cluster:* kinesis:* kms:* lambda:* logs:*
	neptune-db:* rds-data:* rds-db:* s3:* s3express:* secretsmanager:* sns:* sqs:* ssm:* states:* sts:*
	acm-pca:issuecertificate acm:deletecertificate aoss:apiaccessall aps:remotewrite
	autoscaling:deleteautoscalinggroup autoscaling:setdesiredcapacity
	autoscaling:terminateinstanceinautoscalinggroup autoscaling:updateautoscalinggroup backup:deletebackupvault
	backup:deleterecoverypoint batch:submitjob batch:terminatejob bedrock:invokemodel cloudformation:createchangeset
	cloudformation:createstack cloudformation:deletestack cloudformation:executechangeset cloudformation:updatestack
	cloudfront:createinvalidation cloudfront:deletedistribution cloudfront:updatedistribution cloudtrail:deletetrail
	cloudtrail:stoplogging cloudwatch:deletealarms cloudwatch:disablealarmactions cloudwatch:setalarmstate
	codebuild:deleteproject codebuild:startbuild codecommit:gitpull codecommit:gitpush
	codepipeline:startpipelineexecution cognito-idp:admin* cognito-idp:deleteuserpool dax:getitem dax:putitem
	ec2:attachvolume ec2:authorizesecuritygroupegress ec2:authorizesecuritygroupingress ec2:createsnapshot
	ec2:createtags ec2:deleteroute ec2:deletesecuritygroup ec2:deletesnapshot ec2:deletesubnet ec2:deletetags
	ec2:deletevolume ec2:deletevpc ec2:detachvolume ec2:modifyinstanceattribute ec2:rebootinstances
	ec2:revokesecuritygroupegress ec2:revokesecuritygroupingress ec2:runinstances ec2:startinstances
	ec2:stopinstances ec2:terminateinstances ecs:deletecluster ecs:deleteservice ecs:executecommand ecs:runtask
	ecs:starttask ecs:stoptask ecs:updateservice eks:deletecluster eks:deletenodegroup eks:updateclusterconfig
	elasticache:connect elasticache:deletecachecluster elasticache:deletereplicationgroup
	elasticfilesystem:clientmount elasticfilesystem:clientrootaccess elasticfilesystem:clientwrite
	elasticfilesystem:deletefilesystem elasticloadbalancing:deletelistener elasticloadbalancing:deleteloadbalancer
	elasticloadbalancing:deleterule elasticloadbalancing:deletetargetgroup elasticloadbalancing:deregistertargets
	elasticloadbalancing:modifylistener elasticloadbalancing:modifyrule elasticloadbalancing:registertargets
	es:deletedomain es:deleteelasticsearchdomain es:eshttp* glue:deletedatabase glue:deletetable glue:startjobrun
	iot:publish memorydb:connect memorydb:deletecluster rds:deletedbcluster rds:deletedbinstance rds:modifydbcluster
	rds:modifydbinstance rds:rebootdbinstance rds:startdbcluster rds:startdbinstance rds:stopdbcluster
	rds:stopdbinstance redshift:deletecluster redshift:getclustercredentials route53:changeresourcerecordsets
	route53:deletehostedzone sagemaker:deleteendpoint sagemaker:invokeendpoint scheduler:createschedule
	scheduler:deleteschedule scheduler:updateschedule ses:sendbulk* ses:sendemail ses:sendrawemail
	ses:sendtemplatedemail timestream:writerecords`)

// neverNarrowed are the actions among those that AWS grants for every resource or for none, in part at least (text
// messages by SNS).
var neverNarrowed = strings.Fields(`
	ecr:*account* ecr:*pullthroughcacherule* ecr:*registry* events:testeventpattern iam:*accountalias
	iam:*accountpasswordpolicy iam:generatecredentialreport iam:getaccount* iam:getcontextkeysforcustompolicy
	iam:getcredentialreport iam:simulatecustompolicy kms:*customkeystore* kms:createkey kms:generaterandom
	lambda:createeventsourcemapping lambda:getaccountsettings logs:*accountpolicy logs:*querydefinition
	logs:*resourcepolicy logs:getlogdelivery logs:getqueryresults logs:stopquery logs:testmetricfilter s3:createjob
	s3:*accountpublicaccessblock secretsmanager:batchgetsecretvalue secretsmanager:getrandompassword sns:*endpoint*
	sns:*phonenumber* sns:*platformapplication* sns:*smsattributes sns:*smssandbox* sns:*subscriptionattributes
	sns:publish sns:unsubscribe ssm:cancelcommand ssm:createopsitem ssm:getcommandinvocation
	ssm:getdeployablepatchsnapshotforinstance ssm:getinventory* ssm:putinventory ssm:updateinstanceinformation
	states:sendtask* states:validatestatemachinedefinition sts:decodeauthorizationmessage sts:getaccesskeyinfo
	sts:getservicebearertoken sts:getsessiontoken`)

// narrowable tells whether AWS narrows an action, or one that a pattern stands for, to resources.
func narrowable(action string) bool {
	action = strings.ToLower(action)
	_, verb, _ := strings.Cut(action, ":")
	return !listing.MatchString(verb) &&
		slices.ContainsFunc(narrowed, func(pattern string) bool {
			return awslimits.Match(pattern, action) || awslimits.Match(action, strings.TrimRight(pattern, "*"))
		}) &&
		!slices.ContainsFunc(neverNarrowed, func(pattern string) bool { return awslimits.Match(pattern, action) })
}
