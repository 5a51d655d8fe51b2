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

	"slipway/internal/awsclient"
)

// candidate is something that AWS has, of a type whose names Pulumi makes up.
type candidate struct {
	id, name string         // id is empty where the inputs say it
	tags     map[string]any // nil for a type that has none
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
	all, err := kinds[token].list(ctx, f, in, logical+"-")
	for _, each := range all {
		if each.id == "" {
			each.id = kinds[token].id(in.withName(each.name))
		}
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

func listScalingPolicies(ctx context.Context, f *finder, in inputs, _ string) ([]candidate, error) {
	return awsclient.All(ctx, applicationautoscaling.NewDescribeScalingPoliciesPaginator(f.Scaling,
		&applicationautoscaling.DescribeScalingPoliciesInput{
			ServiceNamespace: scalingtypes.ServiceNamespace(in.text("serviceNamespace")),
			ResourceId:       aws.String(in.text("resourceId")),
		}), func(page *applicationautoscaling.DescribeScalingPoliciesOutput) (found []candidate) {
		for _, each := range page.ScalingPolicies {
			found = append(found, candidate{name: aws.ToString(each.PolicyName)})
		}
		return found
	})
}

func listScheduledActions(ctx context.Context, f *finder, in inputs, _ string) ([]candidate, error) {
	return awsclient.All(ctx, applicationautoscaling.NewDescribeScheduledActionsPaginator(f.Scaling,
		&applicationautoscaling.DescribeScheduledActionsInput{
			ServiceNamespace: scalingtypes.ServiceNamespace(in.text("serviceNamespace")),
			ResourceId:       aws.String(in.text("resourceId")),
		}), func(page *applicationautoscaling.DescribeScheduledActionsOutput) (found []candidate) {
		for _, each := range page.ScheduledActions {
			found = append(found, candidate{name: aws.ToString(each.ScheduledActionName)})
		}
		return found
	})
}

func findSecurityGroup(ctx context.Context, f *finder, in inputs) (string, error) {
	found, err := f.securityGroups(ctx, in, "group-name", in.text("name"))
	if err != nil || len(found) == 0 {
		return "", err
	}
	return found[0].id, nil
}

// findLaunchTemplate looks for a launch template by its name, which an account has once.
func findLaunchTemplate(ctx context.Context, f *finder, in inputs) (string, error) {
	var answer struct {
		IDs []string `xml:"launchTemplates>item>launchTemplateId"`
	}
	form := url.Values{"Filter.1.Name": {"launch-template-name"}, "Filter.1.Value.1": {in.text("name")}}
	if err := f.Query.Call(ctx, "ec2", "DescribeLaunchTemplates", form, &answer); err != nil || len(answer.IDs) == 0 {
		return "", err
	}
	return answer.IDs[0], nil
}

func listSecurityGroups(ctx context.Context, f *finder, in inputs, _ string) ([]candidate, error) {
	var ofOwner []string
	for _, key := range ownerTags {
		if value, given := in.tags()[key].(string); given {
			ofOwner = append(ofOwner, "tag:"+key, value)
		}
	}
	return f.securityGroups(ctx, in, ofOwner...)
}

// securityGroups are those of the inputs' VPC that pass filters, names and values by turns.
func (f *finder) securityGroups(ctx context.Context, in inputs, filters ...string) (found []candidate, err error) {
	if vpc := in.text("vpcId"); vpc != "" {
		filters = append(filters, "vpc-id", vpc)
	}
	form := url.Values{}
	for i := 0; i < len(filters); i += 2 {
		prefix := "Filter." + strconv.Itoa(i/2+1)
		form.Set(prefix+".Name", filters[i])
		form.Set(prefix+".Value.1", filters[i+1])
	}
	type tag struct {
		Key   *string `xml:"key"`
		Value *string `xml:"value"`
	}
	for {
		var answer struct {
			Groups []struct {
				ID   string `xml:"groupId"`
				Name string `xml:"groupName"`
				Tags []tag  `xml:"tagSet>item"`
			} `xml:"securityGroupInfo>item"`
			Next string `xml:"nextToken"`
		}
		if err := f.Query.Call(ctx, "ec2", "DescribeSecurityGroups", form, &answer); err != nil {
			return nil, err
		}
		for _, each := range answer.Groups {
			tags := tagsOf(each.Tags, func(tag tag) (key, value *string) { return tag.Key, tag.Value })
			found = append(found, candidate{each.ID, each.Name, tags})
		}
		if answer.Next == "" {
			return found, nil
		}
		form.Set("NextToken", answer.Next)
	}
}
