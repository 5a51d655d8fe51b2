package ecs

import (
	"regexp"
	"slices"
	"strings"

	"slipway/sandbox/account"
	"slipway/sandbox/account/instances"
)

// CapacityProvider is the kind of capacity providers of Auto Scaling groups, each by its name.
const CapacityProvider = "capacityProvider"

var (
	validProviderName    = regexp.MustCompile(`^[A-Za-z0-9_-]{1,255}$`)
	reservedProviderName = regexp.MustCompile(`(?i)^(aws|ecs|fargate)`)
)

func init() {
	account.Register(CapacityProvider, account.Rules{Check: checkProvider,
		Delete: func(t *account.Tx, id string, _ account.Object, _ bool) error {
			for _, o := range account.List[account.Object](t, ClusterCapacityProviders) {
				if slices.Contains(o.List("capacityProviders"), id) {
					return account.Refuse("ClientException", "The capacity provider cannot be deleted because it is associated "+
						"with cluster: %s. Remove the capacity provider from the cluster and try again.", o.Text("clusterName"))
				}
			}
			return nil
		}})
}

func checkProvider(t *account.Tx, id string, o account.Object) error {
	client := func(format string, args ...any) error { return account.Refuse("ClientException", format, args...) }
	if !validProviderName.MatchString(id) || reservedProviderName.MatchString(id) {
		return client("The specified capacity provider name is invalid. Up to 255 characters are allowed, including letters "+
			"(upper and lowercase), numbers, underscores, and hyphens. The name cannot be prefixed with \"aws\", \"ecs\", or "+
			"\"fargate\". Specify a valid name and try again: %s", id)
	}
	settings := o.Object("autoScalingGroupProvider")
	arn := settings.Text("autoScalingGroupArn")
	group, _ := instances.FindGroup(t, arn)
	if group == nil {
		return client("The specified Auto Scaling group ARN is invalid. Specify a valid Auto Scaling group ARN and try again.")
	}
	for _, other := range account.List[account.Object](t, CapacityProvider) {
		if other.Text("name") != id && other.Object("autoScalingGroupProvider").Text("autoScalingGroupArn") == arn {
			return client("The specified Auto Scaling group ARN is already being used by another capacity provider. Specify a " +
				"unique Auto Scaling group ARN and try again.")
		}
	}
	if settings.Text("managedTerminationProtection") != enabled {
		return nil
	}
	switch {
	case settings.Object("managedScaling").Text("status") != enabled:
		return client("The managed termination protection setting for the capacity provider is invalid. To enable managed " +
			"termination protection for a capacity provider, managed scaling must be enabled.")
	case group["protectFromScaleIn"] != true:
		return client("The managed termination protection setting for the capacity provider is invalid. To enable managed " +
			"termination protection for a capacity provider, the Auto Scaling group must have instance protection from scale " +
			"in enabled.")
	}
	return nil
}

const enabled = "ENABLED"

// provider is a capacity provider with its group.
type provider struct {
	name, group                       string
	scales, protects, drains          bool
	target, smallestStep, largestStep int
}

func providerOf(o account.Object) provider {
	settings := o.Object("autoScalingGroupProvider")
	scaling := settings.Object("managedScaling")
	return provider{name: o.Text("name"), group: account.AfterSlash(settings.Text("autoScalingGroupArn")),
		scales: scaling.Text("status") == enabled, protects: settings.Text("managedTerminationProtection") == enabled,
		drains: settings.Text("managedDraining") != "DISABLED", target: scaling.Number("targetCapacity", 100),
		smallestStep: scaling.Number("minimumScalingStepSize", 1),
		largestStep:  scaling.Number("maximumScalingStepSize", 10000)}
}

// findProvider finds a capacity provider of instances by its name; nil where there is none.
func findProvider(t *account.Tx, name string) *provider {
	o := account.Get[account.Object](t, CapacityProvider, name)
	if o == nil || slices.Contains(fargateProviders, name) {
		return nil
	}
	found := providerOf(*o)
	return &found
}

// FindGroup finds an Auto Scaling group by its name, as it is now; nil where there is none.
func FindGroup(a *account.Account, name string) (o account.Object, state *instances.GroupState, err error) {
	err = a.Transact(func(t *account.Tx) error {
		advanceInstances(t)
		o, state = instances.FindGroup(t, name)
		return nil
	})
	return o, state, err
}

// LiveInstances counts the instances of a group that have not gone, and ReadyInstances those in service.
func LiveInstances(a *account.Account, group string) int {
	return countInstances(a, group, func(*account.Tx, *instances.Instance) bool { return true })
}

// ReadyInstances counts those of a group that are in service.
func ReadyInstances(a *account.Account, group string) int {
	return countInstances(a, group, func(t *account.Tx, i *instances.Instance) bool { return i.Ready(t.Now) })
}

func countInstances(a *account.Account, group string, counts func(*account.Tx, *instances.Instance) bool) (n int) {
	account.Must(a.Transact(func(t *account.Tx) error {
		advanceInstances(t)
		for _, i := range instances.Live(t, group) {
			if counts(t, i) {
				n++
			}
		}
		return nil
	}))
	return n
}

// checkProviders refuses capacity providers that ECS refuses for a cluster.
func checkProviders(t *account.Tx, cluster string, o account.Object) error {
	given := o.List("capacityProviders")
	for _, name := range given {
		if !slices.Contains(fargateProviders, name) && findProvider(t, name) == nil {
			return account.Refuse("InvalidParameterException", "The specified capacity provider '%s' was not found. "+
				"Specify a valid name and try again.", name)
		}
	}
	var shares []CapacityShare
	for _, each := range account.Objects(o["defaultCapacityProviderStrategies"]) {
		share := account.Object(each)
		shares = append(shares, CapacityShare{share.Text("capacityProvider"), share.Number("weight", 0),
			share.Number("base", 0)})
	}
	if len(shares) > 0 {
		if err := checkShares(given, shares); err != nil {
			return err
		}
	}
	return keepsUsed(t, cluster, given)
}

// onInstances tells whether a strategy is one of Auto Scaling groups.
func onInstances(shares []CapacityShare) bool {
	return slices.ContainsFunc(shares, func(share CapacityShare) bool {
		return !slices.Contains(fargateProviders, share.CapacityProvider)
	})
}

// providersOf are the capacity providers of instances that a cluster has.
func providersOf(t *account.Tx, cluster string) (found []provider) {
	o := account.Get[account.Object](t, ClusterCapacityProviders, cluster)
	if o == nil {
		return nil
	}
	for _, name := range o.List("capacityProviders") {
		if one := findProvider(t, name); one != nil {
			found = append(found, *one)
		}
	}
	slices.SortFunc(found, func(x, y provider) int { return strings.Compare(x.name, y.name) })
	return found
}
