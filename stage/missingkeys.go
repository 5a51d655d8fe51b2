package stage

import (
	"reflect"
	"slices"
	"strings"

	"slipway/internal/spelling"
)

// missingKey is what other tools call what a stage file cannot have, in lower case and without separators, with what to
// do instead.
type missingKey struct{ words, advice string }

// missingKeys are such keys, by the struct that they are looked for in.
var missingKeys = map[reflect.Type][]missingKey{
	reflect.TypeFor[Build](): {
		{"secret secrets ssh", "Pulumi's Docker provider gives a build no secrets; fetch what needs them before the build, " +
			"or build the image elsewhere and write its ref"},
		{"cacheto cacheexport", "Pulumi's Docker provider exports no cache; write args: {BUILDKIT_INLINE_CACHE: \"1\"}, " +
			"which keeps it in the image, and name such an image in cacheFrom"},
		{"additionalcontexts buildcontext buildcontexts contexts", "Pulumi's Docker provider gives a build one context; " +
			"write a directory in context that holds them all, or copy from another image (COPY --from)"},
	},
	reflect.TypeFor[Service](): ofTaskDefinitions,
	reflect.TypeFor[Task]():    ofTaskDefinitions,
	reflect.TypeFor[Sidecar](): ofTaskDefinitions,
}

// ofTaskDefinitions are keys of ECS's task definitions that a stage file does not have: why, and what to do.
var ofTaskDefinitions = []missingKey{
	// what Fargate does not have
	{"privileged", "Fargate runs no privileged containers; remove it, or add what is needed with capabilities.add"},
	{"devices dockersecurityoptions maxswap swappiness", "Fargate does not take it; remove it"},
	{"sharedmemorysize shmsize", "Fargate does not take it: /dev/shm has 64 MiB there; remove it, and have the " +
		"application keep less there"},
	{"tmpfs", "Fargate does not take it; mount a volume of the task with mounts"},
	{"linuxparameters", "its parts are keys of the container here: capabilities, and init for initProcessEnabled; Fargate " +
		"takes no other"},
	{"credentialspecs credentialspec", "Fargate has it for Windows only, and slipway runs Linux; remove it"},
	{"resourcerequirements inferenceaccelerators", "Fargate has no GPUs and no accelerators; remove it"},
	{"ipcmode", "Fargate does not take it; remove it"},
	{"placementconstraints placementstrategy", "Fargate chooses where tasks run, and a daemon has placement; " +
		"remove it, or name network.subnets"},
	// what a task with a network of its own does not have
	{"links", "a task has a network of its own, where its containers reach each other on localhost; remove it"},
	{"hostname", "a task has the name that AWS gives it (networkMode awsvpc); remove it"},
	{"extrahosts", "ECS takes it with other networks than a task's own (awsvpc); write the address in environment, or a " +
		"record in Route 53"},
	{"dnsservers dnssearchdomains", "ECS takes it with other networks than a task's own (awsvpc): a task asks the DNS of " +
		"its VPC; remove it"},
	{"disablenetworking", "ECS takes it with other networks than a task's own (awsvpc); remove it"},
	{"networkmode", "it is awsvpc, but for a daemon's, which has network; remove it"},
	{"requirescompatibilities", "it follows from what the service runs on, as its capacity says; remove it"},
	// what slipway decides
	{"family", "slipway names the family <project>-<stage>-<name>; remove it"},
	{"runtimeplatform cpuarchitecture operatingsystemfamily", "it follows from the main container's image: " +
		"images.<image>.build.platform, or images.<image>.platform; remove it"},
	{"interactive pseudoterminal tty stdin", "a task has no terminal; remove it, and open a shell with exec: true of " +
		"a service"},
	{"environmentfiles envfile", "a revision would not hold its variables, as the file in S3 may change, and going back would " +
		"not bring them back; write them in environment, and what is secret in secrets"},
	{"volumesfrom", "mount the same volume in both containers, with mounts"},
	{"versionconsistency", "revisions name images by digest, or by a tag that never moves, so ECS has nothing to resolve; " +
		"remove it"},
	{"restartpolicy", "a container that ends ends its task where it is essential, and ECS starts another task; remove it, " +
		"or set it by a transformation (docs/operations.md)"},
	{"proxyconfiguration", "it is of App Mesh, which AWS discontinues; remove it"},
	{"enablefaultinjection", "slipway does not set it; remove it, or set it by a transformation (docs/operations.md)"},
	// what AWS writes, and people copy from what it describes
	{"taskdefinitionarn status compatibilities requiresattributes registeredat registeredby deregisteredat " +
		"deleterequestedat", "AWS writes it into what it describes; remove it"},
}

// insteadOf is what to do in place of a key that a struct cannot have; empty where nothing is known of it.
func insteadOf(key string, here reflect.Type) string {
	for _, each := range missingKeys[here] {
		if slices.Contains(strings.Fields(each.words), spelling.Plain(key)) {
			return each.advice
		}
	}
	return ""
}
