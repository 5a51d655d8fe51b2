package components

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAPolicyIsNotCalledAsOneThatIsStillToBeDeleted(t *testing.T) {
	t.Parallel()
	const one, other = "task-fe9ad060", "task-2e16d468"
	a, b := "task-"+hashOf("a"), "task-"+hashOf("b")
	for name, c := range map[string]struct {
		there []string
		want  string
	}{
		"a new role":                                {nil, a},
		"unchanged":                                 {[]string{a}, a},
		"unchanged since it was changed":            {[]string{a + "-3"}, a + "-3"},
		"changed":                                   {[]string{b}, a + "-1"},
		"changed again":                             {[]string{b + "-1"}, a + "-2"},
		"an update failed":                          {[]string{b, a + "-1"}, a + "-1"},
		"back after an update that failed":          {[]string{a, b + "-1"}, a + "-2"},
		"back, and that failed, too":                {[]string{a, b + "-1", a + "-2"}, a + "-2"},
		"an update of before numbers failed":        {[]string{a, b}, a + "-1"},
		"and then one with numbers":                 {[]string{a, b, a + "-1"}, a + "-1"},
		"a third one, where numbers are the same":   {[]string{one + "-1", other + "-1"}, a + "-2"},
		"of three":                                  {[]string{a + "-2", b + "-2", b + "-1"}, a + "-3"},
		"more than nine":                            {[]string{b + "-9", a + "-10"}, a + "-10"},
		"somebody else's, and those of another use": {[]string{"task-mine", "execution-2e16d468-7", a + "-x"}, a},
	} {
		names := policyNames{"web": c.there}
		require.Equal(t, c.want, names.forText("web", "task", "a"), name)
	}
}
