package instances

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"slipway/sandbox/account"
)

// LaunchTemplate is the kind of launch templates, each by its id: lt-… What each has in its versions is in versionKind.
const LaunchTemplate = "launchTemplate"

const versionKind = "launchTemplateVersion" // lt-…:0000001

var templateName = regexp.MustCompile(`^[a-zA-Z0-9().\-/_]{3,128}$`)

// longestUserData is in bytes, before they are encoded.
const longestUserData = 16 * 1024

func init() {
	account.Register(LaunchTemplate, account.Rules{Check: checkTemplate, Delete: func(t *account.Tx, id string,
		_ account.Object, _ bool) error {
		for n := 1; ; n++ {
			if version(t, id, n) == nil {
				return nil
			}
			account.Remove(t, versionKind, versionID(id, n))
		}
	}})
}

func versionID(template string, n int) string { return fmt.Sprintf("%s:%07d", template, n) }

func version(t *account.Tx, template string, n int) account.Object {
	if found := account.Get[account.Object](t, versionKind, versionID(template, n)); found != nil {
		return *found
	}
	return nil
}

func checkTemplate(t *account.Tx, id string, o account.Object) error {
	name := o.Text("name")
	if !templateName.MatchString(name) {
		return account.Refuse("InvalidLaunchTemplateName.MalformedException", "A launch template name must be between 3 and "+
			"128 characters, and may contain letters, numbers, and the following characters: ( ) . - / _: %s", name)
	}
	for _, other := range account.List[account.Object](t, LaunchTemplate) {
		if other.Text("name") == name && other.Text("id") != id {
			return account.Refuse("InvalidLaunchTemplateName.AlreadyExistsException", "Launch template name already in use.")
		}
	}
	text, err := base64.StdEncoding.DecodeString(o.Text("userData"))
	switch {
	case err != nil:
		return account.Refuse("InvalidUserData.Malformed", "Invalid BASE64 encoding of user data.")
	case len(text) > longestUserData:
		return account.Refuse("InvalidParameterValue", "User data is limited to %d bytes.", longestUserData)
	}
	if image := o.Text("imageId"); image != "" && !amiID.MatchString(image) && !strings.HasPrefix(image, resolves) {
		return account.Refuse("InvalidAMIID.Malformed", "Invalid id: \"%s\" (expecting \"ami-...\")", image)
	}
	return nil
}

// CreateLaunchTemplate records a template with its first version, and returns its id.
func CreateLaunchTemplate(a *account.Account, data account.Object) (id string, err error) {
	if id, err = a.NewID("lt-"); err != nil {
		return "", err
	}
	data["id"], data["latestVersion"], data["defaultVersion"] = id, 1.0, 1.0
	if err := a.CreateObject(LaunchTemplate, id, data, nil); err != nil {
		return "", err
	}
	return id, a.Transact(func(t *account.Tx) error {
		account.Put(t, versionKind, versionID(id, 1), data)
		return nil
	})
}

// UpdateLaunchTemplate records what a template is to be: as a new version, where asDefault has that be the default.
func UpdateLaunchTemplate(a *account.Account, id string, data account.Object, newVersion, asDefault bool) error {
	return a.Transact(func(t *account.Tx) error {
		before := account.Get[account.Object](t, LaunchTemplate, id)
		if before == nil {
			return account.Refuse("InvalidLaunchTemplateId.NotFoundException",
				"The specified launch template, with template ID %s, does not exist.", id)
		}
		latest := before.Number("latestVersion", 1)
		if newVersion {
			latest++
		}
		data["id"], data["latestVersion"] = id, float64(latest)
		if asDefault {
			data["defaultVersion"] = float64(latest)
		}
		if chosen := data.Number("defaultVersion", 0); chosen < 1 || chosen > latest {
			return account.Refuse("InvalidLaunchTemplateId.VersionNotFound", "Could not find launch template version.")
		}
		if err := t.Check(LaunchTemplate, id, data); err != nil {
			return err
		}
		account.Put(t, LaunchTemplate, id, data)
		account.Put(t, versionKind, versionID(id, latest), data)
		return nil
	})
}

// templateOf finds the version of a template that a specification names: by id or name, and a number, $Latest or
// $Default.
func templateOf(t *account.Tx, id, name, chosen string) (found string, n int, data account.Object, err error) {
	for _, each := range account.List[account.Object](t, LaunchTemplate) {
		if each.Text("id") != id && (name == "" || each.Text("name") != name) {
			continue
		}
		switch chosen {
		case "$Latest":
			n = each.Number("latestVersion", 1)
		case "", "$Default":
			n = each.Number("defaultVersion", 1)
		default:
			n, _ = strconv.Atoi(chosen)
		}
		if data = version(t, each.Text("id"), n); data == nil {
			return "", 0, nil, invalidTemplate("Could not find the launch template version '%s' of %s.", chosen, each.Text("id"))
		}
		return each.Text("id"), n, data, nil
	}
	return "", 0, nil, invalidTemplate("The specified launch template, with template ID %s, does not exist.", id+name)
}

// invalidTemplate is how Auto Scaling words what EC2 refuses of a launch template.
func invalidTemplate(format string, args ...any) error {
	return account.Refuse("ValidationError", "You must use a valid fully-formed launch template. "+format, args...)
}

const resolves = "resolve:ssm:"

var amiID = regexp.MustCompile(`^ami-[0-9a-f]{8,17}$`)

// ownImage is one of AWS's own images for ECS, which public parameters name.
var ownImage = regexp.MustCompile(
	`^/aws/service/ecs/optimized-ami/amazon-linux-(?:2|2023)/(?:(arm64)/)?recommended/image_id$`)

// imageArchitecture is that of the image that a template names.
func imageArchitecture(image string) (string, error) {
	parameter, resolved := strings.CutPrefix(image, resolves)
	if !resolved {
		return "", invalidTemplate("The image id '[%s]' does not exist", image)
	}
	if found := ownImage.FindStringSubmatch(parameter); found != nil {
		return cmp.Or(found[1], X86), nil
	}
	return "", invalidTemplate("The parameter '%s' that the image id resolves to does not exist.", parameter)
}
