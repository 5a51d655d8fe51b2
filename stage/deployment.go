package stage

import (
	"slices"
	"time"

	"slipway/internal/awslimits"
)

// Deployment is how ECS brings a service from one revision to the next.
type Deployment struct {
	// MinimumHealthy is the share of the desired count that keeps running during a deployment.
	//
	// Allowed: not 100 together with a `maximum` of 100
	// Example: minimumHealthy: 50
	// Rule: [ECS DeploymentConfiguration](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentConfiguration.html)
	MinimumHealthy int `json:"minimumHealthy" default:"100" min:"0" max:"100" unit:"percent"`

	// Maximum is the share of the desired count that may run during a deployment. With 200 all new tasks start at
	// once, which is fastest.
	//
	// Allowed: must leave room for one task more, or for one less by `minimumHealthy`
	// Example: maximum: 150
	// Rule: [ECS DeploymentConfiguration](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentConfiguration.html)
	Maximum int `json:"maximum" default:"200" min:"100" max:"200" unit:"percent"`

	// CircuitBreaker is what ECS does when tasks keep failing (half of the desired count, and at least 3): go back to
	// the revision before (`rollback`), give up and leave things as they are (`stop`), or go on trying (`off`). An
	// update is red in each case; with `off` it takes 20 minutes to be.
	//
	// Example: circuitBreaker: stop
	// Rule: [Deployment circuit breaker](https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html)
	CircuitBreaker string `json:"circuitBreaker" default:"rollback" enum:"rollback,stop,off"`

	// Alarms are CloudWatch alarms that make a deployment go back to the revision before, when one goes off while it
	// is under way. ECS then waits for as long as the alarms look back (one period at least) before it calls a
	// deployment complete.
	//
	// Allowed: names of alarms in the stage's region and account, at most 10 with the one of `maxErrors`, each once
	// Example: alarms: [shop-latency]
	// Rule: [Deployment alarms](https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-alarm-failure.html)
	Alarms []string `json:"alarms"`

	// MaxErrors makes an alarm of the service's own, which goes off, and so makes a deployment go back, when the
	// service's tasks answer with more 5xx codes than that in a minute. Every deployment then takes a minute longer.
	//
	// Default: none; no such alarm
	// Allowed: only for a service with a `route`
	// Example: maxErrors: 10
	// Rule: [Load balancer metrics](https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html)
	MaxErrors int `json:"maxErrors" min:"1" max:"1000000" unit:"errors a minute"`
}

func (c *checker) checkDeployment(name string, service Service) {
	of := c.at("services", name)
	service = service.withDaemonDefaults(of)
	deployment := service.Deployment
	here := of.at("deployment")
	maximum, alarms, errors := here.at("maximum"), here.at("alarms"), here.at("maxErrors")
	doubtful := maximum.bad || here.at("minimumHealthy").bad || of.at("replicas").bad || of.at("scaling", "min").bad
	fewest := service.fewestReplicas()
	// ECS rounds the maximum down and the minimum up.
	stuck := fewest*deployment.Maximum/100 <= fewest && (fewest*deployment.MinimumHealthy+99)/100 >= fewest
	switch {
	case doubtful:
	case deployment.MinimumHealthy == 100 && deployment.Maximum == 100:
		maximum.fail("is 100 with a minimumHealthy of 100, so no task could be replaced; " +
			"raise maximum, or lower minimumHealthy")
	case fewest > 0 && stuck:
		maximum.fail("is %d with a minimumHealthy of %d, which with %d replicas leaves no room to replace a task; "+
			"raise maximum, or lower minimumHealthy", deployment.Maximum, deployment.MinimumHealthy, fewest)
	}
	switch most := awslimits.DeploymentAlarms; {
	case len(deployment.Alarms) > most:
		alarms.fail("has %d alarms; allowed: up to %d", len(deployment.Alarms), most)
	case len(deployment.Alarms) == most && errors.present && !errors.bad:
		alarms.fail("has %[1]d alarms, and maxErrors makes one more; ECS takes %[1]d: remove one, or maxErrors", most)
	}
	for i, alarm := range deployment.Alarms {
		switch {
		case blank(alarm) || len([]rune(alarm)) > awslimits.AlarmName:
			alarms.at(i).fail("is not the name of an alarm; write 1 to 255 characters")
		case slices.Contains(deployment.Alarms[:i], alarm):
			alarms.at(i).fail("duplicates %s; remove it", alarm)
		}
	}
	if errors.present && service.Route == nil && !of.at("route").bad {
		errors.fail("counts the service's 5xx responses at the load balancer, and the service has no route; write " +
			"route, or remove maxErrors")
	}
}

// HasAlarms tells whether any alarm takes a deployment back.
//
// Example: HasAlarms() is true where deployment has maxErrors
func (d Deployment) HasAlarms() bool { return len(d.Alarms) > 0 || d.MaxErrors > 0 }

// ExtraRolloutTime is how long the service's own settings let a rollout take beside what ECS needs: how long tasks may
// be unhealthy at first, be drained and end.
//
// Example: ExtraRolloutTime() is 20s where stopTimeout is 20, and there is no route
func (s Service) ExtraRolloutTime() time.Duration {
	seconds := s.StopTimeout
	if s.Route != nil {
		seconds += s.Route.GracePeriod + s.Route.DeregistrationDelay
	}
	return time.Duration(seconds) * time.Second
}

// fewestReplicas is the desired count that leaves the least room in a deployment: the smallest that has any task.
func (s Service) fewestReplicas() int {
	if s.Scaling == nil {
		return s.Replicas
	}
	return max(s.Scaling.Min, 1)
}
