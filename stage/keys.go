package stage

// document has the keys of a stage, in the shape that the file has them. The decoder, the JSON Schema of stage files
// (docs/stage.schema.json) and docs/configuration.md are all made from it and from the types that it is made of. A
// field's tags say what its key is called (json), what it is when absent (default), what it counts (unit), and what is
// allowed (min and max of a number, enum of a text or number). The lines of a field's comment that begin with Default,
// Allowed, Example and Rule say what tags cannot; the Rule of most fields of a struct is in the struct's own comment.
type document struct {
	// Environment holds variables for every container of the stage. A container's own variables of the same name win.
	//
	// Allowed: names of letters, digits and punctuation without `=`; not those that Fargate sets itself
	// (`AWS_CONTAINER_CREDENTIALS_RELATIVE_URI`, `AWS_EXECUTION_ENV`, `ECS_AGENT_URI`, `ECS_CONTAINER_METADATA_URI`,
	// `ECS_CONTAINER_METADATA_URI_V4`)
	// Example: environment: {STAGE: "dev"}
	// Rule: [ECS environment variables](https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-environment-variables.html)
	Environment map[string]string `json:"environment" outputs:"text"`

	// Images are the stage's images by name. Each has `build`, or `ref`, or both: then the stage runs `ref`, an image that
	// it built earlier. A built image has an ECR repository of its own, `<project>-<stage>/<image>`.
	//
	// Default: none; a stage declares at least one image before it runs a service or a task
	// Allowed: names of lower case letters and digits, separated by single `.`, `_`, `-` or `/`; 256 characters for the
	// repository's whole name
	// Example: images: {web: {build: {context: ./app}}}
	// Rule: [ECR CreateRepository](https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html)
	Images map[string]imageDocument `json:"images"`

	// Secrets are the values of secret variables, or where they are kept. A container is given those that it names. An
	// encrypted value (`pulumi config set --stack dev --secret --path 'slipway:secrets.API_KEY'`) is kept in Secrets
	// Manager, in one secret for each service or task, and a changed value is a new revision. An ARN stands for a value
	// that is kept elsewhere; ECS reads it when a task starts, so a new value reaches the tasks that start after it.
	//
	// Allowed: a value that is encrypted by Pulumi; `arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME-SUFFIX`, where
	// suffix is the six characters that Secrets Manager adds, alone or followed by
	// `:JSON-KEY:VERSION-STAGE:VERSION-ID` (each may be empty, and one of the last two is);
	// `arn:aws:ssm:REGION:ACCOUNT:parameter/NAME`; names as in `environment`, and of an encrypted value
	// without `:`. The encrypted values of one service
	// or task are at most 65536 bytes together
	// Example: secrets: {DATABASE_URL: "arn:aws:ssm:ap-northeast-2:123456789012:parameter/dev/database-url"}
	// Rule: [Secrets Manager in ECS](https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-secrets-manager.html),
	// [Parameter Store in ECS](https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-ssm-paramstore.html),
	// [Secrets Manager quotas](https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html)
	Secrets map[string]string `json:"secrets" outputs:"secret"`

	// Outputs are values that other Pulumi stacks export, by names of which `{output: NAME}` stands for the value. They
	// are read whenever the stage is previewed or updated, before anything is built or changed, so a value that has
	// changed since is a change of the stage: of a variable, a new revision of the containers that are given it. Which
	// variables of a container came so is in its docker labels (`slipway.from.NAME`), for `slipway history`.
	//
	// Default: none
	// Allowed: outputs that `{output: NAME}` stands for somewhere, or that stand in the defaults. One that its stack marks
	// as a secret stands in `secrets` only
	// Example: outputs: {DATABASE_HOST: {stack: network, output: databaseHost}}
	// Rule: [Pulumi stack outputs](https://www.pulumi.com/docs/iac/concepts/stacks/#outputs)
	Outputs map[string]Output `json:"outputs"`

	// Services are the stage's services by name: each is an ECS service on Fargate with a task definition family,
	// roles and a log group of its own.
	//
	// Allowed: names of letters, digits, `-` and `_`; `<project>-<stage>-<service>-execution` is at most 64
	// characters long, as the name of an IAM role
	// Example: services: {web: {image: web}}
	// Rule: [ECS CreateService](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateService.html),
	// [IAM limits](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html)
	Services map[string]Service `json:"services"`

	// Tasks are the stage's tasks by name: what runs once and ends. Each has a task definition family, roles and a log
	// group of its own, and is run by `slipway run`, by its `schedule`, or before a deployment.
	//
	// Allowed: names as those of `services`, and no service's
	// Example: tasks: {migrate: {image: web}}
	// Rule: [ECS RunTask](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html)
	Tasks map[string]Task `json:"tasks"`

	// LoadBalancer is how the services that have a `route` are reached. A stage has one load balancer, which they
	// share; a stage without such a service has none.
	//
	// Example: loadBalancer: {zone: example.com}
	// Rule: [Application Load Balancers](https://docs.aws.amazon.com/elasticloadbalancing/latest/application/introduction.html)
	LoadBalancer LoadBalancer `json:"loadBalancer"`

	// InternalLoadBalancer is how the services that have `route: {internal: true}` are reached, from within the VPC: a
	// second load balancer beside the stage's own or existing one. A stage without such a service has none. It costs as
	// much as the first: about 16 $ a month, and what passes through it. Not where services of the stage alone call each
	// other: `name` and `calls` need none. Where all routes are internal, `loadBalancer.internal` makes the one internal.
	//
	// Example: internalLoadBalancer: {allowFrom: ["10.0.0.0/8"]}
	// Rule: [Load balancer scheme](https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html#load-balancer-scheme)
	InternalLoadBalancer InternalLoadBalancer `json:"internalLoadBalancer"`

	// Network is where tasks run.
	//
	// Default: none; the region's default VPC and its subnets
	// Example: network: {assignPublicIp: true}
	// Rule: [Fargate task networking](https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-task-networking.html)
	Network Network `json:"network"`

	// Cluster is how the stage's ECS cluster is kept.
	//
	// Example: cluster: {containerInsights: enabled}
	// Rule: [ECS CreateCluster](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateCluster.html)
	Cluster ClusterSettings `json:"cluster"`

	// Capacity is what the tasks of services run on that say nothing else. One-off, scheduled and pre-deployment tasks
	// run on demand.
	//
	// Default: none; Fargate on demand
	// Example: capacity: {spot: 1}
	// Rule: [Fargate capacity providers](https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-capacity-providers.html)
	Capacity *Capacity `json:"capacity"`

	// Instances are groups of EC2 instances, by name, for services that run on them: each is an auto scaling group with a
	// launch template and a capacity provider of ECS, `<project>-<stage>-<name>`. The instances start from Amazon's
	// newest image for ECS, ask for sessions at their metadata (IMDSv2), and nobody can log in to them.
	//
	// Default: none; everything runs on Fargate
	// Allowed: names of lower case letters and digits, separated by single `-` or `_`;
	// `<project>-<stage>-<name>-instances` is at most 64 characters long, as the name of an IAM role
	// Example: instances: {general: {types: [m7g.large], max: 10}}
	// Rule: [EC2 capacity providers](https://docs.aws.amazon.com/AmazonECS/latest/developerguide/asg-capacity-providers.html)
	Instances map[string]Instances `json:"instances"`

	// Roles is how the stage's IAM roles are kept: each service and each task has one with which ECS starts it, and one
	// that its own code has.
	//
	// Example: roles: {path: /slipway/}
	// Rule: [IAM roles of ECS tasks](https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html)
	Roles Roles `json:"roles"`

	// Tags are put on everything of the stage that takes tags, beside `project`, `stage` and, on what is one
	// service's, one task's or one image's alone, `service`, `task` or `image`.
	//
	// Allowed: at most 46; keys of 1 to 128 and values of up to 256 letters, digits, spaces and `+-=._:/@`; none of them
	// begins with `aws:`, and no key is `project`, `stage`, `service`, `task` or `image`
	// Example: tags: {team: shop}
	// Rule: [Tagging AWS resources](https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html)
	Tags map[string]string `json:"tags"`

	// Repository is how the stage's ECR repositories are kept.
	//
	// Example: repository: {forceDelete: false}
	// Rule: [ECR DeleteRepository](https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DeleteRepository.html)
	Repository Repository `json:"repository"`

	// Registries are those that images of the stage come from, by host, and that ask for a password. ECR is none of them:
	// it asks for permissions of the stage's account.
	//
	// Default: none; images are pulled without a password
	// Allowed: hosts as in references to images, with a port where they have one (`docker.io` is Docker Hub), each of
	// which holds an image of the stage
	// Example: registries: {ghcr.io: {credentials: "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:g-a1b2c3"}}
	// Rule: [Private registry authentication](https://docs.aws.amazon.com/AmazonECS/latest/developerguide/private-auth.html)
	Registries map[string]Registry `json:"registries"`
}

type imageDocument struct {
	// Build builds the image from source and pushes it to the stage's own repository, when what Docker would see has
	// changed. While `ref` stands beside it, nothing is built.
	//
	// Example: build: {context: ./app}
	// Rule: an image is built in one stage and promoted to the others
	Build *Build `json:"build"`

	// Ref runs an image that exists in a registry, without building. `slipway promote` writes it for an image of another
	// stage, and `slipway pin` its digest for one that somebody else builds. The digest decides what runs; the tag tells
	// people what that is. Beside `build` it goes back to an image that this stage built earlier: the image's repository
	// stays, what `build` names need not exist, and removing `ref` builds again.
	//
	// Allowed: `<registry>/<repository>:<tag>@sha256:<64 hexadecimal digits>`, an image that exists and that the stage's
	// account may pull, from ECR of any account and region, ECR Public, GHCR or another registry; Docker Hub's also in
	// short (`nginx:1.29@sha256:…`). One that needs a password has it in `registries`. Beside `build`, only one of the
	// repository `<project>-<stage>/<image>`
	// Example: ref: 123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/slipway-dev/web:20261123-041205-a1b2c3d-9f8e7d6c@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
	// Rule: [Pulling an image from ECR](https://docs.aws.amazon.com/AmazonECR/latest/userguide/docker-pull-ecr-image.html)
	Ref string `json:"ref"`

	// Mirror has an update copy the image by its digest, and under its tag, into the stage's own ECR repository,
	// `<project>-<stage>/<image>`, and run it from there. The stage then keeps what it runs, whatever becomes of the
	// other registry.
	//
	// Allowed: only beside `ref`, and not beside `build`
	// Example: mirror: true
	// Rule: [Pushing an image to ECR](https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-push.html)
	Mirror bool `json:"mirror" default:"false"`

	// Platform is that of a pinned image, which the tasks that run it need to know. One that is built here has
	// `build.platform`.
	//
	// Default: none; linux/amd64, or `build.platform` where `build` stands beside `ref`
	// Allowed: only beside `ref`
	// Example: platform: linux/arm64
	// Rule: [ECS runtimePlatform](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RuntimePlatform.html)
	Platform string `json:"platform" enum:"linux/amd64,linux/arm64"`
}

// defaultsKey holds, in Pulumi.yaml, an object of document's shape.
const defaultsKey = "defaults"
