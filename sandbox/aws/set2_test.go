package aws

import (
	"encoding/json"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"slipway/sandbox/account/vpc"
)

// Where the sandbox answers otherwise than the recordings: the file and the place in the answers, and why.
var otherwise = map[string]string{
	"acm-certificate detailedDiff.domainValidationOptions": "is AWS's own, and follows from the names",
	"acm-certificate diffs":                                "the same",
	"autoscaling-group properties.enabledMetrics":          "an empty set, of which a preview says nothing",
	"autoscaling-group properties.initialLifecycleHooks":   "the same",
	"autoscaling-group properties.suspendedProcesses":      "the same",
	"autoscaling-group properties.terminationPolicies":     "the same",
	"ec2-launchTemplate properties.securityGroupNames":     "the same",
	"ecs-taskDefinition properties.volumes":                "configureAtLaunch is newer",
	"lb-listener-program properties.defaultActions": "a preview says what a listener keeps and does " +
		"not use",
	"lb-listenerRule-program properties.conditions":                   "sets have another order",
	"lb-loadBalancer-program properties.enableCrossZoneLoadBalancing": "a preview knows more",
	"lb-loadBalancer-program properties.accessLogs.bucket":            "a preview says what is kept and not used",
	"lb-loadBalancer-program properties.accessLogs.prefix":            "a preview says what is kept and not used",
	"scheduler-schedule detailedDiff.target.ecsParameters.tags":       "the provider shows no tags as an empty list of tags",
	"scheduler-schedule properties.target.ecsParameters.tags":         "the same",
	"secretsmanager-secretVersion-program inputs.secretString":        "the recordings have no marks of secrets",
	"secretsmanager-secretVersion-program properties.secretBinary":    "the recordings have no marks of secrets",
	"secretsmanager-secretVersion-program properties.secretString":    "the recordings have no marks of secrets",
	"secretsmanager-secretVersion-program changes":                    "the recording shows one value for both",
	"secretsmanager-secretVersion-program diffs":                      "the recording shows one value for both",
	"secretsmanager-secretVersion-program detailedDiff":               "the recording shows one value for both",
	"secretsmanager-secretVersion-program replaces":                   "the recording shows one value for both",
	"secretsmanager-secretVersion-program stables":                    "the recording shows one value for both",
}

// TestPlansAreThoseOfTheSecondSet asks what does not depend on the account: Check, Diff, and the previews of Create and
// Update.
func TestPlansAreThoseOfTheSecondSet(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/rpc/set2/*.jsonl")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".jsonl")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			module, kind, _ := strings.Cut(strings.TrimSuffix(name, "-program"), "-")
			token := "aws:" + module + "/" + kind + ":" + strings.ToUpper(kind[:1]) + kind[1:]
			s := newTestServer(t, `{"region":"`+testRegion+`"}`)
			var found []string
			for i, call := range recordings(t, "set2/"+name+".jsonl") {
				response := plan(t, s, token, call)
				if response == nil {
					continue
				}
				for _, at := range differences("", comparable(t, call.Response), comparable(t, response)) {
					if otherwise[name+" "+at] == "" {
						t.Errorf("call %d (%s): %s differs", i, call.Method, at)
					}
					found = append(found, name+" "+at)
				}
			}
			var expected []string
			for at := range otherwise {
				if strings.HasPrefix(at, name+" ") {
					expected = append(expected, at)
				}
			}
			slices.Sort(found)
			require.ElementsMatch(t, expected, slices.Compact(found), "what differs no more is to be taken off the list")
		})
	}
}

// plan answers a call that changes nothing in the account; nil for any other.
func plan(t *testing.T, s *server, token string, call recorded) proto.Message {
	t.Helper()
	var mode struct{ Preview bool }
	require.NoError(t, json.Unmarshal(call.Request, &mode))
	var response proto.Message
	var err error
	switch {
	case call.Method == "Check":
		response, err = s.Check(t.Context(), request(t, call.Request, token, logicalName(t, call), &pulumirpc.CheckRequest{}))
	case call.Method == "Diff":
		response, err = s.Diff(t.Context(), request(t, call.Request, token, "web", &pulumirpc.DiffRequest{}))
	case call.Method == "Create" && mode.Preview:
		response, err = s.Create(t.Context(), request(t, call.Request, token, "web", &pulumirpc.CreateRequest{}))
	case call.Method == "Update" && mode.Preview:
		response, err = s.Update(t.Context(), request(t, call.Request, token, "web", &pulumirpc.UpdateRequest{}))
	}
	require.NoError(t, err, call.Method)
	return response
}

// logicalName is that of the resource, from which its name was made: less a hyphen and seven digits.
func logicalName(t *testing.T, call recorded) string {
	t.Helper()
	var response struct{ Inputs struct{ Name any } }
	require.NoError(t, json.Unmarshal(call.Response, &response))
	if name, _ := response.Inputs.Name.(string); len(name) > 8 {
		return name[:len(name)-8]
	}
	return "web"
}

// differences are the places where two answers differ. Lists count as one place.
func differences(at string, one, other any) (found []string) {
	first, isObject := one.(map[string]any)
	second, alsoObject := other.(map[string]any)
	if !isObject || !alsoObject {
		if reflect.DeepEqual(one, other) {
			return nil
		}
		return []string{strings.TrimPrefix(at, ".")}
	}
	for key, value := range first {
		if another, there := second[key]; there {
			found = append(found, differences(at+"."+key, value, another)...)
		} else {
			found = append(found, strings.TrimPrefix(at+"."+key, "."))
		}
	}
	for key := range second {
		if _, there := first[key]; !there {
			found = append(found, strings.TrimPrefix(at+"."+key, "."))
		}
	}
	slices.Sort(found)
	return found
}

// TestWhatIsCreatedIsReportedAsInTheSecondSet creates what stands on nothing else, and reads it.
func TestWhatIsCreatedIsReportedAsInTheSecondSet(t *testing.T) {
	t.Parallel()
	for file, token := range map[string]string{
		"ecs-cluster":            "aws:ecs/cluster:Cluster",
		"iam-role-program":       "aws:iam/role:Role",
		"lb-targetGroup-program": "aws:lb/targetGroup:TargetGroup",
		"ec2-securityGroup":      "aws:ec2/securityGroup:SecurityGroup",
	} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			s := newTestServer(t, `{"region":"`+testRegion+`"}`)
			created := 0
			for i, call := range recordings(t, "set2/"+file+".jsonl") {
				var mode struct{ Preview bool }
				require.NoError(t, json.Unmarshal(call.Request, &mode))
				if call.Method != "Create" || mode.Preview {
					continue
				}
				here := func(body json.RawMessage) json.RawMessage { // the recordings' network is another one
					return json.RawMessage(anyVPC.ReplaceAllString(string(body), vpc.DefaultVPC))
				}
				response, err := s.Create(t.Context(), request(t, here(call.Request), token, "web", &pulumirpc.CreateRequest{}))
				require.NoError(t, err)
				want := comparable(t, here(call.Response))
				require.Equal(t, want, comparable(t, response), "call %d", i)
				made := request(t, here(call.Request), token, "web", &pulumirpc.CreateRequest{})
				read, err := s.Read(t.Context(), &pulumirpc.ReadRequest{Urn: made.GetUrn(), Id: response.GetId(),
					Properties: response.GetProperties(), Inputs: made.GetProperties()})
				require.NoError(t, err)
				got := comparable(t, read).(map[string]any)
				delete(got, "inputs")
				require.Equal(t, want, got, "call %d, read", i)
				created++
			}
			require.NotZero(t, created)
		})
	}
}

var anyVPC = regexp.MustCompile(`vpc-[0-9a-f]{17}`)

func TestAServiceSaysItsPlatformAndRole(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, `{"region":"`+testRegion+`"}`)
	runnable(t, s)
	const token = "aws:ecs/service:Service"
	calls := recordings(t, "ecs-service.jsonl")
	made := slices.IndexFunc(calls, func(call recorded) bool {
		return call.Method == "Create" && !strings.Contains(string(call.Request), `"preview": true`)
	})
	response, err := s.Create(t.Context(), request(t, calls[made].Request, token, "web", &pulumirpc.CreateRequest{}))
	require.NoError(t, err)
	outputs := response.GetProperties().AsMap()
	require.Equal(t, "LATEST", outputs["platformVersion"])
	require.Equal(t, "/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS", outputs["iamRole"])
}
