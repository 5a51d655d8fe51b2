package api

import (
	"context"
	"fmt"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/stretchr/testify/require"

	"slipway/sandbox/account"
)

const testRegion = "eu-central-1"

type stage struct {
	*account.Account
	images string // the registry's directory
	config aws.Config
	t      *testing.T
}

// newStage is an account with a cluster, a repository and an image, and the settings of clients that use it.
func newStage(t *testing.T) *stage {
	t.Helper()
	a, err := account.Open(t.TempDir())
	require.NoError(t, err)
	images := t.TempDir()
	server := httptest.NewServer(New(a, images))
	t.Cleanup(func() {
		server.Close()
		require.NoError(t, a.Close())
	})
	require.NoError(t, a.CreateObject(account.Cluster, "shop-dev", account.Object{"name": "shop-dev",
		"arn": account.ARN("ecs", testRegion, "cluster/shop-dev")}, nil))
	require.NoError(t, a.CreateObject(account.Repository, "web", account.Object{"name": "web", "imageTagMutability": "MUTABLE",
		"arn": account.ARN("ecr", testRegion, "repository/web"), "repositoryUrl": "host/web"}, nil))
	require.NoError(t, a.PutImage("web", "one", "sha256:1", 1024))
	key := aws.CredentialsProviderFunc(credentials)
	return &stage{a, images, aws.Config{Region: testRegion, BaseEndpoint: &server.URL, Credentials: key, RetryMaxAttempts: 1}, t}
}

// serve registers a task definition, and starts a service on it that has as many tasks as desired.
func (s *stage) serve(image string, desired int) string {
	s.t.Helper()
	containers, err := account.ParseContainers(`[{"name": "web", "image": "` + image + `", "portMappings": [{"containerPort": 80}]}]`)
	require.NoError(s.t, err)
	d, err := s.RegisterTaskDefinition(testRegion, account.TaskDefinition{Family: "web", CPU: "256", Memory: "512", NetworkMode: "awsvpc",
		RequiresCompatibilities: []string{"FARGATE"}, Containers: containers, Tags: map[string]any{"Stage": "dev"}})
	require.NoError(s.t, err)
	_, err = s.CreateService("shop-dev", "web", d.ARN, account.ServiceSettings{DesiredCount: desired, MinimumHealthyPercent: 100,
		MaximumPercent: 200, CircuitBreaker: true, Rollback: true, AssignPublicIP: true, Subnets: []string{account.Subnets[0].ID},
		Other: account.Object{"enableExecuteCommand": true}, Alarms: account.Alarms{Names: []string{"web-5xx"}, Enable: true, Rollback: true}})
	require.NoError(s.t, err)
	return d.ARN
}

func TestRolloutAsTheSDKSeesIt(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	client := ecs.NewFromConfig(s.config)
	arn := s.serve("public.ecr.aws/docker/library/nginx:1", 2)
	describe := func() ecstypes.Service {
		answer, err := client.DescribeServices(t.Context(), &ecs.DescribeServicesInput{Cluster: aws.String("shop-dev"), Services: []string{"web", "gone"}})
		require.NoError(t, err)
		require.Equal(t, "MISSING", *answer.Failures[0].Reason)
		return answer.Services[0]
	}
	require.Equal(t, ecstypes.DeploymentRolloutStateInProgress, describe().Deployments[0].RolloutState)
	require.True(t, describe().EnableExecuteCommand)
	require.Equal(t, &ecstypes.DeploymentAlarms{AlarmNames: []string{"web-5xx"}, Enable: true, Rollback: true},
		describe().DeploymentConfiguration.Alarms)
	require.Eventually(t, func() bool { return describe().Deployments[0].RolloutState == ecstypes.DeploymentRolloutStateCompleted },
		5*time.Second, 20*time.Millisecond)
	service := describe()
	require.Equal(t, arn, *service.TaskDefinition)
	require.EqualValues(t, 2, service.RunningCount)
	require.Equal(t, "PRIMARY", *service.Deployments[0].Status)
	require.Equal(t, ecstypes.AssignPublicIpEnabled, service.NetworkConfiguration.AwsvpcConfiguration.AssignPublicIp)
	require.Equal(t, "(service web) has reached a steady state.", *service.Events[0].Message)
	require.WithinDuration(t, time.Now(), *service.Events[0].CreatedAt, time.Minute)

	services, err := client.ListServices(t.Context(), &ecs.ListServicesInput{Cluster: aws.String("shop-dev")})
	require.NoError(t, err)
	require.Equal(t, []string{*service.ServiceArn}, services.ServiceArns)
	clusters, err := client.DescribeClusters(t.Context(), &ecs.DescribeClustersInput{Clusters: []string{"shop-dev", "gone"}})
	require.NoError(t, err)
	require.EqualValues(t, 2, clusters.Clusters[0].RunningTasksCount)
	require.Len(t, clusters.Failures, 1)

	_, err = client.UpdateService(t.Context(), &ecs.UpdateServiceInput{Cluster: aws.String("shop-dev"), Service: aws.String("web"), DesiredCount: aws.Int32(0)})
	require.NoError(t, err)
	require.Eventually(t, func() bool { return describe().RunningCount == 0 }, 5*time.Second, 20*time.Millisecond)
	_, err = client.DescribeServices(t.Context(), &ecs.DescribeServicesInput{Cluster: aws.String("gone"), Services: []string{"web"}})
	var missing *ecstypes.ClusterNotFoundException
	require.ErrorAs(t, err, &missing)
}

func TestServiceBehindALoadBalancerAsTheSDKSeesIt(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	client := ecs.NewFromConfig(s.config)
	describe := func() ecstypes.Service {
		answer, err := client.DescribeServices(t.Context(), &ecs.DescribeServicesInput{Cluster: aws.String("shop-dev"), Services: []string{"web"}})
		require.NoError(t, err)
		return answer.Services[0]
	}
	s.serve("public.ecr.aws/docker/library/nginx:1", 1)
	require.NotNil(t, describe().LoadBalancers)
	arn := func(resource string) string { return account.ARN("elasticloadbalancing", testRegion, resource) }
	balancer, group := arn("loadbalancer/app/shop/1"), arn("targetgroup/web/1")
	require.NoError(t, s.CreateObject(account.LoadBalancer, "1", account.Object{"arn": balancer, "name": "shop",
		"subnets": []any{account.Subnets[0].ID, account.Subnets[1].ID}}, nil))
	require.NoError(t, s.CreateObject(account.TargetGroup, "1", account.Object{"arn": group, "targetType": "ip", "vpcId": account.DefaultVPC}, nil))
	require.NoError(t, s.CreateObject(account.Listener, "1", account.Object{"arn": arn("listener/app/shop/1/1"), "loadBalancerArn": balancer,
		"protocol": "HTTP", "defaultActions": []any{map[string]any{"type": "forward", "targetGroupArn": group}}}, nil))
	_, err := s.UpdateService("shop-dev", "web", "", false, func(settings *account.ServiceSettings) {
		settings.HealthCheckGracePeriod = 30
		settings.LoadBalancers = []account.ServiceLoadBalancer{{TargetGroupARN: group, ContainerName: "web", ContainerPort: 80}}
	})
	require.NoError(t, err)
	service := describe()
	require.EqualValues(t, 30, *service.HealthCheckGracePeriodSeconds)
	require.Equal(t, []ecstypes.LoadBalancer{{TargetGroupArn: &group, ContainerName: aws.String("web"), ContainerPort: aws.Int32(80)}},
		service.LoadBalancers)
}

func TestStoppedTasksSayWhy(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	client := ecs.NewFromConfig(s.config)
	require.NoError(t, s.SetFaults(map[string]string{account.FailingTasks: "web:1", account.FailingExitCode: "3"}))
	s.serve("public.ecr.aws/docker/library/nginx:1", 1)
	var stopped *ecs.ListTasksOutput
	require.Eventually(t, func() bool {
		var err error
		stopped, err = client.ListTasks(t.Context(), &ecs.ListTasksInput{Cluster: aws.String("shop-dev"), ServiceName: aws.String("web"),
			DesiredStatus: ecstypes.DesiredStatusStopped})
		require.NoError(t, err)
		return len(stopped.TaskArns) == 3
	}, 5*time.Second, 20*time.Millisecond)
	tasks, err := client.DescribeTasks(t.Context(), &ecs.DescribeTasksInput{Cluster: aws.String("shop-dev"), Tasks: stopped.TaskArns})
	require.NoError(t, err)
	require.Equal(t, "Essential container in task exited", *tasks.Tasks[0].StoppedReason)
	require.Equal(t, ecstypes.TaskStopCodeEssentialContainerExited, tasks.Tasks[0].StopCode)
	require.EqualValues(t, 3, *tasks.Tasks[0].Containers[0].ExitCode)
	require.Equal(t, "service:web", *tasks.Tasks[0].Group)
}

func TestTaskDefinitionsAsTheSDKSeesThem(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	client := ecs.NewFromConfig(s.config)
	arn := s.serve("nginx", 1)
	described, err := client.DescribeTaskDefinition(t.Context(), &ecs.DescribeTaskDefinitionInput{TaskDefinition: aws.String("web")})
	require.NoError(t, err)
	require.Equal(t, arn, *described.TaskDefinition.TaskDefinitionArn)
	require.Equal(t, "nginx", *described.TaskDefinition.ContainerDefinitions[0].Image)
	gone, err := client.DeregisterTaskDefinition(t.Context(), &ecs.DeregisterTaskDefinitionInput{TaskDefinition: aws.String("web:1")})
	require.NoError(t, err)
	require.Equal(t, ecstypes.TaskDefinitionStatusInactive, gone.TaskDefinition.Status)
	list := func(status ecstypes.TaskDefinitionStatus) []string {
		listed, err := client.ListTaskDefinitions(t.Context(), &ecs.ListTaskDefinitionsInput{FamilyPrefix: aws.String("web"), Status: status})
		require.NoError(t, err)
		return listed.TaskDefinitionArns
	}
	require.Empty(t, list(""))
	require.Equal(t, []string{arn}, list(ecstypes.TaskDefinitionStatusInactive))
	families, err := client.ListTaskDefinitionFamilies(t.Context(), &ecs.ListTaskDefinitionFamiliesInput{})
	require.NoError(t, err)
	require.Equal(t, []string{"web"}, families.Families)
}

func TestRegistryAsTheSDKSeesIt(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	client := ecr.NewFromConfig(s.config)
	require.NoError(t, s.PutImage("web", "two", "sha256:1", 1024))
	repositories, err := client.DescribeRepositories(t.Context(), &ecr.DescribeRepositoriesInput{})
	require.NoError(t, err)
	require.Equal(t, "web", *repositories.Repositories[0].RepositoryName)
	images, err := client.DescribeImages(t.Context(), &ecr.DescribeImagesInput{RepositoryName: aws.String("web"),
		ImageIds: []ecrtypes.ImageIdentifier{{ImageTag: aws.String("one")}}})
	require.NoError(t, err)
	require.Len(t, images.ImageDetails, 1)
	require.Equal(t, []string{"one", "two"}, images.ImageDetails[0].ImageTags)
	require.EqualValues(t, 1024, *images.ImageDetails[0].ImageSizeInBytes)

	removed, err := client.BatchDeleteImage(t.Context(), &ecr.BatchDeleteImageInput{RepositoryName: aws.String("web"),
		ImageIds: []ecrtypes.ImageIdentifier{{ImageTag: aws.String("one")}, {ImageTag: aws.String("gone")}}})
	require.NoError(t, err)
	require.Len(t, removed.ImageIds, 1)
	require.Len(t, removed.Failures, 1)
	left, err := client.ListImages(t.Context(), &ecr.ListImagesInput{RepositoryName: aws.String("web")})
	require.NoError(t, err)
	require.Equal(t, "two", *left.ImageIds[0].ImageTag)
	_, err = client.ListImages(t.Context(), &ecr.ListImagesInput{RepositoryName: aws.String("gone")})
	var missing *ecrtypes.RepositoryNotFoundException
	require.ErrorAs(t, err, &missing)
}

func TestCallerAndWhatTheSandboxDoesNotKnow(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	identity, err := sts.NewFromConfig(s.config).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	require.NoError(t, err)
	require.Equal(t, account.ID, *identity.Account)
	_, err = sts.NewFromConfig(s.config).GetSessionToken(t.Context(), &sts.GetSessionTokenInput{})
	require.ErrorContains(t, err, "The sandbox has no operation GetSessionToken of sts.")
	_, err = ecs.NewFromConfig(s.config).CreateCluster(t.Context(), &ecs.CreateClusterInput{})
	require.ErrorContains(t, err, fmt.Sprintf("UnknownOperationException: The sandbox has no operation CreateCluster of %s.", "AmazonEC2ContainerService"))
}

func credentials(context.Context) (aws.Credentials, error) {
	return aws.Credentials{AccessKeyID: "sandbox", SecretAccessKey: "sandbox"}, nil
}
