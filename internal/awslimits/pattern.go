package awslimits

import "strings"

// Match compares a text with a pattern of IAM, in which * stands for any text and ? for any character.
func Match(pattern, text string) bool {
	// From the last * on, each position may be where the text that it stands for ends.
	star, after, p, t := -1, 0, 0, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, after = p, t
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == text[t]):
			p, t = p+1, t+1
		case star >= 0:
			after++
			p, t = star+1, after
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
