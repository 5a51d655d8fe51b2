package ecs

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// The cluster query language
// (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/cluster-query-language.html), as far as attributes of
// instances go.

var queryTokens = regexp.MustCompile(`\s*(==|!=|=~|!~|\(|\)|\[|\]|,|&&|\|\||!|'[^']*'|"[^"]*"|[^\s()\[\],!=~&|]+)`)

type query struct {
	tokens []string
	of     *ContainerInstance
}

// evaluate tells whether an instance is one of those that an expression has.
func evaluate(expression string, c *ContainerInstance) (bool, error) {
	q := &query{of: c}
	rest := strings.TrimSpace(expression)
	for rest != "" {
		found := queryTokens.FindStringSubmatchIndex(rest)
		if found == nil || found[0] != 0 {
			return false, fmt.Errorf("%q is not understood", rest)
		}
		q.tokens = append(q.tokens, rest[found[2]:found[3]])
		rest = strings.TrimSpace(rest[found[1]:])
	}
	if len(q.tokens) == 0 {
		return false, errors.New("it is empty")
	}
	holds, err := q.either()
	if err == nil && len(q.tokens) > 0 {
		err = fmt.Errorf("%q is not expected", q.tokens[0])
	}
	return holds, err
}

func (q *query) take() (token string) {
	if len(q.tokens) > 0 {
		token, q.tokens = q.tokens[0], q.tokens[1:]
	}
	return token
}

func (q *query) accept(tokens ...string) bool {
	if len(q.tokens) > 0 && slices.Contains(tokens, strings.ToLower(q.tokens[0])) {
		q.take()
		return true
	}
	return false
}

func (q *query) either() (bool, error) {
	holds, err := q.both()
	for err == nil && q.accept("or", "||") {
		var other bool
		other, err = q.both()
		holds = holds || other
	}
	return holds, err
}

func (q *query) both() (bool, error) {
	holds, err := q.one()
	for err == nil && q.accept("and", "&&") {
		var other bool
		other, err = q.one()
		holds = holds && other
	}
	return holds, err
}

func (q *query) one() (bool, error) {
	switch {
	case q.accept("not", "!"):
		holds, err := q.one()
		return !holds, err
	case q.accept("("):
		holds, err := q.either()
		if err == nil && !q.accept(")") {
			err = errors.New("a ) is missing")
		}
		return holds, err
	}
	subject := q.take()
	if !strings.HasPrefix(subject, "attribute:") && subject != "ec2InstanceId" {
		return false, fmt.Errorf("the sandbox knows attribute:NAME and ec2InstanceId, and not %q", subject)
	}
	value := valueOf(q.of, subject)
	switch operator := strings.ToLower(q.take()); operator {
	case "==", "equals":
		other, err := q.value()
		return value == other, err
	case "!=", "not_equals":
		other, err := q.value()
		return value != other, err
	case "=~", "matches", "!~":
		pattern, err := q.value()
		if err != nil {
			return false, err
		}
		compiled, err := regexp.Compile("^(?:" + pattern + ")$")
		if err != nil {
			return false, err
		}
		return compiled.MatchString(value) == (operator != "!~"), nil
	case "in", "not_in":
		list, err := q.list()
		return slices.Contains(list, value) == (operator == "in"), err
	case "exists":
		return value != "", nil
	case "not_exists":
		return value == "", nil
	case "!":
		if q.accept("exists") {
			return value == "", nil
		}
		return false, errors.New("! is not expected")
	default:
		return false, fmt.Errorf("%q is no operator", operator)
	}
}

func (q *query) value() (string, error) {
	token := q.take()
	if token == "" || strings.ContainsAny(token[:1], "()[],=") {
		return "", errors.New("a value is missing")
	}
	return strings.Trim(token, `'"`), nil
}

func (q *query) list() (values []string, err error) {
	if !q.accept("[") {
		return nil, errors.New("a [ is missing")
	}
	for {
		value, err := q.value()
		if err != nil {
			return nil, err
		}
		values = append(values, value)
		if q.accept("]") {
			return values, nil
		}
		if !q.accept(",") {
			return nil, errors.New("a ] is missing")
		}
	}
}
