package stage

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestUsesIsHeldAgainstWhatTheProgramHandsOver(t *testing.T) {
	t.Parallel()
	queue := HandedOver{Variables: []string{"QUEUE_URL"}, Actions: [][]string{{"sqs:SendMessage"}}}
	for name, test := range map[string]struct {
		uses   string // the lines of the service
		handed map[string]HandedOver
		want   string // all that is said
	}{
		"as it should be": {"uses: [queue]", map[string]HandedOver{"queue": queue}, ""},
		"nothing":         {"", nil, ""},
		"not handed over": {"uses: [queu]", map[string]HandedOver{"queue": queue},
			`Pulumi.dev.yaml: the program hands over "queue", which nothing uses; write ` + "`uses: [queue]` in a service, a " +
				"task or a container, or `uses: queue` in network where it is one, or remove it from the program\n" +
				`services.web.uses[0] (Pulumi.dev.yaml): is "queu", which the program does not hand over; it hands over queue: ` +
				`name one of them, or add it to the Handovers of components.Deploy in main.go`},
		"nothing handed over": {"uses: [queue]", nil, `services.web.uses[0] (Pulumi.dev.yaml): is "queue", which the program ` +
			`does not hand over; it hands over nothing: add it to the Handovers of components.Deploy in main.go, or remove it here`},
		"one variable twice": {"uses: [queue, other]",
			map[string]HandedOver{"queue": queue, "other": {Secrets: []string{"QUEUE_URL"}}},
			`services.web.uses[1] (Pulumi.dev.yaml): is "other", which sets QUEUE_URL, and so does "queue"; use one of them, ` +
				`or rename the variable in the program`},
		"a variable of the container": {"uses: [queue], environment: {QUEUE_URL: x}", map[string]HandedOver{"queue": queue},
			`services.web.uses[0] (Pulumi.dev.yaml): is "queue", which sets QUEUE_URL, and so does services.web.environment; ` +
				`remove one of them`},
		"a variable of the stage": {"uses: [queue]", map[string]HandedOver{"queue": {Variables: []string{"STAGE"}}},
			`services.web.uses[0] (Pulumi.dev.yaml): is "queue", which sets STAGE, and so does environment; remove one of them`},
		"a secret of the container": {"uses: [queue], secrets: [TOKEN]",
			map[string]HandedOver{"queue": {Variables: []string{"TOKEN"}}},
			`services.web.uses[0] (Pulumi.dev.yaml): is "queue", which sets TOKEN, and so does services.web.secrets; remove one ` +
				`of them`},
		"a network": {"uses: [net]", map[string]HandedOver{"net": {Network: true}},
			`services.web.uses[0] (Pulumi.dev.yaml): is "net", which hands over a network alone; name it as network.uses`},
		"all mistakes of a hand-over": {"uses: [q]", map[string]HandedOver{"q": {Variables: []string{"A B", "A"},
			Secrets: []string{"A", "ECS_AGENT_URI"}, Actions: [][]string{{}, {"sqs"}}}},
			`the program's hand-over q: "A B" is not a name that a variable can have; use letters, digits and punctuation, ` +
				"without spaces and =\n" +
				`the program's hand-over q: A is in Environment and in Secrets; remove one of them` + "\n" +
				`the program's hand-over q: ECS_AGENT_URI is a variable that Fargate sets itself; use another name` + "\n" +
				`the program's hand-over q: a permission has no Actions; write at least one SERVICE:ACTION, as in s3:GetObject` +
				"\n" + `the program's hand-over q: the action "sqs" is none; write SERVICE:ACTION, as in s3:GetObject`},
		"an empty one, of a wrong name": {"", map[string]HandedOver{"a b": {}},
			`Pulumi.dev.yaml: the program hands over "a b", which nothing uses; write ` + "`uses: [a b]` in a service, a " +
				"task or a container, or `uses: a b` in network where it is one, or remove it from the program\n" +
				"the program's hand-over a b: is empty; give it variables, secrets, permissions or a network, or remove it\n" +
				`the program's hand-over a b: its name has to be 1 to 64 letters, digits, - and _`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			settings, err := loadFiles(t, "dev", "", "config:\n  slipway:environment: {STAGE: dev}\n"+
				"  slipway:secrets: {TOKEN: '"+parameterARN+"'}\n  slipway:images: {web: {ref: '"+pinned+"'}}\n"+
				"  slipway:services: {web: {image: web, "+test.uses+"}}")
			require.NoError(t, err)
			err = settings.CheckHandovers(test.handed)
			if test.want == "" {
				require.NoError(t, err)
				return
			}
			require.EqualError(t, err, test.want)
		})
	}
}
