package main

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/stretchr/testify/require"
)

// awsServices are the clients of those services whose commands people are told, by their names in the AWS CLI. Its
// commands and options are the actions of AWS's API and what those are asked with.
var awsServices = map[string]any{"acm": &acm.Client{}, "ecr": &ecr.Client{}, "ecs": &ecs.Client{}, "iam": &iam.Client{},
	"route53": &route53.Client{}, "secretsmanager": &secretsmanager.Client{}, "ssm": &ssm.Client{}}

// otherAWSCommands are those of services that the project has no client of, and of the CLI's own.
var otherAWSCommands = map[string]bool{"autoscaling": true, "configure": true, "ec2": true, "elbv2": true,
	"resourcegroupstaggingapi": true, "s3": true, "sqs": true, "sso": true, "wafv2": true}

// Every `aws …` that people are told to run is an action of AWS's, with options that it has.
func TestTheCommandsOfTheAWSCLIThatPeopleAreToldAreThere(t *testing.T) {
	t.Parallel()
	count := 0
	for _, command := range advised(t, "aws") {
		service, known := awsServices[command.Args[0]]
		require.True(t, known || otherAWSCommands[command.Args[0]], command)
		if !known || command.Args[1] == "wait" {
			continue
		}
		count++
		client := reflect.TypeOf(service)
		action, found := named(command.Args[1], client.NumMethod(), func(i int) string { return client.Method(i).Name })
		require.True(t, found, command)
		input := client.Method(action).Type.In(2).Elem()
		for _, arg := range command.Args[2:] {
			option, isOption := strings.CutPrefix(arg, "--")
			if !isOption || slices.Contains([]string{"output", "profile", "query", "region"}, option) {
				continue // of the CLI itself
			}
			_, found := named(option, input.NumField(), func(i int) string { return input.Field(i).Name })
			require.True(t, found, "%s: there is no --%s", command, option)
		}
	}
	require.Greater(t, count, 20)
}

// named finds the one of count names that the AWS CLI writes so: in small letters, with hyphens.
func named(written string, count int, name func(int) string) (int, bool) {
	for i := range count {
		if strings.EqualFold(strings.ReplaceAll(written, "-", ""), name(i)) {
			return i, true
		}
	}
	return 0, false
}
