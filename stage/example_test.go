package stage_test

import (
	"errors"
	"fmt"
	"os"

	"slipway/stage"
)

// shop is what a stage is loaded from: here without files, as a test has it.
func shop(services string) stage.Input {
	return stage.Input{Project: "shop", Stage: "dev", Config: map[string]string{
		"slipway:images":   `{"web": {"build": {"context": "./app"}}}`,
		"slipway:services": services,
	}}
}

func ExampleFromEnvironment() {
	for name, value := range map[string]string{"PULUMI_PROJECT": "shop", "PULUMI_STACK": "dev"} { // as the engine does
		os.Setenv(name, value)
		defer os.Unsetenv(name)
	}
	input, err := stage.FromEnvironment()
	fmt.Println(input.Project, input.Stage, err)
	// Output: shop dev <nil>
}

func ExampleLoad() {
	settings, err := stage.Load(shop(`{"web": {"image": "web", "port": 8080}}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	web := settings.Services["web"]
	fmt.Println(web.Port, web.Replicas, web.CPU)
	// Output: 8080 1 256
}

func ExampleInput() {
	input := shop(`{"web": {"image": "web", "environment": {"DATABASE_HOST": {"output": "HOST"}}}}`)
	input.Config["slipway:outputs"] = `{"HOST": {"stack": "network", "output": "databaseHost"}}`
	input.Outputs = func(stack string) (map[string]stage.OutputValue, error) {
		return map[string]stage.OutputValue{"databaseHost": {Value: "db.example.com"}}, nil
	}
	settings, err := stage.Load(input)
	if err != nil {
		fmt.Println(err)
		return
	}
	web := settings.Services["web"]
	fmt.Println(web.Environment["DATABASE_HOST"], "is", web.Origins["DATABASE_HOST"])
	// Output: db.example.com is output databaseHost of network/dev
}

func ExampleErrors() {
	_, err := stage.Load(shop(`{"web": {"image": "wbe", "port": 99999}}`))
	var mistakes stage.Errors
	if errors.As(err, &mistakes) {
		for _, mistake := range mistakes {
			fmt.Println(mistake.Path)
		}
	}
	// Output:
	// services.web.image
	// services.web.port
}

func ExampleError() {
	fmt.Println(stage.Error{Path: "services.web.port", File: "Pulumi.dev.yaml", Message: "must be a number"})
	// Output: services.web.port (Pulumi.dev.yaml): must be a number
}

// What belongs to a stage in AWS has a name that follows from it, for resources of a team's own that name it.
func ExampleStage() {
	settings, err := stage.Load(shop(`{"web": {"image": "web"}}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(settings.Cluster(), settings.Family("web"), settings.LogGroup("web"), settings.RepositoryName("web"))
	fmt.Println(settings.ExecutionRole("web"), settings.TaskRole("web"), settings.ErrorAlarm("web"))
	fmt.Println(settings.ScheduleName("report"), settings.ScheduleRole("report"))
	fmt.Println(settings.LoadBalancerName(), settings.TargetGroupName("web"))
	fmt.Println(settings.TagsOf("web"), settings.MayMeet("web"), settings.MayMeet("eu-web"))
	// Output:
	// shop-dev shop-dev-web /shop/dev/web shop-dev/web
	// shop-dev-web-execution shop-dev-web-task shop-dev-web-errors
	// shop-dev-report shop-dev-report-schedule
	// shop-dev web
	// map[project:shop service:web stage:dev] false true
}

func ExampleStage_Where() {
	settings := &stage.Stage{Project: "shop", Name: "dev"}
	fmt.Println(settings.Where("services", "web", "port"))
	// Output: services.web.port (Pulumi.dev.yaml)
}

func ExampleStage_CheckIn() {
	settings, err := stage.Load(shop(`{"web": {"image": "web", "permissions": [
		{"actions": ["s3:GetObject"], "resources": ["arn:aws-cn:s3:::uploads/*"]}]}}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(settings.CheckIn("cn-north-1", "123456789012"))
	fmt.Println(settings.CheckIn("eu-west-1", "123456789012") == nil)
	// Output:
	// <nil>
	// false
}

func ExampleStage_CheckHandovers() {
	settings, err := stage.Load(shop(`{"web": {"image": "web", "uses": ["queue"]}}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(settings.CheckHandovers(map[string]stage.HandedOver{"queue": {Variables: []string{"QUEUE_URL"}}}))
	fmt.Println(settings.CheckHandovers(map[string]stage.HandedOver{"queues": {}}) == nil)
	// Output:
	// <nil>
	// false
}
