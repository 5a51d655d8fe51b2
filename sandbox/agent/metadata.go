package agent

import (
	"fmt"
	"hash/fnv"
	"maps"
	"strconv"
	"strings"

	"slipway/internal/awslimits"
)

// metadataAddress is where the program taskhost answers, in the network of the task. On AWS it is 169.254.170.2.
const metadataAddress = "http://127.0.0.1:51679"

// metadataID is what the endpoint calls a container. As on Fargate it begins with the task's id.
func (t *task) metadataID(containerName string) string {
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(containerName)) // never fails
	return fmt.Sprintf("%s-%010d", t.id(), hash.Sum32())
}

// containerMetadata and taskMetadata are the documents of the task metadata endpoint, version 4, as far as they do not
// change: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-metadata-endpoint-v4-fargate-response.html
type containerMetadata struct {
	DockerID      string `json:"DockerId"`
	Name          string
	DockerName    string
	Image         string
	ImageID       string
	Labels        map[string]string
	DesiredStatus string
	KnownStatus   string
	Type          string
	LogDriver     string            `json:",omitempty"`
	LogOptions    map[string]string `json:",omitempty"`
}

type taskMetadata struct {
	Cluster       string
	TaskARN       string
	Family        string
	Revision      string
	DesiredStatus string
	KnownStatus   string
	Limits        map[string]float64
	LaunchType    string
	Containers    []containerMetadata
}

// metadata has every document by its path.
func (t *task) metadata() map[string]any {
	task := taskMetadata{Cluster: t.cluster(), TaskARN: t.arn, Family: t.work.Definition.Family,
		Revision: strconv.Itoa(t.work.Definition.Revision), DesiredStatus: running, KnownStatus: running,
		LaunchType: awslimits.Fargate,
		Limits:     map[string]float64{}}
	for key, value := range map[string]string{"CPU": t.work.Definition.CPU, "Memory": t.work.Definition.Memory} {
		if n, err := strconv.ParseFloat(value, 64); err == nil {
			task.Limits[key] = n
		}
	}
	if _, set := task.Limits["CPU"]; set {
		task.Limits["CPU"] /= 1024
	}
	for _, d := range t.definitions {
		c := containerMetadata{DockerID: t.metadataID(d.Name), Name: d.Name, DockerName: d.Name, Image: d.Image,
			ImageID: t.images[d.Name].digest, Labels: t.ecsLabels(d), DesiredStatus: running, KnownStatus: running,
			Type: "NORMAL"}
		if group, stream := d.log(t.id()); group != "" {
			c.LogDriver = d.LogConfiguration.LogDriver
			c.LogOptions = map[string]string{"awslogs-group": group, "awslogs-region": t.work.Region, "awslogs-stream": stream}
		}
		task.Containers = append(task.Containers, c)
	}
	documents := map[string]any{}
	for _, c := range task.Containers {
		for _, version := range []string{"/v3/", "/v4/"} {
			documents[version+c.DockerID] = c
			documents[version+c.DockerID+"/task"] = task
		}
	}
	return documents
}

// ecsLabels are a container's Docker labels with those that ECS adds.
func (t *task) ecsLabels(d definition) map[string]string {
	labels := maps.Clone(d.DockerLabels)
	if labels == nil {
		labels = map[string]string{}
	}
	labels["com.amazonaws.ecs.cluster"] = t.cluster()
	labels["com.amazonaws.ecs.container-name"] = d.Name
	labels["com.amazonaws.ecs.task-arn"] = t.arn
	labels["com.amazonaws.ecs.task-definition-family"] = t.work.Definition.Family
	labels["com.amazonaws.ecs.task-definition-version"] = strconv.Itoa(t.work.Definition.Revision)
	return labels
}

// cluster is the ARN of the task's cluster.
func (t *task) cluster() string {
	return strings.Replace(t.arn[:strings.LastIndex(t.arn, "/")], ":task/", ":cluster/", 1)
}

// id is the last part of the task's ARN.
func (t *task) id() string { return t.arn[strings.LastIndex(t.arn, "/")+1:] }
