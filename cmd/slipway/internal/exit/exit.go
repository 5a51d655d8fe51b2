// Package exit has the errors that decide how a command ends: with 1 for what it found, with 2 where it could not tell.
package exit

import (
	"errors"
	"fmt"
)

// Finding ends a command that could tell, and found something that is not as it should be: exit status 1. Any other
// error means that it could not tell: exit status 2.
type Finding struct{ error }

// Difference is a finding of which the output has said everything.
var Difference = Finding{errors.New("")}

// Code ends a command with the exit status of what it ran.
type Code struct {
	error
	Status int
}

// Found ends a command with what it found.
func Found(err error) error { return Finding{err} }

// WithStatus ends a command with an exit status of its own.
func WithStatus(status int, err error) error { return Code{err, status} }

// Refuse ends a command with a finding in a sentence.
func Refuse(format string, args ...any) error { return Finding{fmt.Errorf(format, args...)} }

// Status is the exit status of a command that ends with an error, or nil.
func Status(err error) int {
	var other Code
	switch {
	case err == nil:
		return 0
	case errors.As(err, &other):
		return other.Status
	case errors.As(err, &Finding{}):
		return 1
	}
	return 2
}
