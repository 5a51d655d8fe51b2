// Package version has the version of slipway. It stands in the source, as a copy of slipway in a team's repository has
// no tags of git.
package version

// Number is the version that CHANGELOG.md describes first.
const Number = "0.2.0"
