package ecs

import (
	"slices"

	"slipway/sandbox/account"
	"slipway/sandbox/account/discovery"
	"slipway/sandbox/account/vpc"
)

// Connection is how a service takes part in Service Connect; nil where it says nothing of it.
type Connection struct {
	Enabled   bool             `json:"enabled"`
	Namespace string           `json:"namespace,omitempty"`
	Services  []ConnectService `json:"services,omitempty"`
}

// ConnectService is a name by which a port of the service is called.
type ConnectService struct {
	PortName      string        `json:"portName"`
	DiscoveryName string        `json:"discoveryName"`
	ClientAliases []ClientAlias `json:"clientAliases"`
}

// ClientAlias is what clients write.
type ClientAlias struct {
	Port    int    `json:"port"`
	DNSName string `json:"dnsName"`
}

func init() {
	account.Register(discovery.Namespace, account.Rules{Delete: func(t *account.Tx, _ string, o account.Object,
		_ bool) error {
		for _, s := range account.List[Service](t, serviceKind) {
			if s.Status != statusInactive && s.Settings.connectedIn(t, o.Text("arn")) &&
				len(s.Settings.Connection.Services) > 0 {
				return account.Refuse("ResourceInUse", "Namespace has associated services.")
			}
		}
		return nil
	}})
}

// connectedIn tells whether a service takes part in Service Connect in a namespace.
func (settings ServiceSettings) connectedIn(t *account.Tx, namespace string) bool {
	connection := settings.Connection
	return connection != nil && connection.Enabled && discovery.Find(t, connection.Namespace).Text("arn") == namespace
}

// checkConnection refuses what ECS refuses of Service Connect for the service called name.
func checkConnection(t *account.Tx, service string, settings ServiceSettings, d *TaskDefinition) error {
	invalid := func(format string, args ...any) error {
		return account.Refuse("InvalidParameterException", format, args...)
	}
	connection := settings.Connection
	if connection == nil || !connection.Enabled {
		return nil
	}
	namespace := discovery.Find(t, connection.Namespace)
	if namespace == nil {
		return invalid("The namespace %s was not found.", connection.Namespace)
	}
	for _, own := range connection.Services {
		port := 0.0
		for _, container := range d.Containers {
			for _, mapping := range container.objects("portMappings") {
				if mapping["name"] == own.PortName {
					port, _ = mapping["containerPort"].(float64)
				}
			}
		}
		if port == 0 {
			return invalid("portName(%s) does not refer to any named PortMapping in the specified task definition.", own.PortName)
		}
		for _, alias := range own.ClientAliases {
			if alias.Port != int(port) {
				return invalid("The sandbox has no proxy: a client alias has the container's port, %v, and not %d.", port,
					alias.Port)
			}
		}
		for _, other := range account.List[Service](t, serviceKind) {
			if other.id() == service || other.Status == statusInactive ||
				!other.Settings.connectedIn(t, namespace.Text("arn")) {
				continue
			}
			if slices.ContainsFunc(other.Settings.Connection.Services, own.clashes) {
				return invalid("The discovery name or client alias of %s is already in use in the namespace by another service.",
					own.DiscoveryName)
			}
		}
	}
	return nil
}

func (s ConnectService) clashes(other ConnectService) bool {
	return s.DiscoveryName == other.DiscoveryName || slices.ContainsFunc(s.ClientAliases, func(alias ClientAlias) bool {
		return slices.Contains(other.ClientAliases, alias)
	})
}

// calledNames are the names by which a task of a service calls others of its namespace: those that were there when the
// task's deployment began.
func calledNames(t *account.Tx, taskARN string, names map[string][]string) {
	services := account.List[Service](t, serviceKind)
	at := slices.IndexFunc(services, func(s *Service) bool {
		return slices.ContainsFunc(s.Tasks, func(task *Task) bool { return task.ARN == taskARN })
	})
	if at < 0 || services[at].Settings.Connection == nil || !services[at].Settings.Connection.Enabled {
		return
	}
	caller := services[at]
	namespace := discovery.Find(t, caller.Settings.Connection.Namespace).Text("arn")
	from := securityGroupsOf(t, taskARN)
	began := caller.beganOf(taskARN)
	for _, called := range services {
		if !called.Settings.connectedIn(t, namespace) || called.NamedAt.After(began) {
			continue
		}
		for _, own := range called.Settings.Connection.Services {
			for _, alias := range own.ClientAliases {
				for _, task := range called.Tasks {
					if task.healthy() && task.DesiredStatus == taskRunning &&
						vpc.Connected(t, from, securityGroupsOf(t, task.ARN), alias.Port) {
						names[alias.DNSName] = append(names[alias.DNSName], task.ARN)
					}
				}
			}
		}
	}
}
