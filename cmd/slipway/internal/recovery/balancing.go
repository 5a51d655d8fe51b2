package recovery

import (
	"context"
	"encoding/xml"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"slipway/cmd/slipway/internal/awsreader"
)

// balancing lists what Elastic Load Balancing has of a kind (LoadBalancer, TargetGroup, Listener, Rule): the texts that
// it tells of each, by their names in its API
// (https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Operations.html).
func (f *finder) balancing(ctx context.Context, kind string, form url.Values) (found []map[string]string, err error) {
	type text struct {
		XMLName xml.Name
		Value   string `xml:",chardata"`
	}
	for {
		var answer struct {
			Results []struct {
				Parts []struct {
					XMLName xml.Name
					Value   string `xml:",chardata"`
					Members []struct {
						Texts []text `xml:",any"`
					} `xml:"member"`
				} `xml:",any"`
			} `xml:",any"`
		}
		if err := f.Query.Call(ctx, awsreader.ELBv2, "Describe"+kind+"s", form, &answer); err != nil {
			return nil, err
		}
		next := ""
		for _, result := range answer.Results {
			for _, part := range result.Parts {
				if part.XMLName.Local == "NextMarker" {
					next = part.Value
				}
				for _, member := range part.Members {
					one := map[string]string{}
					for _, each := range member.Texts {
						one[each.XMLName.Local] = each.Value
					}
					found = append(found, one)
				}
			}
		}
		if next == "" {
			return found, nil
		}
		form.Set("Marker", next)
	}
}

// balancingARN is the ARN of the first of a kind that is the one; empty where AWS says by one of the codes, or by what
// it has, that there is none.
func (f *finder) balancingARN(ctx context.Context, kind string, form url.Values, is func(map[string]string) bool,
	none ...string) (string, error) {
	all, err := f.balancing(ctx, kind, form)
	var arns []string
	for _, each := range all {
		if is(each) {
			arns = append(arns, each[kind+"Arn"])
		}
	}
	return firstOf(arns, err, none...)
}

// findNamed finds a load balancer or a target group by its name.
func findNamed(kind string) func(ctx context.Context, f *finder, in inputs) (string, error) {
	return func(ctx context.Context, f *finder, in inputs) (string, error) {
		return f.balancingARN(ctx, kind, url.Values{"Names.member.1": {in.text("name")}},
			func(map[string]string) bool { return true }, kind+"NotFound")
	}
}

func findListener(ctx context.Context, f *finder, in inputs) (string, error) {
	return f.balancingARN(ctx, "Listener", url.Values{"LoadBalancerArn": {in.text("loadBalancerArn")}},
		func(listener map[string]string) bool { return listener["Port"] == in.text("port") },
		"LoadBalancerNotFound", "ListenerNotFound")
}

func findListenerRule(ctx context.Context, f *finder, in inputs) (string, error) {
	return f.balancingARN(ctx, "Rule", url.Values{"ListenerArn": {in.text("listenerArn")}},
		func(rule map[string]string) bool { return rule["Priority"] == in.text("priority") }, "ListenerNotFound")
}

// listNamed lists load balancers or target groups whose names begin with prefix, with their tags.
func listNamed(kind string) func(ctx context.Context, f *finder, in inputs, prefix string) ([]candidate, error) {
	return func(ctx context.Context, f *finder, _ inputs, prefix string) (found []candidate, err error) {
		all, err := f.balancing(ctx, kind, url.Values{})
		if err != nil {
			return nil, err
		}
		for _, each := range all {
			if name := each[kind+"Name"]; strings.HasPrefix(name, prefix) {
				found = append(found, candidate{id: each[kind+"Arn"], name: name})
			}
		}
		return found, f.tagBalancing(ctx, found)
	}
}

// taggedPerCall is how many things Elastic Load Balancing tells the tags of at once
// (https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTags.html).
const taggedPerCall = 20

// tagBalancing reads the tags of load balancers or target groups.
func (f *finder) tagBalancing(ctx context.Context, found []candidate) error {
	type tag struct{ Key, Value *string }
	for batch := range slices.Chunk(found, taggedPerCall) {
		form := url.Values{}
		for i, each := range batch {
			form.Set("ResourceArns.member."+strconv.Itoa(i+1), each.id)
		}
		var answer struct {
			Described []struct {
				ARN  string `xml:"ResourceArn"`
				Tags []tag  `xml:"Tags>member"`
			} `xml:"DescribeTagsResult>TagDescriptions>member"`
		}
		if err := f.Query.Call(ctx, awsreader.ELBv2, "DescribeTags", form, &answer); err != nil {
			return err
		}
		for _, described := range answer.Described {
			if at := slices.IndexFunc(batch, func(c candidate) bool { return c.id == described.ARN }); at >= 0 {
				batch[at].tags = tagsOf(described.Tags, func(tag tag) (key, value *string) { return tag.Key, tag.Value })
			}
		}
	}
	return nil
}
