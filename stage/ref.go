package stage

import "strings"

// Registry is the host of the ECR registry that holds the image.
func (r Ref) Registry() string {
	host, _, _ := strings.Cut(r.Raw, "/")
	return host
}

// Pinned is the reference by digest alone, as ECS takes it: registry/repository@sha256:digest.
func (r Ref) Pinned() string { return r.Registry() + "/" + r.Repository + "@" + r.Digest }
