package awslimits

import (
	"regexp"
	"sync"
)

// lazyPattern is what a name or a text has to look like. It is compiled when it is first used: to compile them all,
// with their counted repetitions, would be a twentieth of the time in which a command starts.
type lazyPattern struct{ compiled func() *regexp.Regexp }

func pattern(text string) lazyPattern {
	return lazyPattern{sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(text) })}
}

// MatchString tells whether all of a text is as the pattern says.
func (p lazyPattern) MatchString(text string) bool { return p.compiled().MatchString(text) }
