package recovery

import (
	"context"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	scalingtypes "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	secretstypes "github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
)

// candidate is something that AWS has, of a type whose names Pulumi makes up.
type candidate struct {
	id, name string
	tags     map[string]any // nil for a type that has none
}

// listings are the types whose names Pulumi makes up in a stage: what AWS has of each. Names begin with prefix, or are
// all that there are.
var listings = map[string]func(ctx context.Context, f *finder, in inputs, prefix string) ([]candidate, error){
	"aws:appautoscaling/policy:Policy":    listScalingPolicies,
	scheduledAction:                       listScheduledActions,
	"aws:ec2/securityGroup:SecurityGroup": listSecurityGroups,
	"aws:lb/loadBalancer:LoadBalancer":    listNamed("LoadBalancer"),
	"aws:lb/targetGroup:TargetGroup":      listNamed("TargetGroup"),
	"aws:secretsmanager/secret:Secret":    listSecrets,
}

// madeUpEnd is what Pulumi adds to a resource's own name, to make up one in AWS.
var madeUpEnd = regexp.MustCompile(`^-[0-9a-f]{7}$`)

// hasMadeUpName tells whether the program leaves the name to Pulumi.
func (in inputs) hasMadeUpName() bool { return slices.Contains(in.list("__defaults"), "name") }

// slipwayTags tell things of one stage apart, too: those of a service that is called as the stage from the stage's own.
var slipwayTags = append(slices.Clone(ownerTags), "service", "task", "image")

// findMadeUp finds what the program calls logical among what AWS has of a type: by the form of the name, and by the
// tags.
func findMadeUp(ctx context.Context, f *finder, token, logical string, in inputs) (found []candidate, err error) {
	all, err := listings[token](ctx, f, in, logical+"-")
	for _, each := range all {
		end, named := strings.CutPrefix(each.name, logical)
		owned := in.tags() == nil ||
			!slices.ContainsFunc(slipwayTags, func(key string) bool { return in.tags()[key] != each.tags[key] })
		if named && madeUpEnd.MatchString(end) && owned && !f.holds(token, each.id) {
			found = append(found, each)
		}
	}
	return found, err
}

// withName are inputs with the name that AWS has.
func (in inputs) withName(name string) inputs {
	named := inputs(maps.Clone(in))
	named["name"] = name
	return named
}

func listScalingPolicies(ctx context.Context, f *finder, in inputs, _ string) (found []candidate, err error) {
	pages := applicationautoscaling.NewDescribeScalingPoliciesPaginator(f.Scaling,
		&applicationautoscaling.DescribeScalingPoliciesInput{
			ServiceNamespace: scalingtypes.ServiceNamespace(in.text("serviceNamespace")),
			ResourceId:       aws.String(in.text("resourceId")),
		})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, each := range page.ScalingPolicies {
			name := aws.ToString(each.PolicyName)
			found = append(found, candidate{id: derivedIDs["aws:appautoscaling/policy:Policy"](in.withName(name)), name: name})
		}
	}
	return found, nil
}

func listScheduledActions(ctx context.Context, f *finder, in inputs, _ string) (found []candidate, err error) {
	pages := applicationautoscaling.NewDescribeScheduledActionsPaginator(f.Scaling,
		&applicationautoscaling.DescribeScheduledActionsInput{
			ServiceNamespace: scalingtypes.ServiceNamespace(in.text("serviceNamespace")),
			ResourceId:       aws.String(in.text("resourceId")),
		})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, each := range page.ScheduledActions {
			name := aws.ToString(each.ScheduledActionName)
			found = append(found, candidate{id: derivedIDs[scheduledAction](in.withName(name)), name: name})
		}
	}
	return found, nil
}

func listSecrets(ctx context.Context, f *finder, _ inputs, prefix string) (found []candidate, err error) {
	pages := secretsmanager.NewListSecretsPaginator(f.Secrets, &secretsmanager.ListSecretsInput{
		Filters: []secretstypes.Filter{{Key: secretstypes.FilterNameStringTypeName, Values: []string{prefix}}},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, each := range page.SecretList {
			tags := map[string]any{}
			for _, tag := range each.Tags {
				tags[aws.ToString(tag.Key)] = aws.ToString(tag.Value)
			}
			found = append(found, candidate{aws.ToString(each.ARN), aws.ToString(each.Name), tags})
		}
	}
	return found, nil
}

func listSecurityGroups(ctx context.Context, f *finder, in inputs, _ string) (found []candidate, err error) {
	form := url.Values{}
	filter := func(name, value string) {
		prefix := "Filter." + strconv.Itoa(len(form)/2+1)
		form.Set(prefix+".Name", name)
		form.Set(prefix+".Value.1", value)
	}
	if vpc := in.text("vpcId"); vpc != "" {
		filter("vpc-id", vpc)
	}
	for _, key := range ownerTags {
		if value, given := in.tags()[key].(string); given {
			filter("tag:"+key, value)
		}
	}
	for {
		var answer struct {
			Groups []struct {
				ID   string `xml:"groupId"`
				Name string `xml:"groupName"`
				Tags []struct {
					Key   string `xml:"key"`
					Value string `xml:"value"`
				} `xml:"tagSet>item"`
			} `xml:"securityGroupInfo>item"`
			Next string `xml:"nextToken"`
		}
		if err := f.Query.Call(ctx, "ec2", "DescribeSecurityGroups", form, &answer); err != nil {
			return nil, err
		}
		for _, each := range answer.Groups {
			tags := map[string]any{}
			for _, tag := range each.Tags {
				tags[tag.Key] = tag.Value
			}
			found = append(found, candidate{each.ID, each.Name, tags})
		}
		if answer.Next == "" {
			return found, nil
		}
		form.Set("NextToken", answer.Next)
	}
}
