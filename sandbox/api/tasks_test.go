package api

import (
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/stretchr/testify/require"

	"slipway/sandbox/account"
	accountecs "slipway/sandbox/account/ecs"
	"slipway/sandbox/account/vpc"
)

func runTaskInput() *ecs.RunTaskInput {
	return &ecs.RunTaskInput{Cluster: aws.String("shop-dev"), TaskDefinition: aws.String("web"),
		LaunchType: ecstypes.LaunchTypeFargate,
		StartedBy:  aws.String("slipway/migrate"), PropagateTags: ecstypes.PropagateTagsTaskDefinition,
		EnableECSManagedTags: true,
		Tags:                 []ecstypes.Tag{{Key: aws.String("Run"), Value: aws.String("1")}},
		Overrides: &ecstypes.TaskOverride{ContainerOverrides: []ecstypes.ContainerOverride{{Name: aws.String("web"),
			Command:     []string{"migrate"},
			Environment: []ecstypes.KeyValuePair{{Name: aws.String("A"), Value: aws.String("1")}}}}},
		NetworkConfiguration: &ecstypes.NetworkConfiguration{AwsvpcConfiguration: &ecstypes.AwsVpcConfiguration{
			Subnets: []string{vpc.Subnets[0].ID}, AssignPublicIp: ecstypes.AssignPublicIpEnabled}}}
}

func TestAStandaloneTaskAsTheSDKSeesIt(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	require.NoError(t, accountecs.SetAgentConnected(s.Account, true))
	s.serve("public.ecr.aws/docker/library/nginx:1", 0)
	client := ecs.NewFromConfig(s.config)
	started, err := client.RunTask(t.Context(), runTaskInput())
	require.NoError(t, err)
	require.Empty(t, started.Failures)
	require.Len(t, started.Tasks, 1)
	arn := *started.Tasks[0].TaskArn
	require.Equal(t, "PENDING", *started.Tasks[0].LastStatus)

	var work []accountecs.AgentTask
	require.Eventually(t, func() bool {
		work, err = accountecs.Agent{Account: s.Account}.AgentTasks()
		require.NoError(t, err)
		return len(work) == 1
	}, 5*time.Second, 20*time.Millisecond)
	report := func(status string, code *int) {
		require.NoError(t, accountecs.Agent{Account: s.Account}.SubmitTaskStateChange(arn,
			accountecs.TaskStateChange{Containers: []accountecs.ContainerState{{Name: "web", RuntimeID: "abc",
				LastStatus: status,
				ExitCode:   code, ImageDigest: "sha256:1"}}}))
	}
	describe := func(reference string) ecstypes.Task {
		answer, err := client.DescribeTasks(t.Context(), &ecs.DescribeTasksInput{Cluster: aws.String("shop-dev"),
			Tasks:   []string{reference, "gone"},
			Include: []ecstypes.TaskField{ecstypes.TaskFieldTags}})
		require.NoError(t, err)
		require.Equal(t, "MISSING", *answer.Failures[0].Reason)
		return answer.Tasks[0]
	}
	list := func(input ecs.ListTasksInput) []string {
		input.Cluster = aws.String("shop-dev")
		answer, err := client.ListTasks(t.Context(), &input)
		require.NoError(t, err)
		return answer.TaskArns
	}
	report("RUNNING", nil)
	task := describe(arn)
	require.Equal(t, []string{"RUNNING", "family:web", "slipway/migrate", "web"},
		[]string{*task.LastStatus, *task.Group, *task.StartedBy, *task.Overrides.ContainerOverrides[0].Name})
	require.Equal(t, []string{"migrate"}, task.Overrides.ContainerOverrides[0].Command)
	require.Equal(t, account.ARN(account.DefaultID, "ecs", testRegion, "cluster/shop-dev"), *task.ClusterArn)
	require.Equal(t, []string{"abc", "sha256:1", "RUNNING"}, []string{*task.Containers[0].RuntimeId,
		*task.Containers[0].ImageDigest,
		*task.Containers[0].LastStatus})
	require.Equal(t, []ecstypes.Tag{{Key: aws.String("Run"), Value: aws.String("1")},
		{Key: aws.String("Stage"), Value: aws.String("dev")},
		{Key: aws.String("aws:ecs:clusterName"), Value: aws.String("shop-dev")}}, task.Tags)
	require.Equal(t, []string{arn}, list(ecs.ListTasksInput{Family: aws.String("web")}))
	require.Equal(t, []string{arn}, list(ecs.ListTasksInput{StartedBy: aws.String("slipway/migrate")}))
	require.Empty(t, list(ecs.ListTasksInput{ServiceName: aws.String("web")}))
	require.Empty(t, list(ecs.ListTasksInput{DesiredStatus: ecstypes.DesiredStatusStopped}))
	_, err = client.ListTasks(t.Context(), &ecs.ListTasksInput{Cluster: aws.String("shop-dev"), Family: aws.String("web"),
		StartedBy: aws.String("slipway/migrate")})
	require.ErrorContains(t, err, "startedBy must be the only filter")
	_, err = client.DescribeTasks(t.Context(), &ecs.DescribeTasksInput{Cluster: aws.String("shop-dev"),
		Tasks: slices.Repeat([]string{arn}, 101)})
	require.ErrorContains(t, err, "more than 100")
	clusters, err := client.DescribeClusters(t.Context(), &ecs.DescribeClustersInput{Clusters: []string{"shop-dev"}})
	require.NoError(t, err)
	require.EqualValues(t, 1, clusters.Clusters[0].RunningTasksCount)

	stopped, err := client.StopTask(t.Context(), &ecs.StopTaskInput{Cluster: aws.String("shop-dev"), Task: &arn,
		Reason: aws.String("enough")})
	require.NoError(t, err)
	require.Equal(t, "STOPPED", *stopped.Task.DesiredStatus)
	report("STOPPED", aws.Int(143))
	task = describe(arn[len(arn)-32:])
	require.Equal(t, []string{"STOPPED", "enough"}, []string{*task.LastStatus, *task.StoppedReason})
	require.Equal(t, ecstypes.TaskStopCodeUserInitiated, task.StopCode)
	require.EqualValues(t, 143, *task.Containers[0].ExitCode)
}

func TestRunTaskNamesWhatTheSandboxDoesNotKnow(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*ecs.RunTaskInput){
		"The sandbox has no parameter referenceId of RunTask.": func(in *ecs.RunTaskInput) { in.ReferenceId = aws.String("1") },
		"The sandbox has no parameter overrides.containerOverrides.environmentFiles of RunTask.": func(in *ecs.RunTaskInput) {
			in.Overrides.ContainerOverrides[0].EnvironmentFiles = []ecstypes.EnvironmentFile{{Type: "s3",
				Value: aws.String("x")}}
		},
		"The sandbox has no parameter overrides.ephemeralStorage of RunTask.": func(in *ecs.RunTaskInput) {
			in.Overrides.EphemeralStorage = &ecstypes.EphemeralStorage{SizeInGiB: 30}
		},
		"No Container Instances were found in your cluster.": func(in *ecs.RunTaskInput) { in.LaunchType = "" },
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			s.serve("nginx", 0)
			input := runTaskInput()
			change(input)
			_, err := ecs.NewFromConfig(s.config).RunTask(t.Context(), input)
			require.ErrorContains(t, err, want)
		})
	}
}

func TestVolumesAsTheSDKSeesThem(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	client := ecs.NewFromConfig(s.config)
	register := func(volume ecstypes.Volume) (*ecs.RegisterTaskDefinitionOutput, error) {
		return client.RegisterTaskDefinition(t.Context(), &ecs.RegisterTaskDefinitionInput{Family: aws.String("job"),
			Cpu:    aws.String("256"),
			Memory: aws.String("512"), NetworkMode: ecstypes.NetworkModeAwsvpc,
			RequiresCompatibilities: []ecstypes.Compatibility{ecstypes.CompatibilityFargate},
			Volumes:                 []ecstypes.Volume{volume},
			ContainerDefinitions: []ecstypes.ContainerDefinition{{Name: aws.String("job"), Image: aws.String("nginx"),
				MountPoints: []ecstypes.MountPoint{{SourceVolume: aws.String("data"), ContainerPath: aws.String("/data")}}}}})
	}
	_, err := register(ecstypes.Volume{Name: aws.String("data")})
	require.NoError(t, err)
	described, err := client.DescribeTaskDefinition(t.Context(),
		&ecs.DescribeTaskDefinitionInput{TaskDefinition: aws.String("job")})
	require.NoError(t, err)
	require.Equal(t, []ecstypes.Volume{{Name: aws.String("data"), Host: &ecstypes.HostVolumeProperties{}}},
		described.TaskDefinition.Volumes)
	efs := &ecstypes.EFSVolumeConfiguration{FileSystemId: aws.String("fs-01234567"), RootDirectory: aws.String("/"),
		TransitEncryption: ecstypes.EFSTransitEncryptionEnabled,
		AuthorizationConfig: &ecstypes.EFSAuthorizationConfig{AccessPointId: aws.String("fsap-01234567"),
			Iam: ecstypes.EFSAuthorizationConfigIAMEnabled}}
	registered, err := register(ecstypes.Volume{Name: aws.String("data"), EfsVolumeConfiguration: efs})
	require.NoError(t, err)
	require.Equal(t, []ecstypes.Volume{{Name: aws.String("data"), EfsVolumeConfiguration: efs}},
		registered.TaskDefinition.Volumes)
	for _, test := range []struct {
		says   string
		change func(*ecstypes.EFSVolumeConfiguration)
	}{
		{"Invalid file system id 'fs-1'", func(c *ecstypes.EFSVolumeConfiguration) { c.FileSystemId = aws.String("fs-1") }},
		{"the root directory must be omitted", func(c *ecstypes.EFSVolumeConfiguration) {
			c.RootDirectory = aws.String("/a")
		}},
		{"transit encryption must be enabled", func(c *ecstypes.EFSVolumeConfiguration) { c.TransitEncryption = "" }},
		{"Invalid access point id 'fs-1'", func(c *ecstypes.EFSVolumeConfiguration) {
			c.AuthorizationConfig = &ecstypes.EFSAuthorizationConfig{AccessPointId: aws.String("fs-1")}
		}},
	} {
		changed := *efs
		test.change(&changed)
		_, err = register(ecstypes.Volume{Name: aws.String("data"), EfsVolumeConfiguration: &changed})
		require.ErrorContains(t, err, test.says)
	}
	_, err = register(ecstypes.Volume{Name: aws.String("data"),
		DockerVolumeConfiguration: &ecstypes.DockerVolumeConfiguration{Driver: aws.String("local")}})
	require.ErrorContains(t, err,
		"The sandbox has no parameter volumes.dockerVolumeConfiguration of RegisterTaskDefinition.")
	_, err = register(ecstypes.Volume{Name: aws.String("data"),
		Host: &ecstypes.HostVolumeProperties{SourcePath: aws.String("/")}})
	require.ErrorContains(t, err, "The sandbox has no parameter volumes.host.sourcePath of RegisterTaskDefinition.")
}
