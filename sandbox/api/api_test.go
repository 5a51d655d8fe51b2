package api

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/require"

	"slipway/sandbox/account"
	accountecr "slipway/sandbox/account/ecr"
	accountecs "slipway/sandbox/account/ecs"
	"slipway/sandbox/account/elb"
	accountsts "slipway/sandbox/account/sts"
	"slipway/sandbox/account/vpc"
	"slipway/sandbox/registry"
)

const testRegion = "eu-central-1"

type stage struct {
	*account.Account
	config aws.Config
	images *registry.Registry
	t      *testing.T
}

// newStage is an account with a cluster, a repository and an image, and the settings of clients that use it.
func newStage(t *testing.T) *stage {
	t.Helper()
	dir := t.TempDir()
	a, err := account.Open(dir)
	require.NoError(t, err)
	images := registry.New(filepath.Join(dir, "registry"), a)
	server := httptest.NewServer(New(a, images))
	t.Cleanup(func() {
		server.Close()
		require.NoError(t, a.Close())
	})
	require.NoError(t, a.CreateObject(accountecs.Cluster, "shop-dev", account.Object{"name": "shop-dev",
		"arn": account.ARN(account.DefaultID, "ecs", testRegion, "cluster/shop-dev")}, nil))
	require.NoError(t, a.CreateObject(accountecr.Repository, "web",
		account.Object{"name": "web", "imageTagMutability": "MUTABLE",
			"arn": account.ARN(account.DefaultID, "ecr", testRegion, "repository/web"), "repositoryUrl": "host/web"}, nil))
	require.NoError(t, accountecr.PutImage(a, "web", "one", "sha256:1", 1024))
	key := aws.CredentialsProviderFunc(ownKeys)
	return &stage{a, aws.Config{Region: testRegion, BaseEndpoint: &server.URL, Credentials: key, RetryMaxAttempts: 1},
		images, t}
}

// serve registers a task definition, and starts a service on it that has as many tasks as desired.
func (s *stage) serve(image string, desired int) string {
	s.t.Helper()
	containers, err := accountecs.ParseContainers(`[{"name": "web", "image": "` + image +
		`", "portMappings": [{"containerPort": 80}]}]`)
	require.NoError(s.t, err)
	d, err := accountecs.RegisterTaskDefinition(s.Account, testRegion, accountecs.TaskDefinition{Family: "web",
		CPU: "256", Memory: "512",
		NetworkMode:             "awsvpc",
		RequiresCompatibilities: []string{"FARGATE"}, Containers: containers, Tags: map[string]any{"Stage": "dev"}})
	require.NoError(s.t, err)
	_, err = accountecs.CreateService(s.Account, "shop-dev", "web", d.ARN,
		accountecs.ServiceSettings{DesiredCount: desired,
			MinimumHealthyPercent: 100,
			MaximumPercent:        200, CircuitBreaker: true, Rollback: true, AssignPublicIP: true,
			Subnets: []string{vpc.Subnets[0].ID},
			Other:   account.Object{"enableExecuteCommand": true},
			Alarms: accountecs.Alarms{Names: []string{"web-5xx"}, Enable: true,
				Rollback: true}})
	require.NoError(s.t, err)
	return d.ARN
}

// pull has the images of other registries pulled that tasks wait for.
func (s *stage) pull() {
	s.t.Helper()
	pending, err := accountecs.PendingPulls(s.Account)
	require.NoError(s.t, err)
	for _, task := range pending {
		require.NoError(s.t, accountecs.SubmitPull(s.Account, task.TaskARN, ""))
	}
}

func TestRolloutAsTheSDKSeesIt(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	client := ecs.NewFromConfig(s.config)
	arn := s.serve("public.ecr.aws/docker/library/nginx:1", 2)
	describe := func() ecstypes.Service {
		s.pull()
		answer, err := client.DescribeServices(t.Context(), &ecs.DescribeServicesInput{Cluster: aws.String("shop-dev"),
			Services: []string{"web", "gone"}})
		require.NoError(t, err)
		require.Equal(t, "MISSING", *answer.Failures[0].Reason)
		return answer.Services[0]
	}
	require.Equal(t, ecstypes.DeploymentRolloutStateInProgress, describe().Deployments[0].RolloutState)
	require.True(t, describe().EnableExecuteCommand)
	require.Equal(t, &ecstypes.DeploymentAlarms{AlarmNames: []string{"web-5xx"}, Enable: true, Rollback: true},
		describe().DeploymentConfiguration.Alarms)
	require.Eventually(t,
		func() bool { return describe().Deployments[0].RolloutState == ecstypes.DeploymentRolloutStateCompleted },
		5*time.Second, 20*time.Millisecond)
	service := describe()
	require.Equal(t, arn, *service.TaskDefinition)
	require.EqualValues(t, 2, service.RunningCount)
	require.Equal(t, "PRIMARY", *service.Deployments[0].Status)
	require.Equal(t, ecstypes.AssignPublicIpEnabled, service.NetworkConfiguration.AwsvpcConfiguration.AssignPublicIp)
	require.Equal(t, "(service web) has reached a steady state.", *service.Events[0].Message)
	require.WithinDuration(t, time.Now(), *service.Events[0].CreatedAt, time.Minute)

	listed, err := client.ListServices(t.Context(), &ecs.ListServicesInput{Cluster: aws.String("shop-dev")})
	require.NoError(t, err)
	require.Equal(t, []string{*service.ServiceArn}, listed.ServiceArns)
	clusters, err := client.DescribeClusters(t.Context(),
		&ecs.DescribeClustersInput{Clusters: []string{"shop-dev", "gone"}})
	require.NoError(t, err)
	require.EqualValues(t, 2, clusters.Clusters[0].RunningTasksCount)
	require.Len(t, clusters.Failures, 1)

	_, err = client.UpdateService(t.Context(), &ecs.UpdateServiceInput{Cluster: aws.String("shop-dev"),
		Service: aws.String("web"), DesiredCount: aws.Int32(0)})
	require.NoError(t, err)
	require.Eventually(t, func() bool { return describe().RunningCount == 0 }, 5*time.Second, 20*time.Millisecond)
	_, err = client.DescribeServices(t.Context(), &ecs.DescribeServicesInput{Cluster: aws.String("gone"),
		Services: []string{"web"}})
	var missing *ecstypes.ClusterNotFoundException
	require.ErrorAs(t, err, &missing)
}

func TestServiceBehindALoadBalancerAsTheSDKSeesIt(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	client := ecs.NewFromConfig(s.config)
	describe := func() ecstypes.Service {
		answer, err := client.DescribeServices(t.Context(), &ecs.DescribeServicesInput{Cluster: aws.String("shop-dev"),
			Services: []string{"web"}})
		require.NoError(t, err)
		return answer.Services[0]
	}
	s.serve("public.ecr.aws/docker/library/nginx:1", 1)
	require.NotNil(t, describe().LoadBalancers)
	arn := func(resource string) string {
		return account.ARN(account.DefaultID, "elasticloadbalancing", testRegion,
			resource)
	}
	balancer, group := arn("loadbalancer/app/shop/1"), arn("targetgroup/web/1")
	require.NoError(t, s.CreateObject(elb.LoadBalancer, "1", account.Object{"arn": balancer, "name": "shop",
		"subnets": []any{vpc.Subnets[0].ID, vpc.Subnets[1].ID}}, nil))
	require.NoError(t, s.CreateObject(elb.TargetGroup, "1",
		account.Object{"arn": group, "targetType": "ip", "vpcId": vpc.DefaultVPC}, nil))
	require.NoError(t, s.CreateObject(elb.Listener, "1", account.Object{"arn": arn("listener/app/shop/1/1"),
		"loadBalancerArn": balancer,
		"protocol":        "HTTP", "defaultActions": []any{map[string]any{"type": "forward", "targetGroupArn": group}}}, nil))
	_, err := accountecs.UpdateService(s.Account, "shop-dev", "web", "", false,
		func(settings *accountecs.ServiceSettings) {
			settings.HealthCheckGracePeriod = 30
			settings.LoadBalancers = []accountecs.ServiceLoadBalancer{{TargetGroupARN: group, ContainerName: "web",
				ContainerPort: 80}}
		})
	require.NoError(t, err)
	service := describe()
	require.EqualValues(t, 30, *service.HealthCheckGracePeriodSeconds)
	require.Equal(t, []ecstypes.LoadBalancer{{TargetGroupArn: &group, ContainerName: aws.String("web"),
		ContainerPort: aws.Int32(80)}},
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
		stopped, err = client.ListTasks(t.Context(), &ecs.ListTasksInput{Cluster: aws.String("shop-dev"),
			ServiceName:   aws.String("web"),
			DesiredStatus: ecstypes.DesiredStatusStopped})
		require.NoError(t, err)
		return len(stopped.TaskArns) == 3
	}, 5*time.Second, 20*time.Millisecond)
	tasks, err := client.DescribeTasks(t.Context(), &ecs.DescribeTasksInput{Cluster: aws.String("shop-dev"),
		Tasks: stopped.TaskArns})
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
	described, err := client.DescribeTaskDefinition(t.Context(),
		&ecs.DescribeTaskDefinitionInput{TaskDefinition: aws.String("web")})
	require.NoError(t, err)
	require.Equal(t, arn, *described.TaskDefinition.TaskDefinitionArn)
	require.Equal(t, "nginx", *described.TaskDefinition.ContainerDefinitions[0].Image)
	require.Empty(t, described.Tags, "only where they are asked for")
	gone, err := client.DeregisterTaskDefinition(t.Context(),
		&ecs.DeregisterTaskDefinitionInput{TaskDefinition: aws.String("web:1")})
	require.NoError(t, err)
	require.Equal(t, ecstypes.TaskDefinitionStatusInactive, gone.TaskDefinition.Status)
	list := func(status ecstypes.TaskDefinitionStatus) []string {
		listed, err := client.ListTaskDefinitions(t.Context(), &ecs.ListTaskDefinitionsInput{FamilyPrefix: aws.String("web"),
			Status: status})
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
	require.NoError(t, accountecr.PutImage(s.Account, "web", "two", "sha256:1", 1024))
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
	require.Equal(t, account.DefaultID, *identity.Account)
	_, err = sts.NewFromConfig(s.config).GetSessionToken(t.Context(), &sts.GetSessionTokenInput{})
	require.ErrorContains(t, err, "The sandbox has no operation GetSessionToken of sts.")
	_, err = ecs.NewFromConfig(s.config).CreateCluster(t.Context(), &ecs.CreateClusterInput{})
	require.ErrorContains(t, err,
		fmt.Sprintf("UnknownOperationException: The sandbox has no operation CreateCluster of %s.",
			"AmazonEC2ContainerService"))
}

func ownKeys(context.Context) (aws.Credentials, error) {
	return aws.Credentials{AccessKeyID: accountsts.PlainKey(account.DefaultID), SecretAccessKey: "sandbox"}, nil
}

func TestAnImageIsGivenAnotherTagAsTheSDKDoesIt(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	client := ecr.NewFromConfig(s.config)
	get := func(id ecrtypes.ImageIdentifier) *ecr.BatchGetImageOutput {
		got, err := client.BatchGetImage(t.Context(), &ecr.BatchGetImageInput{RepositoryName: aws.String("web"),
			ImageIds: []ecrtypes.ImageIdentifier{id}})
		require.NoError(t, err)
		return got
	}
	put := func(tag, manifest, digest string) error {
		_, err := client.PutImage(t.Context(), &ecr.PutImageInput{RepositoryName: aws.String("web"), ImageManifest: &manifest,
			ImageTag:               &tag,
			ImageManifestMediaType: aws.String("application/vnd.oci.image.manifest.v1+json"), ImageDigest: &digest})
		return err
	}
	image, err := random.Image(100, 1)
	require.NoError(t, err)
	tag, err := name.NewTag(account.DefaultID + ".dkr.ecr.eu-central-1.amazonaws.com/web:built")
	require.NoError(t, err)
	pushed, err := s.images.Push(t.Context(), image, tag, registry.Credentials{Server: tag.RegistryStr(),
		Username: accountecr.Username,
		Password: accountecr.Password(account.User(account.DefaultID))}, func(string) {})
	require.NoError(t, err)

	got := get(ecrtypes.ImageIdentifier{ImageDigest: aws.String(pushed.String())})
	raw, err := image.RawManifest()
	require.NoError(t, err)
	require.Equal(t, string(raw), *got.Images[0].ImageManifest)
	require.NoError(t, put("keep-it", string(raw), pushed.String()))
	require.Equal(t, pushed.String(),
		*get(ecrtypes.ImageIdentifier{ImageTag: aws.String("keep-it")}).Images[0].ImageId.ImageDigest)
	var already *ecrtypes.ImageAlreadyExistsException
	require.ErrorAs(t, put("keep-it", string(raw), pushed.String()), &already)
	var wrong *ecrtypes.ImageDigestDoesNotMatchException
	require.ErrorAs(t, put("other", string(raw), "sha256:1"), &wrong)
	require.ErrorContains(t, put("not/a-tag", string(raw), pushed.String()), "not/a-tag")
	var layers *ecrtypes.LayersNotFoundException
	digest := strings.Repeat("0", 64)
	lost := `{"schemaVersion":2,"config":{"digest":"sha256:` + digest + `","size":1,"mediaType":"x"},"layers":[]}`
	require.ErrorAs(t, put("lost", lost, fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(lost)))), &layers)
	require.Equal(t, ecrtypes.ImageFailureCodeImageNotFound,
		get(ecrtypes.ImageIdentifier{ImageTag: aws.String("gone")}).Failures[0].FailureCode)

	// Lists are in parts, by tag status.
	var tags []string
	pages := ecr.NewListImagesPaginator(client, &ecr.ListImagesInput{RepositoryName: aws.String("web"),
		MaxResults: aws.Int32(2),
		Filter:     &ecrtypes.ListImagesFilter{TagStatus: ecrtypes.TagStatusTagged}})
	for pages.HasMorePages() {
		part, err := pages.NextPage(t.Context())
		require.NoError(t, err)
		require.LessOrEqual(t, len(part.ImageIds), 2)
		for _, id := range part.ImageIds {
			tags = append(tags, *id.ImageTag)
		}
	}
	require.Equal(t, []string{"one", "built", "keep-it"}, tags)
	untagged, err := client.DescribeImages(t.Context(), &ecr.DescribeImagesInput{RepositoryName: aws.String("web"),
		Filter: &ecrtypes.DescribeImagesFilter{TagStatus: ecrtypes.TagStatusUntagged}})
	require.NoError(t, err)
	require.Empty(t, untagged.ImageDetails)
}

func TestAnAuthorizationTokenLetsAnImageBePulled(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	answer, err := ecr.NewFromConfig(s.config).GetAuthorizationToken(t.Context(), &ecr.GetAuthorizationTokenInput{
		RegistryIds: []string{account.DefaultID}})
	require.NoError(t, err)
	require.Len(t, answer.AuthorizationData, 1)
	given := answer.AuthorizationData[0]
	require.True(t, given.ExpiresAt.After(time.Now()))
	login, err := base64.StdEncoding.DecodeString(*given.AuthorizationToken)
	require.NoError(t, err)
	user, password, _ := strings.Cut(string(login), ":")
	host, isPlain := strings.CutPrefix(*given.ProxyEndpoint, "http://")
	require.True(t, isPlain)
	image, err := random.Image(100, 1)
	require.NoError(t, err)
	tag, err := name.NewTag(host+"/web:pushed", name.Insecure)
	require.NoError(t, err)
	auth := remote.WithAuth(&authn.Basic{Username: user, Password: password})
	require.NoError(t, remote.Write(tag, image, auth))
	_, err = remote.Image(tag, auth)
	require.NoError(t, err)
}

func TestRevisionsAreListedInPartsNewestFirst(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	client := ecs.NewFromConfig(s.config)
	for range 3 {
		registered, err := client.RegisterTaskDefinition(t.Context(),
			&ecs.RegisterTaskDefinitionInput{Family: aws.String("job"), Cpu: aws.String("256"),
				Memory: aws.String("512"), NetworkMode: ecstypes.NetworkModeAwsvpc,
				RequiresCompatibilities: []ecstypes.Compatibility{ecstypes.CompatibilityFargate},
				ContainerDefinitions: []ecstypes.ContainerDefinition{{Name: aws.String("job"), Image: aws.String("nginx"),
					Essential: aws.Bool(true)}}})
		require.NoError(t, err)
		require.Equal(t, "nginx", *registered.TaskDefinition.ContainerDefinitions[0].Image)
	}
	input := &ecs.ListTaskDefinitionsInput{FamilyPrefix: aws.String("job"), Sort: ecstypes.SortOrderDesc,
		MaxResults: aws.Int32(2)}
	listed, err := client.ListTaskDefinitions(t.Context(), input)
	require.NoError(t, err)
	require.Equal(t, []string{account.ARN(account.DefaultID, "ecs", testRegion, "task-definition/job:3"),
		account.ARN(account.DefaultID, "ecs", testRegion, "task-definition/job:2")}, listed.TaskDefinitionArns)
	input.NextToken = listed.NextToken
	listed, err = client.ListTaskDefinitions(t.Context(), input)
	require.NoError(t,
		err)
	require.Equal(t, []string{account.ARN(account.DefaultID, "ecs", testRegion, "task-definition/job:1")},
		listed.TaskDefinitionArns)
	require.Nil(t, listed.NextToken)
}
