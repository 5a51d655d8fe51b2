package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// image is what ECS says about the container's image.
type image struct {
	// Reference is repository:tag or repository@sha256:…, as the task definition names it; "unknown" outside of ECS.
	Reference string `json:"reference"`
	// ID is the digest of the image that was pulled.
	ID string `json:"id,omitempty"`
	// Labels are the container's Docker labels, without those that ECS sets itself.
	Labels map[string]string `json:"labels,omitempty"`
}

// ownImage asks the task metadata endpoint (version 4, whose address ECS gives to every container) about the
// container that asks. With no address there is nothing to ask, and the image is unknown.
func ownImage(ctx context.Context, address string) (image, error) {
	unknown := image{Reference: "unknown"}
	if address == "" {
		return unknown, nil
	}
	// The service must start even where the endpoint hangs.
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return unknown, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return unknown, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return unknown, fmt.Errorf("task metadata: %s", response.Status)
	}
	var metadata struct {
		Image   string
		ImageID string
		Labels  map[string]string
	}
	if err := json.NewDecoder(response.Body).Decode(&metadata); err != nil {
		return unknown, fmt.Errorf("task metadata: %w", err)
	}
	if metadata.Image == "" {
		return unknown, fmt.Errorf("task metadata: no image named")
	}
	own := image{Reference: metadata.Image, ID: metadata.ImageID, Labels: map[string]string{}}
	for name, value := range metadata.Labels {
		if !strings.HasPrefix(name, "com.amazonaws.ecs.") {
			own.Labels[name] = value
		}
	}
	return own, nil
}
