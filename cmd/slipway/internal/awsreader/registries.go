package awsreader

import (
	"context"

	"slipway/internal/awsclient"
	"slipway/internal/registries"
)

// Registries asks registries of images as the stage's account. credentials are the ARNs of the secrets with names and
// passwords, by host; nil where those are not to be read.
func (c *Client) Registries(credentials map[string]string) *registries.Registries {
	return &registries.Registries{Account: c.Account, Region: c.Region, Credentials: credentials,
		Clients: func(context.Context) (*awsclient.Clients, error) { return c.Clients, nil }}
}
