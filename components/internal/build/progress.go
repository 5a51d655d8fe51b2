package build

import (
	"fmt"
	"time"
)

// progress tells how far a long step is, now and then. A nil one tells nothing.
type progress struct {
	every time.Duration
	say   func(message string)

	what  string
	last  time.Time
	files int
	size  int64
}

// step counts one more file of that size, in bytes, that something was done to.
func (p *progress) step(what string, size int64) {
	if p == nil {
		return
	}
	if p.what != what {
		p.what, p.files, p.size, p.last = what, 0, 0, time.Now()
	}
	p.files++
	p.size += size
	if time.Since(p.last) >= p.every {
		p.last = time.Now()
		p.say(fmt.Sprintf("%s %d files, %s, of the build context", what, p.files, megabytes(p.size)))
	}
}
