package stage

import (
	"slices"
	"strings"

	"slipway/internal/awslimits"
)

// narrowed are actions that AWS narrows to resources, by service, as patterns of IAM in lower case: what applications
// use most, and what does harm. Whatever is not among them passes, as AWS grants much for * alone, and to refuse that
// would leave no way to allow it. None of these is among that
// (https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html).
const narrowed = `
	acm: deletecertificate; acm-pca: issuecertificate; aoss: apiaccessall; aps: remotewrite;
	autoscaling: deleteautoscalinggroup setdesiredcapacity terminateinstanceinautoscalinggroup updateautoscalinggroup;
	backup: deletebackupvault deleterecoverypoint; batch: submitjob terminatejob; bedrock: invokemodel;
	cloudformation: createchangeset createstack deletestack executechangeset updatestack;
	cloudfront: createinvalidation deletedistribution updatedistribution; cloudtrail: deletetrail stoplogging;
	cloudwatch: deletealarms disablealarmactions setalarmstate; codebuild: deleteproject startbuild;
	codecommit: gitpull gitpush; codepipeline: startpipelineexecution; cognito-idp: admin* deleteuserpool;
	dax: getitem putitem;
	dynamodb: batchgetitem batchwriteitem conditioncheckitem createtable deleteitem deletetable getitem getrecords
		getsharditerator partiql* putitem query scan updateitem updatetable;
	ec2: attachvolume authorizesecuritygroupegress authorizesecuritygroupingress createsnapshot createtags
		deleteroute deletesecuritygroup deletesnapshot deletesubnet deletetags deletevolume deletevpc detachvolume
		modifyinstanceattribute rebootinstances revokesecuritygroupegress revokesecuritygroupingress runinstances
		startinstances stopinstances terminateinstances;
	ecr: batchchecklayeravailability batchdeleteimage batchgetimage completelayerupload createrepository
		deletelifecyclepolicy deleterepository deleterepositorypolicy getdownloadurlforlayer initiatelayerupload
		putimage putlifecyclepolicy setrepositorypolicy uploadlayerpart;
	ecs: deletecluster deleteservice executecommand runtask starttask stoptask updateservice;
	eks: deletecluster deletenodegroup updateclusterconfig;
	elasticache: connect deletecachecluster deletereplicationgroup;
	elasticfilesystem: clientmount clientrootaccess clientwrite deletefilesystem;
	elasticloadbalancing: deletelistener deleteloadbalancer deleterule deletetargetgroup deregistertargets
		modifylistener modifyrule registertargets;
	es: deletedomain deleteelasticsearchdomain eshttp*; events: deleterule putevents putrule puttargets removetargets;
	execute-api: invalidatecache invoke manageconnections; firehose: deletedeliverystream putrecord putrecordbatch;
	glue: deletedatabase deletetable;
	iam: addusertogroup attachgrouppolicy attachrolepolicy attachuserpolicy createaccesskey createloginprofile
		createpolicy createpolicyversion createrole createuser deleteaccesskey deletepolicy deleterole
		deleterolepermissionsboundary deleterolepolicy deleteuser deleteuserpolicy detachrolepolicy detachuserpolicy
		getpolicy getpolicyversion getrole getrolepolicy passrole putgrouppolicy putrolepermissionsboundary
		putrolepolicy putuserpolicy setdefaultpolicyversion updateaccesskey updateassumerolepolicy updateloginprofile;
	iot: publish; kafka-cluster: connect readdata writedata;
	kinesis: createstream deletestream getrecords getsharditerator mergeshards putrecord putrecords splitshard
		subscribetoshard;
	kms: creategrant decrypt disablekey encrypt generatedatakey* generatemac putkeypolicy reencrypt*
		schedulekeydeletion sign verify verifymac;
	lambda: addpermission deletefunction invokeasync invokefunction invokefunctionurl updatefunctioncode
		updatefunctionconfiguration;
	logs: createloggroup createlogstream deleteloggroup deletelogstream deletemetricfilter deleteretentionpolicy
		deletesubscriptionfilter filterlogevents getlogevents putlogevents putmetricfilter putretentionpolicy
		putsubscriptionfilter;
	memorydb: connect deletecluster; neptune-db: connect;
	rds: deletedbcluster deletedbinstance modifydbcluster modifydbinstance rebootdbinstance startdbcluster
		startdbinstance stopdbcluster stopdbinstance;
	rds-data: batchexecutestatement begintransaction executestatement; rds-db: connect;
	redshift: deletecluster getclustercredentials; route53: changeresourcerecordsets deletehostedzone;
	s3: abortmultipartupload createbucket deletebucket deletebucketpolicy deleteobject deleteobjecttagging
		deleteobjectversion getbucketpolicy getobject getobjectacl getobjectattributes getobjecttagging getobjectversion
		putbucketacl putbucketpolicy putobject putobjectacl putobjecttagging restoreobject;
	s3express: createsession; sagemaker: deleteendpoint invokeendpoint;
	scheduler: createschedule deleteschedule updateschedule;
	secretsmanager: createsecret deletesecret getsecretvalue putresourcepolicy putsecretvalue updatesecret;
	sns: addpermission confirmsubscription createtopic deletetopic removepermission settopicattributes subscribe;
	sqs: changemessagevisibility createqueue deletemessage deletequeue getqueueattributes purgequeue receivemessage
		sendmessage setqueueattributes;
	ssm: deleteparameter deleteparameters getparameter getparameters getparametersbypath putparameter sendcommand
		startsession;
	states: deletestatemachine startexecution startsyncexecution stopexecution updatestatemachine; sts: assumerole;
	timestream: writerecords`

// narrowable tells whether AWS narrows an action, or one that a pattern stands for, to resources.
func narrowable(action string) bool {
	service, verb, _ := strings.Cut(strings.ToLower(action), ":")
	for _, each := range strings.Split(narrowed, ";") {
		of, verbs, _ := strings.Cut(strings.TrimSpace(each), ":")
		if of == service && slices.ContainsFunc(strings.Fields(verbs), func(pattern string) bool {
			return awslimits.Match(pattern, verb) || awslimits.Match(verb, strings.TrimRight(pattern, "*"))
		}) {
			return true
		}
	}
	return false
}
