package stage

import (
	"strings"
	"testing"
)

func TestMistakesInImagesAndTheirRegistries(t *testing.T) {
	t.Parallel()
	requireMistakes(t, map[string]mistake{
		// images
		"an image with neither build nor ref": {
			"config: {'slipway:images': {web: {}}}", "images.web",
			[]string{"neither build nor ref", "write build.context"}},
		"a ref to another stage's image beside build": {
			built("        context: app\n      ref: " + strings.Replace(pinned, "slipway-dev", "slipway-qa", 1)),
			"images.web.ref",
			[]string{"of the repository slipway-qa/web",
				"pin one of slipway-dev/web, or remove build to run an image of another stage"}},
		"a ref to another image of the stage beside build": {
			built("        context: app\n      ref: " + strings.Replace(pinned, "/web:", "/job:", 1)), "images.web.ref",
			[]string{"of the repository slipway-dev/job", "pin one of slipway-dev/web"}},
		"a ref without a digest beside build": {
			built("        context: app\n      ref: " + strings.TrimSuffix(pinned, "@"+digest)), "images.web.ref",
			[]string{"has no digest"}},
		"a ref in another region beside build": {
			built("        context: app\n      ref: "+pinned) + "\n  aws:region: us-east-1", "images.web.ref",
			[]string{"is in region ap-northeast-2"}},
		"an empty ref beside build": {
			built("        context: app\n      ref: ''"), "images.web.ref", []string{"is not a reference to an image"}},
		"a platform beside build alone": {
			built("        context: app\n      platform: linux/arm64"), "images.web.platform",
			[]string{"goes with ref; write build.platform"}},
		"an image name that ECR refuses": {
			"config: {'slipway:images': {Web: {ref: '" + pinned + "'}}}", "images.Web",
			[]string{"cannot name a repository in ECR; use lower case"}},
		"an image name that is too long": {
			"config: {'slipway:images': {" + strings.Repeat("w", 245) + ": {ref: '" + pinned + "'}}}",
			"images." + strings.Repeat("w", 245), []string{"257 characters long, and ECR takes 256; shorten it"}},
		"a build without a context": {
			built("        target: final"), "images.web.build.context", []string{"is missing", "./app"}},
		"a build that is empty": {
			built(""), "images.web.build", []string{"is empty (null)"}},
		"a context that is not there": {
			built("        context: ./ap"), "images.web.build.context",
			[]string{`no directory "./ap"`, "relative to Pulumi.yaml"}},
		"a context that is a file": {
			built("        context: app/Dockerfile"), "images.web.build.context",
			[]string{`no directory "app/Dockerfile"`}},
		"an absolute context": {
			built("        context: /srv/app"), "images.web.build.context",
			[]string{`absolute path "/srv/app"`, "write it relative to Pulumi.yaml"}},
		"a context without a Dockerfile": {
			built("        context: empty"), "images.web.build.dockerfile",
			[]string{`no file "empty/Dockerfile"`, "create it"}},
		"a Dockerfile that is not there": {
			built("        context: app\n        dockerfile: app/Dockerfile.dev"), "images.web.build.dockerfile",
			[]string{`no file "app/Dockerfile.dev"`, "relative to Pulumi.yaml"}},
		"a Dockerfile relative to the context": {
			built("        context: app\n        dockerfile: Dockerfile"), "images.web.build.dockerfile",
			[]string{`no file "Dockerfile"`, "write app/Dockerfile"}},
		"a Dockerfile that is a directory": {
			built("        context: app\n        dockerfile: app/deploy"), "images.web.build.dockerfile",
			[]string{`no file "app/deploy"`}},
		"an absolute Dockerfile": {
			built("        context: app\n        dockerfile: /Dockerfile"), "images.web.build.dockerfile",
			[]string{"relative to Pulumi.yaml"}},
		"a platform that Fargate lacks": {
			built("        context: app\n        platform: linux/riscv64"), "images.web.build.platform",
			[]string{"allowed: linux/amd64, linux/arm64"}},
		"an empty target": {
			built("        context: app\n        target: ''"), "images.web.build.target",
			[]string{"name a build stage of the Dockerfile"}},
		"a cache that is no image": {
			built("        context: app\n        cacheFrom: ['golang:1', 'not an image']"), "images.web.build.cacheFrom[1]",
			[]string{"not a reference to an image"}},
		"secrets of a build": {
			built("        context: app\n        secrets: {TOKEN: x}"), "images.web.build.secrets",
			[]string{"there is no such key: Pulumi's Docker provider gives a build no secrets", "write its ref"}},
		"an exported cache": {
			built("        context: app\n        cache_to: [type=inline]"), "images.web.build.cache_to",
			[]string{`write args: {BUILDKIT_INLINE_CACHE: "1"}`, "in cacheFrom"}},
		"a second context": {
			built("        context: app\n        additionalContexts: {lib: ../lib}"), "images.web.build.additionalContexts",
			[]string{"gives a build one context", "COPY --from"}},
		"an argument that is a number": {
			built("        context: app\n        args: {V: 1.10}"), "images.web.build.args.V",
			[]string{`write "1.10" in quotes`}},
		"an argument with an odd name": {
			built("        context: app\n        args: {1V: x}"), "images.web.build.args.1V",
			[]string{"a build argument can have"}},
		"an argument named as a variable of the stage": {
			built("        context: app\n        args: {STAGE: x}"), "images.web.build.args.STAGE",
			[]string{"a variable in environment", "rename it"}},
		"an argument named as a variable of a service": {
			built("        context: app\n        args: {GREETING: x}"), "images.web.build.args.GREETING",
			[]string{"a variable in services.web.environment", "rename it"}},
		"an argument named as a secret": {
			built("        context: app\n        args: {TOKEN: x}"), "images.web.build.args.TOKEN",
			[]string{"a variable in secrets"}},
		"a ref without a digest": {
			refTo(strings.TrimSuffix(pinned, "@"+digest)), "images.web.ref",
			[]string{"has no digest, so what it runs could change; `slipway pin dev` looks it up and writes it"}},
		"a ref without a tag": {
			refTo("123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/slipway-dev/web@" + digest), "images.web.ref",
			[]string{"has no tag"}},
		"a ref with another hash": {
			refTo(strings.TrimSuffix(pinned, digest) + "md5:0123456789abcdef0123456789abcdef"), "images.web.ref",
			[]string{"<64 hexadecimal digits>"}},
		"a ref that is no reference": {
			refTo("Web Image"), "images.web.ref", []string{"is not a reference to an image"}},
		"an empty ref": {
			refTo(""), "images.web.ref", []string{"is not a reference to an image"}},
		"a ref in another partition": {
			refTo(strings.Replace(pinned, "ap-northeast-2.amazonaws.com", "cn-north-1.amazonaws.com.cn", 1)), "images.web.ref",
			[]string{"is in the partition aws-cn of AWS, and the stage runs in ap-northeast-2, which is in aws, where it " +
				"cannot be read"}},
		"a mirror of nothing": {
			"config: {'slipway:images': {web: {mirror: true}}}", "images.web", []string{"has neither build nor ref"}},
		"a mirror of what is built": {
			built("        context: app\n      mirror: true"), "images.web.mirror",
			[]string{"cannot be combined with build, which fills the stage's repository already"}},
		// registries
		"a registry of no image": {
			with(registry("ghcr.io", secretARN)), `registries["ghcr.io"]`,
			[]string{"holds no image of the stage; remove it", "123456789012.dkr.ecr.ap-northeast-2.amazonaws.com"}},
		"a registry by its address": {
			refTo("nginx:1@"+digest) + registry("https://ghcr.io", secretARN), `registries["https://ghcr.io"]`,
			[]string{"is no registry's host; write one such as ghcr.io"}},
		"Docker Hub by another name": {
			refTo("nginx:1@"+digest) + registry("index.docker.io", secretARN), `registries["index.docker.io"]`,
			[]string{"is called docker.io in references to images; write registries.docker.io"}},
		"the address of Docker Hub's API": {
			refTo("nginx:1@"+digest) + registry("registry-1.docker.io", secretARN), `registries["registry-1.docker.io"]`,
			[]string{"is called docker.io"}},
		"a password for ECR": {
			refTo(pinned) + registry("123456789012.dkr.ecr.ap-northeast-2.amazonaws.com", secretARN),
			`registries["123456789012.dkr.ecr.ap-northeast-2.amazonaws.com"]`,
			[]string{"is in ECR, which takes roles of AWS instead of a password", "repository.readers"}},
		"a registry without credentials": {
			refTo("nginx:1@"+digest) + "\n  slipway:registries: {docker.io: {}}", `registries["docker.io"].credentials`,
			[]string{"is missing; write the ARN of a secret of Secrets Manager"}},
		"a password where its secret's ARN belongs": {
			refTo("nginx:1@"+digest) + registry("docker.io", "hunter2"), `registries["docker.io"].credentials`,
			[]string{"is no ARN of a secret; write the ARN of a secret of Secrets Manager"}},
		"credentials in a parameter": {
			refTo("nginx:1@"+digest) + registry("docker.io", "arn:aws:ssm:ap-northeast-2:123456789012:parameter/hub"),
			`registries["docker.io"].credentials`, []string{"is no ARN of a secret"}},
		"credentials that are a part of a secret": {
			refTo("nginx:1@"+digest) + registry("docker.io", secretARN+":hub::"), `registries["docker.io"].credentials`,
			[]string{"names a part or a version of a secret, and ECS takes the whole: write " + secretARN}},
		"credentials in another region": {
			refTo("nginx:1@"+digest) + registry("docker.io", strings.Replace(secretARN, "ap-northeast-2", "eu-west-1", 1)),
			`registries["docker.io"].credentials`, []string{"is in region eu-west-1"}},
		"credentials in another account": {
			refTo("nginx:1@"+digest) + registry("docker.io", strings.Replace(secretARN, "123456789012", "210987654321", 1)),
			`registries["docker.io"].credentials`, []string{"is in account 210987654321"}},
		// readers
		"a reader that is no account": {
			with("  slipway:repository: {readers: [shop]}"), "repository.readers[0]",
			[]string{`is "shop"; write an account's number, 12 digits in quotes, or an organisation's id`}},
		"a reader without quotes": {
			with("  slipway:repository: {readers: [210987654321]}"), "repository.readers[0]",
			[]string{`write "210987654321" in quotes`}},
		"a reader twice": {
			with("  slipway:repository: {readers: [o-a1b2c3d4e5, o-a1b2c3d4e5]}"), "repository.readers[1]",
			[]string{`duplicates "o-a1b2c3d4e5"; remove it`}},
	})
}
