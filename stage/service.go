package stage

// Service is a number of replicas of one task definition.
type Service struct {
	TaskDefinition

	// Port is the TCP port that the container listens on, to which `route` and `allowFrom` lead. Further ones, of any
	// container, are in `ports`.
	//
	// Default: none; nothing reaches the service
	// Example: port: 8080
	// Rule: [ECS PortMapping](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_PortMapping.html)
	Port int `json:"port" min:"1" max:"65535"`

	// Replicas is the desired count of tasks. With `scaling` it is only the count that the service starts with.
	//
	// Example: replicas: 2
	// Rule: [ECS quotas](https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html)
	Replicas int `json:"replicas" default:"1" min:"0" max:"5000" unit:"tasks"`

	// Revision pins the service to an earlier revision of its task definition, whatever the rest of the configuration
	// says. Remove it to run the newest again.
	//
	// Default: none; the newest
	// Allowed: a revision that exists and is ACTIVE
	// Example: revision: 12
	// Rule: [Task definition revisions](https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters.html)
	Revision int `json:"revision" min:"1" max:"1000000"`

	// AllowFrom are those that may reach `port` directly, beside the load balancer where the service has a `route`, and
	// the services that `calls` this one.
	//
	// Default: none; nobody
	// Allowed: IPv4 and IPv6 ranges in CIDR notation, beginning with their first address, in lower case and shortest
	// form; ids of prefix lists (`pl-…`); ids of security groups in the stage's VPC (`sg-…`); services of the stage, by
	// their keys; each once; not without `port`
	// Example: allowFrom: ["203.0.113.0/24", sg-0123456789abcdef0, web]
	// Rule: [Security group rules](https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html)
	AllowFrom []string `json:"allowFrom"`

	// Route makes the stage's load balancer send requests to the service.
	//
	// Default: none; the load balancer does not know the service
	// Allowed: only for a service with a `port`; `{}` for every request
	// Example: route: {hosts: [shop.example.com]}
	// Rule: [Listener rules](https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-rules.html)
	Route *Route `json:"route"`

	// Scaling lets the desired count follow the load. It belongs to the scaler then: no deployment resets it.
	//
	// Default: none; `replicas` tasks
	// Example: scaling: {min: 2, max: 10, cpu: 60}
	// Rule: [Service auto scaling](https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-auto-scaling.html)
	Scaling *Scaling `json:"scaling"`

	// Name is what the stage's services that `calls` this one call it by, as in `http://api:8080`, at its `port`: ECS
	// Service Connect runs a proxy in each task of either, which takes some 0.25 vCPU and 64 MiB at most. Not for what is
	// called through the load balancer anyway.
	//
	// Default: none; nobody calls it by name
	// Allowed: 1 to 63 lower case letters, digits and `-`, beginning with a letter, as no other service is called; only
	// for a service with a `port`
	// Example: name: api
	// Rule: [Service Connect](https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-connect.html)
	Name string `json:"name"`

	// AppProtocol is what is spoken at `port`, where the proxy of Service Connect is to understand it: then it counts
	// requests and tries failed ones again, and ends one that takes more than 15 seconds.
	//
	// Default: none; TCP, of any kind
	// Allowed: only with `name`
	// Example: appProtocol: http
	// Rule: [ECS PortMapping](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_PortMapping.html)
	AppProtocol string `json:"appProtocol" enum:"http,http2,grpc"`

	// Calls are the services that the service's containers call by their names. Their ports are open to it, and ECS
	// knows their names before its deployment begins; whether they answer then, it has to find out itself.
	//
	// Default: none
	// Allowed: services with a `name`, by their keys, each once. No circle of services that call each other
	// Example: calls: [api]
	// Rule: [Service Connect](https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-connect.html)
	Calls []string `json:"calls"`

	// Capacity is what the service's tasks run on. A change of it is a deployment of the service, which stays; a service
	// from which it is taken away goes to Fargate's capacity provider. From Fargate to instances and back, the service
	// gets a new revision, too.
	//
	// Default: none; the stage's `capacity`, or else Fargate on demand
	// Example: capacity: {spot: 3, onDemand: 1, base: 1}
	// Rule: [Fargate capacity providers](https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-capacity-providers.html)
	Capacity *Capacity `json:"capacity"`

	// Daemon has one task of the service on each EC2 instance of the stage, or of one group by `capacity`: for what
	// collects logs or metrics there. It follows instances that come and go; a deployment ends a task before its next one
	// starts. Not for what answers requests.
	//
	// Allowed: only with `instances`; without `replicas`, `scaling`, `route`, `name` and `ephemeralStorage`. A service
	// cannot become a daemon, or cease to be one: remove it in an update before
	// Example: daemon: true
	// Rule: [ECS daemons](https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_services.html)
	Daemon bool `json:"daemon" default:"false"`

	// Network is the network of a daemon's tasks: one of the task's own (`awsvpc`), which takes a network interface of the
	// instance; the instance's (`host`), where its containers have the instance's address and can get the permissions of
	// the instance; or one behind the instance's (`bridge`), of which the ports are the instance's. In the last two,
	// `allowFrom` opens ports of the instances.
	//
	// Default: none; `awsvpc`
	// Allowed: only with `daemon`
	// Example: network: host
	// Rule: [ECS network modes](https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-networking.html)
	Network string `json:"network" enum:"awsvpc,host,bridge"`

	// Placement narrows the instances that a daemon has tasks on, by expressions of ECS's cluster query language, all of
	// which hold.
	//
	// Default: none; all instances
	// Allowed: only with `daemon`
	// Example: placement: ["attribute:ecs.availability-zone == ap-northeast-2a"]
	// Rule: [Placement constraints](https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-placement-constraints.html)
	Placement []string `json:"placement"`

	// Deployment is how ECS brings the service from one revision to the next.
	//
	// Example: deployment: {circuitBreaker: stop}
	// Rule: [ECS DeploymentConfiguration](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentConfiguration.html)
	Deployment Deployment `json:"deployment"`

	// Exec lets people open a shell in the service's containers (`aws ecs execute-command`). Its tasks get the four
	// permissions of Session Manager's channels that this needs, and an init process.
	//
	// Allowed: `true`, `false`; not `true` with `readonlyRootFilesystem`
	// Example: exec: true
	// Rule: [ECS Exec](https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-exec.html)
	Exec bool `json:"exec" default:"false"`
}

func (c *checker) checkService(name string, service Service) {
	here := c.at("services", name)
	c.checkTaskDefinition(here, name, service.TaskDefinition)
	if service.Exec && service.ReadonlyRootFilesystem {
		here.at("readonlyRootFilesystem").fail("cannot be combined with exec, whose sessions write to the container's " +
			"files; remove one of them")
	}
	if port := here.at("port"); !port.present && !port.bad && len(service.AllowFrom) > 0 {
		here.at("allowFrom").fail("lets others reach a service that has no port; write port, or remove allowFrom")
	}
	c.checkAllowFrom(here.at("allowFrom"), service.AllowFrom, false)
	c.checkPorts(here, name, service.Port, service.AllContainers(name))
	c.checkRoute(name, service)
	c.checkScaling(name, service)
	c.checkCapacity(here.at("capacity"), service.Capacity)
	c.checkOnInstances(here, service)
	c.checkDaemon(here, service)
	c.checkDeployment(name, service)
}

func hasKey(m map[string]string, key string) bool {
	_, has := m[key]
	return has
}

func orOneOf(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return ", or name one of: " + enumerate(names)
}
