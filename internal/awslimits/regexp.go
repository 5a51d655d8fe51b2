package awslimits

import (
	"regexp"
	"sync"
)

// Pattern is what a name or a text has to look like. It is compiled when it is first used: to compile them all, with
// their counted repetitions, would be a twentieth of the time in which a command starts.
type Pattern struct{ compiled func() *regexp.Regexp }

func pattern(text string) Pattern {
	return Pattern{sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(text) })}
}

// MatchString tells whether all of a text is as the pattern says.
func (p Pattern) MatchString(text string) bool { return p.compiled().MatchString(text) }
