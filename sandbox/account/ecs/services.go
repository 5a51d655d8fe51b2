package ecs

import (
	"cmp"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"slipway/internal/awslimits"
	"slipway/sandbox/account"
	"slipway/sandbox/account/iam"
	"slipway/sandbox/account/vpc"
)

const (
	statusActive   = "ACTIVE"
	statusDraining = "DRAINING"
	statusInactive = "INACTIVE"
	statusPrimary  = "PRIMARY"

	serviceKind = "service"
)

// ServiceSettings is what the owner of a service decides, beside its task definition.
type ServiceSettings struct {
	DesiredCount          int      `json:"desiredCount"`
	MinimumHealthyPercent int      `json:"minimumHealthyPercent"`
	MaximumPercent        int      `json:"maximumPercent"`
	CircuitBreaker        bool     `json:"circuitBreaker"`
	Rollback              bool     `json:"rollback"` // whether the circuit breaker rolls back
	Subnets               []string `json:"subnets"`
	SecurityGroups        []string `json:"securityGroups"`
	AssignPublicIP        bool     `json:"assignPublicIp"`
	Alarms                Alarms   `json:"alarms"`

	LoadBalancers          []ServiceLoadBalancer `json:"loadBalancers"`
	HealthCheckGracePeriod int                   `json:"healthCheckGracePeriodSeconds"`
	// LaunchType is what CreateService was given: FARGATE, EC2 or "". Capacity says what the tasks run on, where that
	// is not the launch type.
	LaunchType string          `json:"launchType"`
	Capacity   []CapacityShare `json:"capacityProviderStrategy"`
	Connection *Connection     `json:"serviceConnectConfiguration"`
	// Scheduling is DAEMON, or "" for replicas.
	Scheduling  string                `json:"schedulingStrategy,omitempty"`
	Constraints []PlacementConstraint `json:"placementConstraints,omitempty"`
	// Other holds the properties that change nothing about a rollout (tags …), by any names.
	Other account.Object `json:"other"`
}

// Service is an ECS service, its deployments, its tasks (stopped ones for an hour) and its events.
type Service struct {
	ARN            string          `json:"arn"`
	ClusterARN     string          `json:"clusterArn"`
	Name           string          `json:"name"`
	Status         string          `json:"status"` // ACTIVE, DRAINING or INACTIVE
	TaskDefinition string          `json:"taskDefinition"`
	Settings       ServiceSettings `json:"settings"`
	Deployments    []*Deployment   `json:"deployments"` // newest first
	Tasks          []*Task         `json:"tasks"`       // oldest first
	Events         []Event         `json:"events"`      // newest first, at most 100
	CreatedAt      time.Time       `json:"createdAt"`
	AdvancedTo     time.Time       `json:"advancedTo"` // up to when the rollout has been worked out
	// NamedAt is since when it has the names of Service Connect that it has.
	NamedAt time.Time `json:"namedAt"`
	// LastCompleted is the deployment that a rollback returns to; nil before one has completed.
	LastCompleted *Deployment `json:"lastCompleted"`
	// ScaledOut and ScaledIn are when a scaling policy last raised and lowered the desired count.
	ScaledOut time.Time `json:"scaledOut"`
	ScaledIn  time.Time `json:"scaledIn"`
}

// Event is one line of a service's events.
type Event struct {
	ID        string    `json:"id"`
	CreatedAt time.Time `json:"createdAt"`
	Message   string    `json:"message"`
}

// daemon tells whether the service has one task on each instance.
func (s ServiceSettings) daemon() bool { return s.Scheduling == daemonStrategy }

const daemonStrategy = "DAEMON"

func (s *Service) cluster() string { return account.AfterSlash(s.ClusterARN) }

func (s *Service) id() string { return s.cluster() + "/" + s.Name }

func checkSettings(t *account.Tx, settings ServiceSettings) error {
	switch {
	case len(settings.Alarms.Names) > awslimits.DeploymentAlarms:
		return account.Refuse("InvalidParameterException", "The number of alarm names cannot exceed %d.",
			awslimits.DeploymentAlarms)
	case len(settings.Subnets) > awslimits.ServiceSubnets:
		return account.Refuse("InvalidParameterException", "subnets can have at most %d items.", awslimits.ServiceSubnets)
	}
	if err := account.CheckTags(settings.Other); err != nil {
		return err
	}
	if err := checkNetwork(t, settings.network()); err != nil {
		return err
	}
	return checkPercents(settings)
}

// checkNetwork refuses a network that is not there.
func checkNetwork(t *account.Tx, network Network) error {
	vpcs := map[string]bool{}
	for _, id := range network.Subnets {
		found := vpc.FindSubnet(t, id)
		if found == nil {
			return account.Refuse("InvalidParameterException",
				"Error retrieving subnet information for [%s]: The subnet ID '%s' "+
					"does not exist (ErrorCode: InvalidSubnetID.NotFound)", id, id)
		}
		vpcs[found.VPC] = true
	}
	for _, id := range network.SecurityGroups {
		if !vpc.HasSecurityGroup(t, id) {
			return account.Refuse("InvalidParameterException",
				"Error retrieving security group information for [%s]: The security "+
					"group '%s' does not exist (ErrorCode: InvalidGroup.NotFound)", id, id)
		}
		vpcs[vpc.OfSecurityGroup(t, id)] = true
	}
	if len(vpcs) > 1 {
		return account.Refuse("InvalidParameterException", "Subnets and security groups must be in the same VPC.")
	}
	return nil
}

// CreateService starts a service. One of this name that exists with the very same parameters is returned as it is.
func CreateService(a *account.Account, cluster, name, taskDefinition string, settings ServiceSettings) (*Service,
	error) {
	return withService(a, func(t *account.Tx) (*Service, error) {
		clusterARN, err := clusterARN(t, cluster)
		if err != nil {
			return nil, err
		}
		if !validName.MatchString(name) {
			return nil, account.Refuse("InvalidParameterException", "Service name contains invalid characters.")
		}
		if err := iam.AssumeECSRole(t); err != nil {
			return nil, err
		}
		d, err := deployable(t, taskDefinition)
		if err != nil {
			return nil, err
		}
		if err := checkCapacity(t, account.AfterSlash(clusterARN), settings); err != nil {
			return nil, err
		}
		if err := checkEngine(d, settings); err != nil {
			return nil, err
		}
		if err := checkSettings(t, settings); err != nil {
			return nil, err
		}
		if err := checkConnection(t, account.AfterSlash(clusterARN)+"/"+name, settings, d); err != nil {
			return nil, err
		}
		if settings.HealthCheckGracePeriod > 0 && len(settings.LoadBalancers) == 0 {
			return nil, errNoLoadBalancer
		}
		if err := checkServiceLoadBalancers(t, settings, d); err != nil {
			return nil, err
		}
		arn := strings.Replace(clusterARN, ":cluster/", ":service/", 1) + "/" + name
		s := &Service{ARN: arn, ClusterARN: clusterARN, Name: name, Status: statusActive, TaskDefinition: d.ARN,
			Settings: settings, CreatedAt: t.Now, AdvancedTo: t.Now, NamedAt: t.Now}
		if old := account.Get[Service](t, serviceKind, s.id()); old != nil {
			advance(t, old)
			switch {
			case old.Status == statusDraining:
				return nil, account.Refuse("InvalidParameterException", "Unable to Start a service that is still Draining.")
			case old.Status == statusActive && old.TaskDefinition == d.ARN && sameJSON(old.Settings, settings):
				return old, nil
			case old.Status == statusActive:
				return nil, account.Refuse("InvalidParameterException", "Creation of service was not idempotent.")
			}
			s.Tasks = old.Tasks
		}
		newDeployment(t, s, d.ARN)
		return s, nil
	})
}

func sameJSON(x, y any) bool {
	one, errOne := json.Marshal(x)
	other, errOther := json.Marshal(y)
	return errOne == nil && errOther == nil && string(one) == string(other)
}

// UpdateService changes a service's settings and, where taskDefinition is given, points it at a revision. A changed
// revision, network or load balancer makes a new deployment, and so does force; anything else does not.
func UpdateService(a *account.Account,
	cluster, service, taskDefinition string, force bool, change func(*ServiceSettings),
) (*Service, error) {
	return withService(a, func(t *account.Tx) (*Service, error) {
		s, err := findService(t, cluster, service)
		if err != nil {
			return nil, err
		}
		if s.Status != statusActive {
			return nil, account.Refuse("ServiceNotActiveException", "Service was not ACTIVE.")
		}
		before := s.Settings
		change(&s.Settings)
		if err := checkSettings(t, s.Settings); err != nil {
			return nil, err
		}
		if err := errors.Join(checkCapacity(t, s.cluster(), s.Settings), checkMove(before, s.Settings, force)); err != nil {
			return nil, err
		}
		d, err := findTaskDefinition(t, cmp.Or(taskDefinition, s.TaskDefinition))
		if err != nil {
			return nil, err
		}
		target := d.ARN
		if target != s.TaskDefinition && d.Status != statusActive {
			return nil, account.Refuse("ClientException", "TaskDefinition is inactive")
		}
		if err := checkEngine(d, s.Settings); err != nil {
			return nil, err
		}
		if err := checkConnection(t, s.id(), s.Settings, d); err != nil {
			return nil, err
		}
		reconnected := !sameJSON(before.Connection, s.Settings.Connection)
		if reconnected {
			s.NamedAt = t.Now
		}
		rebalanced := !slices.Equal(before.LoadBalancers, s.Settings.LoadBalancers)
		// Also 0, which a provider sends where a program takes both away.
		if len(s.Settings.LoadBalancers) == 0 && before.HealthCheckGracePeriod != s.Settings.HealthCheckGracePeriod {
			return nil, errNoLoadBalancer
		}
		if rebalanced || target != s.TaskDefinition || before.HealthCheckGracePeriod != s.Settings.HealthCheckGracePeriod {
			if err := checkServiceLoadBalancers(t, s.Settings, d); err != nil {
				return nil, err
			}
		}
		if force || rebalanced || reconnected || target != s.TaskDefinition ||
			!slices.Equal(before.Subnets, s.Settings.Subnets) ||
			!slices.Equal(before.SecurityGroups, s.Settings.SecurityGroups) ||
			before.AssignPublicIP != s.Settings.AssignPublicIP {
			newDeployment(t, s, target)
		}
		s.Deployments[0].DesiredCount = s.Settings.DesiredCount
		return s, nil
	})
}

// DeleteService stops a service: it is DRAINING until its tasks are gone, then INACTIVE. One that is gone is no error.
func DeleteService(a *account.Account, cluster, service string) error {
	_, err := withService(a, func(t *account.Tx) (*Service, error) {
		s, err := findService(t, cluster, service)
		if err != nil || s.Status != statusActive {
			return s, err
		}
		s.Status, s.Settings.DesiredCount = statusDraining, 0
		return s, nil
	})
	if account.IsCode(err, "ServiceNotFoundException") || account.IsCode(err, "ClusterNotFoundException") {
		return nil
	}
	return err
}

// FindService finds a service by name or ARN, its rollout worked out up to now.
func FindService(a *account.Account, cluster, service string) (*Service, error) {
	return withService(a, func(t *account.Tx) (*Service, error) { return findService(t, cluster, service) })
}

// AllServices lists the services of a cluster, or of every cluster where it is "", INACTIVE ones included.
func AllServices(a *account.Account, cluster string) (found []*Service, err error) {
	err = a.Transact(func(t *account.Tx) error {
		if cluster != "" {
			if cluster, err = clusterARN(t, cluster); err != nil {
				return err
			}
		}
		for _, s := range account.List[Service](t, serviceKind) {
			if cluster == "" || s.ClusterARN == cluster {
				advance(t, s)
				found = append(found, s)
			}
		}
		return nil
	})
	return found, err
}

// withService keeps what do has changed about a service.
func withService(a *account.Account, do func(*account.Tx) (*Service, error)) (s *Service, err error) {
	err = a.Transact(func(t *account.Tx) error {
		if s, err = do(t); err != nil {
			return err
		}
		account.Put(t, serviceKind, s.id(), s)
		return nil
	})
	return s, err
}

// findService finds a service, up to date.
func findService(t *account.Tx, cluster, service string) (*Service, error) {
	// An ARN of the long form names the cluster too: …:service/CLUSTER/NAME.
	if parts := strings.Split(service, "/"); len(parts) == 3 && cluster == "" {
		cluster = parts[1]
	}
	clusterARN, err := clusterARN(t, cluster)
	if err != nil {
		return nil, err
	}
	s := account.Get[Service](t, serviceKind, account.AfterSlash(clusterARN)+"/"+account.AfterSlash(service))
	if s == nil || (strings.HasPrefix(service, "arn:") && s.ARN != service) {
		return nil, account.Refuse("ServiceNotFoundException", "Service not found.")
	}
	advance(t, s)
	return s, nil
}
