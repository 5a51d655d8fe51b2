package stage

import (
	"slices"
	"strings"

	"slipway/internal/awslimits"
)

// narrowed are actions that AWS narrows to resources, as patterns of IAM in lower case: what applications use most, and
// what does harm. Whatever is not among them passes, as AWS grants much for * alone, and to refuse that would leave no
// way to allow it. None of these is among that
// (https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html).
var narrowed = strings.Fields(`
	acm-pca:issuecertificate acm:deletecertificate aoss:apiaccessall aps:remotewrite
	autoscaling:deleteautoscalinggroup autoscaling:setdesiredcapacity
	autoscaling:terminateinstanceinautoscalinggroup autoscaling:updateautoscalinggroup backup:deletebackupvault
	backup:deleterecoverypoint batch:submitjob batch:terminatejob bedrock:invokemodel cloudformation:createchangeset
	cloudformation:createstack cloudformation:deletestack cloudformation:executechangeset cloudformation:updatestack
	cloudfront:createinvalidation cloudfront:deletedistribution cloudfront:updatedistribution cloudtrail:deletetrail
	cloudtrail:stoplogging cloudwatch:deletealarms cloudwatch:disablealarmactions cloudwatch:setalarmstate
	codebuild:deleteproject codebuild:startbuild codecommit:gitpull codecommit:gitpush
	codepipeline:startpipelineexecution cognito-idp:admin* cognito-idp:deleteuserpool dax:getitem dax:putitem
	dynamodb:batchgetitem dynamodb:batchwriteitem dynamodb:conditioncheckitem dynamodb:createtable
	dynamodb:deleteitem dynamodb:deletetable dynamodb:getitem dynamodb:getrecords dynamodb:getsharditerator
	dynamodb:partiql* dynamodb:putitem dynamodb:query dynamodb:scan dynamodb:updateitem dynamodb:updatetable
	ec2:attachvolume ec2:authorizesecuritygroupegress ec2:authorizesecuritygroupingress ec2:createsnapshot
	ec2:createtags ec2:deleteroute ec2:deletesecuritygroup ec2:deletesnapshot ec2:deletesubnet ec2:deletetags
	ec2:deletevolume ec2:deletevpc ec2:detachvolume ec2:modifyinstanceattribute ec2:rebootinstances
	ec2:revokesecuritygroupegress ec2:revokesecuritygroupingress ec2:runinstances ec2:startinstances
	ec2:stopinstances ec2:terminateinstances
	ecr:batchchecklayeravailability ecr:batchdeleteimage ecr:batchgetimage ecr:completelayerupload
	ecr:createrepository ecr:deletelifecyclepolicy ecr:deleterepository ecr:deleterepositorypolicy
	ecr:getdownloadurlforlayer ecr:initiatelayerupload ecr:putimage ecr:putlifecyclepolicy ecr:setrepositorypolicy
	ecr:uploadlayerpart
	ecs:deletecluster ecs:deleteservice ecs:executecommand ecs:runtask ecs:starttask ecs:stoptask ecs:updateservice
	eks:deletecluster eks:deletenodegroup eks:updateclusterconfig
	elasticache:connect elasticache:deletecachecluster elasticache:deletereplicationgroup
	elasticfilesystem:clientmount elasticfilesystem:clientrootaccess elasticfilesystem:clientwrite
	elasticfilesystem:deletefilesystem elasticloadbalancing:deletelistener elasticloadbalancing:deleteloadbalancer
	elasticloadbalancing:deleterule elasticloadbalancing:deletetargetgroup elasticloadbalancing:deregistertargets
	elasticloadbalancing:modifylistener elasticloadbalancing:modifyrule elasticloadbalancing:registertargets
	es:deletedomain es:deleteelasticsearchdomain es:eshttp*
	events:deleterule events:putevents events:putrule events:puttargets events:removetargets
	execute-api:invalidatecache execute-api:invoke execute-api:manageconnections
	firehose:deletedeliverystream firehose:putrecord firehose:putrecordbatch
	glue:deletedatabase glue:deletetable
	iam:addusertogroup iam:attachgrouppolicy iam:attachrolepolicy iam:attachuserpolicy iam:createaccesskey
	iam:createloginprofile iam:createpolicy iam:createpolicyversion iam:createrole iam:createuser
	iam:deleteaccesskey iam:deletepolicy iam:deleterole iam:deleterolepermissionsboundary iam:deleterolepolicy
	iam:deleteuser iam:deleteuserpolicy iam:detachrolepolicy iam:detachuserpolicy iam:getpolicy iam:getpolicyversion
	iam:getrole iam:getrolepolicy iam:passrole iam:putgrouppolicy iam:putrolepermissionsboundary iam:putrolepolicy
	iam:putuserpolicy iam:setdefaultpolicyversion iam:updateaccesskey iam:updateassumerolepolicy
	iam:updateloginprofile
	iot:publish kafka-cluster:connect kafka-cluster:readdata kafka-cluster:writedata
	kinesis:createstream kinesis:deletestream kinesis:getrecords kinesis:getsharditerator kinesis:mergeshards
	kinesis:putrecord kinesis:putrecords kinesis:splitshard kinesis:subscribetoshard
	kms:creategrant kms:decrypt kms:disablekey kms:encrypt kms:generatedatakey* kms:generatemac kms:putkeypolicy
	kms:reencrypt* kms:schedulekeydeletion kms:sign kms:verify kms:verifymac
	lambda:addpermission lambda:deletefunction lambda:invokeasync lambda:invokefunction lambda:invokefunctionurl
	lambda:updatefunctioncode lambda:updatefunctionconfiguration
	logs:createloggroup logs:createlogstream logs:deleteloggroup logs:deletelogstream logs:deletemetricfilter
	logs:deleteretentionpolicy logs:deletesubscriptionfilter logs:filterlogevents logs:getlogevents
	logs:putlogevents logs:putmetricfilter logs:putretentionpolicy logs:putsubscriptionfilter
	memorydb:connect memorydb:deletecluster neptune-db:connect
	rds-data:batchexecutestatement rds-data:begintransaction rds-data:executestatement rds-db:connect
	rds:deletedbcluster rds:deletedbinstance rds:modifydbcluster
	rds:modifydbinstance rds:rebootdbinstance rds:startdbcluster rds:startdbinstance rds:stopdbcluster
	rds:stopdbinstance redshift:deletecluster redshift:getclustercredentials route53:changeresourcerecordsets
	route53:deletehostedzone
	s3:abortmultipartupload s3:createbucket s3:deletebucket s3:deletebucketpolicy s3:deleteobject
	s3:deleteobjecttagging s3:deleteobjectversion s3:getbucketpolicy s3:getobject s3:getobjectacl
	s3:getobjectattributes s3:getobjecttagging s3:getobjectversion s3:putbucketacl s3:putbucketpolicy s3:putobject
	s3:putobjectacl s3:putobjecttagging s3:restoreobject s3express:createsession
	sagemaker:deleteendpoint sagemaker:invokeendpoint scheduler:createschedule
	scheduler:deleteschedule scheduler:updateschedule
	secretsmanager:createsecret secretsmanager:deletesecret secretsmanager:getsecretvalue
	secretsmanager:putresourcepolicy secretsmanager:putsecretvalue secretsmanager:updatesecret
	sns:addpermission sns:confirmsubscription sns:createtopic sns:deletetopic sns:removepermission
	sns:settopicattributes sns:subscribe
	sqs:changemessagevisibility sqs:createqueue sqs:deletemessage sqs:deletequeue sqs:getqueueattributes
	sqs:purgequeue sqs:receivemessage sqs:sendmessage sqs:setqueueattributes
	ssm:deleteparameter ssm:deleteparameters ssm:getparameter ssm:getparameters ssm:getparametersbypath
	ssm:putparameter ssm:sendcommand ssm:startsession
	states:deletestatemachine states:startexecution states:startsyncexecution states:stopexecution
	states:updatestatemachine
	sts:assumerole timestream:writerecords`)

// narrowable tells whether AWS narrows an action, or one that a pattern stands for, to resources.
func narrowable(action string) bool {
	action = strings.ToLower(action)
	return slices.ContainsFunc(narrowed, func(pattern string) bool {
		return awslimits.Match(pattern, action) || awslimits.Match(action, strings.TrimRight(pattern, "*"))
	})
}
