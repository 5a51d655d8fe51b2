package ecs

import (
	"slices"

	"slipway/internal/awslimits"
	"slipway/sandbox/account"
)

// ClusterCapacityProviders is the kind of what the services of a cluster may run on, by the cluster's name.
const ClusterCapacityProviders = "clusterCapacityProviders"

// CapacityShare is one capacity provider of a service's strategy.
type CapacityShare struct {
	CapacityProvider string `json:"capacityProvider"`
	Weight           int    `json:"weight"`
	Base             int    `json:"base"`
}

func init() {
	account.Register(ClusterCapacityProviders, account.Rules{
		Check: func(t *account.Tx, id string, o account.Object) error {
			if _, err := clusterARN(t, id); err != nil {
				return err
			}
			return checkProviders(t, id, o)
		},
		Delete: func(t *account.Tx, id string, _ account.Object, _ bool) error { return keepsUsed(t, id, nil) },
	})
}

var fargateProviders = []string{awslimits.Fargate, awslimits.FargateSpot}

// keepsUsed refuses to take a capacity provider from a cluster of which a service is on it.
func keepsUsed(t *account.Tx, cluster string, kept []string) error {
	for _, s := range account.List[Service](t, serviceKind) {
		if s.cluster() != cluster || s.Status == statusInactive {
			continue
		}
		for _, share := range s.Settings.Capacity {
			if !slices.Contains(kept, share.CapacityProvider) {
				return account.Refuse("ResourceInUseException", "The specified capacity provider is in use and cannot be removed.")
			}
		}
	}
	return nil
}

// checkCapacity refuses a strategy that ECS refuses for a service of a cluster.
func checkCapacity(t *account.Tx, cluster string, settings ServiceSettings) error {
	invalid := func(format string, args ...any) error {
		return account.Refuse("InvalidParameterException", format, args...)
	}
	if len(settings.Capacity) == 0 {
		return nil
	}
	if settings.LaunchType != "" {
		return invalid("Specifying both a launch type and capacity provider strategy is not supported. Remove one and try " +
			"again.")
	}
	var available []string
	if o := account.Get[account.Object](t, ClusterCapacityProviders, cluster); o != nil {
		available = o.List("capacityProviders")
	}
	return checkShares(available, settings.Capacity)
}

// checkShares refuses a strategy that ECS refuses where these capacity providers are available.
func checkShares(available []string, shares []CapacityShare) error {
	invalid := func(format string, args ...any) error {
		return account.Refuse("InvalidParameterException", format, args...)
	}
	based, weight, fargate := 0, 0, 0
	for _, share := range shares {
		if slices.Contains(fargateProviders, share.CapacityProvider) {
			fargate++
		}
		switch {
		case !slices.Contains(available, share.CapacityProvider):
			return invalid("The capacity provider %s specified in the capacity provider strategy is not associated with the "+
				"cluster.", share.CapacityProvider)
		case share.Weight < 0 || share.Weight > 1000:
			return invalid("Weight must be between 0 and 1000.")
		case share.Base < 0 || share.Base > 100000:
			return invalid("Base must be between 0 and 100000.")
		}
		weight += share.Weight
		if share.Base > 0 {
			based++
		}
	}
	switch {
	case fargate > 0 && fargate < len(shares):
		return invalid("A capacity provider strategy cannot contain a mix of capacity providers using Auto Scaling groups " +
			"and AWS Fargate providers. Specify one or the other and try again.")
	case based > 1:
		return invalid("Only one capacity provider in a capacity provider strategy can have a base value defined.")
	case weight == 0:
		return invalid("At least one capacity provider must have a weight greater than 0.")
	}
	return nil
}

// checkMove refuses another strategy without a deployment by which the tasks move.
func checkMove(before, after ServiceSettings, force bool) error {
	if !force && !slices.Equal(before.Capacity, after.Capacity) {
		return account.Refuse("InvalidParameterException", "When switching from launch type to capacity provider strategy "+
			"on an existing service, or making a change to a capacity provider strategy on a service that is already "+
			"using one, you must force a new deployment.")
	}
	return nil
}

// capacityProvider is what the next task of a deployment runs on, as its tasks so far leave it: first the base, and
// then by weight. It is "" where the service has a launch type.
func capacityProvider(capacity []CapacityShare, live []*Task) string {
	count := map[string]int{}
	for _, task := range live {
		count[task.CapacityProvider]++
	}
	next, least := "", 0.0
	for _, share := range capacity {
		if count[share.CapacityProvider] < share.Base {
			return share.CapacityProvider
		}
		if share.Weight == 0 {
			continue
		}
		filled := float64(count[share.CapacityProvider]-share.Base) / float64(share.Weight)
		if next == "" || filled < least {
			next, least = share.CapacityProvider, filled
		}
	}
	return next
}
