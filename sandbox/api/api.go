// Package api answers the AWS SDKs over HTTP: the few operations that work on a sandbox account beside its Pulumi
// provider. Any other operation is refused by name.
package api

import (
	"cmp"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"slipway/sandbox/account"
	"slipway/sandbox/registry"
)

// object is a JSON object, by the names of the AWS APIs.
type object = map[string]any

// operation answers one request: the account with its registry, the region that the request was signed for, and its
// JSON body.
type operation func(b blobs, a *account.Account, region string, body []byte) (any, error)

// op decodes the body of a request into the parameters that an operation understands.
func op[P any](do func(a *account.Account, region string, p P) (any, error)) operation {
	return stored(func(_ blobs, a *account.Account, region string, p P) (any, error) {
		return do(a, region, p)
	})
}

// stored is op for an operation that needs what the registry stores.
func stored[P any](do func(b blobs, a *account.Account, region string, p P) (any, error)) operation {
	return func(b blobs, a *account.Account, region string, body []byte) (any, error) {
		var parameters P
		if err := json.Unmarshal(body, &parameters); err != nil {
			return nil, &account.Error{Code: "SerializationException", Message: err.Error()}
		}
		return do(b, a, region, parameters)
	}
}

// operations are named as the X-Amz-Target header names them, without the version of the API.
var operations = map[string]operation{
	"AmazonEC2ContainerRegistry.BatchCheckLayerAvailability": stored(blobs.batchCheckLayerAvailability),
	"AmazonEC2ContainerRegistry.BatchDeleteImage":            op(batchDeleteImage),
	"AmazonEC2ContainerRegistry.BatchGetImage":               stored(blobs.batchGetImage),
	"AmazonEC2ContainerRegistry.DescribeImages":              op(describeImages),
	"AmazonEC2ContainerRegistry.DescribeRepositories":        op(describeRepositories),
	"AmazonEC2ContainerRegistry.GetAuthorizationToken":       stored(blobs.getAuthorizationToken),
	"AmazonEC2ContainerRegistry.GetDownloadUrlForLayer":      stored(blobs.getDownloadURLForLayer),
	"AmazonEC2ContainerRegistry.GetRepositoryPolicy":         op(getRepositoryPolicy),
	"AmazonEC2ContainerRegistry.SetRepositoryPolicy":         op(setRepositoryPolicy),
	"AmazonEC2ContainerRegistry.ListImages":                  op(listImages),
	"AmazonEC2ContainerRegistry.PutImage":                    stored(blobs.putImage),
	"AmazonEC2ContainerService.DeregisterTaskDefinition":     op(deregisterTaskDefinition),
	"AmazonEC2ContainerService.DescribeClusters":             op(describeClusters),
	"AmazonEC2ContainerService.DescribeServices":             op(describeServices),
	"AmazonEC2ContainerService.DescribeTaskDefinition":       op(describeTaskDefinition),
	"AmazonEC2ContainerService.DescribeTasks":                op(describeTasks),
	"AmazonEC2ContainerService.ListServices":                 op(listServices),
	"AmazonEC2ContainerService.ListTaskDefinitionFamilies":   op(listTaskDefinitionFamilies),
	"AmazonEC2ContainerService.ListTaskDefinitions":          op(listTaskDefinitions),
	"AmazonEC2ContainerService.ListTasks":                    op(listTasks),
	"AmazonEC2ContainerService.RegisterTaskDefinition":       op(registerTaskDefinition),
	"AmazonEC2ContainerService.RunTask":                      op(runTask),
	"AmazonEC2ContainerService.StopTask":                     op(stopTask),
	"AmazonEC2ContainerService.UpdateService":                op(updateService),
	"AmazonSSM.GetParameters":                                op(getParameters),
	"AnyScaleFrontendService.DescribeScalingPolicies":        op(describeScalingPolicies),
	"AnyScaleFrontendService.DescribeScheduledActions":       op(describeScheduledActions),
	"CertificateManager.DescribeCertificate":                 op(describeCertificate),
	"CertificateManager.ListCertificates":                    op(listCertificates),
	"CertificateManager.ListTagsForCertificate":              op(listTagsForCertificate),
	"Logs.CreateLogStream":                                   op(createLogStream),
	"Logs.FilterLogEvents":                                   op(filterLogEvents),
	"Logs.GetLogEvents":                                      op(getLogEvents),
	"Logs.PutLogEvents":                                      op(putLogEvents),
	"Route53AutoNaming.ListNamespaces":                       op(listNamespaces),
	"Route53AutoNaming.ListTagsForResource":                  op(listNamespaceTags),
	"secretsmanager.DescribeSecret":                          op(describeSecret),
	"secretsmanager.GetSecretValue":                          op(getSecretValue),
	"secretsmanager.ListSecretVersionIds":                    op(listSecretVersionIDs),
	"secretsmanager.ListSecrets":                             op(listSecrets),
}

// New serves the accounts' APIs at one address, whichever of the services a client believes to be there. images is
// where their images are stored.
func New(a *account.Account, images *registry.Registry) http.Handler {
	return identified(a, faulty(func(w http.ResponseWriter, r *http.Request, a *account.Account) {
		held := blobs{images.In(a), r.Host}
		if now, err := a.Now(); err == nil { // what else does not work, the operation says
			w.Header().Set("Date", now.UTC().Format(http.TimeFormat))
		}
		switch {
		case strings.HasPrefix(r.URL.Path, blobPath):
			held.serve(w, r)
		case strings.HasPrefix(r.URL.Path, route53Path):
			answerRoute53(w, r, a)
		case strings.HasPrefix(r.URL.Path, schedulesPath):
			answerScheduler(w, r, a)
		case r.Header.Get("X-Amz-Target") != "":
			answer(w, r, a, held)
		default:
			answerQuery(w, r, a)
		}
	}))
}

// answer speaks the JSON protocol.
func answer(w http.ResponseWriter, r *http.Request, a *account.Account, held blobs) {
	var body json.RawMessage
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		fail(w, &account.Error{Code: "SerializationException", Message: err.Error()})
		return
	}
	versioned, name, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	// AmazonEC2ContainerServiceV20141113, AmazonEC2ContainerRegistry_V20150921, Logs_20140328
	service := apiVersion.ReplaceAllString(versioned, "")
	do, known := operations[service+"."+name]
	if !known {
		fail(w, &account.Error{Code: "UnknownOperationException", Message: "The sandbox has no operation " + name + " of " +
			service + "."})
		return
	}
	if service == "AmazonEC2ContainerRegistry" {
		registry, err := registryOf(a, name, body)
		if err != nil {
			fail(w, err)
			return
		}
		a, held.Registry = registry, held.Registry.In(registry)
	}
	if err := authorize(a, region(r), service, name, body); err != nil {
		fail(w, err)
		return
	}
	response, err := do(held, a, region(r), body)
	if err != nil {
		fail(w, err)
		return
	}
	write(w, http.StatusOK, response)
}

var apiVersion = regexp.MustCompile(`_?[Vv]?20[0-9]{6}$`)

func write(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client has hung up
}

func fail(w http.ResponseWriter, err error) {
	var refusal *account.Error
	if errors.As(err, &refusal) {
		write(w, http.StatusBadRequest, object{"__type": refusal.Code, "message": refusal.Message})
		return
	}
	write(w, http.StatusInternalServerError, object{"__type": "ServerException", "message": err.Error()})
}

// A request is signed for Credential=KEY/DATE/REGION/SERVICE/aws4_request.
const (
	scopeKey     = 0
	scopeRegion  = 2
	scopeService = 3
)

func scope(r *http.Request, part int) string {
	_, credential, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	parts := strings.Split(credential, "/")
	if len(parts) <= part {
		return ""
	}
	return parts[part]
}

// region is the one that a request was signed for.
func region(r *http.Request) string { return cmp.Or(scope(r, scopeRegion), "us-east-1") }

// collect runs describe for each name; a name that is not there becomes a failure in the answer, as ECS has it.
func collect(key string, names []string, arn func(string) string, describe func(string) (object, error)) (any, error) {
	found, failures := []object{}, []object{}
	for _, name := range names {
		one, err := describe(name)
		if err != nil {
			return nil, err
		}
		if one == nil {
			failures = append(failures, object{"arn": arn(name), "reason": "MISSING"})
			continue
		}
		found = append(found, one)
	}
	return object{key: found, "failures": failures}, nil
}

// page is the part of a list that a request asks for: at most the number of its maxResults, or else standard, from
// where its nextToken says. The answer's own nextToken is empty at the end.
func page[T any](all []T, maxResults, standard int, nextToken string) (part []T, next string, err error) {
	from := 0
	if nextToken != "" {
		if from, err = strconv.Atoi(nextToken); err != nil || from < 0 || from > len(all) {
			return nil, "", &account.Error{Code: "InvalidParameterException", Message: "Invalid token"}
		}
	}
	if maxResults == 0 {
		maxResults = standard
	}
	to := min(from+maxResults, len(all))
	if to < len(all) {
		next = strconv.Itoa(to)
	}
	return all[from:to], next, nil
}

// withNext adds a nextToken to an answer that has one.
func withNext(answer object, next string) object {
	if next != "" {
		answer["nextToken"] = next
	}
	return answer
}
