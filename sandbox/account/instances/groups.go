package instances

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"slipway/sandbox/account"
	"slipway/sandbox/account/iam"
	"slipway/sandbox/account/vpc"
)

// Group is the kind of Auto Scaling groups, each by its name. What becomes of one is in stateKind.
const Group = "autoScalingGroup"

func init() {
	account.Register(Group, account.Rules{Check: checkGroup, Delete: deleteGroup,
		Created: func(t *account.Tx) { iam.MakeLinkedRole(t, iam.AutoScalingLinkedRole) }})
	account.Register(vpc.SecurityGroup, account.Rules{Delete: func(t *account.Tx, id string, _ account.Object,
		_ bool) error {
		for _, i := range account.List[Instance](t, instanceKind) {
			if i.TerminatedAt == nil && slices.Contains(i.SecurityGroups, id) {
				return vpc.SecurityGroupInUse(id)
			}
		}
		return nil
	}})
}

func checkGroup(t *account.Tx, _ string, o account.Object) error {
	refuse := func(format string, args ...any) error { return account.Refuse("ValidationError", format, args...) }
	least, most := o.Number("minSize", 0), o.Number("maxSize", 0)
	switch desired, given := o["desiredCapacity"].(float64); {
	case least < 0 || most < 0:
		return refuse("Min size and max size must not be negative.")
	case least > most:
		return refuse("Max bound, %d, must be greater than or equal to min bound, %d", most, least)
	case given && (int(desired) < least || int(desired) > most):
		return refuse("Desired capacity:%d must be between the specified min size:%d and max size:%d", int(desired), least,
			most)
	case len(o.List("vpcZoneIdentifiers")) == 0:
		return refuse("At least one Availability Zone or VPC Subnet is required.")
	}
	vpcs := map[string]bool{}
	for _, id := range o.List("vpcZoneIdentifiers") {
		subnet := vpc.FindSubnet(t, id)
		if subnet == nil {
			return refuse("The subnet ID '%s' does not exist", id)
		}
		vpcs[subnet.VPC] = true
	}
	for _, tag := range account.Objects(o["tags"]) {
		one := map[string]any{account.Text(tag["key"]): tag["value"]}
		if err := account.CheckTags(account.Object{"tagsAll": one}); err != nil {
			return err
		}
	}
	offers, err := offersOf(t, o)
	if err != nil {
		return err
	}
	for _, each := range offers {
		for _, id := range each.securityGroups {
			vpcs[vpc.OfSecurityGroup(t, id)] = true
		}
	}
	if len(vpcs) > 1 {
		return refuse("Subnets and security groups must be in the same VPC.")
	}
	return nil
}

// offer is one way in which a group may launch an instance: a version of a template, and a type.
type offer struct {
	template       string
	version        int
	kind           Type
	image          string // its architecture
	profile        string
	securityGroups []string
	publicIP       string // true, false or "" for what the subnet says
	agent          AgentSettings
}

// offersOf are the offers of a group, the preferred one first.
func offersOf(t *account.Tx, o account.Object) (offers []offer, err error) {
	single, mixed := o.Object("launchTemplate"), o.Object("mixedInstancesPolicy")
	if (single == nil) == (mixed == nil) {
		return nil, account.Refuse("ValidationError", "Valid requests must contain either LaunchTemplate, "+
			"LaunchConfigurationName, InstanceId or MixedInstancesPolicy parameter.")
	}
	if single != nil {
		return templateOffers(t, single.Text("id"), single.Text("name"), single.Text("version"), nil)
	}
	template := mixed.Object("launchTemplate")
	specified := template.Object("launchTemplateSpecification")
	overrides := account.Objects(template["overrides"])
	if len(overrides) == 0 {
		overrides = []map[string]any{nil}
	}
	for _, override := range overrides {
		more, err := templateOffers(t, specified.Text("launchTemplateId"), specified.Text("launchTemplateName"),
			specified.Text("version"), override)
		if err != nil {
			return nil, err
		}
		offers = append(offers, more...)
	}
	return offers, nil
}

// templateOffers are the offers of a template with an override of its type.
func templateOffers(t *account.Tx, id, name, chosen string, override account.Object) (offers []offer, err error) {
	one := offer{}
	var data account.Object
	if one.template, one.version, data, err = templateOf(t, id, name, chosen); err != nil {
		return nil, err
	}
	if one.image, err = imageArchitecture(data.Text("imageId")); err != nil {
		return nil, err
	}
	if one.profile, err = profileOf(t, data.Object("iamInstanceProfile")); err != nil {
		return nil, err
	}
	one.securityGroups, one.agent = data.List("vpcSecurityGroupIds"), readUserData(data.Text("userData"))
	for _, each := range account.Objects(data["networkInterfaces"]) {
		one.securityGroups = append(one.securityGroups, account.Object(each).List("securityGroups")...)
		one.publicIP = account.Text(each["associatePublicIpAddress"])
	}
	for _, group := range one.securityGroups {
		if !vpc.HasSecurityGroup(t, group) {
			return nil, invalidTemplate("The security group '%s' does not exist", group)
		}
	}
	if len(one.securityGroups) == 0 {
		one.securityGroups = []string{vpc.DefaultSecurityGroup}
	}
	typeName := cmp.Or(override.Text("instanceType"), data.Text("instanceType"))
	needs := data.Object("instanceRequirements")
	if own := override.Object("instanceRequirements"); own != nil {
		needs, typeName = own, ""
	}
	switch {
	case typeName != "":
		kind, known := FindType(typeName)
		if !known {
			return nil, invalidTemplate("Invalid value '%s' for InstanceType. (The sandbox has types of the families t3, t4g, "+
				"m5 to m8, c5 to c8 and r5 to r8.)", typeName)
		}
		one.kind = kind
		return []offer{one}, nil
	case needs == nil:
		return nil, invalidTemplate("The launch template has neither an instance type nor instance requirements.")
	}
	for _, kind := range smallestFirst() {
		if kind.Architecture == one.image && satisfies(kind, needs) {
			one.kind = kind
			offers = append(offers, one)
		}
	}
	if len(offers) == 0 {
		return nil, invalidTemplate("No instance types meet the instance requirements.")
	}
	return offers, nil
}

// satisfies tells whether a type meets instance requirements, of which the sandbox knows those of size and of names.
func satisfies(kind Type, needs account.Object) bool {
	within := func(n int, key string) bool {
		limits := needs.Object(key)
		most := limits.Number("max", 0)
		return n >= limits.Number("min", 0) && (most == 0 || n <= most)
	}
	matches := func(pattern string) bool { return account.Wildcard(pattern, kind.Name) }
	burst := strings.HasPrefix(kind.Name, "t")
	own := needs.Text("burstablePerformance")
	if burst && (own == "" || own == "excluded") || !burst && own == "required" {
		return false
	}
	if allowed := needs.List("allowedInstanceTypes"); len(allowed) > 0 && !slices.ContainsFunc(allowed, matches) {
		return false
	}
	return within(kind.VCPU, "vcpuCount") && within(kind.Memory, "memoryMib") &&
		!slices.ContainsFunc(needs.List("excludedInstanceTypes"), matches)
}

// profileOf is the name of the instance profile that a template gives its instances; "" for none.
func profileOf(t *account.Tx, given account.Object) (string, error) {
	name := cmp.Or(given.Text("name"), account.AfterSlash(given.Text("arn")))
	if name == "" {
		return "", nil
	}
	found := iam.FindInstanceProfile(t, name)
	if found == nil || given.Text("arn") != "" && found.Text("arn") != given.Text("arn") {
		return "", invalidTemplate("Value (%s) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile "+
			"name", name)
	}
	return name, nil
}

func deleteGroup(t *account.Tx, id string, _ account.Object, force bool) error {
	live := Live(t, id)
	if len(live) > 0 && !force {
		return account.Refuse("ResourceInUse", "You cannot delete an AutoScalingGroup while there are instances or pending "+
			"Spot instance request(s) still in the group.")
	}
	for _, i := range live {
		i.terminate(t, t.Now, "the group was deleted")
	}
	account.Remove(t, stateKind, id)
	return nil
}

// DrainGroup has a group lose all of its instances, also those that are protected, as a program does before it deletes
// one.
func DrainGroup(a *account.Account, name string) error {
	return a.Transact(func(t *account.Tx) error {
		o := account.Get[account.Object](t, Group, name)
		if o == nil {
			return nil
		}
		(*o)["minSize"], (*o)["maxSize"] = 0.0, 0.0
		delete(*o, "desiredCapacity")
		account.Put(t, Group, name, *o)
		for _, i := range Live(t, name) {
			i.Protected = false
			account.Put(t, instanceKind, i.ID, i)
		}
		return SetDesired(t, name, 0)
	})
}

// UpdateGroup changes a group. What the program says of the desired capacity counts where desired is given; otherwise
// it stays, as far as the new bounds allow. refresh replaces instances of another version, as an instance refresh does.
func UpdateGroup(a *account.Account, name string, o account.Object, desired *int, refresh bool) error {
	return a.Transact(func(t *account.Tx) error {
		if account.Get[account.Object](t, Group, name) == nil {
			return account.Refuse("ValidationError", "AutoScalingGroup name not found - AutoScalingGroup %s not found", name)
		}
		now := stateOf(t, name).Desired
		if desired != nil {
			now = *desired
		} else {
			delete(o, "desiredCapacity")
		}
		if err := t.Check(Group, name, o); err != nil {
			return err
		}
		account.Put(t, Group, name, o)
		if refresh {
			markOutdated(t, name, o)
		}
		return SetDesired(t, name, now)
	})
}

// markOutdated has the instances replaced that another version of the template has made. Those that are protected from
// scale-in stay, unless the refresh says otherwise.
func markOutdated(t *account.Tx, name string, o account.Object) {
	preferences := o.Object("instanceRefresh").Object("preferences")
	offers, err := offersOf(t, o)
	account.Must(err) // which has just been checked
	for _, i := range Live(t, name) {
		current := slices.ContainsFunc(offers, func(each offer) bool {
			return each.template == i.Template && each.version == i.Version && each.kind.Name == i.Type
		})
		if !current && (!i.Protected || preferences.Text("scaleInProtectedInstances") == "Refresh") {
			i.Outdated = true
			account.Put(t, instanceKind, i.ID, i)
		}
	}
}

// SetDesired has a group have so many instances, within its bounds.
func SetDesired(t *account.Tx, name string, n int) error {
	o := account.Get[account.Object](t, Group, name)
	if o == nil {
		return errors.New("there is no group " + name)
	}
	state := stateOf(t, name)
	if bounded := min(max(n, o.Number("minSize", 0)), o.Number("maxSize", 0)); bounded != state.Desired || !state.Known {
		state.Desired, state.Known, state.RetryAt = bounded, true, t.Now
		account.Put(t, stateKind, name, state)
	}
	return nil
}

// FindGroup finds a group by its name or its ARN, with what it is at now; nil where there is none.
func FindGroup(t *account.Tx, reference string) (account.Object, *GroupState) {
	name := account.AfterSlash(reference)
	o := account.Get[account.Object](t, Group, name)
	if o == nil || strings.HasPrefix(reference, "arn:") && o.Text("arn") != reference {
		return nil, nil
	}
	return *o, stateOf(t, name)
}

// zoneOf is the name of a subnet's availability zone.
func zoneOf(o account.Object, subnet *vpc.Subnet) string {
	return fmt.Sprintf("%s%s", account.Region(o.Text("arn")), subnet.Zone)
}

// RoleOf is the ARN of the role of the instances of a group; "" where they have none.
func RoleOf(a *account.Account, group account.Object) (arn string, err error) {
	err = a.Transact(func(t *account.Tx) error {
		offers, err := offersOf(t, group)
		if err != nil || len(offers) == 0 {
			return nil //nolint:nilerror // it is refused where the group is made
		}
		profile := iam.FindInstanceProfile(t, offers[0].profile)
		if role := account.Get[account.Object](t, iam.Role, profile.Text("role")); role != nil {
			arn = role.Text("arn")
		}
		return nil
	})
	return arn, err
}

// PreferredType is the type of the instances that a group launches first.
func PreferredType(t *account.Tx, group account.Object) (kind Type, found bool) {
	offers, err := offersOf(t, group)
	if err != nil || len(offers) == 0 {
		return Type{}, false
	}
	return offers[0].kind, true
}
