package schedule

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/cronexpr"
)

// cronField is what AWS takes in one field: numbers, and names of theirs in either case, with , - * and /.
type cronField struct {
	name        string
	first, last int
	names       []string // of first and those after it
	shift       int      // by which the library's numbers are lower
	allowed     string
}

var (
	minute     = cronField{"MINUTE", 0, 59, nil, 0, "0 to 59, with , - * and /"}
	hour       = cronField{"HOUR", 0, 23, nil, 0, "0 to 23, with , - * and /"}
	dayOfMonth = cronField{"DAY-OF-MONTH", 1, 31, nil, 0, "1 to 31, with , - * / L and W"}
	month      = cronField{"MONTH", 1, 12, strings.Fields("JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC"), 0,
		"1 to 12 or JAN to DEC, with , - * and /"}
	dayOfWeek = cronField{"DAY-OF-WEEK", 1, 7, strings.Fields("SUN MON TUE WED THU FRI SAT"), 1,
		"1 (Sunday) to 7 or SUN to SAT, with , - * / L and #"}
	year = cronField{"YEAR", 1970, 2199, nil, 0, "1970 to 2199, with , - * and /"}
)

const cronForm = `cron(MINUTE HOUR DAY-OF-MONTH MONTH DAY-OF-WEEK YEAR), as in "cron(0 6 ? * MON-FRI *)"`

// parseCron checks the fields of an expression by AWS's rules, and has the library read what they stand for.
func parseCron(fields []string) (*cronexpr.Expression, error) {
	if len(fields) != 6 {
		return nil, errors.New("write six fields: " + cronForm)
	}
	ofMonth, ofWeek := strings.ToUpper(fields[2]), strings.ToUpper(fields[4])
	// The two kinds of days are one decision: AWS wants the other one left open.
	if (ofMonth == "?") == (ofWeek == "?") {
		return nil, errors.New("write ? for the day of the month or for the day of the week, and not for both: " + cronForm)
	}
	var spec []string
	for i, field := range []cronField{minute, hour, dayOfMonth, month, dayOfWeek, year} {
		text := strings.ToUpper(fields[i])
		if text != "?" || i != 2 && i != 4 {
			read, known := field.read(text)
			if !known {
				return nil, fmt.Errorf("its %s takes %s: %s", field.name, field.allowed, cronForm)
			}
			text = read
		}
		spec = append(spec, text)
	}
	if spec[5] == "" { // no year that the library knows
		return nil, nil
	}
	return cronexpr.Parse(strings.Join(spec, " "))
}

// lastYear is the last one that the library knows.
const lastYear = 2099

// read spells a field as the library takes it: each value by its number, and the first day of the week is 0. It drops
// years after lastYear. known is false where AWS does not take the field.
func (f cronField) read(text string) (spec string, known bool) {
	elements := strings.Split(text, ",")
	// "If you use the # character, you can define only one expression in the day-of-week field."
	if len(elements) > 1 && strings.Contains(text, "#") {
		return "", false
	}
	var all []string
	for _, element := range elements {
		if special := f.special(element); special != "" {
			all = append(all, special)
			continue
		}
		values, known := f.element(element)
		if !known {
			return "", false
		}
		for _, value := range values {
			if value <= lastYear {
				all = append(all, strconv.Itoa(value-f.shift))
			}
		}
	}
	return strings.Join(all, ","), true
}

// special spells what only days have: of the month L, its last, LW, the last from Monday to Friday, and 15W, the one
// from Monday to Friday that is nearest to the 15th; of the week L, its last, 6L, the month's last Friday, and 2#1, the
// first Monday. It is empty for anything else.
func (f cronField) special(element string) string {
	day := func(text string) string {
		if value, known := f.value(text); known {
			return strconv.Itoa(value - f.shift)
		}
		return ""
	}
	switch f.name {
	case dayOfMonth.name:
		if number, nearest := strings.CutSuffix(element, "W"); nearest && day(number) != "" || element == "L" ||
			element == "LW" {
			return element
		}
	case dayOfWeek.name:
		if element == "L" {
			return day("SAT")
		}
		if name, isLast := strings.CutSuffix(element, "L"); isLast && day(name) != "" {
			return day(name) + "L"
		}
		name, nth, _ := strings.Cut(element, "#")
		if len(nth) == 1 && nth >= "1" && nth <= "5" && day(name) != "" {
			return day(name) + "#" + nth
		}
	}
	return ""
}

// element reads *, a number or name, a range of these, or one of all that with a step.
func (f cronField) element(text string) (values []int, known bool) {
	span, stepText, stepped := strings.Cut(text, "/")
	from, to, isRange := strings.Cut(span, "-")
	first, last, step := f.first, f.last, 1
	if stepped {
		width, err := strconv.ParseUint(stepText, 10, 16) // which takes no sign
		if err != nil || width == 0 || int(width) > f.last {
			return nil, false
		}
		step = int(width)
	}
	if span != "*" {
		if first, known = f.value(from); !known {
			return nil, false
		}
		switch {
		case isRange:
			if last, known = f.value(to); !known || last < first {
				return nil, false
			}
		case !stepped:
			last = first
		}
	}
	for value := first; value <= last; value += step {
		values = append(values, value)
	}
	return values, true
}

func (f cronField) value(text string) (value int, known bool) {
	if i := slices.Index(f.names, text); i >= 0 {
		return f.first + i, true
	}
	number, err := strconv.ParseUint(text, 10, 16)
	return int(number), err == nil && int(number) >= f.first && int(number) <= f.last
}
