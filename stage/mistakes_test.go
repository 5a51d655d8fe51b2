package stage

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// built is a sound stage but for what stands in its image's build.
func built(lines string) string {
	return "config:\n  slipway:environment: {STAGE: dev}\n" +
		"  slipway:secrets: {TOKEN: 'arn:aws:ssm:ap-northeast-2:123456789012:parameter/token'}\n" +
		"  slipway:services: {web: {image: web, environment: {GREETING: hello}}}\n" +
		"  slipway:images:\n    web:\n      build:\n" + lines
}

// with is a sound stage and further keys.
func with(lines string) string { return oneService("") + lines }

// refTo is a stage whose image is pinned to a reference.
func refTo(ref string) string {
	return fmt.Sprintf("config:\n  aws:region: ap-northeast-2\n  aws:allowedAccountIds: ['123456789012']\n"+
		"  slipway:images: {web: {ref: %q}}", ref)
}

const secretARN = "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:registry-a1b2c3"

// registry is a stage's registry with its credentials.
func registry(host, credentials string) string {
	return fmt.Sprintf("\n  slipway:registries: {%q: {credentials: %q}}", host, credentials)
}

func TestMistakes(t *testing.T) {
	t.Parallel()
	const dev = "Pulumi.dev.yaml"
	for name, test := range map[string]struct {
		stage string
		path  string // "" where no key is at fault
		file  string
		says  []string
	}{
		// keys and types
		"an unknown key of the project": {
			with("  slipway:servises: {}"), "servises", dev, []string{`did you mean "services"?`,
				"environment, images, secrets"}},
		"a misspelt defaults key": {
			with("  slipway:default: {}"), "default", dev, []string{`did you mean "defaults"?`}},
		"an unknown key of a service": {
			oneService("      memry: 512"), "services.web.memry", dev, []string{`did you mean "memory"?`, "replicas"}},
		"a key in other letters": {
			oneService("      Memory: 512"), "services.web.Memory", dev, []string{`did you mean "memory"?`}},
		"an unknown key that is like no other": {
			oneService("      spot: true"), "services.web.spot", dev, []string{"there is no such key; the keys here are"}},
		"a key of the whole stage in a service": {
			oneService("      loadBalancer: {}"), "services.web.loadBalancer", dev,
			[]string{"did you mean slipway:loadBalancer, which is"}},
		"an unknown key of a build": {
			built("        context: app\n        dockerFile: x"), "images.web.build.dockerFile", dev,
			[]string{`did you mean "dockerfile"?`}},
		"an unknown key of an image": {
			"config: {'slipway:images': {web: {bild: {}, ref: '" + pinned + "'}}}", "images.web.bild", dev,
			[]string{`did you mean "build"?`}},
		"an unknown key of the network": {
			with("  slipway:network: {subnetIds: []}"), "network.subnetIds", dev, []string{"vpc, subnets, assignPublicIp"}},
		"an unknown key of the repository": {
			with("  slipway:repository: {forcedelete: true}"), "repository.forcedelete", dev,
			[]string{`did you mean "forceDelete"?`}},
		"no image kept": {
			with("  slipway:repository: {keepImages: 0}"), "repository.keepImages", dev, []string{"is 0; allowed: 1 to 100000"}},
		"more revisions kept than ECS lists": {
			with("  slipway:repository: {keepRevisions: 101}"), "repository.keepRevisions", dev,
			[]string{"is 101; allowed: 1 to 100"}},
		"services that are text": {
			"config: {'slipway:services': hello, 'slipway:images': {web: {ref: '" + pinned + "'}}}", "services", dev,
			[]string{`is the text "hello"`, "must be an object"}},
		"services that are malformed JSON": {
			"config: {'slipway:services': '{web: {', 'slipway:images': {web: {ref: '" + pinned + "'}}}", "services", dev,
			[]string{"must be an object"}},
		"services that are empty": {
			"config: {'slipway:services': , 'slipway:images': {web: {ref: '" + pinned + "'}}}", "services", dev,
			[]string{"is empty (null)", "remove it"}},
		"a list of services": {
			"config: {'slipway:services': [web], 'slipway:images': {web: {ref: '" + pinned + "'}}}", "services", dev,
			[]string{"is a list; it must be an object"}},
		"a service that is empty": {
			with("    job:"), "services.job", dev, []string{"is empty (null)"}},
		"text where a list belongs": {
			oneService("      command: serve"), "services.web.command", dev,
			[]string{`it must be a list`, `["first", "second"]`}},
		"a list where text belongs": {
			oneService("      environment: {A: [b]}"), "services.web.environment.A", dev,
			[]string{"is a list; it must be text"}},
		"text where a number belongs": {
			oneService(`      port: "8080"`), "services.web.port", dev,
			[]string{`is the text "8080"`, "a whole number, without quotes"}},
		"a fraction where a whole number belongs": {
			oneService(`      cpu: 0.25`), "services.web.cpu", dev,
			[]string{"is the number 0.25; it must be a whole number of CPU units"}},
		"a number beyond all": {
			oneService(`      replicas: 99999999999`), "services.web.replicas", dev, []string{"whole number of tasks"}},
		"an octal size": {
			oneService(`      memory: 01000`), "services.web.memory", dev,
			[]string{"is written 01000, which YAML reads as 512"}},
		"text where a boolean belongs": {
			with("  slipway:repository: {forceDelete: yes}"), "repository.forceDelete", dev,
			[]string{"must be true or false, without quotes"}},
		"an empty number": {
			oneService("      replicas:"), "services.web.replicas", dev, []string{"is empty (null)"}},

		// environment
		"a number in the environment": {
			with("  slipway:environment: {PORT: 8080}"), "environment.PORT", dev,
			[]string{`is the number 8080`, `write "8080" in quotes`}},
		"a version in the environment": {
			with("  slipway:environment: {V: 1.10}"), "environment.V", dev,
			[]string{`is the number 1.10`, `write "1.10" in quotes`}},
		"a number with a zero in front": {
			oneService("      environment: {ZIP: 01234}"), "services.web.environment.ZIP", dev,
			[]string{`write "01234" in quotes`}},
		"a hexadecimal number": {
			oneService("      environment: {MASK: 0xFF}"), "services.web.environment.MASK", dev,
			[]string{`write "0xFF" in quotes`}},
		"a boolean in the environment": {
			with("  slipway:environment: {DEBUG: True}"), "environment.DEBUG", dev,
			[]string{`is the boolean True`, `write "True" in quotes`}},
		"null in the environment": {
			with("  slipway:environment: {A: }"), "environment.A", dev, []string{"is empty (null)", `write ""`}},
		"a date in the environment": {
			with("  slipway:environment: {DAY: 2024-01-01}"), "environment.DAY", dev,
			[]string{`is a date`, `in quotes: "2024-01-01"`}},
		"a time in the environment": {
			with("  slipway:environment: {T: 2024-01-01 10:30:00}"), "environment.T", dev,
			[]string{`in quotes: "2024-01-01 10:30:00"`}},
		"a date that the CLI wrote back": {
			with("  slipway:environment: {DAY: 2024-01-01 00:00:00 +0000 UTC}"), "environment.DAY", dev,
			[]string{`in quotes: "2024-01-01"`}},
		"services whose names differ in their case": {
			oneService("") + "    Web: {image: web}\n", "services.web", dev,
			[]string{"differs from services.Web in upper and lower case only", "IAM"}},
		"a service that is named as a security group's id": {
			oneService("") + "    sg-api: {image: web}\n", "services.sg-api", dev,
			[]string{"begins with sg-, with which AWS lets no name of a security group begin"}},
		"a service that is named as a security group's id, in capitals": {
			oneService("") + "    SG-api: {image: web}\n", "services.SG-api", dev, []string{"begins with sg-"}},
		"a variable with =": {
			with("  slipway:environment: {a=b: x}"), `environment["a=b"]`, dev, []string{"without spaces and ="}},
		"a variable with a space": {
			oneService("      environment: {a b: x}"), `services.web.environment["a b"]`, dev, []string{"without spaces and ="}},
		"a variable without a name": {
			oneService("      environment: {'': x}"), `services.web.environment[""]`, dev, []string{"without spaces and ="}},
		"a variable with a control character": {
			oneService(`      environment: {"a\eb": x}`), `services.web.environment["a\x1bb"]`, dev,
			[]string{"without spaces and ="}},
		"a NUL in a value": {
			oneService(`      environment: {A: "x\0y"}`), "services.web.environment.A", dev, []string{"holds a NUL character"}},
		"a NUL in a command": {
			oneService(`      command: ["x\0y"]`), "services.web.command[0]", dev, []string{"holds a NUL character"}},
		"a variable that Fargate sets": {
			oneService("      environment: {AWS_EXECUTION_ENV: x}"), "services.web.environment.AWS_EXECUTION_ENV", dev,
			[]string{"Fargate sets itself; use another name"}},

		// images
		"an image with neither build nor ref": {
			"config: {'slipway:images': {web: {}}}", "images.web", dev,
			[]string{"neither build nor ref", "write build.context"}},
		"a ref to another stage's image beside build": {
			built("        context: app\n      ref: " + strings.Replace(pinned, "slipway-dev", "slipway-qa", 1)),
			"images.web.ref", dev,
			[]string{"of the repository slipway-qa/web",
				"pin one of slipway-dev/web, or remove build to run an image of another stage"}},
		"a ref to another image of the stage beside build": {
			built("        context: app\n      ref: " + strings.Replace(pinned, "/web:", "/job:", 1)), "images.web.ref", dev,
			[]string{"of the repository slipway-dev/job", "pin one of slipway-dev/web"}},
		"a ref without a digest beside build": {
			built("        context: app\n      ref: " + strings.TrimSuffix(pinned, "@"+digest)), "images.web.ref", dev,
			[]string{"has no digest"}},
		"a ref in another region beside build": {
			built("        context: app\n      ref: "+pinned) + "\n  aws:region: us-east-1", "images.web.ref", dev,
			[]string{"is in region ap-northeast-2"}},
		"an empty ref beside build": {
			built("        context: app\n      ref: ''"), "images.web.ref", dev, []string{"is not a reference to an image"}},
		"a platform beside build alone": {
			built("        context: app\n      platform: linux/arm64"), "images.web.platform", dev,
			[]string{"goes with ref; write build.platform"}},
		"an image name that ECR refuses": {
			"config: {'slipway:images': {Web: {ref: '" + pinned + "'}}}", "images.Web", dev,
			[]string{"cannot name a repository in ECR; use lower case"}},
		"an image name that is too long": {
			"config: {'slipway:images': {" + strings.Repeat("w", 245) + ": {ref: '" + pinned + "'}}}",
			"images." + strings.Repeat("w", 245), dev, []string{"257 characters long, and ECR takes 256; shorten it"}},
		"a build without a context": {
			built("        target: final"), "images.web.build.context", dev, []string{"is missing", "./app"}},
		"a build that is empty": {
			built(""), "images.web.build", dev, []string{"is empty (null)"}},
		"a context that is not there": {
			built("        context: ./ap"), "images.web.build.context", dev,
			[]string{`no directory "./ap"`, "relative to Pulumi.yaml"}},
		"a context that is a file": {
			built("        context: app/Dockerfile"), "images.web.build.context", dev,
			[]string{`no directory "app/Dockerfile"`}},
		"an absolute context": {
			built("        context: /srv/app"), "images.web.build.context", dev,
			[]string{`absolute path "/srv/app"`, "write it relative to Pulumi.yaml"}},
		"a context without a Dockerfile": {
			built("        context: empty"), "images.web.build.dockerfile", dev,
			[]string{`no file "empty/Dockerfile"`, "create it"}},
		"a Dockerfile that is not there": {
			built("        context: app\n        dockerfile: app/Dockerfile.dev"), "images.web.build.dockerfile", dev,
			[]string{`no file "app/Dockerfile.dev"`, "relative to Pulumi.yaml"}},
		"a Dockerfile relative to the context": {
			built("        context: app\n        dockerfile: Dockerfile"), "images.web.build.dockerfile", dev,
			[]string{`no file "Dockerfile"`, "write app/Dockerfile"}},
		"a Dockerfile that is a directory": {
			built("        context: app\n        dockerfile: app/deploy"), "images.web.build.dockerfile", dev,
			[]string{`no file "app/deploy"`}},
		"an absolute Dockerfile": {
			built("        context: app\n        dockerfile: /Dockerfile"), "images.web.build.dockerfile", dev,
			[]string{"relative to Pulumi.yaml"}},
		"a platform that Fargate lacks": {
			built("        context: app\n        platform: linux/riscv64"), "images.web.build.platform", dev,
			[]string{"allowed: linux/amd64, linux/arm64"}},
		"an empty target": {
			built("        context: app\n        target: ''"), "images.web.build.target", dev,
			[]string{"name a build stage of the Dockerfile"}},
		"a cache that is no image": {
			built("        context: app\n        cacheFrom: ['golang:1', 'not an image']"), "images.web.build.cacheFrom[1]", dev,
			[]string{"not a reference to an image"}},
		"an argument that is a number": {
			built("        context: app\n        args: {V: 1.10}"), "images.web.build.args.V", dev,
			[]string{`write "1.10" in quotes`}},
		"an argument with an odd name": {
			built("        context: app\n        args: {1V: x}"), "images.web.build.args.1V", dev,
			[]string{"a build argument can have"}},
		"an argument named as a variable of the stage": {
			built("        context: app\n        args: {STAGE: x}"), "images.web.build.args.STAGE", dev,
			[]string{"a variable in environment", "rename it"}},
		"an argument named as a variable of a service": {
			built("        context: app\n        args: {GREETING: x}"), "images.web.build.args.GREETING", dev,
			[]string{"a variable in services.web.environment", "rename it"}},
		"an argument named as a secret": {
			built("        context: app\n        args: {TOKEN: x}"), "images.web.build.args.TOKEN", dev,
			[]string{"a variable in secrets"}},
		"a ref without a digest": {
			refTo(strings.TrimSuffix(pinned, "@"+digest)), "images.web.ref", dev,
			[]string{"has no digest, so what it runs could change; `slipway pin dev` looks it up and writes it"}},
		"a ref without a tag": {
			refTo("123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/slipway-dev/web@" + digest), "images.web.ref", dev,
			[]string{"has no tag"}},
		"a ref with another hash": {
			refTo(strings.TrimSuffix(pinned, digest) + "md5:0123456789abcdef0123456789abcdef"), "images.web.ref", dev,
			[]string{"<64 hexadecimal digits>"}},
		"a ref that is no reference": {
			refTo("Web Image"), "images.web.ref", dev, []string{"is not a reference to an image"}},
		"an empty ref": {
			refTo(""), "images.web.ref", dev, []string{"is not a reference to an image"}},
		"a ref in another partition": {
			refTo(strings.Replace(pinned, "ap-northeast-2.amazonaws.com", "cn-north-1.amazonaws.com.cn", 1)), "images.web.ref",
			dev, []string{"is in the partition aws-cn of AWS, and the stage runs in ap-northeast-2, which is in aws, where it " +
				"cannot be read"}},
		"a mirror of nothing": {
			"config: {'slipway:images': {web: {mirror: true}}}", "images.web", dev, []string{"has neither build nor ref"}},
		"a mirror of what is built": {
			built("        context: app\n      mirror: true"), "images.web.mirror", dev,
			[]string{"cannot be combined with build, which fills the stage's repository already"}},

		// registries
		"a registry of no image": {
			with(registry("ghcr.io", secretARN)), `registries["ghcr.io"]`, dev,
			[]string{"holds no image of the stage; remove it", "123456789012.dkr.ecr.ap-northeast-2.amazonaws.com"}},
		"a registry by its address": {
			refTo("nginx:1@"+digest) + registry("https://ghcr.io", secretARN), `registries["https://ghcr.io"]`, dev,
			[]string{"is no registry's host; write one such as ghcr.io"}},
		"Docker Hub by another name": {
			refTo("nginx:1@"+digest) + registry("index.docker.io", secretARN), `registries["index.docker.io"]`, dev,
			[]string{"is called docker.io in references to images; write registries.docker.io"}},
		"the address of Docker Hub's API": {
			refTo("nginx:1@"+digest) + registry("registry-1.docker.io", secretARN), `registries["registry-1.docker.io"]`, dev,
			[]string{"is called docker.io"}},
		"a password for ECR": {
			refTo(pinned) + registry("123456789012.dkr.ecr.ap-northeast-2.amazonaws.com", secretARN),
			`registries["123456789012.dkr.ecr.ap-northeast-2.amazonaws.com"]`, dev,
			[]string{"is in ECR, which takes roles of AWS instead of a password", "repository.readers"}},
		"a registry without credentials": {
			refTo("nginx:1@"+digest) + "\n  slipway:registries: {docker.io: {}}", `registries["docker.io"].credentials`, dev,
			[]string{"is missing; write the ARN of a secret of Secrets Manager"}},
		"a password where its secret's ARN belongs": {
			refTo("nginx:1@"+digest) + registry("docker.io", "hunter2"), `registries["docker.io"].credentials`, dev,
			[]string{"is no ARN of a secret; write the ARN of a secret of Secrets Manager"}},
		"credentials in a parameter": {
			refTo("nginx:1@"+digest) + registry("docker.io", "arn:aws:ssm:ap-northeast-2:123456789012:parameter/hub"),
			`registries["docker.io"].credentials`, dev, []string{"is no ARN of a secret"}},
		"credentials that are a part of a secret": {
			refTo("nginx:1@"+digest) + registry("docker.io", secretARN+":hub::"), `registries["docker.io"].credentials`, dev,
			[]string{"names a part or a version of a secret, and ECS takes the whole: write " + secretARN}},
		"credentials in another region": {
			refTo("nginx:1@"+digest) + registry("docker.io", strings.Replace(secretARN, "ap-northeast-2", "eu-west-1", 1)),
			`registries["docker.io"].credentials`, dev, []string{"is in region eu-west-1"}},
		"credentials in another account": {
			refTo("nginx:1@"+digest) + registry("docker.io", strings.Replace(secretARN, "123456789012", "210987654321", 1)),
			`registries["docker.io"].credentials`, dev, []string{"is in account 210987654321"}},

		// readers
		"a reader that is no account": {
			with("  slipway:repository: {readers: [shop]}"), "repository.readers[0]", dev,
			[]string{`is "shop"; write an account's number, 12 digits in quotes, or an organisation's id`}},
		"a reader without quotes": {
			with("  slipway:repository: {readers: [210987654321]}"), "repository.readers[0]", dev,
			[]string{`write "210987654321" in quotes`}},
		"a reader twice": {
			with("  slipway:repository: {readers: [o-a1b2c3d4e5, o-a1b2c3d4e5]}"), "repository.readers[1]", dev,
			[]string{`duplicates "o-a1b2c3d4e5"; remove it`}},

		// services
		"an image that is not declared": {
			with("    job: {image: wbe}"), "services.job.image", dev,
			[]string{`names "wbe", which is not declared`, "declare images.wbe", "one of: web"}},
		"a service without an image": {
			with("    job: {replicas: 1}"), "services.job.image", dev, []string{"is missing", "declared images: web"}},
		"a service name that ECS refuses": {
			with("    my.job: {image: web}"), `services["my.job"]`, dev, []string{"letters, digits, - and _"}},
		"a service name that is too long for its roles": {
			with("    " + strings.Repeat("j", 43) + ": {image: web}"), "services." + strings.Repeat("j", 43), dev,
			[]string{"65 characters long, and IAM takes 64; shorten it by 1"}},
		"an empty argument": {
			oneService("      command: [serve, '']"), "services.web.command[1]", dev, []string{"is empty; write an argument"}},
		"a number among the arguments": {
			oneService("      command: [sleep, 10]"), "services.web.command[1]", dev, []string{`write "10" in quotes`}},
		"port 0": {
			oneService("      port: 0"), "services.web.port", dev, []string{"allowed: 1 to 65535"}},
		"a port beyond the last": {
			oneService("      port: 65536"), "services.web.port", dev, []string{"is 65536; allowed: 1 to 65535"}},
		"fewer replicas than none": {
			oneService("      replicas: -1"), "services.web.replicas", dev, []string{"is -1; allowed: 0 to 5000"}},
		"too many replicas": {
			oneService("      replicas: 5001"), "services.web.replicas", dev, []string{"allowed: 0 to 5000"}},
		"a CPU size that Fargate lacks": {
			oneService("      cpu: 300"), "services.web.cpu", dev, []string{"300 CPU units", "allowed: 256, 512, 1024",
				"1024 are one vCPU"}},
		"memory that does not go with the CPU size": {
			oneService("      memory: 300"), "services.web.memory", dev,
			[]string{"300 MiB does not go with cpu 256; allowed: 512, 1024, 2048"}},
		"memory off the steps of a large size": {
			oneService("      cpu: 8192\n      memory: 17408"), "services.web.memory", dev,
			[]string{"allowed: 16384 to 61440 in steps of 4096"}},
		"a CPU size that needs memory": {
			oneService("      cpu: 1024"), "services.web.cpu", dev,
			[]string{"default memory of 512 MiB; write memory, allowed: 2048 to 8192 in steps of 1024"}},
		"revision 0": {
			oneService("      revision: 0"), "services.web.revision", dev,
			[]string{"is 0; allowed: 1 to 1000000, or remove it"}},
		"a revision by another name": {
			oneService("      revision: latest"), "services.web.revision", dev,
			[]string{`is the text "latest"; it must be a whole number`}},
		"a secret that is not declared": {
			oneService("      secrets: [TOKEN]"), "services.web.secrets[0]", dev,
			[]string{"is not the name of a secret; declare it in secrets, with its value, encrypted, or its ARN",
				"one of: DATABASE_URL"}},
		"a secret twice": {
			oneService("      secrets: [DATABASE_URL, DATABASE_URL]"), "services.web.secrets[1]", dev, []string{"duplicates "}},
		"a secret that is a variable of the service": {
			oneService("      secrets: [DATABASE_URL]\n      environment: {DATABASE_URL: x}"), "services.web.secrets[0]", dev,
			[]string{"is a variable in services.web.environment too; remove one of them"}},
		"a secret that is a variable of the stage": {
			oneService("      secrets: [DATABASE_URL]\n  slipway:environment: {DATABASE_URL: x}"), "services.web.secrets[0]",
			dev,
			[]string{"is a variable in environment too"}},
		"addresses for a service without a port": {
			oneService("      allowFrom: [10.0.0.0/8]"), "services.web.allowFrom", dev,
			[]string{"no port; write port, or remove allowFrom"}},
		"an address that is no range": {
			oneService("      port: 80\n      allowFrom: [10.0.0.1]"), "services.web.allowFrom[0]", dev,
			[]string{`is "10.0.0.1"`, "203.0.113.7/32"}},
		"a range that begins with another address": {
			oneService("      port: 80\n      allowFrom: [10.1.2.3/8]"), "services.web.allowFrom[0]", dev,
			[]string{"write 10.0.0.0/8 for the range, or 10.1.2.3/32 for the address alone"}},
		"a range that AWS writes otherwise": {
			oneService("      port: 80\n      allowFrom: [2001:DB8::/32]"), "services.web.allowFrom[0]", dev,
			[]string{"write it as 2001:db8::/32"}},
		"a range twice": {
			oneService("      port: 80\n      allowFrom: [10.0.0.0/8, 10.0.0.0/8]"), "services.web.allowFrom[1]", dev,
			[]string{"duplicates "}},

		// the stage as a whole
		"a stage without images": {
			"config: {'slipway:services': {web: {image: web}, job: {image: job}}}", "images", dev,
			[]string{"no image is declared yet", `run "slipway promote FROM dev"`, "build.context"}},
		"an empty stage": {
			"config: {}", "", dev, []string{"nothing to deploy; write slipway:images", "slipway:services"}},
		"a VPC without subnets": {
			with("  slipway:network: {vpc: vpc-0123456789abcdef0}"), "network.vpc", dev,
			[]string{"needs subnets beside it", "or remove vpc"}},
		"subnets without a VPC": {
			with("  slipway:network: {subnets: [subnet-0123456789abcdef0]}"), "network.subnets", dev,
			[]string{"needs vpc beside it", "or remove subnets"}},
		"no subnets": {
			with("  slipway:network: {vpc: vpc-0123456789abcdef0, subnets: []}"), "network.subnets", dev,
			[]string{"has 0 subnets; allowed: 1 to 16"}},
		"a VPC by its name": {
			with("  slipway:network: {vpc: main, subnets: [subnet-0123456789abcdef0]}"), "network.vpc", dev,
			[]string{`is "main"; write a VPC's id`}},
		"a subnet by its name": {
			with("  slipway:network: {vpc: vpc-0123456789abcdef0, subnets: [a]}"), "network.subnets[0]", dev,
			[]string{`is "a"; write a subnet's id`}},
		"a subnet twice": {
			with("  slipway:network: {vpc: vpc-01234567, subnets: [subnet-01234567, subnet-01234567]}"), "network.subnets[1]",
			dev, []string{"duplicates "}},
		"an account that is a number": {
			with("  aws:allowedAccountIds: [012345678901]"), "aws:allowedAccountIds[0]", dev,
			[]string{`write "012345678901" in quotes`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := loadFiles(t, "dev", "", test.stage)
			requireMistake(t, err, test.path, test.file, test.says...)
		})
	}
}

// mistake is in a key of Pulumi.dev.yaml.
type mistake struct {
	stage, path string
	says        []string
}

// requireMistakes wants each, in a stage that is sound but for it.
func requireMistakes(t *testing.T, mistakes map[string]mistake) {
	t.Helper()
	for name, test := range mistakes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := loadFiles(t, "dev", "", test.stage)
			requireMistake(t, err, test.path, "Pulumi.dev.yaml", test.says...)
		})
	}
}

// requireMistake wants exactly one mistake.
func requireMistake(t *testing.T, err error, path, file string, says ...string) {
	t.Helper()
	var mistakes Errors
	require.ErrorAs(t, err, &mistakes)
	require.Len(t, mistakes, 1, "%s", err)
	require.Equal(t, path, mistakes[0].Path, "%s", err)
	require.Equal(t, file, mistakes[0].File, "%s", err)
	for _, text := range says {
		require.Contains(t, mistakes[0].Message, text)
	}
	start := file + ": "
	if path != "" {
		start = path + " (" + file + "): "
	}
	require.True(t, strings.HasPrefix(err.Error(), start), "%s", err)
}

func TestMistakesWithoutTheFiles(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ environment, path, says string }{
		"a number": {`{"A": 1.1}`, "environment.A",
			`is the number 1.1; it must be text: write "1.1" in quotes`},
		"a date as the CLI has it": {`{"A": "2024-01-01 10:00:00 +0000 UTC"}`, "environment.A",
			`in quotes: "2024-01-01 10:00:00"`},
		"something after the value": {`{"A": "x"} {}`, "environment", "must be an object"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Load(Input{Project: "slipway", Stage: "dev", Root: project(t, nil), Config: map[string]string{
				"slipway:environment": test.environment,
				"slipway:images":      `{"web": {"build": {"context": "app"}}}`,
			}})
			requireMistake(t, err, test.path, "Pulumi.dev.yaml", test.says)
		})
	}
}

func TestNamesThatAWSRefuses(t *testing.T) {
	t.Parallel()
	in := input(t, "Dev.1", "", oneService(""))
	_, err := Load(in)
	requireMistake(t, err, "", "Pulumi.Dev.1.yaml", `the stage is named "Dev.1"`, `"pulumi stack rename NAME"`)

	in = input(t, "dev", "", oneService(""))
	in.Project = "Slipway"
	in.Config = map[string]string{"Slipway:images": in.Config["slipway:images"]}
	_, err = Load(in)
	requireMistake(t, err, "", "Pulumi.yaml", `the project is named "Slipway"`)
}

func TestSeveralMistakesAreReportedTogether(t *testing.T) {
	t.Parallel()
	_, err := loadFiles(t, "dev", "config: {'slipway:defaults': {value: {services: {web: {cpu: 300, memory: 300}}}}}", `
config:
  slipway:environment: {PORT: 8080}
  slipway:images: {web: {ref: nginx}}
  slipway:services: {web: {image: wbe, port: 0}, job: {image: web, servises: 1}}
  slipway:netwerk: {}
`)
	require.Error(t, err)
	var paths []string
	for _, line := range strings.Split(err.Error(), "\n") {
		path, _, _ := strings.Cut(line, ":")
		paths = append(paths, path)
	}
	require.Equal(t, []string{
		"defaults.services.web.cpu (Pulumi.yaml)",
		"environment.PORT (Pulumi.dev.yaml)",
		"images.web.ref (Pulumi.dev.yaml)",
		"netwerk (Pulumi.dev.yaml)",
		"services.job.servises (Pulumi.dev.yaml)",
		"services.web.image (Pulumi.dev.yaml)",
		"services.web.port (Pulumi.dev.yaml)",
	}, paths)
}

func TestInputFromTheEngine(t *testing.T) {
	t.Setenv("PULUMI_PROJECT", "slipway")
	t.Setenv("PULUMI_STACK", "dev")
	t.Setenv("PULUMI_CONFIG", `{"slipway:environment": "{\"A\":\"b\"}"}`)
	t.Setenv("PULUMI_CONFIG_SECRET_KEYS", `["slipway:environment"]`)
	t.Setenv("PULUMI_ROOT_DIRECTORY", "/srv")
	in, err := FromEnvironment()
	require.NoError(t, err)
	require.Equal(t, Input{
		Project: "slipway", Stage: "dev", Root: "/srv", SecretKeys: []string{"slipway:environment"},
		Config: map[string]string{"slipway:environment": `{"A":"b"}`},
	}, in)
	for _, variable := range os.Environ() {
		require.False(t, strings.HasPrefix(variable, "PULUMI_CONFIG"), "children would get it: %s", variable)
	}

	t.Setenv("PULUMI_CONFIG", `{"slipway:environment": hunter2}`)
	_, err = FromEnvironment()
	require.ErrorContains(t, err, "PULUMI_CONFIG is not the JSON")
	requireNotShown(t, err)

	require.NoError(t, os.Unsetenv("PULUMI_STACK"))
	_, err = FromEnvironment()
	require.ErrorContains(t, err, `run this program with "pulumi up"`)
}
