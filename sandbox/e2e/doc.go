// Package e2e drives the real Pulumi CLI through the sandbox, as a user would, and asserts on what a user would see:
// exit status, output, stack outputs and what is in the account afterwards.
package e2e
