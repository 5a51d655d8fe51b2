package components

import "github.com/pulumi/pulumi/sdk/v3/go/pulumi"

// besideEarlier is the name in Pulumi, and the options, of a resource that AWS knows by what it says: a policy by its
// name with a digest, a rule of a security group by its port. One that says something else is another resource beside
// the earlier one, which is deleted when the update has succeeded. A replacement would be deleted then, too; but where
// an update fails, its deletion stays in the state, and the next update would delete by it what the commit before has
// brought back. (It was a replacement once: name alone is an alias.)
func besideEarlier(name, says string, parent pulumi.ResourceOption) (inPulumi string, options []pulumi.ResourceOption) {
	return name + "-" + says, []pulumi.ResourceOption{parent, pulumi.DeleteBeforeReplace(false),
		pulumi.Aliases([]pulumi.Alias{{Name: pulumi.String(name)}})}
}
