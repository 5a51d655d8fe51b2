package stage

// ClusterSettings is how the stage's ECS cluster is kept.
type ClusterSettings struct {
	// ContainerInsights has CloudWatch gather metrics of the cluster's services and tasks, which costs extra:
	// `enhanced` adds those of each container.
	//
	// Example: containerInsights: enabled
	// Rule: [Container Insights](https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/ContainerInsights.html)
	ContainerInsights string `json:"containerInsights" default:"disabled" enum:"disabled,enabled,enhanced"`
}
