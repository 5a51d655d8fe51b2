package api

import (
	"encoding/json"
	"net/url"
	"path"
	"strings"

	"slipway/sandbox/account"
	"slipway/sandbox/account/dns"
	"slipway/sandbox/account/ecs"
	"slipway/sandbox/account/iam"
	"slipway/sandbox/account/secrets"
	"slipway/sandbox/policy"
)

// servicePrefixes are how IAM's actions name the services of the JSON protocol.
var servicePrefixes = map[string]string{"AmazonEC2ContainerRegistry": "ecr", "AmazonEC2ContainerService": "ecs",
	"AmazonSSM": "ssm", "AnyScaleFrontendService": "application-autoscaling", "CertificateManager": "acm", "Logs": "logs",
	"Route53AutoNaming": "servicediscovery", "secretsmanager": "secretsmanager"}

// request is what an action of a request is done to.
type request struct {
	account         *account.Account
	region, service string // as IAM names it
	action          string
	parameters      map[string]any
}

// authorize asks whether the caller may make a request of the JSON protocol.
func authorize(a *account.Account, region, service, action string, body json.RawMessage) error {
	if !a.Guarded() {
		return nil
	}
	r := request{account: a, region: region, service: servicePrefixes[service], action: action}
	if err := json.Unmarshal(body, &r.parameters); err != nil {
		return account.Refuse("SerializationException", "%s", err)
	}
	calls, err := r.calls()
	if err != nil {
		return err
	}
	return a.Authorize(calls...)
}

// authorizeForm is as authorize for the query protocol.
func authorizeForm(a *account.Account, region, service string, form url.Values) error {
	if !a.Guarded() {
		return nil
	}
	r := request{account: a, region: region, service: service, action: form.Get("Action"), parameters: map[string]any{}}
	for key := range form {
		r.parameters[key] = form.Get(key)
	}
	calls, err := r.calls()
	if err != nil {
		return err
	}
	return a.Authorize(calls...)
}

// authorizeREST is as authorize for the protocols that tell by method and path: * for what has no resource.
func authorizeREST(a *account.Account, action, resource string) error {
	return a.Authorize(account.Call{Action: action, Resource: resource})
}

func (r request) text(key string) string {
	text, _ := r.parameters[key].(string)
	return text
}

// texts are the values of a list, or the one that stands alone.
func (r request) texts(key string) (texts []string) {
	switch value := r.parameters[key].(type) {
	case string:
		return []string{value}
	case []any:
		for _, each := range value {
			text, _ := each.(string)
			texts = append(texts, text)
		}
	}
	return texts
}

func (r request) arn(resource string) string {
	return account.ARN(r.account.ID, r.service, r.region, resource)
}

// calls are the action on each thing that the request names, and what AWS asks for besides.
func (r request) calls() (calls []account.Call, err error) {
	resources, context := []string{"*"}, map[string][]string{}
	add := func(action, resource string, context map[string][]string) {
		calls = append(calls, account.Call{Action: action, Resource: resource, Context: context})
	}
	switch r.service {
	case "sts": // needs no permission
		return nil, nil
	case "ecr":
		resources = nil
		for _, name := range append(r.texts("repositoryName"), r.texts("repositoryNames")...) {
			resources = append(resources, r.arn("repository/"+name))
		}
	case "ecs":
		cluster := path.Base(r.text("cluster"))
		if r.text("cluster") != "" {
			context["ecs:cluster"] = []string{r.arn("cluster/" + cluster)}
		}
		resources = r.ecsResources(cluster)
		if r.action == "RunTask" {
			definition, err := ecs.FindTaskDefinition(r.account, r.text("taskDefinition"))
			if err != nil {
				return nil, err
			}
			resources = []string{definition.ARN}
			add("ecs:TagResource", r.arn("task/"+cluster+"/*"), nil) // as the task gets tags
			for _, role := range []string{definition.ExecutionRoleARN, definition.TaskRoleARN} {
				if role != "" {
					add("iam:PassRole", role, map[string][]string{"iam:PassedToService": {"ecs-tasks.amazonaws.com"}})
				}
			}
		}
	case "logs":
		resources = []string{r.arn("log-group:" + r.text("logGroupName") + ":log-stream:" + r.text("logStreamName"))}
	case "ssm":
		resources = nil
		for _, name := range r.texts("Names") {
			if !strings.HasPrefix(name, "arn:") {
				name = r.arn("parameter/" + strings.TrimPrefix(name, "/"))
			}
			resources = append(resources, name)
		}
	case "secretsmanager":
		if id := r.text("SecretId"); id != "" {
			secret, _, err := secrets.DescribeSecret(r.account, id)
			if arn, _ := secret["arn"].(string); err == nil && arn != "" {
				id = arn
			}
			resources = []string{id}
		}
	case "acm":
		if arn := r.text("CertificateArn"); arn != "" {
			found, err := dns.FindCertificate(r.account, arn)
			if err != nil {
				return nil, err
			}
			resources, context = []string{arn}, policy.Tags("aws:ResourceTag", found["tagsAll"])
		}
	case "iam":
		if resources, err = r.iamResources(); err != nil {
			return nil, err
		}
	case "servicediscovery": // lists, and tags, which IAM has no resources for
	case "sqs":
		resources = []string{r.arn(r.text("QueueName"))}
	case "application-autoscaling", "ec2", "elasticloadbalancing":
		if !strings.HasPrefix(r.action, "Describe") {
			return nil, account.Refuse("InvalidAction", "The sandbox does not know what %s of %s is done to.", r.action,
				r.service)
		}
	default:
		return nil, account.Refuse("InvalidAction", "The sandbox does not know the actions of %q.", r.service)
	}
	for _, resource := range resources {
		add(r.service+":"+r.action, resource, context)
	}
	return calls, nil
}

func (r request) ecsResources(cluster string) (resources []string) {
	last := func(kind string, names []string) {
		for _, name := range names {
			resources = append(resources, r.arn(kind+"/"+cluster+"/"+path.Base(name)))
		}
	}
	switch r.action {
	case "DescribeClusters":
		for _, name := range r.texts("clusters") {
			resources = append(resources, r.arn("cluster/"+path.Base(name)))
		}
	case "DescribeServices":
		last("service", r.texts("services"))
	case "UpdateService":
		last("service", r.texts("service"))
	case "DescribeTasks":
		last("task", r.texts("tasks"))
	case "StopTask":
		last("task", r.texts("task"))
	default: // on task definitions, and lists
		return []string{"*"}
	}
	return resources
}

// iamResources are the role or the policy. IAM knows the path only of one that is there.
func (r request) iamResources() ([]string, error) {
	name := r.text("RoleName")
	switch {
	case r.text("PolicyArn") != "":
		return []string{r.text("PolicyArn")}, nil
	case r.text("PolicySourceArn") != "":
		return []string{r.text("PolicySourceArn")}, nil
	case strings.HasPrefix(name, "AWSServiceRoleFor"):
		return []string{account.ARN(r.account.ID, "iam", "", "role/aws-service-role/"+linkedServices[name]+"/"+name)}, nil
	}
	role, err := r.account.Object(iam.Role, name)
	if arn, _ := role["arn"].(string); arn != "" {
		return []string{arn}, err
	}
	return []string{account.ARN(r.account.ID, "iam", "", "role/"+name)}, err
}

// linkedServices are those whose own roles have these names.
var linkedServices = map[string]string{iam.ECSLinkedRole: "ecs.amazonaws.com",
	iam.ELBLinkedRole:     "elasticloadbalancing.amazonaws.com",
	iam.ScalingLinkedRole: "ecs.application-autoscaling.amazonaws.com"}
