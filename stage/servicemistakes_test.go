package stage

import (
	"strings"
	"testing"
)

func TestMistakesInServicesAndTheirVariables(t *testing.T) {
	t.Parallel()
	requireMistakes(t, map[string]mistake{
		// environment
		"a number in the environment": {
			with("  slipway:environment: {PORT: 8080}"), "environment.PORT",
			[]string{`is the number 8080`, `write "8080" in quotes`}},
		"a version in the environment": {
			with("  slipway:environment: {V: 1.10}"), "environment.V",
			[]string{`is the number 1.10`, `write "1.10" in quotes`}},
		"a number with a zero in front": {
			oneService("      environment: {ZIP: 01234}"), "services.web.environment.ZIP",
			[]string{`write "01234" in quotes`}},
		"a hexadecimal number": {
			oneService("      environment: {MASK: 0xFF}"), "services.web.environment.MASK",
			[]string{`write "0xFF" in quotes`}},
		"a boolean in the environment": {
			with("  slipway:environment: {DEBUG: True}"), "environment.DEBUG",
			[]string{`is the boolean True`, `write "True" in quotes`}},
		"null in the environment": {
			with("  slipway:environment: {A: }"), "environment.A", []string{"is empty (null)", `write ""`}},
		"a date in the environment": {
			with("  slipway:environment: {DAY: 2024-01-01}"), "environment.DAY",
			[]string{`is a date`, `in quotes: "2024-01-01"`}},
		"a time in the environment": {
			with("  slipway:environment: {T: 2024-01-01 10:30:00}"), "environment.T",
			[]string{`in quotes: "2024-01-01 10:30:00"`}},
		"a date that the CLI wrote back": {
			with("  slipway:environment: {DAY: 2024-01-01 00:00:00 +0000 UTC}"), "environment.DAY",
			[]string{`in quotes: "2024-01-01"`}},
		"services whose names differ in their case": {
			oneService("") + "    Web: {image: web}\n", "services.web",
			[]string{"differs from services.Web in upper and lower case only", "IAM"}},
		"a service that is named as a security group's id": {
			oneService("") + "    sg-api: {image: web}\n", "services.sg-api",
			[]string{"begins with sg-, with which AWS lets no name of a security group begin"}},
		"a service that is named as a security group's id, in capitals": {
			oneService("") + "    SG-api: {image: web}\n", "services.SG-api", []string{"begins with sg-"}},
		"a variable with =": {
			with("  slipway:environment: {a=b: x}"), `environment["a=b"]`, []string{"without spaces and ="}},
		"a variable with a space": {
			oneService("      environment: {a b: x}"), `services.web.environment["a b"]`, []string{"without spaces and ="}},
		"a variable without a name": {
			oneService("      environment: {'': x}"), `services.web.environment[""]`, []string{"without spaces and ="}},
		"a variable with a control character": {
			oneService(`      environment: {"a\eb": x}`), `services.web.environment["a\x1bb"]`,
			[]string{"without spaces and ="}},
		"a NUL in a value": {
			oneService(`      environment: {A: "x\0y"}`), "services.web.environment.A", []string{"holds a NUL character"}},
		"a NUL in a command": {
			oneService(`      command: ["x\0y"]`), "services.web.command[0]", []string{"holds a NUL character"}},
		"a variable that Fargate sets": {
			oneService("      environment: {AWS_EXECUTION_ENV: x}"), "services.web.environment.AWS_EXECUTION_ENV",
			[]string{"Fargate sets itself; use another name"}},
		// services
		"an image that is not declared": {
			with("    job: {image: wbe}"), "services.job.image",
			[]string{`names "wbe", which is not declared`, "declare images.wbe", "one of: web"}},
		"a service without an image": {
			with("    job: {replicas: 1}"), "services.job.image", []string{"is missing", "declared images: web"}},
		"a service name that ECS refuses": {
			with("    my.job: {image: web}"), `services["my.job"]`, []string{"letters, digits, - and _"}},
		"a service name that is too long for its roles": {
			with("    " + strings.Repeat("j", 43) + ": {image: web}"), "services." + strings.Repeat("j", 43),
			[]string{"65 characters long, and IAM takes 64; shorten it by 1"}},
		"an empty argument": {
			oneService("      command: [serve, '']"), "services.web.command[1]", []string{"is empty; write an argument"}},
		"a number among the arguments": {
			oneService("      command: [sleep, 10]"), "services.web.command[1]", []string{`write "10" in quotes`}},
		"port 0": {
			oneService("      port: 0"), "services.web.port", []string{"allowed: 1 to 65535"}},
		"a port beyond the last": {
			oneService("      port: 65536"), "services.web.port", []string{"is 65536; allowed: 1 to 65535"}},
		"fewer replicas than none": {
			oneService("      replicas: -1"), "services.web.replicas", []string{"is -1; allowed: 0 to 5000"}},
		"too many replicas": {
			oneService("      replicas: 5001"), "services.web.replicas", []string{"allowed: 0 to 5000"}},
		"a CPU size that Fargate lacks": {
			oneService("      cpu: 300"), "services.web.cpu", []string{"300 CPU units", "allowed: 256, 512, 1024",
				"1024 are one vCPU"}},
		"memory that does not go with the CPU size": {
			oneService("      memory: 300"), "services.web.memory",
			[]string{"300 MiB does not go with cpu 256; allowed: 512, 1024, 2048"}},
		"memory off the steps of a large size": {
			oneService("      cpu: 8192\n      memory: 17408"), "services.web.memory",
			[]string{"allowed: 16384 to 61440 in steps of 4096"}},
		"a CPU size that needs memory": {
			oneService("      cpu: 1024"), "services.web.cpu",
			[]string{"default memory of 512 MiB; write memory, allowed: 2048 to 8192 in steps of 1024"}},
		"revision 0": {
			oneService("      revision: 0"), "services.web.revision",
			[]string{"is 0; allowed: 1 to 1000000, or remove it"}},
		"a revision by another name": {
			oneService("      revision: latest"), "services.web.revision",
			[]string{`is the text "latest"; it must be a whole number`}},
		"a secret that is not declared": {
			oneService("      secrets: [TOKEN]"), "services.web.secrets[0]",
			[]string{"is not the name of a secret; declare it in secrets, with its value, encrypted, or its ARN",
				"one of: DATABASE_URL"}},
		"a secret twice": {
			oneService("      secrets: [DATABASE_URL, DATABASE_URL]"), "services.web.secrets[1]", []string{"duplicates "}},
		"a secret that is a variable of the service": {
			oneService("      secrets: [DATABASE_URL]\n      environment: {DATABASE_URL: x}"), "services.web.secrets[0]",
			[]string{"is a variable in services.web.environment too; remove one of them"}},
		"a secret that is a variable of the stage": {
			oneService("      secrets: [DATABASE_URL]\n  slipway:environment: {DATABASE_URL: x}"), "services.web.secrets[0]",
			[]string{"is a variable in environment too"}},
		"addresses for a service without a port": {
			oneService("      allowFrom: [10.0.0.0/8]"), "services.web.allowFrom",
			[]string{"no port; write port, or remove allowFrom"}},
		"an address that is no range": {
			oneService("      port: 80\n      allowFrom: [10.0.0.1]"), "services.web.allowFrom[0]",
			[]string{`is "10.0.0.1"`, "203.0.113.7/32"}},
		"a range that begins with another address": {
			oneService("      port: 80\n      allowFrom: [10.1.2.3/8]"), "services.web.allowFrom[0]",
			[]string{"write 10.0.0.0/8 for the range, or 10.1.2.3/32 for the address alone"}},
		"a range that AWS writes otherwise": {
			oneService("      port: 80\n      allowFrom: [2001:DB8::/32]"), "services.web.allowFrom[0]",
			[]string{"write it as 2001:db8::/32"}},
		"a range twice": {
			oneService("      port: 80\n      allowFrom: [10.0.0.0/8, 10.0.0.0/8]"), "services.web.allowFrom[1]",
			[]string{"duplicates "}},
	})
}
