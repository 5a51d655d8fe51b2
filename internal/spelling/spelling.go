// Package spelling finds the name that was meant by one that nothing knows.
package spelling

import (
	"cmp"
	"slices"
	"strings"

	"github.com/agext/levenshtein"
)

// Nearest is the name that is most like another one, "" where none is; of several, the shortest.
func Nearest(name string, known []string) string {
	near := slices.DeleteFunc(slices.Clone(known), func(k string) bool { return !IsNear(name, k) })
	if len(near) == 0 {
		return ""
	}
	return slices.MinFunc(near, func(a, b string) int {
		return cmp.Or(distance(name, a)-distance(name, b), len(a)-len(b))
	})
}

// IsNear tells a slip of the pen: the shorter the names, the less may differ.
func IsNear(a, b string) bool {
	shorter := min(len(Plain(a)), len(Plain(b)))
	return shorter >= 3 && distance(a, b) <= min(1+shorter/6, 3)
}

// distance counts the letters that differ. Two that changed places are one slip.
func distance(a, b string) int {
	a, b = Plain(a), Plain(b)
	differ := levenshtein.Distance(a, b, nil)
	if differ == 2 && sortedLetters(a) == sortedLetters(b) {
		return 1
	}
	return differ
}

func sortedLetters(word string) string {
	letters := []byte(word)
	slices.Sort(letters)
	return string(letters)
}

// Plain is a name without what spellings differ in: desired_count, desired-count and DesiredCount are one.
func Plain(name string) string {
	return strings.ToLower(strings.NewReplacer("-", "", "_", "", " ", "", ".", "").Replace(name))
}
